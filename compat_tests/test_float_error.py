"""Random floats: how far from the truth, compared with how far the native op is from it."""

from __future__ import annotations

import contextlib
import unittest
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from parameterized import parameterized

from compat_tests.cases import dtype as dtype_family
from compat_tests.cases.case import DTYPES, Case, Dtype, Part
from compat_tests.cases.inputs import PRECISION_BITS, Inputs, random_inputs
from compat_tests.checking import grouped
from compat_tests.judge import error_bounds, expected, unit_of_last_place
from compat_tests.oracle import Array
from compat_tests.outcomes import answered
from compat_tests.subjects.native import Native
from compat_tests.subjects.ours import Ours, lowering_names
from compat_tests.subjects.subject import Subject

FLOATS: tuple[Dtype, ...] = tuple(name for name in DTYPES if name != "int32")

LONG_SUMS = Case(
    "float",
    batch=3,
    input=(6, 7),
    kernel=(5, 4),
    strides=(2, 3),
    padding="SAME",
    output=(11, 20),
    in_channels=48,
    out_channels=24,
)
"""Hundreds of products an element, so that errors of summation show above those of rounding."""


def _cases() -> list[Case]:
    """The floating part of the dtype family, and long sums in each type."""
    longer = [replace(LONG_SUMS, dtype=name) for name in FLOATS]
    return longer + [case for case in dtype_family.cases() if case.dtype in FLOATS]


def _group(case: Case) -> str:
    return f"{case.dtype}_{case.family}_s{max(case.strides)}"


class _Comparison:
    """Errors of ours and of the native op on one case, in units of the last place.

    Attributes:
        case: the case.
        ours: the largest error in each array of ours.
        native: the same of the native op; empty where it refuses.
        slack: what is granted beside twice the native op's error.
        within_bounds: whether every element of ours is within `error_bounds`.
    """

    def __init__(self, ours: Subject, native: Subject, case: Case) -> None:
        inputs = random_inputs(case)
        truth = expected(case, inputs)
        bounds = error_bounds(case, inputs)
        bits = PRECISION_BITS[case.dtype]
        units = {k: float(unit_of_last_place(np.max(abs(t)), bits)) for k, t in truth.items()}
        off = {k: abs(a - truth[k]) for k, a in _compute(ours, case, inputs).items()}
        self.case = case
        self.ours = {k: float(np.max(error)) / units[k] for k, error in off.items()}
        self.within_bounds = all(np.all(error <= bounds[k]) for k, error in off.items())
        self.native: dict[Part, float] = {}
        with contextlib.suppress(Exception):  # whatever the native op raises when it refuses
            answer = _compute(native, case, inputs)
            self.native = {
                k: float(np.max(abs(a - truth[k]))) / units[k] for k, a in answer.items()
            }
        doubt = {k: float(np.max(b)) / units[k] for k, b in bounds.items()}
        self.slack = {k: 2 + (doubt[k] if case.dtype == "float64" else 0) for k in truth}


def _compute(subject: Subject, case: Case, inputs: Inputs) -> dict[Part, Array]:
    """The subject's arrays in float64."""
    return answered(subject.compute(case, inputs)).arrays


class FloatError(unittest.TestCase):
    """In each case at most twice the native op's error, plus a slack.

    Errors are counted in units of the last place of the array's largest value. The slack is two:
    of a sum of a dozen terms the native op may by luck have no error at all, and another order of
    adding them is then off by one rounding on the way and one at the end. For float64 the truth
    itself is a float64 sum, and may be off by as much as `error_bounds`.

    Where the native op refuses, `error_bounds` stands in for it, element by element: what any order
    of summation in float32 or better, rounded once, is sure to keep.
    """

    @parameterized.expand(grouped(lowering_names(), _cases(), _group))
    @pytest.mark.slow
    def test_error_is_at_most_twice_the_native_ops(
        self, name: str, lowering: str, cases: Sequence[Case]
    ) -> None:
        ours, native = Ours(lowering), Native()
        compared = [_Comparison(ours, native, case) for case in cases]
        beyond = [c.case.id for c in compared if not c.within_bounds]
        self.assertEqual(beyond, [], "beyond what any order of summation is sure to keep")
        dtype = cases[0].dtype
        for part in LONG_SUMS.parts:
            answered_by_both = [c for c in compared if part in c.native]
            # Of the halves a processor may have none, and then the bounds alone are the judge.
            if PRECISION_BITS[dtype] >= PRECISION_BITS["float32"]:
                self.assertTrue(answered_by_both, "the native op answered none of the cases")
            further = [
                f"{c.case.id}: {c.ours[part]:.2f} units, native {c.native[part]:.2f}"
                for c in answered_by_both
                if c.ours[part] > 2 * c.native[part] + c.slack[part]
            ]
            self.assertEqual(further, [], part)

    @parameterized.expand([(name,) for name in FLOATS])
    def test_the_limit_is_tighter_than_the_type_below(self, name: Dtype) -> None:
        # A float32 computed in half, say, is off by some 2**-11 of the largest value: the bounds
        # used above must be far below that, or this test could not fail.
        case = replace(LONG_SUMS, dtype="float32")
        inputs = random_inputs(replace(case, dtype=name))
        for part, bound in error_bounds(case, inputs).items():
            largest = np.max(abs(expected(case, inputs)[part]))
            self.assertLess(np.max(bound), largest * 2.0**-11)
