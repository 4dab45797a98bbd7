"""Sizes known only at run time every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Hashable, Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import dynamic
from compat_tests.cases.case import Case
from compat_tests.cases.pairwise import covering_choice
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.dynamic


def _traced(case: Case) -> tuple[Hashable, ...]:
    """What a graph of unknown sizes depends on. Each is a trace, of which there should be few."""
    geometry = (case.kernel, case.strides, case.dilations, case.padding)
    return (*geometry, case.groups, case.data_format, case.unknown, 0 in case.input_shape)


def _group(case: Case) -> str:
    return f"k{case.kernel[0]}x{case.kernel[1]}"


class Dynamic(unittest.TestCase):
    """Unknown batches, images and output shapes, mixed with every kind of geometry."""

    @parameterized.expand(
        in_groups(covering_choice(dynamic.cases(), _traced, lowering_names()), _group)
    )
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
