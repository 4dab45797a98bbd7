"""The command line: `python -m compat_tests --help`."""

from __future__ import annotations

import platform
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from compat_tests.cases.registry import (
    CAPABILITY,
    FAMILIES,
    ILLEGAL,
    MEANINGS,
    select,
    select_illegal,
    spread,
)
from compat_tests.conclusion import (
    CANNOT_RUN,
    HOLDS,
    conclude,
    exit_code,
    known_ledgers,
    under_judgement,
)
from compat_tests.document import as_document, read_report, write_document
from compat_tests.expected.condition import instructions_of
from compat_tests.expected.known_differences import KnownDifferences, read_known_differences
from compat_tests.machine import Machine, cores, this_machine
from compat_tests.pages.html import render_html
from compat_tests.pages.markdown import render_markdown
from compat_tests.runner import MEMORY, Call, Finding, Report, run
from compat_tests.subjects.registry import DEFAULTS, HELP, OUTSIDE, expand, resolve
from compat_tests.terminal import LiveView, make_console, print_header, print_report

GIB = 2**30
SAVE_SECONDS = 30.0
"""How often `--json` is written while a run goes on."""

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def main(
    subject: Annotated[
        list[str] | None,
        typer.Option(
            help="What to judge; repeatable. See --list; or package.module:function, or all."
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Only this family of cases; repeatable."),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(help="Only this case, by id or shell pattern; repeatable."),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(help="Only so many legal cases, spread evenly, always the same.", min=1),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge the subjects in the environment of this Python; repeatable, "
            "and '.' is the one that runs the suite."
        ),
    ] = None,
    expected: Annotated[
        Path | None,
        typer.Option(help="A ledger of known differences, for a single subject.", dir_okay=False),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Let every subject decide the exit code, and stale entries."),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(help="Worker processes at a time; 2, or 1 where there is one core.", min=1),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds allowed for a call.", min=0.1)] = 60.0,
    memory: Annotated[
        float, typer.Option(help="GiB allowed to a worker; half of the machine's by default.")
    ] = MEMORY / GIB,
    json: Annotated[
        Path | None,
        typer.Option(help="Write all results to this file, also while they come.", dir_okay=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take over the results that --json holds already.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page to read and filter the results on.", dir_okay=False),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the map of the results.", dir_okay=False)
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List subjects and families, and end.")
    ] = False,
) -> None:
    """Judges implementations of transposed convolution against the scatter definition.

    Ends with 0 when every legal case holds: equal to the last bit, as all inputs are integers, or
    different just as the subject's ledger in compat_tests/expected says. With 1 when one does not,
    with 2 when a subject could not run, and with 130 when interrupted.

    That is decided by tf_tconv in every form and by functions from outside, or by the subjects
    named where these are frameworks only. Where the others differ from their ledgers is reported,
    and fails the run with --strict.
    """
    console = make_console()
    jobs = jobs or min(2, cores())
    if list_:
        _print_list()
        raise typer.Exit(HOLDS)
    asked = tuple(subject or DEFAULTS)
    names = tuple(_at(name, place) for place in (python or ["."]) for name in expand(asked))
    try:
        if resume and json is None:
            raise ValueError("--resume needs --json, the file to go on from")
        calls = {
            name: _calls(name, family or (), case or (), sample, bool(subject)) for name in names
        }
        ledgers = _ledgers(names, expected)
        earlier = None
        if resume and json is not None and json.exists():
            earlier = read_report(json, calls)
    except ValueError as reason:
        typer.echo(f"compat_tests: {reason}", err=True)
        raise typer.Exit(CANNOT_RUN) from None
    machine = this_machine()
    asked_about = instructions_of(c for ledger in ledgers.values() for c in ledger.conditions)
    about = machine.facts(asked_about)
    settings: dict[str, object] = {
        "subjects": names,
        "families": family or [*FAMILIES, ILLEGAL],
        "cases": case or [],
        "sample": sample,
        "jobs": jobs,
        "timeout": timeout,
        "memory": round(memory, 1),
        "strict": strict,
        "processor": about,
    }
    samples = {
        name: sum(not call.id.startswith(ILLEGAL) for call in calls[name])
        for name in names
        if sample is None and resolve(name).sample is not None
    }
    print_header(console, _facts(calls, sample, jobs, timeout, memory, machine), about)
    with LiveView(console, {name: len(queued) for name, queued in calls.items()}) as view:
        report = run(
            calls,
            jobs=jobs,
            timeout=timeout,
            memory=int(memory * GIB),
            listener=_Saving(view, json, settings),
            earlier=earlier,
            samples=samples,
        )
    conclusions = conclude(report, ledgers, ILLEGAL in (family or ()), machine)
    named = [name for name in names if subject and name.partition("@")[0] in subject]
    deciding = report.subjects if strict else under_judgement(report.subjects, named)
    print_report(console, report, conclusions, deciding)
    if json or html or markdown:
        speaking = {name: c.ledger for name, c in conclusions.items() if c.ledger is not None}
        document = as_document(report, settings, speaking)
        if json:
            write_document(json, document)
        for path, text in ((html, render_html), (markdown, render_markdown)):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text(document), encoding="utf-8")
    raise typer.Exit(exit_code(report, conclusions, named, strict))


