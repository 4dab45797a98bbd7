"""Explicit padding, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import explicit
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.explicit


def _group(case: Case) -> str:
    return f"k{max(case.kernel)}_s{max(case.strides)}_d{max(case.dilations)}"


class Explicit(unittest.TestCase):
    """Every pair of sides, crops beyond the kernel among them, every legal output size."""

    @parameterized.expand(in_groups(chosen_calls(explicit.cases(), lowering_names()), _group))
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
