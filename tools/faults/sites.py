"""Where faults can be planted in a module, and a sample of them that stays from run to run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from tools.faults.operators import Replacement, faults_of, wrong_branch

MUTED = ("__repr__", "__str__", "__dir__", "__getattr__")
"""Functions that compute nothing."""


@dataclass(frozen=True)
class Fault:
    """One small change of a source.

    Attributes:
        module: path of the file, from the root of the checkout.
        function: the function's name, with those of what it stands in.
        kind: what sort of mistake it is.
        before: the expression as it stands.
        after: what is put in its place.
        line: where it begins.
        start: its first byte in the file.
        stop: the byte behind its last.
        twin: how many equal changes of the same function stand before it.
    """

    module: str
    function: str
    kind: str
    before: str
    after: str
    line: int
    start: int
    stop: int
    twin: int = 0

    @property
    def key(self) -> str:
        """Names the fault without saying on which line it is."""
        again = f" #{self.twin + 1}" if self.twin else ""
        return f"{self.module}::{self.function}: {self.before} -> {self.after}{again}"

    def planted(self, source: str) -> str:
        """The source with the fault in it; all else stays as it was, to the last byte."""
        data = source.encode()
        return (data[: self.start] + self.after.encode() + data[self.stop :]).decode()


def faults_in(module: str, source: str) -> list[Fault]:
    """All faults that can be planted in the functions of a module.

    Args:
        module: path of the file, from the root of the checkout.
        source: its text.

    Returns:
        The faults, in the order of the text; each compiles and differs from the source.
    """
    tree = ast.parse(source)
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Fault] = []
    seen: dict[tuple[str, str, str], int] = {}
    for function, node, (kind, replacement) in _replacements(tree):
        start = starts[node.lineno - 1] + node.col_offset
        stop = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        before, after = _text(node), _text(replacement)
        if before == after:
            continue
        if isinstance(node, ast.expr) and not isinstance(replacement, ast.Constant | ast.Name):
            after = f"({after})"
        twin = seen.get((function, before, after), 0)
        seen[function, before, after] = twin + 1
        fault = Fault(module, function, kind, before, after, node.lineno, start, stop, twin)
        if _compiles(fault.planted(source)):
            found.append(fault)
    return found


def sample(faults: Iterable[Fault], count: int, seed: int) -> list[Fault]:
    """Some of the faults, drawn by a hash of what they are, so that other code's edits change none.

    Args:
        faults: of any modules.
        count: how many to draw at most.
        seed: another one draws others.

    Returns:
        The sample: functions in turn, and in each function kinds in turn; in the order of the text.
    """
    functions: dict[tuple[str, str], list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: _draw(fault, seed)):
        functions.setdefault((fault.module, fault.function), []).append(fault)
    drawn = list(_in_turn([_kinds_in_turn(those) for those in functions.values()]))[:count]
    return sorted(drawn, key=lambda fault: (fault.module, fault.start, fault.after))


def unlisted(equivalent: Mapping[str, str], faults: Iterable[Fault]) -> list[str]:
    """Keys of the list of equivalent faults that name no fault any more."""
    known = {fault.key for fault in faults}
    return [key for key in equivalent if key not in known]


def _kinds_in_turn(faults: list[Fault]) -> list[Fault]:
    """The faults, one of each kind first."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    return list(_in_turn(list(kinds.values())))


def _in_turn(queues: list[list[Fault]]) -> Iterator[Fault]:
    """The first of each, then the second of each, and so on."""
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue):
                yield queue[place]


def _draw(fault: Fault, seed: int) -> str:
    return sha256(f"{seed} {fault.kind} {fault.key}".encode()).hexdigest()


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _compiles(source: str) -> bool:
    try:
        compile(source, "<fault>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _replacements(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.expr | ast.stmt, Replacement]]:
    """Every node of a function's body that has a fault, with the function's name."""
    attributes = frozenset(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    for function, node in _functions(tree, ""):
        names = frozenset(
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
        )
        for statement in node.body:
            for each in _computing(statement):
                if isinstance(each, ast.If | ast.While):
                    yield function, each.test, wrong_branch(each.test)
                if isinstance(each, ast.comprehension):
                    for test in each.ifs:
                        yield function, test, wrong_branch(test)
                if isinstance(each, ast.expr | ast.AugAssign):
                    for replacement in faults_of(each, attributes, names):
                        yield function, each, replacement


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions and methods of a module; those within a function belong to it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef) and child.name not in MUTED:
            yield f"{prefix}{child.name}", child


def _computing(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, without messages, annotations, decorators and docstrings."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        body = node.body if isinstance(node, ast.FunctionDef) else [node.body]
        for statement in body:
            yield from _computing(statement)
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _computing(child)
