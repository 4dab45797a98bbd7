"""Short scripts that show a finding without the suite, for whoever has to believe or fix it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import make_inputs
from compat_tests.judge import PARTS, Judgement, Numbers, Verdict, expected
from compat_tests.oracle import Array
from compat_tests.runner import Finding
from compat_tests.subjects.subject import Script, Subject

WRITTEN_OUT = 13
"""Arrays up to this size are written as a list of numbers; so are periods of longer ones."""


def reproducer(subject: Subject, case: Case, judgement: Judgement) -> str:
    """Writes a script of five lines that prints what was found and what it should be.

    Args:
        subject: the implementation.
        case: what was called, on `make_inputs`.
        judgement: the verdict on it.

    Returns:
        Lines of Python; the command that judges the case again where the adapter has no script, or
        none for the gradient that is wrong.
    """
    script = subject.script(case)
    in_words: tuple[Part, ...] = ()
    if script is not None:
        in_words = ("y", "dx", "dw") if script.gradients and case.gradients else ("y",)
    fault = _fault(judgement) or _Fault(in_words[1] if in_words[1:] else "y", "shape")
    if script is None or fault.part not in in_words:
        command = ("python", "-m", "compat_tests", "--subject", subject.name, "--case", case.id)
        return shlex.join(command)
    return "\n".join(_lines(script, case, fault, judgement.numbers))


def smallest(findings: Sequence[Finding]) -> Finding:
    """The finding whose call takes the fewest numbers, the first of several.

    Args:
        findings: at least one.

    Returns:
        One of them; an illegal call, which has no numbers worth counting, before any legal one.
    """
    return min(findings, key=_size)


@dataclass(frozen=True)
class _Fault:
    """What is wrong with an answer.

    Attributes:
        part: the array that shows it.
        aspect: what is wrong with it: one of its elements, its shape or its type.
        place: index of a wrong element.
    """

    part: Part
    aspect: Literal["element", "shape", "dtype"]
    place: tuple[int, ...] = ()

    @property
    def named(self) -> str:
        """What is printed before it."""
        return f"{self.shown(self.part)} is" if self.place else f"{self.aspect} of {self.part} is"

    def shown(self, array: str) -> str:
        """The expression of it, given that of the array."""
        place = ", ".join(map(str, self.place))
        return f"{array}[{place}]" if place else f"{array}.{self.aspect}"


def _lines(script: Script, case: Case, fault: _Fault, numbers: Numbers | None) -> Iterator[str]:
    """The five lines: imports, arrays, call, what is found and what it should be."""
    by_gradient = fault.part != "y"
    inputs = make_inputs(case)
    arrays = {"x": inputs.x, "w": inputs.w} | ({"g": inputs.g} if by_gradient else {})
    tensors = [script.tensor.replace("{}", _typed(array, case)) for array in arrays.values()]
    yield _imports(script.imports, case)
    yield f"{', '.join(arrays)} = {', '.join(tensors)}"
    if by_gradient:
        yield f"f = lambda x, w: {script.call}; dx, dw = {script.gradients}"
    else:
        yield f"y = {script.call}"
    found = script.array.replace("{}", fault.part)
    yield f'print("{fault.named}", {fault.shown(found)})'
    yield f'print("should be", {_right(case, fault, numbers)})'


def _fault(judgement: Judgement) -> _Fault | None:
    """What is wrong with the answer, if there was one.

    It is told by the numbers, or by the judge's words where there were too many to keep.
    """
    if judgement.numbers is not None:
        numbers = judgement.numbers
        if numbers.found.shape != numbers.right.shape:
            return _Fault(numbers.part, "shape")
        wrong = np.argwhere(~(numbers.found == numbers.right))
        return _Fault(numbers.part, "element", tuple(int(n) for n in wrong[0]))
    if judgement.verdict not in (Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE, Verdict.CLOSE):
        return None
    meanings = {meaning: part for part, meaning in PARTS.items()}
    words = rf"(?:no )?({'|'.join(meanings)})(?:\[([\d,]+)\]| (is)\b)?"
    told = re.match(words, judgement.detail)
    if told is None:
        return None
    meaning, place, of_type = told.groups()
    if place:
        return _Fault(meanings[meaning], "element", tuple(int(n) for n in place.split(",")))
    return _Fault(meanings[meaning], "dtype" if of_type else "shape")


def _right(case: Case, fault: _Fault, numbers: Numbers | None) -> str:
    """The literal of what should have been found."""
    if fault.aspect == "dtype":
        return f'"{_numpy_name(case)}"'
    if fault.aspect == "shape":
        shapes = {"y": case.output_shape, "dx": case.input_shape, "dw": case.filters_shape}
        return str(shapes[fault.part])
    if numbers is not None:
        right = numbers.right
    else:
        alone = replace(case, gradients=() if fault.part == "y" else (fault.part,))
        right = expected(alone, make_inputs(case))[fault.part]
    number = float(right[fault.place])
    return str(int(number)) if case.dtype == "int32" else repr(number)


def _imports(imports: str, case: Case) -> str:
    """The first line: what the adapter imports, and what the arrays need."""
    needed = [] if re.search(r"\bimport numpy as np\b", imports) else ["import numpy as np"]
    if case.dtype == "bfloat16":
        needed.append("import ml_dtypes")
    return "; ".join((*needed, imports))


def _typed(array: Array, case: Case) -> str:
    """An expression of the array in the type of the case."""
    return f'{_untyped(array)}.astype("{_numpy_name(case)}")'


def _numpy_name(case: Case) -> str:
    """NumPy's name of the case's type."""
    return "float16" if case.dtype == "half" else case.dtype


def _untyped(array: Array) -> str:
    """An expression of an array of `make_inputs`, whose numbers are a ramp or repeat early."""
    flat = array.ravel()
    if not flat.size:
        return f"np.zeros({array.shape})"
    if flat.size <= WRITTEN_OUT:
        return f"np.reshape({flat.tolist()}, {array.shape})"
    period = flat[:WRITTEN_OUT]
    if np.array_equal(np.resize(period, array.shape), array):
        return f"np.resize({period.tolist()}, {array.shape})"
    start = int(flat[0])
    again = np.flatnonzero(flat[1:] == start)
    turns = f" % {again[0] + 1}" if again.size else ""
    return f"(np.arange({flat.size}){turns} - {-start}).reshape{array.shape}"


def _size(finding: Finding) -> tuple[int, int]:
    """How many products and how many numbers a call takes."""
    call = finding.call
    if not isinstance(call, Case):
        return 0, 0
    shapes = (call.input_shape, call.filters_shape, call.output_shape)
    return call.products, sum(int(np.prod(shape)) for shape in shapes)
