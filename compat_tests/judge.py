"""Compares what an implementation did with what the definition says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from compat_tests import oracle
from compat_tests.cases.case import Case, Part
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import PRECISION_BITS, Inputs
from compat_tests.diagnosis import diagnose
from compat_tests.oracle import Array
from compat_tests.outcomes import Accepted, Answered, Died, Outcome, Raised, TimedOut

PARTS: dict[Part, str] = {
    "y": "output",
    "dx": "input gradient",
    "dw": "filter gradient",
    "ddg": "second-order gradient by the upstream gradient",
    "ddx": "second-order gradient by the input",
    "ddw": "second-order gradient by the filters",
}
"""The arrays of an answer, by name, in the order in which they are judged."""

KEPT_ELEMENTS = 600
"""A wrong array is kept with the judgement up to this size."""


class Verdict(str, Enum):
    """The verdicts: the first five are of legal calls, the next three of illegal ones."""

    EXACT = "exact"
    CLOSE = "close"
    WRONG_VALUES = "wrong values"
    WRONG_SHAPE = "wrong shape"
    REFUSED = "refused"
    CLEAR = "clear error"
    UNCLEAR = "unclear error"
    ACCEPTED = "accepted"
    FATAL = "fatal"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Numbers:
    """An array of an answer that differs from the truth.

    Attributes:
        part: its name, a key of `PARTS`.
        found: what was returned, int64 or float64; channels last.
        right: what should have been.
    """

    part: Part
    found: Array
    right: Array


HOLDS = frozenset({Verdict.EXACT, Verdict.CLEAR})
"""The good verdicts. Inputs are integers, so close is not enough."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and its reasons.

    Attributes:
        verdict: the verdict.
        detail: one sentence for a reader; empty for an exact answer.
        ulps: for an answer that is close, the largest error, in units of the last place of the
            largest value of the array it is in.
        forward_only: the case has gradients, but only the output was there to be judged.
        inexpressible: it was the adapter that refused, as the framework cannot express the call.
        diagnosis: for a wrong answer, what was done instead, where that can be told.
        numbers: for a wrong answer, the array that shows it, unless it is large.
    """

    verdict: Verdict
    detail: str = ""
    ulps: float = 0.0
    forward_only: bool = False
    inexpressible: bool = False
    diagnosis: str = ""
    numbers: Numbers | None = field(default=None, compare=False, repr=False)

    @property
    def holds(self) -> bool:
        """Whether the verdict is a good one."""
        return self.verdict in HOLDS


def expected(case: Case, inputs: Inputs) -> dict[Part, Array]:
    """The oracle's answer to a case.

    Args:
        case: a legal call.
        inputs: what it is called on; float64 holds the integers of `make_inputs` and their sums.

    Returns:
        An array for each of `case.parts`; float64, channels last.
    """
    x, w, g, u, v = (
        a.astype(np.float64) for a in (inputs.x, inputs.w, inputs.g, inputs.u, inputs.v)
    )
    settings = (case.strides, case.padding, case.dilations, case.groups)

    def transposed(x: Array, w: Array) -> Array:
        return oracle.conv2d_transpose(x, w, case.output_size, *settings)

    def by_input(g: Array, w: Array) -> Array:
        return oracle.input_gradient(g, w, case.input, *settings)

    def by_filters(g: Array, x: Array) -> Array:
        return oracle.filter_gradient(g, x, case.kernel, *settings)

    # y is linear in x and in w, so dx is linear in g and w, and dw in g and x.
    formulas: dict[Part, Callable[[], Array]] = {
        "y": lambda: transposed(x, w),
        "dx": lambda: by_input(g, w),
        "dw": lambda: by_filters(g, x),
        "ddg": lambda: transposed(u, w) + transposed(x, v),
        "ddx": lambda: by_input(g, v),
        "ddw": lambda: by_filters(g, u),
    }
    return {part: formulas[part]() for part in case.parts}


def error_bounds(case: Case, inputs: Inputs) -> dict[Part, NDArray[np.float64]]:
    """How far from the truth an implementation may be that computes carefully, but in floats.

    A sum of `n` products computed with unit roundoff `u` is off by at most `n*u` times the sum of
    the absolute products, in whatever order it is added up (to first order; Higham, "Accuracy and
    Stability of Numerical Algorithms", section 3.1). `u` is 2**-53 for float64 and 2**-24 for the
    rest, as half and bfloat16 are usually summed in float32; rounding the sum to the type of the
    case adds one unit of the last place at most.

    Args:
        case: a legal call.
        inputs: what it is called on.

    Returns:
        A bound for each element of each array of `expected`.
    """
    bits = PRECISION_BITS[case.dtype]
    roundoff = 2.0 ** -max(bits, 24)
    taps = case.kernel[0] * case.kernel[1]
    terms: dict[Part, int] = {
        "y": taps * case.in_channels // case.groups,
        "dx": taps * case.out_channels // case.groups,
        "dw": case.batch * case.input[0] * case.input[1],
    }
    terms |= {"ddg": 2 * terms["y"], "ddx": terms["dx"], "ddw": terms["dw"]}
    magnitudes = expected(case, inputs.absolute())
    return {
        name: magnitude * (terms[name] * roundoff) + unit_of_last_place(magnitude, bits)
        for name, magnitude in magnitudes.items()
    }


def unit_of_last_place(values: Array, bits: int) -> NDArray[np.float64]:
    """Distance to the next number of a type with significands of so many bits; 0 at 0."""
    _, exponent = np.frexp(np.abs(values).astype(np.float64))
    return np.where(values == 0, 0.0, np.ldexp(1.0, exponent - bits))


def judge(
    case: Case, inputs: Inputs, outcome: Outcome, truth: dict[Part, Array] | None = None
) -> Judgement:
    """Judges a legal call.

    Args:
        case: what was called.
        inputs: what it was called on.
        outcome: what became of it.
        truth: `expected(case, inputs)`, if it is at hand.

    Returns:
        The verdict: the worst over the output and the gradients.
    """
    if isinstance(outcome, Raised):
        return _refused(outcome)
    if not isinstance(outcome, Answered):
        return _lost(outcome)
    truth = expected(case, inputs) if truth is None else truth
    forward_only = bool(case.gradients) and outcome.arrays.keys() <= {"y"}
    close = Judgement(Verdict.EXACT, forward_only=forward_only)
    for name in ("y",) if forward_only else case.parts:
        if name not in outcome.arrays:
            return Judgement(Verdict.WRONG_SHAPE, f"no {PARTS[name]} was returned")
        numbers = Numbers(name, outcome.arrays[name], truth[name])
        found, right = numbers.found, numbers.right
        if found.shape != right.shape:
            detail = f"{PARTS[name]} has shape {found.shape}, should be {right.shape}"
            return _wrong(Verdict.WRONG_SHAPE, detail, case, inputs, numbers)
        if outcome.dtypes[name] != case.dtype:
            detail = f"{PARTS[name]} is {outcome.dtypes[name]}, should be {case.dtype}"
            return Judgement(Verdict.WRONG_VALUES, detail)
        if np.array_equal(found, right):
            continue
        detail = _difference(PARTS[name], found, right)
        error = np.abs(found - right)
        if case.dtype == "int32" or not np.all(error <= error_bounds(case, inputs)[name]):
            return _wrong(Verdict.WRONG_VALUES, detail, case, inputs, numbers)
        unit = float(unit_of_last_place(np.max(np.abs(right)), PRECISION_BITS[case.dtype]))
        ulps = float(np.max(error)) / unit if unit else 0.0
        if close.verdict is Verdict.EXACT or ulps > close.ulps:
            close = Judgement(Verdict.CLOSE, detail, ulps, forward_only)
    return close


def judge_illegal(illegal: IllegalCase, outcome: Outcome) -> Judgement:
    """Judges a call that ought to be refused.

    A clear error is a ValueError or TypeError, and names an argument that the row changes or, where
    the fault lies between two arguments, `output_shape`. TensorFlow's kernels raise neither of the
    two classes, so such an error came before a kernel ran.

    Args:
        illegal: what was called.
        outcome: what became of it.

    Returns:
        The verdict.
    """
    if isinstance(outcome, Accepted):
        return Judgement(Verdict.ACCEPTED, f"returned {outcome.what}")
    if not isinstance(outcome, Raised):
        return _lost(outcome)
    detail = f"{outcome.kind}: {outcome.message}"
    if not {"ValueError", "TypeError"} & set(outcome.bases):
        return Judgement(Verdict.UNCLEAR, detail)
    names = "|".join(re.escape(name) for name in (*illegal.changes, "output_shape"))
    if not re.search(rf"\b({names})\b", outcome.message):
        return Judgement(Verdict.UNCLEAR, detail)
    return Judgement(Verdict.CLEAR, detail)


def _refused(outcome: Raised) -> Judgement:
    """Judges a legal call that raised: inexpressible, out of memory or refused."""
    detail = f"{outcome.kind}: {outcome.message}"
    if "Inexpressible" in outcome.bases:
        return Judgement(Verdict.REFUSED, outcome.message, inexpressible=True)
    if "MemoryError" in outcome.bases:
        return Judgement(Verdict.FATAL, detail)
    return Judgement(Verdict.REFUSED, detail)


def _wrong(
    verdict: Verdict, detail: str, case: Case, inputs: Inputs, numbers: Numbers
) -> Judgement:
    """Judges a wrong answer, and says what was done instead, where that can be told."""
    diagnosis = diagnose(case, inputs, numbers.part, numbers.found, numbers.right)
    small = max(numbers.found.size, numbers.right.size) <= KEPT_ELEMENTS
    return Judgement(verdict, detail, diagnosis=diagnosis, numbers=numbers if small else None)


def _lost(outcome: Outcome) -> Judgement:
    """Judges a call from which the process did not come back."""
    if isinstance(outcome, TimedOut):
        return Judgement(Verdict.TIMED_OUT, f"no answer within {outcome.seconds:g} s")
    if isinstance(outcome, Died):
        words = f": {outcome.last_words}" if outcome.last_words else ""
        return Judgement(Verdict.FATAL, outcome.cause + words)
    raise TypeError(f"{type(outcome).__name__} is not an outcome of this kind of call")


def _difference(meaning: str, found: Array, right: Array) -> str:
    """Says where two arrays of one shape differ first, and in how many places."""
    places = np.argwhere(~(found == right))
    first = tuple(int(n) for n in places[0])
    where = ",".join(str(n) for n in first)
    count = f"{len(places)} of {right.size} differ"
    return f"{meaning}[{where}] is {found[first]:g}, should be {right[first]:g} ({count})"
