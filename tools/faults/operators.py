"""Which small faults an expression can have: pairs of a kind and of what stands there instead.

None knows where it is used, so they fit any code; they are those that arithmetic of sizes, axes and
phases invites. What such code also has, error messages and annotations, is left out by `sites`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy

Replacement = tuple[str, ast.AST]

STRICTER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Mod: ast.FloorDiv,
}
OPPOSITES = {
    one: other
    for pair in (
        ("min", "max"),
        ("minimum", "maximum"),
        ("any", "all"),
    )
    for one, other in (pair, pair[::-1])
}
TWINS = {
    one: other
    for pair in (
        ("before", "after"),
        ("pad_before", "pad_after"),
        ("lead", "trail"),
        ("rows", "columns"),
        ("height", "width"),
        ("input_size", "output_size"),
        ("inputs", "outputs"),
        ("in_channels", "out_channels"),
        ("stride", "dilation"),
        ("strides", "dilations"),
        ("first", "last"),
        ("start", "stop"),
    )
    for one, other in (pair, pair[::-1])
}
"""Names taken for one another, where both occur."""

REVERSING = {"reverse", "reversed", "flip"}
CASTING = {"cast", "astype", "promote"}
UNORDERED = {"isinstance", "issubclass", "getattr", "hasattr", "setattr", "cast", "custom_gradient"}
"""Calls whose first two arguments nobody swaps: it would not get past the first call."""


def faults_of(
    node: ast.AST, attributes: frozenset[str], names: frozenset[str]
) -> Iterator[Replacement]:
    """Yields the faults of one node, its children left as they are.

    Args:
        node: any node of a function's body.
        attributes: the attributes that its module asks for; only these are taken for one another.
        names: the names that its function reads, likewise.

    Yields:
        Kind and replacement, an expression for an expression.
    """
    if isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        yield from _of_arithmetic(node)
    elif isinstance(node, ast.UnaryOp):
        yield from _of_sign(node)
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and for or", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.IfExp):
        yield "wrong branch", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Slice) and _is_minus_one(node.slice.step):
            yield "dropped reversal", node.value
    elif isinstance(node, ast.Tuple | ast.List):
        yield from _of_sequence(node)
    elif _is_read(node) and isinstance(node, ast.Attribute) and TWINS.get(node.attr) in attributes:
        yield "taken for its twin", ast.Attribute(node.value, TWINS[node.attr], node.ctx)
    elif _is_read(node) and isinstance(node, ast.Name) and TWINS.get(node.id) in names:
        yield "taken for its twin", ast.Name(TWINS[node.id], node.ctx)


def wrong_branch(test: ast.expr) -> Replacement:
    """The condition of a statement or a comprehension, negated."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return "wrong branch", test.operand
    return "wrong branch", ast.UnaryOp(ast.Not(), test)


def _of_constant(node: ast.Constant) -> Iterator[Replacement]:
    if isinstance(node.value, bool):
        yield "flipped flag", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "off by one", ast.Constant(node.value + 1)
        if node.value > 0:
            yield "off by one", ast.Constant(node.value - 1)


def _of_arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[Replacement]:
    if type(node.op) in ARITHMETIC:
        changed = deepcopy(node)
        changed.op = ARITHMETIC[type(node.op)]()
        yield "wrong operator", changed
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
        negative = ast.UnaryOp(ast.USub(), node.left)
        ceiling = ast.BinOp(negative, ast.FloorDiv(), node.right)
        yield "ceil for floor", ast.UnaryOp(ast.USub(), ceiling)


def _of_sign(node: ast.UnaryOp) -> Iterator[Replacement]:
    inner = node.operand
    if not isinstance(node.op, ast.USub) or isinstance(inner, ast.Constant):
        return
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.FloorDiv):
        left = inner.left
        if isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub):
            yield "floor for ceil", ast.BinOp(left.operand, ast.FloorDiv(), inner.right)
            return
    yield "dropped sign", inner


def _of_comparison(node: ast.Compare) -> Iterator[Replacement]:
    for place, op in enumerate(node.ops):
        for kind, table in (("wrong strictness", STRICTER), ("negated", NEGATED)):
            if type(op) in table:
                ops = [*node.ops]
                ops[place] = table[type(op)]()
                yield kind, ast.Compare(node.left, ops, node.comparators)


def _of_call(node: ast.Call) -> Iterator[Replacement]:
    name = _last_name(node.func)
    if name in OPPOSITES:
        changed = deepcopy(node)
        function = changed.func
        if isinstance(function, ast.Attribute):
            function.attr = OPPOSITES[name]
        elif isinstance(function, ast.Name):
            function.id = OPPOSITES[name]
        yield "opposite function", changed
    elif name in REVERSING and node.args and name != "reverse_bits":
        yield "dropped reversal", node.args[0]
    elif name in CASTING:
        method = name == "astype" and isinstance(node.func, ast.Attribute)
        if method and isinstance(node.func, ast.Attribute):
            yield "dropped cast", node.func.value
        elif len(node.args) > 1:
            yield "dropped cast", node.args[0]
    elif name not in UNORDERED and len(node.args) > 1:
        swapped = _swapped(node.args, 0)
        if swapped:
            yield "swapped pair", ast.Call(node.func, swapped, node.keywords)


def _of_sequence(node: ast.Tuple | ast.List) -> Iterator[Replacement]:
    if not isinstance(node.ctx, ast.Load):
        return
    for place in sorted({0, len(node.elts) - 2} if len(node.elts) > 1 else ()):
        swapped = _swapped(node.elts, place)
        if swapped:
            yield "swapped pair", type(node)(swapped, node.ctx)


def _swapped(items: list[ast.expr], place: int) -> list[ast.expr] | None:
    """The items with two neighbours exchanged, None where they are the same or of two kinds."""
    one, other = items[place : place + 2]
    if any(isinstance(item, ast.Starred | ast.Slice) for item in items):
        return None
    if type(one) is not type(other) or ast.dump(one) == ast.dump(other):
        return None
    return [*items[:place], other, one, *items[place + 2 :]]


def _is_read(node: ast.AST) -> bool:
    """Whether it is a name or an attribute that is read, not set."""
    return isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_minus_one(node: ast.expr | None) -> bool:
    return node is not None and ast.unparse(node) == "-1"
