"""Both layouts with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import layout
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.layout


def _group(case: Case) -> str:
    return f"{case.data_format.lower()}_g{case.groups}"


class Layout(unittest.TestCase):
    """NHWC and NCHW by stride, dilation, groups and padding."""

    @parameterized.expand(grouped(lowering_names(), layout.cases(), _group))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
