"""Every combination of what implementations tend to leave out, every lowering among the factors."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import capability
from compat_tests.cases.covering import chosen_calls
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.capability


class Capability(unittest.TestCase):
    """Types by dilation, stride, groups and layout, forward alone and with gradients."""

    @parameterized.expand(
        in_groups(chosen_calls(capability.cases(), lowering_names()), lambda case: case.dtype)
    )
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
