"""Lets many cases share one test, and still names every one that fails, and how."""

from __future__ import annotations

import functools
import os
import unittest
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec

from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import Inputs, make_inputs
from compat_tests.judge import Judgement, expected, judge
from compat_tests.oracle import Array
from compat_tests.subjects.ours import Ours
from compat_tests.subjects.subject import Subject
from compat_tests.worker import run_call

Call = tuple[Case, str]
"""A case, and the variant of `Ours` that computes it."""

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
    assert_all_hold([(subject, case) for case in cases])


def assert_calls_hold(calls: Iterable[Call]) -> None:
    """The same of cases by the variants of `Ours` that they come with."""
    subjects: dict[str, Subject] = {}
    assert_all_hold(
        [(subjects.setdefault(variant, Ours(variant)), case) for case, variant in calls]
    )


def assert_all_hold(calls: Sequence[tuple[Subject, Case]]) -> None:
    """The same of cases by the subject that each comes with."""
    assert calls, "no cases to check"
    judged = ((subject, case, judged_here(subject, case)) for subject, case in calls)
    failures = [
        f"{subject.name}: {case.id}: {told(found)}"
        for subject, case, found in judged
        if not found.holds
    ]
    if failures:
        listed = "\n  ".join(failures[:SHOWN])
        rest = f"\n  and {len(failures) - SHOWN} more" if len(failures) > SHOWN else ""
        raise AssertionError(
            f"{len(failures)} of {len(calls)} cases do not hold:\n  {listed}{rest}"
        )


def judged_here(subject: Subject, case: Case) -> Judgement:
    """Runs one case in this process and judges it."""
    inputs, truth = _known(case)
    return judge(case, inputs, run_call(subject, case), truth)


@functools.lru_cache(maxsize=8)
def _known(case: Case) -> tuple[Inputs, dict[Part, Array]]:
    """Inputs and right answer, for several subjects in a row that are judged on the same case.

    Tests take cases in an outer loop and subjects in an inner one, so few need to be kept.
    """
    inputs = make_inputs(case)
    return inputs, expected(case, inputs)


def told(judgement: Judgement) -> str:
    """A judgement in one line."""
    return f"{judgement.verdict.value}: {judgement.detail}" if judgement.detail else "exact"


def in_groups(
    calls: Iterable[Call], key: Callable[[Case], str]
) -> list[tuple[str, tuple[Call, ...]]]:
    """Splits calls into tests, for `parameterized`.

    Args:
        calls: cases, each with the variant of `Ours` that computes it.
        key: names the group of a case.

    Returns:
        Name of the test and its calls, a row for each group.
    """
    groups: dict[str, list[Call]] = {}
    for case, variant in calls:
        groups.setdefault(key(case), []).append((case, variant))
    return [(name, tuple(group)) for name, group in groups.items()]


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
