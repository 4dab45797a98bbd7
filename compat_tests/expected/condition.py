"""Where an entry of a ledger holds: a kind of machine, of settings or of versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from compat_tests.machine import SETTINGS, Machine

ON_OFF = {"on": True, "off": False}
"""How a subject's description tells of oneDNN."""


@dataclass(frozen=True)
class Condition:
    """All that is stated has to be so; what is left empty may be anything.

    Attributes:
        has: instruction sets that the processor has, every one.
        lacks: instruction sets of which it has none.
        system: operating systems, as `platform.system` names them, of which it is one.
        architecture: "x86_64", "arm64" and so on, of which it is one.
        onednn: whether the subject computes with oneDNN; None if that doesn't matter.
        versions: of the subject's packages, by name.
        settings: values by variable of `compat_tests.machine.SETTINGS`, of which it has one; an
            empty text stands for a variable that is not set.
    """

    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    architecture: tuple[str, ...] = ()
    onednn: bool | None = None
    versions: Mapping[str, SpecifierSet] = field(default_factory=dict)
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def instructions(self) -> tuple[str, ...]:
        """The instruction sets that it asks about."""
        return (*self.has, *self.lacks)

    def holds(self, machine: Machine, description: Mapping[str, str]) -> bool | None:
        """Whether it is so.

        Args:
            machine: where the subject ran.
            description: the subject's versions and settings.

        Returns:
            True or False; None if that cannot be known there.
        """
        answers: list[bool | None] = [
            *(machine.has(name) for name in self.has),
            *(_negated(machine.has(name)) for name in self.lacks),
        ]
        if self.system:
            answers.append(machine.system in self.system)
        if self.architecture:
            answers.append(machine.architecture in self.architecture)
        if self.onednn is not None:
            found = ON_OFF.get(description.get("oneDNN", ""))
            answers.append(None if found is None else found is self.onednn)
        answers += [within(description.get(name), s) for name, s in self.versions.items()]
        answers += [machine.setting(name) in values for name, values in self.settings.items()]
        if False in answers:
            return False
        return None if None in answers else True

    def __str__(self) -> str:
        """It in words."""
        told = [" or ".join(values) for values in (self.system, self.architecture) if values]
        told += [f"with {', '.join(self.has)}"] if self.has else []
        told += [f"without {', '.join(self.lacks)}"] if self.lacks else []
        told += [] if self.onednn is None else [f"oneDNN {'on' if self.onednn else 'off'}"]
        told += [f"{name}{text}" for name, text in self.versions.items()]
        told += [f"{name}={'|'.join(values)}" for name, values in self.settings.items()]
        return ", ".join(told)


ANYWHERE = Condition()
"""Holds on every machine."""

KEYS = ("has", "lacks", "system", "architecture", "onednn", "versions", "settings")
"""What a `where` of a ledger may say."""


def read_condition(given: Any) -> Condition:
    """Checks a `where` and makes it a value.

    Args:
        given: what the file has.

    Returns:
        The condition.

    Raises:
        ValueError: if it is not a table of `KEYS`, or one of them has no such value.
    """
    if not isinstance(given, dict) or not given:
        raise ValueError(f"where is {given!r}; it is a table of {', '.join(KEYS)}")
    for key in given:
        if key not in KEYS:
            raise ValueError(f"where knows no {key!r}; there are {', '.join(KEYS)}")
    onednn = given.get("onednn")
    if onednn is not None and not isinstance(onednn, bool):
        raise ValueError(f"where.onednn is {onednn!r}; it is true or false")
    versions = given.get("versions", {})
    if not isinstance(versions, dict):
        raise ValueError(f"where.versions is {versions!r}; it is a table of versions by package")
    settings = given.get("settings", {})
    if not isinstance(settings, dict) or not settings.keys() <= set(SETTINGS):
        known = ", ".join(SETTINGS)
        raise ValueError(f"where.settings is {settings!r}; it is a table of values of {known}")
    names = {key: _names(key, given.get(key, [])) for key in KEYS[:4]}
    return Condition(
        **names,
        onednn=onednn,
        versions={name: SpecifierSet(text) for name, text in versions.items()},
        settings={name: _names(f"settings.{name}", value) for name, value in settings.items()},
    )


def _names(key: str, given: Any) -> tuple[str, ...]:
    """One text or several."""
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"where.{key} is {given!r}; it is a text or a list of texts")
    return tuple(values)


def within(version: str | None, wanted: SpecifierSet) -> bool | None:
    """Whether a version is among those wanted; None if it is not told, or is not a version."""
    try:
        return None if version is None else wanted.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return None


def instructions_of(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """The instruction sets that any of some conditions asks about, each once."""
    return tuple(dict.fromkeys(name for one in conditions for name in one.instructions))


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
