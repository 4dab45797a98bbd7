"""Shows a report: on the terminal, and as JSON."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from compat_tests.cases.registry import FAMILIES
from compat_tests.judge import Verdict
from compat_tests.runner import Finding, Report

PLAIN_WIDTH = 100
"""Columns to fill when the output is not a terminal."""

GAP = 1
"""Columns between the tables of two subjects."""

LEGAL_COLUMNS: dict[str, tuple[str, frozenset[Verdict]]] = {
    "computed": (
        "",
        frozenset({Verdict.EXACT, Verdict.CLOSE, Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE}),
    ),
    "equal": ("green", frozenset({Verdict.EXACT})),
    "refused": ("yellow", frozenset({Verdict.REFUSED})),
    "wrong": ("red", frozenset({Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE})),
    "fatal": ("bold red", frozenset({Verdict.FATAL, Verdict.TIMED_OUT})),
}
"""Columns of the table of legal calls: colour, and the verdicts counted."""

ILLEGAL_COLUMNS: dict[str, tuple[str, frozenset[Verdict]]] = {
    "clear": ("green", frozenset({Verdict.CLEAR})),
    "unclear": ("yellow", frozenset({Verdict.UNCLEAR})),
    "accepted": ("red", frozenset({Verdict.ACCEPTED})),
    "fatal": ("bold red", frozenset({Verdict.FATAL, Verdict.TIMED_OUT})),
}
"""Columns of the table of illegal calls."""

WORST_FIRST = (
    Verdict.FATAL,
    Verdict.TIMED_OUT,
    Verdict.WRONG_SHAPE,
    Verdict.WRONG_VALUES,
    Verdict.ACCEPTED,
    Verdict.CLOSE,
    Verdict.REFUSED,
    Verdict.UNCLEAR,
)

STYLES = {
    verdict: style
    for columns in (LEGAL_COLUMNS, ILLEGAL_COLUMNS)
    for style, verdicts in columns.values()
    if style
    for verdict in verdicts
}


def make_console() -> Console:
    """A console that is wide enough for the tables when its output is piped."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


class LiveView:
    """Shows how a run goes: each subject's versions when known, and a bar for each.

    Use it as a context manager around `run`; the bars vanish at its end.
    """

    def __init__(self, console: Console, planned: dict[str, int]) -> None:
        """Takes the console and the number of calls planned for each subject."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[amiss]}", style="red"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._amiss = dict.fromkeys(planned, 0)
        self._tasks: dict[str, TaskID] = {
            subject: self._progress.add_task(subject, total=total, amiss="")
            for subject, total in planned.items()
        }

    def __enter__(self) -> LiveView:
        """Shows the bars."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes them away."""
        self._progress.stop()

    def started(self, subject: str, description: dict[str, str]) -> None:
        """Prints the subject's versions and settings."""
        facts = [f"{key} {value}" for key, value in description.items() if key != "implementation"]
        line = Text(description["implementation"])
        line.append(" · " + " · ".join(facts), style="dim")
        grid = Table.grid(padding=(0, 2))
        grid.add_row("", Text(subject, style="bold cyan"), line)
        self._console.print(grid)

    def judged(self, finding: Finding) -> None:
        """Moves the subject's bar."""
        subject = finding.subject
        self._amiss[subject] += not finding.judgement.holds
        amiss = f"{self._amiss[subject]:,} amiss" if self._amiss[subject] else ""
        self._progress.update(self._tasks[subject], advance=1, amiss=amiss)


def print_header(console: Console, facts: Iterable[str]) -> None:
    """Prints what is about to be run."""
    console.print(Text("Transposed convolution, judged by its definition", style="bold"))
    console.print(Text("  " + " · ".join(facts), style="dim"))


def print_report(console: Console, report: Report) -> None:
    """Prints the tables and the worst findings."""
    legal = {s: f for s in report.subjects if (f := report.legal(s))}
    illegal = {s: f for s in report.subjects if (f := report.illegal(s))}
    if legal:
        _print_side_by_side(console, "legal calls", legal, LEGAL_COLUMNS)
    if illegal:
        _print_side_by_side(console, "illegal calls", illegal, ILLEGAL_COLUMNS)
    for subject in report.subjects:
        _print_worst(console, report, subject)
    notes = [f"{len(report.findings):,} of {sum(report.planned.values()):,} calls"]
    notes.append(f"{report.seconds:.0f} s")
    console.print()
    if report.interrupted:
        console.print(Text("interrupted; the tables show what was judged before", style="yellow"))
    console.print(Text(" · ".join(notes), style="dim"))


def as_json(report: Report, settings: dict[str, object]) -> dict[str, Any]:
    """The whole report as plain values.

    Args:
        report: the report.
        settings: how it was asked for.

    Returns:
        Settings, and by subject the versions, counts and each call's verdict.
    """
    subjects = {}
    for subject in report.subjects:
        findings = report.legal(subject) + report.illegal(subject)
        subjects[subject] = {
            "description": report.descriptions.get(subject),
            "failure": report.failures.get(subject),
            "planned": report.planned[subject],
            "counts": {
                verdict.value: count
                for verdict in Verdict
                if (count := sum(f.judgement.verdict is verdict for f in findings))
            },
            "results": [
                {
                    "id": finding.call.id,
                    "verdict": finding.judgement.verdict.value,
                    "detail": finding.judgement.detail,
                    "ulps": finding.judgement.ulps,
                    "forward_only": finding.judgement.forward_only,
                }
                for finding in findings
            ],
        }
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "settings": settings,
        "seconds": round(report.seconds, 1),
        "interrupted": report.interrupted,
        "subjects": subjects,
    }


