"""Compares what an implementation did with what the definition says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from compat_tests import oracle
from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import PRECISION_BITS, Inputs
from compat_tests.oracle import Array
from compat_tests.outcomes import Accepted, Answered, Died, Outcome, Raised, TimedOut

PARTS = {"y": "output", "dx": "input gradient", "dw": "filter gradient"}
"""The arrays of an answer, by name, in the order in which they are judged."""


class Verdict(str, Enum):
    """What is held of one call: the first five of a legal one, the next three of an illegal one."""

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


HOLDS = frozenset({Verdict.EXACT, Verdict.CLEAR})
"""The verdicts that an implementation wants. Inputs are integers, so close is not enough."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and its reasons.

    Attributes:
        verdict: the verdict.
        detail: one sentence for a reader; empty for an exact answer.
        ulps: for an answer that is close, the largest error, in units of the last place of the
            largest value of the array it is in.
        forward_only: the case has gradients, but only the output was there to be judged.
    """

    verdict: Verdict
    detail: str = ""
    ulps: float = 0.0
    forward_only: bool = False

    @property
    def holds(self) -> bool:
        """Whether this is what an implementation wants."""
        return self.verdict in HOLDS


def expected(case: Case, inputs: Inputs) -> dict[str, Array]:
    """The oracle's answer to a case.

    Args:
        case: a legal call.
        inputs: what it is called on.

    Returns:
        "y" and, where the case has gradients, "dx" and "dw"; int64 or float64, channels last.
    """
    x, w, g = inputs.x, inputs.w, inputs.g
    settings = (case.strides, case.padding, case.dilations, case.groups)
    answer = {"y": oracle.conv2d_transpose(x, w, case.output_size, *settings)}
    if case.gradients:
        answer["dx"] = oracle.input_gradient(g, w, case.input, *settings)
        answer["dw"] = oracle.filter_gradient(g, x, case.kernel, *settings)
    return answer


def error_bounds(case: Case, inputs: Inputs) -> dict[str, NDArray[np.float64]]:
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
    terms = {
        "y": taps * case.in_channels // case.groups,
        "dx": taps * case.out_channels // case.groups,
        "dw": case.batch * case.input[0] * case.input[1],
    }
    magnitudes = expected(case, Inputs(abs(inputs.x), abs(inputs.w), abs(inputs.g)))
    return {
        name: magnitude * (terms[name] * roundoff) + unit_of_last_place(magnitude, bits)
        for name, magnitude in magnitudes.items()
    }


def unit_of_last_place(values: Array, bits: int) -> NDArray[np.float64]:
    """Distance to the next number of a type with significands of so many bits; 0 at 0."""
    _, exponent = np.frexp(np.abs(values).astype(np.float64))
    return np.where(values == 0, 0.0, np.ldexp(1.0, exponent - bits))


def judge(
    case: Case, inputs: Inputs, outcome: Outcome, truth: dict[str, Array] | None = None
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
        return Judgement(Verdict.REFUSED, f"{outcome.kind}: {outcome.message}")
    if not isinstance(outcome, Answered):
        return _lost(outcome)
    truth = expected(case, inputs) if truth is None else truth
    forward_only = case.gradients and not {"dx", "dw"} & outcome.arrays.keys()
    close = Judgement(Verdict.EXACT, forward_only=forward_only)
    for name, meaning in PARTS.items():
        if name not in truth or (forward_only and name != "y"):
            continue
        if name not in outcome.arrays:
            return Judgement(Verdict.WRONG_SHAPE, f"no {meaning} was returned")
        found, right = outcome.arrays[name], truth[name]
        if found.shape != right.shape:
            detail = f"{meaning} has shape {found.shape}, should be {right.shape}"
            return Judgement(Verdict.WRONG_SHAPE, detail)
        if outcome.dtypes[name] != case.dtype:
            detail = f"{meaning} is {outcome.dtypes[name]}, should be {case.dtype}"
            return Judgement(Verdict.WRONG_VALUES, detail)
        if np.array_equal(found, right):
            continue
        detail = _difference(meaning, found, right)
        error = np.abs(found - right)
        if case.dtype == "int32" or not np.all(error <= error_bounds(case, inputs)[name]):
            return Judgement(Verdict.WRONG_VALUES, detail)
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


def _lost(outcome: Outcome) -> Judgement:
    """Judges a call from which the process did not come back."""
    if isinstance(outcome, TimedOut):
        return Judgement(Verdict.TIMED_OUT, f"no answer within {outcome.seconds:g} s")
    if isinstance(outcome, Died):
        words = f": {outcome.last_words}" if outcome.last_words else ""
        return Judgement(Verdict.FATAL, outcome.cause + words)
    raise TypeError(f"{type(outcome).__name__} is no outcome of this kind of call")


def _difference(meaning: str, found: Array, right: Array) -> str:
    """Says where two arrays of one shape differ first, and in how many places."""
    places = np.argwhere(~(found == right))
    first = tuple(int(n) for n in places[0])
    where = ",".join(str(n) for n in first)
    count = f"{len(places)} of {right.size} differ"
    return f"{meaning}[{where}] is {found[first]:g}, should be {right[first]:g} ({count})"
