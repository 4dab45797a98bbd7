"""A document as the pages read it: verdicts grouped by what they come to, calls in table order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.registry import FAMILIES, ILLEGAL, select, select_illegal
from compat_tests.judge import HOLDS, Verdict

Call = Case | IllegalCase


class Standing(str, Enum):
    """What a verdict comes to, the best first."""

    EXACT = "exact"
    CLOSE = "close"
    CANNOT_SAY = "cannot say"
    REFUSED = "refused"
    WRONG = "wrong"
    FATAL = "fatal"


IN_WORDS: Mapping[Standing, str] = {
    Standing.EXACT: "equal to the last bit; for an illegal call, a clear error",
    Standing.CLOSE: "off by no more than careful rounding explains",
    Standing.CANNOT_SAY: "the framework has no words for the call, which was not made",
    Standing.REFUSED: "raised an error; for an illegal call, one that names no argument",
    Standing.WRONG: "other numbers or another shape; for an illegal call, accepted",
    Standing.FATAL: "took the process down, or did not come back in time",
}
"""Each standing in plain words."""

STANDINGS: Mapping[Verdict, Standing] = {
    Verdict.EXACT: Standing.EXACT,
    Verdict.CLEAR: Standing.EXACT,
    Verdict.CLOSE: Standing.CLOSE,
    Verdict.REFUSED: Standing.REFUSED,
    Verdict.UNCLEAR: Standing.REFUSED,
    Verdict.WRONG_VALUES: Standing.WRONG,
    Verdict.WRONG_SHAPE: Standing.WRONG,
    Verdict.ACCEPTED: Standing.WRONG,
    Verdict.FATAL: Standing.FATAL,
    Verdict.TIMED_OUT: Standing.FATAL,
}
"""What each verdict comes to, unless the adapter had no words for the call."""


@dataclass(frozen=True)
class Numbers:
    """An array of an answer that differs from the truth.

    Attributes:
        part: its name, a key of `compat_tests.judge.PARTS`.
        found: what was returned, nested lists.
        right: what should have been, nested lists.
    """

    part: str
    found: Any
    right: Any


@dataclass(frozen=True)
class Result:
    """What became of one call.

    Attributes:
        id: the call's id.
        family: the table that the call is in.
        verdict: what was held of it.
        standing: what that comes to.
        detail: one sentence; empty for an exact answer.
        diagnosis: what was done instead, where that is known.
        expected: why the subject's ledger foresees this; empty if it does not.
        link: where that is discussed.
        forward_only: gradients were asked for, but only the output was there to be judged.
        numbers: the array that shows the fault.
        reproducer: a script that shows it.
    """

    id: str
    family: str
    verdict: Verdict
    standing: Standing
    detail: str = ""
    diagnosis: str = ""
    expected: str = ""
    link: str = ""
    forward_only: bool = False
    numbers: Numbers | None = None
    reproducer: str = ""

    @property
    def differs(self) -> bool:
        """Whether this is a finding: not what is wanted, and not for want of words."""
        return self.verdict not in HOLDS and self.standing is not Standing.CANNOT_SAY


@dataclass(frozen=True)
class Ledger:
    """How a subject's findings compare with what was known of it.

    Attributes:
        file: the ledger.
        entries: how many differences it lists.
        expected: how many findings it foresees.
        complaints: where findings break its promises.
    """

    file: str
    entries: int
    expected: int
    complaints: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """Results counted.

    Attributes:
        counts: how many, by standing.
        foreseen: how many of those a ledger expects, by standing.
        differing: how many are findings.
    """

    counts: Mapping[Standing, int]
    foreseen: Mapping[Standing, int]
    differing: int

    @property
    def asked(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def exact(self) -> int:
        """How many are as they should be."""
        return self.counts.get(Standing.EXACT, 0)

    @property
    def unforeseen(self) -> int:
        """How many findings no ledger expects."""
        return self.differing - sum(self.foreseen.values())

    @property
    def share(self) -> str:
        """The exact ones in per cent, rounded down, so that 100 means all."""
        permille = 1000 * self.exact // self.asked if self.asked else 0
        return "100 %" if permille == 1000 else f"{permille / 10:.1f} %"


@dataclass(frozen=True)
class SubjectResults:
    """Everything that is known of one subject.

    Attributes:
        name: its name.
        description: the versions and settings it ran with; empty if it did not run.
        absent: why it is not there; empty if it is.
        failure: why it could not run, or not to the end; empty if it could.
        planned: how many calls it was to face.
        sample: how many legal calls it took, if it takes a sample by default.
        ledger: how its findings compare with what was known of it.
        results: what became of the calls.
    """

    name: str
    description: Mapping[str, str]
    absent: str
    failure: str
    planned: int
    sample: int | None
    ledger: Ledger | None
    results: tuple[Result, ...]

    @property
    def implementation(self) -> str:
        """The function or class judged; empty if it is not known."""
        return self.description.get("implementation", "")

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Versions and settings by name, without the implementation."""
        return tuple((k, v) for k, v in self.description.items() if k != "implementation")

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of its counts has to know."""
        told = []
        if self.sample is not None:
            told.append(f"sample of {self.sample:,} legal calls")
        if self.results and len(self.results) < self.planned:
            told.append(f"{len(self.results):,} of {self.planned:,} calls judged")
        forward_only = sum(result.forward_only for result in self.results)
        if forward_only:
            told.append(f"{forward_only:,} judged by the output alone")
        return tuple(told)


@dataclass(frozen=True)
class Run:
    """A document, read.

    Attributes:
        created: when it ended, to the minute.
        facts: how it was run, name and value.
        interrupted: whether it was stopped before the end.
        families: names of the families that have results, in the order of the tables.
        ids: ids of the calls that have results, in the order of the tables; ids that the tables do
            not know come last.
        calls: the calls that the tables know, by id.
        subjects: the subjects, in the order of the document.
    """

    created: str
    facts: tuple[tuple[str, str], ...]
    interrupted: bool
    families: tuple[str, ...]
    ids: tuple[str, ...]
    calls: Mapping[str, Call]
    subjects: tuple[SubjectResults, ...]


def read(document: Mapping[str, Any]) -> Run:
    """Reads a document.

    Args:
        document: plain values, as `json.load` returns them.

    Returns:
        The same, with results grouped.
    """
    known = _tables()
    subjects = tuple(_subject(name, values, known) for name, values in document["subjects"].items())
    results = [result for subject in subjects for result in subject.results]
    found = dict.fromkeys(result.id for result in results)
    families = dict.fromkeys(result.family for result in results)
    named = (*FAMILIES, ILLEGAL)
    return Run(
        created=str(document["created"]).replace("T", " ")[:16],
        facts=_facts(document),
        interrupted=bool(document["interrupted"]),
        families=(
            *(name for name in named if name in families),
            *(name for name in families if name not in named),
        ),
        ids=(*(i for i in known if i in found), *(i for i in found if i not in known)),
        calls={i: call for i, call in known.items() if i in found},
        subjects=subjects,
    )


def tally(results: Iterable[Result]) -> Tally:
    """Counts results by their standing."""
    counts: Counter[Standing] = Counter()
    foreseen: Counter[Standing] = Counter()
    differing = 0
    for result in results:
        counts[result.standing] += 1
        foreseen[result.standing] += result.differs and bool(result.expected)
        differing += result.differs
    return Tally(dict(counts), dict(foreseen), differing)


def by_family(results: Iterable[Result]) -> dict[str, Tally]:
    """Counts results by family and standing."""
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.family, []).append(result)
    return {name: tally(found) for name, found in families.items()}


def without_nodes(message: str) -> str:
    """A message without the names of graph nodes that TensorFlow puts in front."""
    return re.sub(r"(\[\[)?\{\{.*?\}\}(\]\])?\s*", "", message)


def shortened(message: str, width: int) -> str:
    """One line of a message, without names of graph nodes, and cut to a width."""
    line = " ".join(without_nodes(message).split())
    return line if len(line) <= width else line[: width - 1] + "…"


@cache
def _tables() -> Mapping[str, Call]:
    """All calls by id, in the order of the tables."""
    calls: tuple[Call, ...] = (*select(), *select_illegal())
    return {call.id: call for call in calls}


def _subject(name: str, values: Mapping[str, Any], known: Mapping[str, Call]) -> SubjectResults:
    """Reads one subject; keys that an older file lacks are empty."""
    ledger = values.get("ledger")
    return SubjectResults(
        name=name,
        description={key: str(text) for key, text in (values.get("description") or {}).items()},
        absent=values.get("absent") or "",
        failure=values.get("failure") or "",
        planned=values.get("planned", 0),
        sample=values.get("sample"),
        ledger=Ledger(
            ledger["file"], ledger["entries"], ledger["expected"], tuple(ledger["complaints"])
        )
        if ledger
        else None,
        results=tuple(_result(result, known) for result in values.get("results", ())),
    )


def _result(values: Mapping[str, Any], known: Mapping[str, Call]) -> Result:
    """Reads one result."""
    verdict = Verdict(values["verdict"])
    standing = Standing.CANNOT_SAY if values.get("inexpressible") else STANDINGS[verdict]
    detail = values.get("detail", "")
    if values.get("ulps"):
        detail += f"; at most {values['ulps']:.3g} units of the last place"
    numbers = values.get("numbers")
    return Result(
        id=values["id"],
        family=_family(values["id"], known.get(values["id"])),
        verdict=verdict,
        standing=standing,
        detail=detail,
        diagnosis=values.get("diagnosis", ""),
        expected=values.get("expected", ""),
        link=values.get("link", ""),
        forward_only=bool(values.get("forward_only")),
        numbers=Numbers(numbers["part"], numbers["found"], numbers["right"]) if numbers else None,
        reproducer=values.get("reproducer", ""),
    )


def _family(call_id: str, call: Call | None) -> str:
    """The table that a call is in; an unknown id begins with it."""
    if isinstance(call, Case):
        return call.family
    return call_id.partition("-")[0]


def _facts(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where and how the run was made."""
    settings: Mapping[str, Any] = document.get("settings", {})
    facts = [("Python", document["python"]), ("machine", document["machine"])]
    if settings.get("processor"):
        facts.append(("processor", _listed(settings["processor"])))
    if settings.get("sample"):
        facts.append(("sample", f"{settings['sample']:,} legal calls"))
    if settings.get("cases"):
        facts.append(("cases", _listed(settings["cases"])))
    families = settings.get("families")
    if families and set(families) < {*FAMILIES, ILLEGAL}:
        facts.append(("families", _listed(families)))
    for key, name, unit in (
        ("jobs", "workers", ""),
        ("timeout", "timeout", " s a call"),
        ("memory", "memory", " GiB a worker"),
    ):
        if settings.get(key):
            facts.append((name, f"{settings[key]:g}{unit}"))
    facts.append(("took", _duration(document["seconds"])))
    return tuple(facts)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _duration(seconds: float) -> str:
    """Seconds in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
