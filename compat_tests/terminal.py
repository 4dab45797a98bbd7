"""Shows a report on the terminal."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
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

from compat_tests.cases.case import Case
from compat_tests.cases.registry import FAMILIES
from compat_tests.conclusion import Conclusion
from compat_tests.expected.known_differences import file_name
from compat_tests.judge import Verdict
from compat_tests.pages.reading import shortened
from compat_tests.reproduce import reproducer, smallest
from compat_tests.runner import Finding, Report
from compat_tests.subjects.registry import resolve, split

PLAIN_WIDTH = 100
"""Columns to fill when the output is not a terminal."""


@dataclass(frozen=True)
class Column:
    """What a column of the table counts.

    Attributes:
        style: its colour.
        verdicts: the verdicts that it counts.
        inexpressible: whether it counts what the adapter could not put into words, or the rest.
    """

    style: str
    verdicts: frozenset[Verdict]
    inexpressible: bool = False

    def counts(self, finding: Finding) -> bool:
        """Whether the finding belongs into the column."""
        judgement = finding.judgement
        return judgement.verdict in self.verdicts and judgement.inexpressible is self.inexpressible


LEGAL_COLUMNS: dict[str, Column] = {
    "equal": Column("green", frozenset({Verdict.EXACT})),
    "close": Column("yellow", frozenset({Verdict.CLOSE})),
    "wrong": Column("red", frozenset({Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE})),
    "fatal": Column("bold red", frozenset({Verdict.FATAL, Verdict.TIMED_OUT})),
    "refused": Column("yellow", frozenset({Verdict.REFUSED})),
    "no words": Column("dim", frozenset({Verdict.REFUSED}), inexpressible=True),
}
"""Columns of the table of legal calls."""

ILLEGAL_COLUMNS: dict[str, Column] = {
    "clear error": Column("green", frozenset({Verdict.CLEAR})),
    "unclear error": Column("yellow", frozenset({Verdict.UNCLEAR})),
    "accepted": Column("red", frozenset({Verdict.ACCEPTED})),
    "fatal": Column("bold red", frozenset({Verdict.FATAL, Verdict.TIMED_OUT})),
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
    Verdict.EXACT,
    Verdict.CLEAR,
)

PACKAGES = ("tensorflow", "keras", "torch", "jax", "onnxruntime", "onnx", "openvino", "numpy")
"""In a subject's description, what may change what it does; the first that is there is told."""

STYLES = {
    verdict: column.style
    for columns in (LEGAL_COLUMNS, ILLEGAL_COLUMNS)
    for column in columns.values()
    if not column.inexpressible
    for verdict in column.verdicts
}


def make_console() -> Console:
    """A console that is wide enough for the tables when its output is piped."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # where × can't be written, ? is better than none
        sys.stdout.reconfigure(errors="replace")
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

    def judged(self, finding: Finding, report: Report) -> None:
        """Moves the subject's bar."""
        subject, judgement = finding.subject, finding.judgement
        self._amiss[subject] += not (judgement.holds or judgement.inexpressible)
        amiss = f"{self._amiss[subject]:,} amiss" if self._amiss[subject] else ""
        self._progress.update(self._tasks[subject], advance=1, amiss=amiss)


def print_header(console: Console, *facts: Iterable[str]) -> None:
    """Prints what is about to be run, and where: a line each."""
    console.print(Text("Transposed convolution, judged by its definition", style="bold"))
    for line in facts:
        told = Text(" · ".join(line), style="dim")
        console.print(Padding(told, (0, 0, 0, 2)))


def print_report(
    console: Console,
    report: Report,
    conclusions: Mapping[str, Conclusion],
    deciding: Collection[str] | None = None,
) -> None:
    """Prints the tables, and for each subject what is unexpected.

    Args:
        console: where to.
        report: the report.
        conclusions: those of `conclude`.
        deciding: the subjects that decide the exit code; all if it is not given.
    """
    deciding = report.subjects if deciding is None else deciding
    subjects = [subject for subject in report.subjects if subject not in report.failures]
    _print_counts(console, "legal calls", {s: report.legal(s) for s in subjects}, LEGAL_COLUMNS)
    illegal = {subject: found for subject in subjects if (found := report.illegal(subject))}
    _print_counts(console, "illegal calls", illegal, ILLEGAL_COLUMNS)
    _print_families(console, {s: found for s in subjects if (found := report.legal(s))})
    for subject in report.subjects:
        _print_subject(console, report, subject, conclusions[subject], subject in deciding)
    console.print()
    if report.interrupted:
        console.print(Text("interrupted; the tables show what was judged before", style="yellow"))
    notes = [f"{len(report.findings):,} of {sum(report.planned.values()):,} calls"]
    notes.append(f"{report.seconds:.0f} s")
    console.print(Text(" · ".join(notes), style="dim"))


