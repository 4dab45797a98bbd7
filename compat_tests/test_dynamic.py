"""Sizes known only at run time with every lowering: forward and both gradients."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import pytest
from parameterized import parameterized

from compat_tests.cases import dynamic
from compat_tests.cases.case import Case
from compat_tests.checking import assert_hold, grouped
from compat_tests.subjects.ours import Ours, lowering_names

pytestmark = pytest.mark.dynamic


def _turn(start: int) -> list[Case]:
    """Every call once, each traced without the next entry of `dynamic.UNKNOWN`.

    Tracing takes about a second a case, so the entries go round: among five lowerings each call
    meets them all. The command line runs the whole family.
    """
    cases, length = dynamic.cases(), len(dynamic.UNKNOWN)
    calls = [cases[first : first + length] for first in range(0, len(cases), length)]
    return [call[(start + place) % length] for place, call in enumerate(calls)]


def _group(case: Case) -> str:
    return f"k{case.kernel[0]}x{case.kernel[1]}"


class Dynamic(unittest.TestCase):
    """Unknown batches, images and output shapes, mixed with every kind of geometry."""

    @parameterized.expand(
        [
            row
            for start, lowering in enumerate(lowering_names())
            for row in grouped([lowering], _turn(start), _group)
        ]
    )
    def test_equals_the_definition(self, name: str, lowering: str, cases: Sequence[Case]) -> None:
        assert_hold(Ours(lowering), cases)
