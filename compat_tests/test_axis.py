"""One axis, exhaustively, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import axis
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.axis


def _kernel(case: Case) -> str:
    return f"k{max(case.kernel)}"


def _kernel_and_stride(case: Case) -> tuple[int, int]:
    return max(case.kernel), max(case.strides)


class Axis(unittest.TestCase):
    """Inputs, kernels, strides, dilations, SAME and VALID, and every kind of legal output size."""

    @parameterized.expand(
        in_groups(chosen_calls(axis.cases(), lowering_names(), _kernel_and_stride), _kernel)
    )
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
