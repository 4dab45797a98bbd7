"""Both layouts, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import layout
from compat_tests.cases.case import Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.layout


def _group(case: Case) -> str:
    return f"{case.data_format.lower()}_g{case.groups}"


class Layout(unittest.TestCase):
    """NHWC and NCHW by stride, dilation, groups and padding."""

    @parameterized.expand(in_groups(chosen_calls(layout.cases(), lowering_names()), _group))
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
