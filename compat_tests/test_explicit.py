"""Explicit padding with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import explicit
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.explicit


def _group(case: Case) -> str:
    return f"k{max(case.kernel)}_s{max(case.strides)}_d{max(case.dilations)}"


class Explicit(unittest.TestCase):
    """Every pair of sides, crops beyond the kernel among them, every legal output size."""

    @parameterized.expand(grouped(lowering_names(), explicit.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
