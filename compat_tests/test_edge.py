"""The ends of the range, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import edge
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.edge


def _group(case: Case) -> str:
    return f"i{case.input[0]}x{case.input[1]}_n{case.batch}"


class Edge(unittest.TestCase):
    """Empty images and batches, single pixels, strides and kernels out of proportion."""

    @parameterized.expand(in_groups(chosen_calls(edge.cases(), lowering_names()), _group))
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
