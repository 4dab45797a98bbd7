"""Layers of published models, every lowering among the factors: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Hashable, Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import models
from compat_tests.cases.case import Case
from compat_tests.cases.pairwise import covering_choice
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

pytestmark = pytest.mark.models

NAMES = models.names()


def _geometry(case: Case) -> tuple[Hashable, ...]:
    return case.kernel, case.strides, case.padding


class Models(unittest.TestCase):
    """A layer a test; every kernel, stride and padding meets every lowering."""

    @parameterized.expand(
        in_groups(
            covering_choice(models.cases(), _geometry, lowering_names()),
            lambda case: NAMES[case.id],
        )
    )
    @pytest.mark.slow
    def test_equals_the_definition(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)
