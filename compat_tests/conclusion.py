"""What a run concludes about its subjects: which findings are unexpected, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compat_tests.cases.registry import select, select_illegal
from compat_tests.expected.known_differences import KnownDifferences, known_differences_of
from compat_tests.machine import Machine, this_machine
from compat_tests.runner import Call, Finding, Report
from compat_tests.subjects.registry import ADAPTERS, split

HOLDS, FAILS, CANNOT_RUN, INTERRUPTED = 0, 1, 2, 130

OURS = "ours"
"""The library itself by the part of a name before the colon, and after it what is made of it."""


@dataclass(frozen=True)
class Conclusion:
    """What is concluded about one subject.

    Attributes:
        ledger: its known differences on this machine, if there is a ledger that covers it.
        inapplicable: a ledger of it that covers other versions or machines only.
        unexpected: findings that are not what an implementation wants, and that no ledger lists.
        contradicting: findings that a ledger lists, and that came out better or otherwise.
        stale: entries of the ledger that name no call at all, a sentence each.
    """

    ledger: KnownDifferences | None
    inapplicable: KnownDifferences | None
    unexpected: tuple[Finding, ...]
    contradicting: tuple[Finding, ...]
    stale: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything is right, or as it is known to be."""
        return not (self.unexpected or self.contradicting)


def conclude(
    report: Report,
    ledgers: Mapping[str, KnownDifferences],
    errors_count: bool = False,
    machine: Machine | None = None,
) -> dict[str, Conclusion]:
    """Compares the findings on each subject with what is known of it.

    Args:
        report: the report.
        ledgers: by subject.
        errors_count: whether illegal calls decide for every subject; they always do for ours and
            where a ledger applies.
        machine: where the run was made; this machine if it is not given.

    Returns:
        A conclusion for each subject of the report.
    """
    machine = machine or this_machine()
    tables: list[Call] = []
    found = {}
    for subject in report.subjects:
        whole = ledgers.get(subject)
        description = report.descriptions.get(subject, {})
        applies = whole is not None and whole.covers(machine, description)
        findings = report.legal(subject)
        if applies or errors_count or subject.partition(":")[0] == OURS:
            findings = findings + report.illegal(subject)
        unexpected = [f for f in findings if not (f.judgement.holds or f.judgement.inexpressible)]
        ledger, contradicting, stale = None, list[Finding](), list[str]()
        if whole is not None and applies:
            tables = tables or [*select(), *select_illegal()]
            ledger = whole.on(machine, description)
            unexpected = [finding for finding in unexpected if ledger.entry(finding.call) is None]
            contradicting = ledger.contradicting(findings)
            stale = whole.stale(tables)
        found[subject] = Conclusion(
            ledger=ledger,
            inapplicable=None if applies else whole,
            unexpected=tuple(unexpected),
            contradicting=tuple(contradicting),
            stale=tuple(stale),
        )
    return found


def known_ledgers(subjects: Iterable[str]) -> dict[str, KnownDifferences]:
    """The ledgers that the suite has for some subjects.

    Raises:
        ValueError: if one of the files is not a ledger.
    """
    found = {subject: known_differences_of(split(subject)[0]) for subject in subjects}
    return {subject: ledger for subject, ledger in found.items() if ledger is not None}


def under_judgement(subjects: Iterable[str], named: Iterable[str]) -> frozenset[str]:
    """The subjects of a run that decide its exit code; the others are there to compare with.

    Args:
        subjects: all of the run.
        named: those that the caller asked for one by one.

    Returns:
        This library in every form, and functions from outside; where a run has none of these, what
        was named, or all.
    """
    subjects = tuple(subjects)
    own = frozenset(subject for subject in subjects if _is_own(split(subject)[0]))
    return own or frozenset(named) or frozenset(subjects)


def _is_own(subject: str) -> bool:
    """Whether a subject is this library or a function from outside."""
    prefix, _, variant = subject.partition(":")
    return OURS in (prefix, variant) or prefix not in ADAPTERS


def exit_code(
    report: Report,
    conclusions: Mapping[str, Conclusion],
    named: Iterable[str],
    strict: bool = False,
) -> int:
    """The exit code of the command.

    Args:
        report: the report.
        conclusions: those of `conclude`.
        named: the subjects that the caller asked for one by one. Of the others, one that is absent
            or whose version or machine the ledger doesn't cover is shown, but decides nothing.
        strict: whether every subject decides, and entries of ledgers that name no call.

    Returns:
        `HOLDS`, `FAILS`, `CANNOT_RUN` or `INTERRUPTED`.
    """
    if report.interrupted:
        return INTERRUPTED
    asked = set(named)
    deciding = set(report.subjects) if strict else under_judgement(report.subjects, asked)
    if (asked | deciding) & report.failures.keys() or asked & report.absent.keys():
        return CANNOT_RUN
    if deciding <= report.absent.keys():
        return CANNOT_RUN
    for subject in deciding:
        conclusion = conclusions[subject]
        if subject in report.absent or (conclusion.inapplicable and subject not in asked):
            continue
        if not report.complete(subject) or not conclusion.holds:
            return FAILS
        if strict and conclusion.stale:
            return FAILS
    return HOLDS
