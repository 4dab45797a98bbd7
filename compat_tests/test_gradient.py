"""Single gradients and second order, every lowering among the factors."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import gradient
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.gradient


def _group(case: Case) -> str:
    return f"s{case.strides[0]}x{case.strides[1]}"


class Gradient(unittest.TestCase):
    """Each gradient alone, and gradients of gradients, mixed pairwise over unequal axes."""

    @parameterized.expand(in_groups(chosen_calls(gradient.cases(), lowering_names()), _group))
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
