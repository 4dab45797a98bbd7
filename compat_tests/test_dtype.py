"""Every type with every lowering: forward, and both gradients of the floating ones."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import dtype
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.dtype


def _group(case: Case) -> str:
    return f"{case.dtype}_g{case.groups}"


class Dtype(unittest.TestCase):
    """Half, bfloat16, float32, float64 and int32 by stride, dilation, groups and padding."""

    @parameterized.expand(grouped(lowering_names(), dtype.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