def _end_with_a_report() -> None:
    """Has signals that ask for an end do what Ctrl-C does: stop the run, and report."""
    # Whatever was inherited: a shell's background job ignores Ctrl-C, but who sends it means it.
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, signal.default_int_handler)
    # That a terminal closes is not a request to stop, so `nohup` has its way.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


class _Saving:
    """Passes on how a run goes, and writes regularly what it has found."""

    def __init__(self, view: LiveView, path: Path | None, settings: dict[str, object]) -> None:
        self._view, self._path, self._settings = view, path, settings
        self._next = time.monotonic() + SAVE_SECONDS

    def started(self, subject: str, description: dict[str, str]) -> None:
        self._view.started(subject, description)

    def judged(self, finding: Finding, report: Report) -> None:
        self._view.judged(finding, report)
        if self._path is not None and time.monotonic() > self._next:
            write_document(self._path, as_document(report, self._settings, {}, brief=True))
            self._next = time.monotonic() + SAVE_SECONDS


def _at(name: str, python: str) -> str:
    """The subject of that name in the environment of a Python; "." is this one."""
    return name if python == "." or "@" in name else f"{name}@{python}"


def _ledgers(names: Sequence[str], path: Path | None) -> dict[str, KnownDifferences]:
    """What is known of the subjects.

    Raises:
        ValueError: if a file is not a ledger, or one is given for several subjects.
    """
    if path is None:
        return known_ledgers(names)
    if len(names) != 1:
        raise ValueError("--expected is the ledger of one subject; name it with --subject")
    return {names[0]: read_known_differences(path)}


def _calls(
    subject: str,
    families: Sequence[str],
    ids: Sequence[str],
    sample: int | None,
    named: bool = True,
) -> list[Call]:
    """The calls that a subject is to face.

    A slow subject takes a sample unless the caller chooses: evenly spread, and the
    capability table as a whole if the caller has named the subject.

    Raises:
        ValueError: if subject, family or id is unknown.
    """
    adapter = resolve(subject)
    legal_families = [name for name in families if name != ILLEGAL]
    illegal_ids = [pattern for pattern in ids if pattern.startswith(ILLEGAL)]
    legal_ids = [pattern for pattern in ids if not pattern.startswith(ILLEGAL)]
    calls: list[Call] = []
    if (legal_families or not families) and (legal_ids or not ids):
        chosen = select(legal_families, sample, legal_ids)
        if sample is None and adapter.sample is not None and not ids:
            whole = tuple(case for case in chosen if named and case.family == CAPABILITY)
            rest = tuple(case for case in chosen if not (named and case.family == CAPABILITY))
            chosen = (*(spread(rest, adapter.sample) if rest else ()), *whole)
        calls += chosen
    wanted = ILLEGAL in families or bool(illegal_ids)
    if wanted or (adapter.faces_illegal_calls and not families and not ids):
        calls += select_illegal(illegal_ids)
    if not calls:
        raise ValueError("no case is left by --family and --case together")
    return calls


def _facts(
    calls: dict[str, list[Call]],
    sample: int | None,
    jobs: int,
    timeout: float,
    memory: float,
    machine: Machine,
) -> list[str]:
    """How the run was asked for, for its header."""
    most = max(map(len, calls.values()))
    return [
        f"{most:,} calls a subject" + (f", a sample of {sample:,}" if sample else ""),
        f"{jobs} {'worker' if jobs == 1 else 'workers'}",
        f"{timeout:g} s and {memory:.3g} GiB a call",
        f"Python {platform.python_version()}",
        f"{machine.system} {machine.architecture}",
    ]


def _print_list() -> None:
    """Prints what there is to choose from."""
    typer.echo("subjects")
    for name, meaning in (*HELP, *OUTSIDE):
        typer.echo(f"  {name:<24}  {meaning}")
    typer.echo("families")
    for name, cases in FAMILIES.items():
        typer.echo(f"  {name:<12}  {len(cases()):>6,} cases  {MEANINGS[name]}")
    typer.echo(f"  {ILLEGAL:<12}  {len(select_illegal()):>6,} calls  {MEANINGS[ILLEGAL]}")


if __name__ == "__main__":
    _end_with_a_report()
    app(prog_name="python -m compat_tests")
