"""The ends of the range with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import edge
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.edge


def _group(case: Case) -> str:
    return f"i{case.input[0]}x{case.input[1]}_n{case.batch}"


class Edge(unittest.TestCase):
    """Empty images and batches, single pixels, strides and kernels out of proportion."""

    @parameterized.expand(grouped(lowering_names(), edge.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