def _print_counts(
    console: Console,
    title: str,
    findings: Mapping[str, list[Finding]],
    columns: Mapping[str, Column],
) -> None:
    """Prints what became of the calls: a row a subject."""
    if not any(findings.values()):
        return
    table = _table(title)
    table.add_column("subject", style="bold cyan", overflow="fold")
    table.add_column("calls", justify="right")
    for name in columns:
        table.add_column(name, justify="right")
    for subject, found in findings.items():
        if not found:
            table.add_row(subject, Text("absent", style="yellow"))
            continue
        cells = [Text(f"{len(found):,}")]
        for column in columns.values():
            count = sum(column.counts(finding) for finding in found)
            # The good count is only green if it is all that could be asked for.
            whole = all(column.counts(f) or f.judgement.inexpressible for f in found)
            plain = column.style == "green" and not whole
            cells.append(_count(count, "" if plain else column.style))
        table.add_row(subject, *cells)
    console.print()
    console.print(table)


def _print_families(console: Console, findings: Mapping[str, list[Finding]]) -> None:
    """Prints for each family how many calls hold of those that could be put: a column a subject.

    As many subjects stand side by side as fit; the rest follows below.
    """
    families = [name for name in FAMILIES if any(_of(f, name) for f in findings.values())]
    left = list(findings)
    while left and len(families) > 1:
        widths = {
            s: max(len(s), *(len(_share(_of(findings[s], n))) for n in families)) for s in left
        }
        row = [left.pop(0)]
        room = console.width - max(map(len, families)) - 2 - widths[row[0]]
        while left and widths[left[0]] + 2 <= room:
            row.append(left.pop(0))
            room -= widths[row[-1]] + 2
        table = _table("")
        table.add_column("family")
        for subject in row:
            table.add_column(Text(subject, style="bold cyan"), justify="right", no_wrap=True)
        for name in families:
            shares = [_of(findings[subject], name) for subject in row]
            table.add_row(name, *(Text(_share(f), style=_mood(f)) for f in shares))
        console.print()
        console.print(Text("equal, of the legal calls that could be put", style="bold"))
        console.print(table)


def _of(findings: Sequence[Finding], family: str) -> list[Finding]:
    """The findings on a family's calls that could be put to the subject."""
    return [
        f
        for f in findings
        if isinstance(f.call, Case) and f.call.family == family and not f.judgement.inexpressible
    ]


def _share(findings: Sequence[Finding]) -> str:
    """How many hold, of how many."""
    held = sum(finding.judgement.holds for finding in findings)
    if not findings:
        return "·"
    return f"{held:,}" if held == len(findings) else f"{held:,} of {len(findings):,}"


def _mood(findings: Sequence[Finding]) -> str:
    """The colour of a share."""
    if not findings:
        return "dim"
    return "green" if all(finding.judgement.holds for finding in findings) else "yellow"


def _count(count: int, style: str) -> Text:
    """A count; zeros are dots."""
    return Text(f"{count:,}", style=style) if count else Text("·", style="dim")


def _table(title: str) -> Table:
    """An empty table without a frame, two spaces between its columns."""
    return Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
    )


def _print_subject(
    console: Console,
    report: Report,
    subject: str,
    conclusion: Conclusion,
    decides: bool,
    kinds: int = 4,
) -> None:
    """Prints why a subject did not run, or the kinds of its unexpected findings."""
    notes = []
    if subject in report.failures:
        notes.append(Text(f"could not run: {shortened(report.failures[subject], 300)}", "bold red"))
    if subject in report.absent:
        notes.append(Text(f"absent: {shortened(report.absent[subject], 300)}", "yellow"))
    if subject in report.samples:
        notes.append(Text(f"took a sample of {report.samples[subject]:,} legal cases"))
    legal = report.legal(subject)
    if forward_only := sum(f.judgement.forward_only for f in legal):
        notes.append(Text(f"{forward_only:,} cases judged by the output alone: no gradients came"))
    if ledger := conclusion.ledger:
        findings = legal + report.illegal(subject)
        foreseen = sum(
            not f.judgement.inexpressible and ledger.expects(f) is not None for f in findings
        )
        notes.append(Text(f"{foreseen:,} differences are known: {ledger.path.name}"))
    if silent := conclusion.inapplicable:
        notes.append(Text(f"expected/{silent.path.name} speaks of {silent.scope} only", "yellow"))
    if unknown := len(conclusion.unexpected) + len(conclusion.contradicting):
        told = f"{unknown:,} {'is' if unknown == 1 else 'are'} not as known"
        if not decides:
            told += ", which decides nothing here"
            told += "" if conclusion.inapplicable else ": --strict fails on it"
        if conclusion.ledger or not decides:
            notes.append(Text(told, "bold red" if decides else "yellow"))
    notes += [Text(f"stale, which fails under --strict: {s}", "yellow") for s in conclusion.stale]
    if not notes and conclusion.holds:
        return
    console.print()
    console.print(Text(subject, style="bold cyan"))
    for note in notes:
        console.print(Padding(note, (0, 0, 0, 2)))
    _print_kinds(console, conclusion, kinds)
    if not conclusion.holds and (conclusion.ledger or not decides):
        _print_entry(console, report, subject, conclusion)


