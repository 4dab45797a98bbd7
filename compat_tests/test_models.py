"""Layers of published models with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import models
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.models

NAMES = models.names()


class Models(unittest.TestCase):
    """A layer a test."""

    @parameterized.expand(grouped(lowering_names(), models.cases(), lambda case: NAMES[case.id]))
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
