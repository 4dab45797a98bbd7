"""What a run says of its subjects in the end: which findings are news, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compat_tests.cases.registry import select, select_illegal
from compat_tests.expected.ledger import Ledger, ledger_of
from compat_tests.runner import Call, Finding, Report
from compat_tests.subjects.registry import split

HOLDS, FAILS, CANNOT_RUN, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Conclusion:
    """What is to be said of one subject.

    Attributes:
        ledger: the ledger that speaks of it, if there is one.
        silent: a ledger of it that speaks of other versions only.
        news: findings that are not what an implementation wants, and that no ledger foresees.
        complaints: promises of the ledger that the findings break, and entries that are stale.
    """

    ledger: Ledger | None
    silent: Ledger | None
    news: tuple[Finding, ...]
    complaints: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all is as it should be, or as it is known to be."""
        return not (self.news or self.complaints)


def conclude(
    report: Report, ledgers: Mapping[str, Ledger], errors_count: bool = False
) -> dict[str, Conclusion]:
    """Holds the findings on each subject against what is known of it.

    Args:
        report: the report.
        ledgers: by subject.
        errors_count: whether illegal calls decide for every subject; they always do for ours and
            where a ledger speaks.

    Returns:
        A conclusion for each subject of the report.
    """
    tables: list[Call] = []
    found = {}
    for subject in report.subjects:
        ledger = ledgers.get(subject)
        speaks = ledger is not None and ledger.speaks_of(report.descriptions.get(subject, {}))
        findings = report.legal(subject)
        if speaks or errors_count or subject.partition(":")[0] == "ours":
            findings = findings + report.illegal(subject)
        news = [f for f in findings if not (f.judgement.holds or f.judgement.inexpressible)]
        complaints: list[str] = []
        if ledger is not None and speaks:
            tables = tables or [*select(), *select_illegal()]
            news = [finding for finding in news if ledger.entry(finding.call) is None]
            complaints = ledger.complaints(findings) + ledger.stale(tables)
        found[subject] = Conclusion(
            ledger=ledger if speaks else None,
            silent=None if speaks else ledger,
            news=tuple(news),
            complaints=tuple(complaints),
        )
    return found


def known_ledgers(subjects: Iterable[str]) -> dict[str, Ledger]:
    """The ledgers that the suite has for some subjects.

    Raises:
        ValueError: if one of the files is no ledger.
    """
    found = {subject: ledger_of(split(subject)[0]) for subject in subjects}
    return {subject: ledger for subject, ledger in found.items() if ledger is not None}


def exit_code(report: Report, conclusions: Mapping[str, Conclusion], named: Iterable[str]) -> int:
    """The exit code of the command.

    Args:
        report: the report.
        conclusions: those of `conclude`.
        named: the subjects that the caller asked for one by one. Of the others, one that is absent
            or of whose version the ledger doesn't speak is shown, but decides nothing.

    Returns:
        `HOLDS`, `FAILS`, `CANNOT_RUN` or `INTERRUPTED`.
    """
    if report.interrupted:
        return INTERRUPTED
    asked = set(named)
    if report.failures or asked & report.absent.keys():
        return CANNOT_RUN
    for subject, conclusion in conclusions.items():
        if subject in report.absent or (conclusion.silent and subject not in asked):
            continue
        if not report.complete(subject) or not conclusion.holds:
            return FAILS
    return HOLDS
