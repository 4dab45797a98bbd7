"""The map of the results: one Markdown file, for a reader without a browser at hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from compat_tests.cases.case import DataFormat, Dtype
from compat_tests.cases.registry import ILLEGAL, MEANINGS
from compat_tests.pages.capability import COLUMNS, Ability, Cell, capability_table
from compat_tests.pages.differences import Difference, differences
from compat_tests.pages.reading import (
    IN_WORDS,
    Result,
    Run,
    Standing,
    SubjectResults,
    Tally,
    by_family,
    read,
    tally,
)

COMMAND = "make compat SUBJECTS=all"

SHOWN_DIFFERENCES = 12
"""Kinds of differences told of a subject; the rest are counted."""

MARKS: Mapping[Ability, str] = {
    Ability.COMPUTES: "✓",
    Ability.REFUSES: "–",
    Ability.WRONG: "✗",
    Ability.FATAL: "!",
    Ability.CANNOT_SAY: "?",
    Ability.NOT_RUN: "·",
}


def render_markdown(document: Mapping[str, Any]) -> str:
    """Makes the map.

    Args:
        document: plain values, as `json.load` returns them.

    Returns:
        Markdown as GitHub reads it.
    """
    run = read(document)
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    yield from _introduction(run)
    yield from _matrix(run)
    yield from _legend(run)
    for subject in run.subjects:
        yield from _section(subject)


def _introduction(run: Run) -> Iterator[str]:
    yield "# Transposed convolution, judged by its definition"
    yield ""
    yield "<!-- Generated; change the suite and run it again instead of editing this file. -->"
    yield ""
    yield (
        "What implementations of transposed convolution return for the same calls, held against a "
        "scatter written in NumPy. All inputs are integers, so a right answer is equal to the last "
        "bit."
    )
    yield ""
    yield f"A run of {run.created} UTC, made by:"
    yield ""
    yield from _code_block(COMMAND)
    yield "; ".join(f"{name} {_prose(value)}" for name, value in run.facts) + "."
    if run.interrupted:
        yield ""
        yield "**Interrupted:** the run was stopped before its end; this is what it had judged."
    yield ""


def _matrix(run: Run) -> Iterator[str]:
    """Subjects by families."""
    yield "## Subjects and families"
    yield ""
    yield (
        "Calls that were exact, of those asked, in per cent rounded down; under it what became of "
        "the rest."
    )
    yield ""
    yield _row(["subject", "all legal", *run.families])
    yield _row(["---", *["---:"] * (1 + len(run.families))])
    for subject in run.subjects:
        name = f"[{_prose(subject.name)}](#{_slug(subject.name)})"
        if not subject.results:
            state = "absent" if subject.absent else "could not run"
            yield _row([name, state, *[""] * len(run.families)])
            continue
        if subject.sample is not None:
            name += f"<br>sample of {subject.sample:,}"
        families = by_family(subject.results)
        legal = tally(result for result in subject.results if result.family != ILLEGAL)
        cells = [_cell(families[f]) if f in families else "" for f in run.families]
        yield _row([name, _cell(legal) if legal.asked else "", *cells])
    yield ""


def _legend(run: Run) -> Iterator[str]:
    for standing, meaning in IN_WORDS.items():
        yield f"- **{standing.value}**: {meaning}"
    yield ""
    marks = ", ".join(f"{mark} {ability.value}" for ability, mark in MARKS.items())
    yield (
        "The tables of capabilities give one small call for each type, layout, dilation (d), "
        "stride (s) and number of groups (g), of which 4 are depthwise. The first mark is the "
        f"output alone, the second the output with both gradients: {marks}."
    )
    yield ""
    families = [name for name in run.families if name in MEANINGS]
    if families:
        yield "The families:"
        yield ""
        for name in families:
            yield f"- **{name}**: {MEANINGS[name]}"
        yield ""


def _section(subject: SubjectResults) -> Iterator[str]:
    """One subject: versions, differences, capabilities."""
    yield f"## {_prose(subject.name)}"
    yield ""
    if subject.absent:
        yield f"Absent: {_code(subject.absent)}"
        yield ""
    if subject.failure:
        end = " to the end" if subject.results else ""
        yield f"Could not run{end}: {_code(subject.failure)}"
        yield ""
    if subject.description:
        versions = [f"{_prose(name)} {_prose(value)}" for name, value in subject.versions]
        yield ", ".join([_code(subject.implementation), *versions]) + "."
        yield ""
    if not subject.results:
        return
    counted = tally(subject.results)
    told = [f"{counted.exact:,} of {counted.asked:,} calls exact", *subject.remarks]
    yield "; ".join(told) + "."
    if subject.ledger is not None:
        ledger = subject.ledger
        entries = f"{ledger.entries} {'entry' if ledger.entries == 1 else 'entries'}"
        yield (
            f"{_code(ledger.file)}, with {entries}, foresees {ledger.expected:,} of the "
            f"{counted.differing:,} differences."
        )
    yield ""
    yield from _differences(subject)
    yield from _capability(subject.results)


def _differences(subject: SubjectResults) -> Iterator[str]:
    kinds = differences(subject.results)
    for kind in kinds[:SHOWN_DIFFERENCES]:
        yield f"- {_kind(kind)}  "
        command = ["--subject", subject.name, "--case", kind.example]
        yield f"  {_code('python -m compat_tests ' + shlex.join(command))}"
    if len(kinds) > SHOWN_DIFFERENCES:
        rest = kinds[SHOWN_DIFFERENCES:]
        yield f"- and {sum(kind.count for kind in rest):,} more of {len(rest)} kinds"
    if kinds:
        yield ""
    if subject.ledger is not None and subject.ledger.complaints:
        yield f"Not as {_code(subject.ledger.file)} says:"
        yield ""
        for complaint in subject.ledger.complaints[:SHOWN_DIFFERENCES]:
            yield f"- {_prose(complaint)}"
        if len(subject.ledger.complaints) > SHOWN_DIFFERENCES:
            yield f"- and {len(subject.ledger.complaints) - SHOWN_DIFFERENCES:,} more"
        yield ""


def _kind(kind: Difference) -> str:
    """One kind of differences in a line."""
    wordless = kind.standing is Standing.CANNOT_SAY
    what = f"**{kind.count:,} {kind.standing.value if wordless else kind.verdict.value}**"
    if kind.reason:
        return f"{what}, foreseen: {_prose(kind.reason)}{_link(kind.link)}"
    told = [_prose(kind.diagnosis)] if kind.diagnosis else []
    if kind.message:
        told.append(f"{'such as ' if kind.count > 1 else ''}{_code(kind.message)}")
    return f"{what}: {', '.join(told)}" if told else what


def _link(address: str) -> str:
    """Where a difference is discussed; nothing if that is not an address."""
    if not re.fullmatch(r"https://[^\s<>]+", address):
        return ""
    address = address.replace("(", "%28").replace(")", "%29")
    return f" ([discussed]({address}))"


def _capability(results: Iterable[Result]) -> Iterator[str]:
    """What the subject computes at all, rows that are alike told once."""
    table = capability_table(results)
    if not table:
        return
    yield _row(["capabilities", *(f"d{c.dilation} s{c.stride} g{c.groups}" for c in COLUMNS)])
    yield _row(["---", *[":-:"] * len(COLUMNS)])
    alike: dict[tuple[Cell, ...], dict[Dtype, list[DataFormat]]] = {}
    for row in table:
        alike.setdefault(row.cells, {}).setdefault(row.dtype, []).append(row.layout)
    for cells, types in alike.items():
        names = [" ".join([t, *(found if len(found) == 1 else ())]) for t, found in types.items()]
        yield _row([", ".join(names), *_marks(cells)])
    yield ""


def _marks(cells: Iterable[Cell]) -> Iterator[str]:
    for cell in cells:
        yield f"{MARKS[cell.forward]} {MARKS[cell.gradient]}"


def _cell(counted: Tally) -> str:
    """A cell of the matrix: "75.1 %", and what became of the rest."""
    rest = [
        f"{counted.counts[standing]:,} {standing.value}"
        for standing in Standing
        if standing is not Standing.EXACT and counted.counts.get(standing)
    ]
    return "<br>".join([counted.share, *rest])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code_block(text: str) -> Iterator[str]:
    yield "```console"
    yield f"$ {text}"
    yield "```"
    yield ""


def _prose(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    line = " ".join(text.split())
    escaped = re.sub(r"([\\`*{}\[\]<>|~#&])", r"\\\1", line)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", escaped)  # inside a word it is a mere character


def _code(text: str) -> str:
    """Text as it is, fenced by more backticks than it holds in a row."""
    line = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _slug(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
