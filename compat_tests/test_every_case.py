"""Every case of every family in TensorFlow: once by the lowerings in turn, and once by each."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from itertools import product
from zlib import crc32

import pytest
from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import FAMILIES
from compat_tests.checking import Call, assert_calls_hold, in_groups
from compat_tests.subjects.ours import lowering_names

LOWERINGS = lowering_names()


def _in_turn(case: Case) -> str:
    """One of the lowerings, drawn by the case's id: by its place, it would keep to some strides."""
    return LOWERINGS[crc32(case.id.encode()) % len(LOWERINGS)]


def _cases() -> list[Case]:
    return [case for cases in FAMILIES.values() for case in cases()]


def _group(case: Case) -> str:
    name = f"{case.family}_k{max(case.kernel)}"
    return f"{name}_s{max(case.strides)}" if case.family in ("axis", "models") else name


class EveryCase(unittest.TestCase):
    """Forward and gradients; the cases of a test lie together, so each is solved once."""

    @parameterized.expand(in_groups([(case, _in_turn(case)) for case in _cases()], _group))
    @pytest.mark.slow
    def test_by_a_lowering(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)

    @parameterized.expand(in_groups(product(_cases(), LOWERINGS), _group))
    @pytest.mark.exhaustive
    def test_by_every_lowering(self, name: str, calls: Sequence[Call]) -> None:
        assert_calls_hold(calls)

    def test_each_lowering_has_its_turn_in_each_family(self) -> None:
        for family, cases in FAMILIES.items():
            if len(cases()) > 10 * len(LOWERINGS):
                self.assertEqual({_in_turn(case) for case in cases()}, set(LOWERINGS), family)
