"""Lets many cases share one test, and still names every one that fails, and how."""

from __future__ import annotations

import os
import unittest
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from zlib import crc32

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import make_inputs
from compat_tests.judge import Judgement, judge
from compat_tests.subjects.subject import Subject
from compat_tests.worker import run_call

SHOWN = 20
"""How many failures a message lists."""


def need_installed(*packages: str) -> None:
    """Skips the test where a package of an extra is not installed; fails it if it has to be."""
    for package in packages:
        if find_spec(package) is None:
            missing = f"{package} belongs to an extra and is not installed"
            assert os.environ.get("COMPAT_PEERS") != "required", missing
            raise unittest.SkipTest(missing)


def assert_hold(subject: Subject, cases: Sequence[Case]) -> None:
    """Runs cases in this process, and fails if one of them is not equal to the last bit.

    Args:
        subject: the implementation.
        cases: at least one case; all are run, whatever becomes of the first.

    Raises:
        AssertionError: names the cases that do not hold, with verdict and reason.
    """
    assert cases, "no cases to check"
    judged = ((case, judged_here(subject, case)) for case in cases)
    failures = [f"{case.id}: {told(found)}" for case, found in judged if not found.holds]
    if failures:
        listed = "\n  ".join(failures[:SHOWN])
        rest = f"\n  and {len(failures) - SHOWN} more" if len(failures) > SHOWN else ""
        raise AssertionError(
            f"{len(failures)} of {len(cases)} cases do not hold for {subject.name}:\n  "
            f"{listed}{rest}"
        )


def judged_here(subject: Subject, case: Case) -> Judgement:
    """Runs one case in this process and judges it."""
    return judge(case, make_inputs(case), run_call(subject, case))


def told(judgement: Judgement) -> str:
    """A judgement in one line."""
    return f"{judgement.verdict.value}: {judgement.detail}" if judgement.detail else "exact"


def shared(
    variants: Sequence[str], cases: Sequence[Case], key: Callable[[Case], str], every: int = 3
) -> list[tuple[str, str, tuple[Case, ...]]]:
    """As `grouped`, each variant with a part of the cases and the next one with the next part.

    Between them every case is judged several times. The command line judges all by each. Who gets
    which is drawn by the ids, as the tables repeat themselves: of every third case, many have the
    same stride.

    Args:
        variants: each gets a test for every group.
        cases: the cases.
        key: names the group of a case.
        every: how many parts.
    """
    return [
        row
        for number, variant in enumerate(variants)
        for row in grouped([variant], _part(cases, number, every), key)
    ]


def _part(cases: Sequence[Case], number: int, every: int) -> list[Case]:
    """The n-th of so many parts of some cases, the same in every process."""
    return [case for case in cases if (crc32(case.id.encode()) + number) % every == 0]


def grouped(
    variants: Iterable[str], cases: Iterable[Case], key: Callable[[Case], str]
) -> list[tuple[str, str, tuple[Case, ...]]]:
    """Splits cases into tests, for `parameterized`.

    Args:
        variants: each gets a test for every group.
        cases: the cases.
        key: names the group of a case.

    Returns:
        Name of the test, variant and cases, a row for each variant and group.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    return [
        (f"{variant}_{name}", variant, tuple(group))
        for variant in variants
        for name, group in groups.items()
    ]
