"""Reads the ledger of a subject, and holds its findings against it, strictly in both directions.

A ledger is a TOML file named after the subject. It says for which versions it speaks, and lists
differences: which calls, what becomes of them, why, where that is discussed in public, and when to
look again. Calls are named by id, by a shell pattern for ids, or by a table of traits
(`cases/traits.py`), all of which a legal call must have: `{ dilated = true, dtype = ["half"] }`.

A difference is a promise: every call that it names must come out as it says, so a
mended implementation fails until its entry is struck out, and an entry that names no call of the
tables is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from compat_tests.cases.case import Case
from compat_tests.cases.traits import Trait, traits
from compat_tests.judge import Verdict
from compat_tests.runner import Call, Finding

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).resolve().parent

KNOWN_TRAITS = tuple(traits(Case("none")))
"""By which a pattern may name calls."""

FLAWLESS = frozenset({Verdict.EXACT, Verdict.CLEAR})
"""Verdicts that are no difference by themselves; beside others they say that it comes and goes."""


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
    """One entry: calls that come out otherwise than the definition says.

    Attributes:
        verdicts: what becomes of them, one of these. A good one among them means that it differs
            from run to run, as where memory is read that nobody has written.
        cases: patterns, of which a call has to match one.
        but: patterns for calls that are not meant though `cases` matches them.
        reason: why, in a sentence.
        link: where it is discussed in public; empty if nowhere.
        recheck: when to look again.
    """

    verdicts: frozenset[Verdict]
    cases: tuple[Pattern, ...]
    but: tuple[Pattern, ...]
    reason: str
    link: str
    recheck: str

    def names(self, call: Call) -> bool:
        """Whether the entry is about that call."""
        return any(p.matches(call) for p in self.cases) and not any(
            p.matches(call) for p in self.but
        )


@dataclass(frozen=True)
class Ledger:
    """What one subject is known to do otherwise.

    Attributes:
        path: the file.
        applies: for which versions it speaks, by package.
        differences: the entries.
    """

    path: Path
    applies: Mapping[str, SpecifierSet]
    differences: tuple[Difference, ...]
    _entries: dict[str, Difference | None] = field(default_factory=dict, compare=False, repr=False)

    def speaks_of(self, description: Mapping[str, str]) -> bool:
        """Whether a subject's versions are those that the ledger was made for."""
        return all(
            package in description
            and versions.contains(Version(description[package]), prereleases=True)
            for package, versions in self.applies.items()
        )

    def entry(self, call: Call) -> Difference | None:
        """The first entry about a call."""
        if call.id not in self._entries:
            found = (entry for entry in self.differences if entry.names(call))
            self._entries[call.id] = next(found, None)
        return self._entries[call.id]

    def expects(self, finding: Finding) -> Difference | None:
        """The entry that foresees this very finding."""
        entry = self.entry(finding.call)
        return entry if entry and finding.judgement.verdict in entry.verdicts else None

    def complaints(self, findings: Iterable[Finding]) -> list[str]:
        """Where findings break the ledger's promises.

        Args:
            findings: those on one subject, of a run that may have left out calls.

        Returns:
            A sentence for each call that came out better or otherwise than its entry says. What
            the adapter could not put into words is passed over.
        """
        told = []
        for finding in findings:
            entry, judgement = self.entry(finding.call), finding.judgement
            if entry is None or judgement.inexpressible or judgement.verdict in entry.verdicts:
                continue
            wanted = " or ".join(sorted(verdict.value for verdict in entry.verdicts))
            told.append(
                f"{finding.call.id} is {judgement.verdict.value}; "
                f"{self.path.name} expects {wanted}: {entry.reason}"
            )
        return told

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


def ledger_of(subject: str) -> Ledger | None:
    """The ledger of a subject.

    Args:
        subject: its name, without `@PYTHON`.

    Returns:
        The ledger; None if the suite has none for it.

    Raises:
        ValueError: if the file is no ledger.
    """
    # One speaks of all variants of a variant, as those name lowerings of ours.
    path = FOLDER / f"{'-'.join(subject.split(':')[:2])}.toml"
    return read_ledger(path) if path.is_file() else None


def read_ledger(path: Path) -> Ledger:
    """Reads a ledger.

    Args:
        path: the file.

    Returns:
        The ledger.

    Raises:
        ValueError: if the file is no ledger; names file, entry and rule.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = content.keys() - {"applies", "difference"}
        if unknown:
            raise ValueError(f"unknown table {sorted(unknown)[0]!r}")
        applies = {name: SpecifierSet(text) for name, text in content.get("applies", {}).items()}
        entries = content.get("difference", [])
        return Ledger(path, applies, tuple(_difference(n, e) for n, e in enumerate(entries, 1)))
    except (ValueError, TypeError, InvalidSpecifier) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _difference(number: int, entry: Mapping[str, Any]) -> Difference:
    """Checks one entry and makes it a value."""
    unknown = entry.keys() - {"verdict", "cases", "but", "reason", "link", "recheck"}
    if unknown:
        raise ValueError(f"difference {number}: unknown key {sorted(unknown)[0]!r}")
    for key in ("verdict", "cases", "reason", "recheck"):
        if not entry.get(key):
            raise ValueError(f"difference {number}: {key} is missing")
    names = entry["verdict"] if isinstance(entry["verdict"], list) else [entry["verdict"]]
    verdicts = frozenset(Verdict(name) for name in names)
    if verdicts <= FLAWLESS:
        raise ValueError(f"difference {number}: {' or '.join(names)} is no difference")
    return Difference(
        verdicts,
        tuple(_pattern(number, given) for given in entry["cases"]),
        tuple(_pattern(number, given) for given in entry.get("but", ())),
        entry["reason"],
        entry.get("link", ""),
        entry["recheck"],
    )


def _pattern(number: int, given: Any) -> Pattern:
    """Checks one pattern and makes it a value."""
    if isinstance(given, str) and given:
        return Pattern(ids=given)
    if not isinstance(given, dict) or not given:
        raise ValueError(f"difference {number}: {given!r} is no pattern for ids and no traits")
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
