"""One axis, exhaustively, with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import axis
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.axis


def _kernel(case: Case) -> str:
    return f"k{max(case.kernel)}"


def _kernel_and_stride(case: Case) -> str:
    return f"k{max(case.kernel)}_s{max(case.strides)}"


class Axis(unittest.TestCase):
    """Every input, kernel, stride, dilation, SAME and VALID, every legal output size."""

    @parameterized.expand(grouped(lowering_names()[1:], axis.cases(), _kernel_and_stride))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)

    @parameterized.expand(grouped(["auto"], axis.cases()[::10], _kernel))
    def test_auto_equals_the_definition(
        self, name: str, lowering: str, cases: Sequence[Case]
    ) -> None:
        assert_hold(Ours(lowering), cases)