def write_json(path: Path, report: Report, settings: dict[str, object]) -> None:
    """Writes `as_json` to a file."""
    path.write_text(json.dumps(as_json(report, settings), indent=1) + "\n", encoding="utf-8")


def shortened(message: str, width: int) -> str:
    """One line of a message, without what TensorFlow puts in front, and cut to a width."""
    line = " ".join(re.sub(r"\{\{.*?\}\}", "", message).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _print_side_by_side(
    console: Console,
    title: str,
    findings: dict[str, list[Finding]],
    columns: dict[str, tuple[str, frozenset[Verdict]]],
) -> None:
    """Prints a table a subject next to each other, as many as fit, and the rest below."""
    families = [
        name
        for name in (*FAMILIES, "illegal")
        if any(_family(f) == name for found in findings.values() for f in found)
    ]
    left = _names(title, families, findings)
    tables = [_counts(subject, families, found, columns) for subject, found in findings.items()]
    while tables:
        room = console.width - _width(console, left) - GAP
        row = [left]
        while tables and (len(row) == 1 or _width(console, tables[0]) <= room):
            row.append(tables.pop(0))
            room -= _width(console, row[-1]) + GAP
        grid = Table.grid(padding=(0, GAP))
        grid.add_row(*row)
        console.print()
        console.print(grid)


def _names(title: str, families: Sequence[str], findings: dict[str, list[Finding]]) -> Table:
    """The columns on the left: family and number of cases."""
    table = _table(Text(title, style="bold"))
    table.title_justify = "left"
    table.add_column("family")
    table.add_column("cases", justify="right")
    counts = [
        max(sum(_family(f) == name for f in found) for found in findings.values())
        for name in families
    ]
    for name, count in zip(families, counts, strict=True):
        table.add_row(name, f"{count:,}")
    if len(families) > 1:
        table.add_section()
        table.add_row("total", f"{sum(counts):,}")
    return table


def _counts(
    subject: str,
    families: Sequence[str],
    findings: Sequence[Finding],
    columns: dict[str, tuple[str, frozenset[Verdict]]],
) -> Table:
    """The columns of one subject."""
    table = _table(Text(subject, style="bold cyan"))
    for name in columns:
        table.add_column(name, justify="right")
    for family in families:
        table.add_row(*_row([f for f in findings if _family(f) == family], columns))
    if len(families) > 1:
        table.add_section()
        table.add_row(*_row(findings, columns), style="bold")
    return table


def _table(title: Text) -> Table:
    """An empty table without a frame, two spaces between its columns."""
    return Table(
        title=title,
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
    )


def _row(
    findings: Sequence[Finding], columns: dict[str, tuple[str, frozenset[Verdict]]]
) -> list[Text]:
    """One family's counts; zeros are dots, and the good count is only green if it is all."""
    cells = []
    for style, verdicts in columns.values():
        count = sum(f.judgement.verdict in verdicts for f in findings)
        if not count:
            cells.append(Text("·", style="dim"))
        elif style == "green" and count < len(findings):
            cells.append(Text(f"{count:,}"))
        else:
            cells.append(Text(f"{count:,}", style=style))
    return cells


def _print_worst(console: Console, report: Report, subject: str, kinds: int = 4) -> None:
    """Prints the first findings of each kind that went amiss, the worst kinds first."""
    if subject in report.failures:
        console.print()
        console.print(Text(f"{subject} could not run", style="bold red"))
        console.print(Text(f"  {shortened(report.failures[subject], 300)}"))
        return
    legal, illegal = report.legal(subject), report.illegal(subject)
    forward_only = sum(f.judgement.forward_only for f in legal)
    if not forward_only and all(f.judgement.holds for f in legal + illegal):
        return
    console.print()
    console.print(Text(subject, style="bold cyan"))
    if forward_only:
        console.print(f"  {forward_only:,} cases judged by the output alone: no tensors returned")
    for findings in (legal, illegal):
        _print_kinds(console, [f for f in findings if not f.judgement.holds], kinds)


def _print_kinds(console: Console, findings: Sequence[Finding], kinds: int) -> None:
    """Prints an example of each kind of finding: alike in verdict and message but for numbers."""
    alike: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in findings:
        message = shortened(finding.judgement.detail, 400)
        likeness = re.sub(r"-?\d[\d,.:]*", "#", message)
        alike.setdefault((finding.judgement.verdict, likeness), []).append(finding)
    ranked = sorted(alike, key=lambda kind: (WORST_FIRST.index(kind[0]), -len(alike[kind])))
    for kind in ranked[:kinds]:
        verdict, found = kind[0], alike[kind]
        first = found[0]
        line = Text.assemble((f"  {verdict.value:<13} ", STYLES.get(verdict, "")))
        line.append(f"{len(found):>5,}×  {first.call.id}", style="bold")
        console.print(line, overflow="ellipsis", no_wrap=True)
        indent = 24
        detail = shortened(first.judgement.detail, 2 * (console.width - indent) - 8)
        console.print(Padding(Text(detail, style="dim"), (0, 0, 0, indent)))
    if len(ranked) > kinds:
        rest = sum(len(alike[kind]) for kind in ranked[kinds:])
        console.print(Text(f"  and {rest:,} more of {len(ranked) - kinds} kinds", style="dim"))


def _family(finding: Finding) -> str:
    """The family that a finding is counted under."""
    return str(getattr(finding.call, "family", "illegal"))


def _width(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options, table).maximum
