"""Two unequal axes with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import plane
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.plane


def _group(case: Case) -> str:
    return f"s{case.strides[0]}x{case.strides[1]}"


class Plane(unittest.TestCase):
    """Sizes, kernels, strides, dilations, padding and channels, mixed pairwise."""

    @parameterized.expand(grouped(lowering_names(), plane.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
