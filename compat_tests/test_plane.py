"""Two unequal axes, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import plane
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.plane


def _group(case: Case) -> str:
    return f"s{case.strides[0]}x{case.strides[1]}"


class Plane(unittest.TestCase):
    """Sizes, kernels, strides, dilations, padding and channels, mixed pairwise."""

    @parameterized.expand(in_groups(chosen_calls(plane.cases(), lowering_names()), _group))
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
