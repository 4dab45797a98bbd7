"""Every combination of what implementations tend to leave out, with every lowering."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import capability
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.capability


class Capability(unittest.TestCase):
    """Types by dilation, stride, groups and layout, forward alone and with gradients."""

    @parameterized.expand(grouped(lowering_names(), capability.cases(), lambda case: case.dtype))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
