"""Single gradients and second order with every lowering."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import gradient
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.gradient


def _group(case: Case) -> str:
    return f"s{case.strides[0]}x{case.strides[1]}"


class Gradient(unittest.TestCase):
    """Each gradient alone, and gradients of gradients, mixed pairwise over unequal axes."""

    @parameterized.expand(grouped(lowering_names(), gradient.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
