"""Batches, channels and groups with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import channels
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.channels


def _group(case: Case) -> str:
    return f"c{case.in_channels}to{case.out_channels}_g{case.groups}"


class Channels(unittest.TestCase):
    """Unequal counts, groups, depthwise, depth multipliers, empty batches."""

    @parameterized.expand(grouped(lowering_names(), channels.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