def _kinds(conclusion: Conclusion) -> list[list[Finding]]:
    """The findings that are not as known, by kind: alike in verdict and message but for numbers.

    Calls that a ledger lists are of one kind if it gives one reason. The worst come first.
    """
    alike: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in conclusion.unexpected:
        judgement = finding.judgement
        likeness = judgement.diagnosis or shortened(judgement.detail, 400)
        likeness = re.sub(r"-?\d[\d,.:]*", "#", likeness)
        alike.setdefault((judgement.verdict, likeness), []).append(finding)
    ledger = conclusion.ledger
    for finding in conclusion.contradicting:
        entry = ledger.entry(finding.call) if ledger else None
        reason = f"known otherwise: {entry.reason if entry else ''}"
        alike.setdefault((finding.judgement.verdict, reason), []).append(finding)
    ranked = sorted(alike, key=lambda kind: (WORST_FIRST.index(kind[0]), -len(alike[kind])))
    return [alike[kind] for kind in ranked]


def _print_kinds(console: Console, conclusion: Conclusion, most: int) -> None:
    """Prints an example of each kind of finding, and how to see the first."""
    ranked = _kinds(conclusion)
    indent = 24
    contradicting = set(map(id, conclusion.contradicting))
    for found in ranked[:most]:
        first = smallest(found)
        judgement = first.judgement
        line = Text.assemble(
            (f"  {judgement.verdict.value:<13} ", STYLES.get(judgement.verdict, ""))
        )
        line.append(f"{len(found):>5,}×  {first.call.id}", style="bold")
        console.print(line, overflow="ellipsis", no_wrap=True)
        told = ": ".join(filter(None, [judgement.diagnosis, judgement.detail]))
        if id(first) in contradicting and conclusion.ledger:
            told = f"not as known: {conclusion.ledger.complaint(first)}. {told}"
        detail = shortened(
            told, (3 if id(first) in contradicting else 2) * (console.width - indent) - 8
        )
        console.print(Padding(Text(detail, style="dim"), (0, 0, 0, indent)))
    if len(ranked) > most:
        rest = sum(map(len, ranked[most:]))
        console.print(Text(f"  and {rest:,} more of {len(ranked) - most} kinds", style="dim"))
    if ranked:
        _print_reproducer(console, smallest(ranked[0]))


def _print_reproducer(console: Console, first: Finding) -> None:
    """Prints what shows a finding: a script, and the command that judges the call again."""
    console.print(Text("  to see the first:", style="dim"))
    command = ("python", "-m", "compat_tests", "--subject", first.subject, "--case", first.call.id)
    script = shlex.join(command)
    if isinstance(first.call, Case) and not first.judgement.holds:
        script = reproducer(resolve(first.subject), first.call, first.judgement)
    console.print(Text(script.rstrip()), soft_wrap=True)  # to be copied, so left as it is


def _print_entry(console: Console, report: Report, subject: str, conclusion: Conclusion) -> None:
    """Prints the entry of a ledger that would have the first kind known."""
    name = split(subject)[0]
    ledger = conclusion.ledger or conclusion.inapplicable
    path = f"compat_tests/expected/{ledger.path.name if ledger else file_name(name)}"
    if conclusion.inapplicable and not conclusion.ledger:
        told = f"  to have them known, widen what {path} speaks of, once it holds there"
        console.print(Text(told, style="dim"), soft_wrap=True)
        return
    first = smallest(_kinds(conclusion)[0])
    if first in conclusion.contradicting and conclusion.ledger:
        entry = conclusion.ledger.entry(first.call)
        assert entry is not None
        told = f"  to have the first known, change the entry of {path} whose reason is:"
        console.print(Text(told, style="dim"))
        console.print(Padding(Text(entry.reason), (0, 0, 0, 4)))
        console.print(
            Text("  or say on which machines it holds, by its `where`", style="dim"), soft_wrap=True
        )
        return
    version = next(
        (f"{k} {v}" for k, v in report.descriptions.get(subject, {}).items() if k in PACKAGES), ""
    )
    console.print(Text(f"  to have the first known, add to {path}:", style="dim"))
    lines = (
        "[[difference]]",
        f'verdict = "{first.judgement.verdict.value}"',
        f'cases = ["{first.call.id}"]  # or traits, see compat_tests/cases/traits.py',
        'where = { architecture = "x86_64", lacks = ["avx512_fp16"] }  # if the machine matters',
        'reason = "why it does so, in a sentence"',
        f'recheck = "after {version}"' if version else 'recheck = "when to look again"',
    )
    console.print(Text("\n".join(lines)), soft_wrap=True)
