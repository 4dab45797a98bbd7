"""The layer, on what a layer can express of every family."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import FAMILIES, select
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import LAYER, Ours


def _expressible() -> list[Case]:
    """A sample of each family, without int32: a layer has no integer weights."""
    sampled = [case for family in FAMILIES for case in select([family], sample=60)]
    return [case for case in sampled if case.dtype != "int32"]


class Layer(unittest.TestCase):
    """Weights go in, output and gradients come out."""

    @parameterized.expand(grouped([LAYER], _expressible(), lambda case: case.family))
    @pytest.mark.slow
    def test_equals_the_definition(self, name: str, variant: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(variant), cases)
