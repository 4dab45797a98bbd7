"""The page to read and filter results on: one file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compat_tests.cases.registry import ILLEGAL, MEANINGS
from compat_tests.pages.capability import COLUMNS, Ability, Row, capability_table
from compat_tests.pages.differences import Difference, differences
from compat_tests.pages.packing import pack
from compat_tests.pages.reading import (
    IN_WORDS,
    Standing,
    SubjectResults,
    Tally,
    by_family,
    read,
    tally,
)

TEMPLATES = Path(__file__).resolve().parent / "templates"

SCRIPTS = ("data.js", "matrix.js", "heat.js", "numbers.js", "call.js", "cases.js")
"""In the order in which the page runs them."""

SHOWN_DIFFERENCES = 8
"""Kinds of differences that are listed for a subject; the list of calls holds them all."""


@dataclass(frozen=True)
class SubjectView:
    """A subject as the template shows it.

    Attributes:
        subject: what is known of it.
        legal: its legal results counted.
        families: the same by family.
        table: what it computes at all; empty if that was not tried.
        kinds: what went amiss.
    """

    subject: SubjectResults
    legal: Tally
    families: Mapping[str, Tally]
    table: tuple[Row, ...]
    kinds: tuple[Difference, ...]


def render_html(document: Mapping[str, Any]) -> str:
    """Makes the page.

    Args:
        document: plain values, as `json.load` returns them.

    Returns:
        HTML with styles, script and data inside.
    """
    run = read(document)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["bar"] = _bar
    environment.filters["told"] = _told
    environment.filters["anchor"] = _anchor
    return environment.get_template("report.html.j2").render(
        run=run,
        views=[_view(subject) for subject in run.subjects],
        meanings=IN_WORDS,
        families=[(name, MEANINGS.get(name, "")) for name in run.families],
        columns=COLUMNS,
        abilities=list(Ability),
        shown=SHOWN_DIFFERENCES,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        scripts=[Markup((TEMPLATES / name).read_text(encoding="utf-8")) for name in SCRIPTS],
        data=_embedded(pack(run)),
    )


def _view(subject: SubjectResults) -> SubjectView:
    """Works out what the template shows of a subject."""
    return SubjectView(
        subject=subject,
        legal=tally(result for result in subject.results if result.family != ILLEGAL),
        families=by_family(subject.results),
        table=capability_table(subject.results),
        kinds=differences(subject.results),
    )


def _bar(counted: Tally) -> Iterator[tuple[Standing, bool, int]]:
    """The stretches of a tally's bar: standing, whether foreseen, and how many."""
    for standing in Standing:
        foreseen = counted.foreseen.get(standing, 0)
        rest = counted.counts.get(standing, 0) - foreseen
        yield from ((standing, f, n) for f, n in ((True, foreseen), (False, rest)) if n)


def _told(counted: Tally) -> str:
    """A tally in one line: "1,760 of 2,342 exact, 582 refused (580 foreseen)"."""
    told = [f"{counted.exact:,} of {counted.asked:,} exact"]
    for standing in Standing:
        count = counted.counts.get(standing, 0)
        if count and standing is not Standing.EXACT:
            foreseen = counted.foreseen.get(standing, 0)
            told.append(
                f"{count:,} {standing.value}" + (f" ({foreseen:,} foreseen)" * bool(foreseen))
            )
    return ", ".join(told)


def _anchor(name: str) -> str:
    """A name as part of an address, slashes included."""
    return quote(name, safe="")


def _embedded(values: Any) -> Markup:
    """JSON that can stand in a script element: no "<" in it ends the element or opens a comment."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
