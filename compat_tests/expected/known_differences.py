"""Reads the known differences of a subject, and compares findings with them, strictly both ways.

A ledger is the TOML file that lists them, named after the subject. It says which versions it
covers, and lists differences: which calls, what becomes of them, why, where that is discussed in
public, and when to look again. Calls are named by id, by a shell pattern for ids, or by a table of
traits (`cases/traits.py`), all of which a legal call must have:
`{ dilated = true, dtype = ["half"] }`.

A difference is a promise: every call that it names must come out as it says, so an implementation
that has been fixed fails until its entry is deleted. An entry that holds on some machines only says
on which: `where = { lacks = ["avx512_fp16"] }`. The keys are those of `Condition`. On other
machines the entry says nothing, and where the machine doesn't tell, either outcome is accepted. A
`[where]` of the whole file says for which machines it was written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from compat_tests.cases.case import Case
from compat_tests.cases.traits import Trait, traits
from compat_tests.expected.condition import ANYWHERE, Condition, read_condition, within
from compat_tests.judge import Verdict
from compat_tests.machine import Machine
from compat_tests.runner import Call, Finding

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).resolve().parent

KNOWN_TRAITS = tuple(traits(Case("none")))
"""By which a pattern may name calls."""

FLAWLESS = frozenset({Verdict.EXACT, Verdict.CLEAR})
"""Verdicts that are not a difference alone; beside others they say that it comes and goes."""


@dataclass(frozen=True)
class Pattern:
    """Names calls.

    Attributes:
        ids: a shell pattern for ids; empty if traits name the calls.
        traits: values by trait, of which a legal call must have one each.
    """

    ids: str = ""
    traits: Mapping[str, tuple[Trait, ...]] = field(default_factory=dict)

    def matches(self, call: Call) -> bool:
        """Whether the call is named."""
        if self.ids:
            return fnmatchcase(call.id, self.ids)
        if not isinstance(call, Case):
            return False
        found = _traits(call)
        return all(found[name] in values for name, values in self.traits.items())

    def __str__(self) -> str:
        """The pattern as the file has it, more or less."""
        if self.ids:
            return self.ids
        return ", ".join(f"{k} = {'|'.join(map(str, v))}" for k, v in self.traits.items())


@dataclass(frozen=True)
class Difference:
    """One entry: calls that come out differently from the definition.

    Attributes:
        verdicts: what becomes of them, one of these. A good one among them means that it differs
            from run to run, as where memory is read that nobody has written.
        cases: patterns, of which a call has to match one.
        but: patterns for calls that are not meant though `cases` matches them.
        reason: why, in a sentence.
        link: where it is discussed in public; empty if nowhere.
        recheck: when to look again.
        where: on which machines, settings and versions it holds.
    """

    verdicts: frozenset[Verdict]
    cases: tuple[Pattern, ...]
    but: tuple[Pattern, ...]
    reason: str
    link: str
    recheck: str
    where: Condition = ANYWHERE

    def names(self, call: Call) -> bool:
        """Whether the entry is about that call."""
        return any(p.matches(call) for p in self.cases) and not any(
            p.matches(call) for p in self.but
        )


@dataclass(frozen=True)
class KnownDifferences:
    """What one subject is known to do differently: its ledger, as a value.

    Attributes:
        path: the file.
        applies: the versions it covers, by package.
        differences: the entries.
        where: the machines it covers.
    """

    path: Path
    applies: Mapping[str, SpecifierSet]
    differences: tuple[Difference, ...]
    where: Condition = ANYWHERE
    _entries: dict[str, Difference | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def scope(self) -> str:
        """What it covers, in words."""
        versions = [f"{name}{text}" for name, text in self.applies.items()]
        return ", ".join(filter(None, (*versions, str(self.where))))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions that it states."""
        return (self.where, *(entry.where for entry in self.differences))

    def covers(self, machine: Machine, description: Mapping[str, str]) -> bool:
        """Whether machine and versions of a subject are those that the ledger was made for."""
        return bool(self.where.holds(machine, description)) and all(
            within(description.get(package), versions) for package, versions in self.applies.items()
        )

    def on(self, machine: Machine, description: Mapping[str, str]) -> KnownDifferences:
        """The entries that hold for a subject on one machine.

        Args:
            machine: where the subject ran.
            description: the subject's versions and settings.

        Returns:
            A copy without the entries that don't hold there. An entry for which that is unknown
            accepts good verdicts as well.
        """
        kept = []
        for entry in self.differences:
            holds = entry.where.holds(machine, description)
            if holds is None:
                kept.append(replace(entry, verdicts=entry.verdicts | FLAWLESS))
            elif holds:
                kept.append(entry)
        return KnownDifferences(self.path, self.applies, tuple(kept), self.where)

    def entry(self, call: Call) -> Difference | None:
        """The first entry about a call."""
        if call.id not in self._entries:
            found = (entry for entry in self.differences if entry.names(call))
            self._entries[call.id] = next(found, None)
        return self._entries[call.id]

    def expects(self, finding: Finding) -> Difference | None:
        """The entry that predicts this very finding."""
        entry = self.entry(finding.call)
        return entry if entry and finding.judgement.verdict in entry.verdicts else None

    def contradicting(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that contradict it.

        Args:
            findings: those on one subject, of a run that may have left out calls.

        Returns:
            Those that came out better than their entry says, or differently. What the adapter could
            not express is passed over.
        """
        return [
            finding
            for finding in findings
            if (entry := self.entry(finding.call)) is not None
            and not finding.judgement.inexpressible
            and finding.judgement.verdict not in entry.verdicts
        ]

    def complaint(self, finding: Finding) -> str:
        """What a finding that contradicts it breaks, in a sentence."""
        entry = self.entry(finding.call)
        assert entry is not None, f"{finding.call.id} breaks no promise"
        wanted = " or ".join(sorted(verdict.value for verdict in entry.verdicts))
        return (
            f"{finding.call.id} is {finding.judgement.verdict.value}; "
            f"{self.path.name} expects {wanted}: {entry.reason}"
        )

    def stale(self, calls: Sequence[Call]) -> list[str]:
        """The patterns that match no call of the tables.

        Args:
            calls: all legal and illegal calls.

        Returns:
            A sentence for each.
        """
        return [
            f"{self.path.name}: '{pattern}' matches no call of the tables"
            for entry in self.differences
            for pattern in (*entry.cases, *entry.but)
            if not any(map(pattern.matches, calls))
        ]


def file_name(subject: str) -> str:
    """The name of a subject's ledger; one covers all lowerings, which a second variant names."""
    return f"{'-'.join(subject.split(':')[:2])}.toml"


def known_differences_of(subject: str) -> KnownDifferences | None:
    """The ledger of a subject.

    Args:
        subject: its name, without `@PYTHON`.

    Returns:
        The ledger; None if the suite has none for it.

    Raises:
        ValueError: if the file is not a ledger.
    """
    path = FOLDER / file_name(subject)
    return read_known_differences(path) if path.is_file() else None


def read_known_differences(path: Path) -> KnownDifferences:
    """Reads a ledger.

    Args:
        path: the file.

    Returns:
        The ledger.

    Raises:
        ValueError: if the file is not a ledger; names file, entry and rule.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = content.keys() - {"applies", "difference", "where"}
        if unknown:
            raise ValueError(f"unknown table {sorted(unknown)[0]!r}")
        given = content.get("applies", {})
        if not isinstance(given, dict):
            raise ValueError(f"applies is {given!r}; it is a table of versions by package")
        applies = {name: SpecifierSet(text) for name, text in given.items()}
        where = read_condition(content["where"]) if "where" in content else ANYWHERE
        entries = content.get("difference", [])
        differences = tuple(_difference(n, entry) for n, entry in enumerate(entries, 1))
        return KnownDifferences(path, applies, differences, where)
    except (ValueError, TypeError, InvalidSpecifier) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _difference(number: int, entry: Mapping[str, Any]) -> Difference:
    """Checks one entry and makes it a value."""
    unknown = entry.keys() - {"verdict", "cases", "but", "reason", "link", "recheck", "where"}
    if unknown:
        raise ValueError(f"difference {number}: unknown key {sorted(unknown)[0]!r}")
    for key in ("verdict", "cases", "reason", "recheck"):
        if not entry.get(key):
            raise ValueError(f"difference {number}: {key} is missing")
    for key in ("cases", "but"):
        if not isinstance(entry.get(key, []), list):
            raise ValueError(
                f"difference {number}: {key} is {entry[key]!r}; it is a list of patterns"
            )
    names = entry["verdict"] if isinstance(entry["verdict"], list) else [entry["verdict"]]
    verdicts = frozenset(Verdict(name) for name in names)
    try:
        where = read_condition(entry["where"]) if "where" in entry else ANYWHERE
    except (ValueError, TypeError) as error:
        raise ValueError(f"difference {number}: {error}") from None
    if verdicts <= FLAWLESS:
        raise ValueError(f"difference {number}: {' or '.join(names)} is not a difference")
    return Difference(
        verdicts,
        tuple(_pattern(number, given) for given in entry["cases"]),
        tuple(_pattern(number, given) for given in entry.get("but", ())),
        entry["reason"],
        entry.get("link", ""),
        entry["recheck"],
        where,
    )


def _pattern(number: int, given: Any) -> Pattern:
    """Checks one pattern and makes it a value."""
    if isinstance(given, str) and given:
        return Pattern(ids=given)
    if not isinstance(given, dict) or not given:
        raise ValueError(f"difference {number}: {given!r} is neither a pattern for ids nor traits")
    for name in given:
        if name not in KNOWN_TRAITS:
            known = ", ".join(KNOWN_TRAITS)
            raise ValueError(f"difference {number}: no trait {name!r}; there are {known}")
    lists = {name: v if isinstance(v, list) else [v] for name, v in given.items()}
    return Pattern(traits={name: tuple(values) for name, values in lists.items()})


def _traits(case: Case) -> Mapping[str, Trait]:
    """`traits`, remembered, as every pattern asks again; by the id, whose hash costs nothing."""
    if case.id not in _TRAITS:
        _TRAITS[case.id] = traits(case)
    return _TRAITS[case.id]


_TRAITS: dict[str, Mapping[str, Trait]] = {}
