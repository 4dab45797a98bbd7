"""The command line: `python -m compat_tests --help`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from compat_tests.cases.registry import FAMILIES, ILLEGAL, select, select_illegal
from compat_tests.report import LiveView, make_console, print_header, print_report, write_json
from compat_tests.runner import Call, Report, run
from compat_tests.subjects.registry import DEFAULTS, HELP, resolve

HOLDS, FAILS, CANNOT_RUN, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def main(
    subject: Annotated[
        list[str] | None,
        typer.Option(help="Whom to judge; repeatable. See --list, or package.module:function."),
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
    jobs: Annotated[int, typer.Option(help="Worker processes at a time.", min=1)] = 2,
    timeout: Annotated[float, typer.Option(help="Seconds allowed for a call.", min=0.1)] = 60.0,
    json: Annotated[
        Path | None,
        typer.Option(help="Write all results to this file.", dir_okay=False),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List subjects and families, and end.")
    ] = False,
) -> None:
    """Judges implementations of transposed convolution against the scatter definition.

    Ends with 0 when every legal case holds: equal to the last bit, as all inputs are integers.
    With 1 when one does not, and with 2 when a subject could not run. A run that names no subject
    compares ours with TensorFlow's op, and only ours decides; there its errors on illegal calls
    count too.
    """
    console = make_console()
    if list_:
        _print_list()
        raise typer.Exit(HOLDS)
    names = list(dict.fromkeys(subject or DEFAULTS))
    try:
        calls = {name: _calls(name, family or (), case or (), sample) for name in names}
    except ValueError as reason:
        typer.echo(f"compat_tests: {reason}", err=True)
        raise typer.Exit(CANNOT_RUN) from None
    most = max(calls.values(), key=len)
    facts = [
        f"{len(most):,} calls a subject" + (f", a sample of {sample:,}" if sample else ""),
        f"{jobs} workers",
        f"{timeout:g} s a call",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.machine()}",
    ]
    print_header(console, facts)
    with LiveView(console, {name: len(queued) for name, queued in calls.items()}) as view:
        report = run(calls, jobs=jobs, timeout=timeout, listener=view)
    print_report(console, report)
    if json is not None:
        settings: dict[str, object] = {
            "subjects": names,
            "families": family or [*FAMILIES, ILLEGAL],
            "cases": case or [],
            "sample": sample,
            "jobs": jobs,
            "timeout": timeout,
        }
        write_json(json, report, settings)
    deciding = names if subject else ["ours"]
    raise typer.Exit(exit_code(report, deciding, errors_count=ILLEGAL in (family or ())))


def _calls(
    subject: str, families: Sequence[str], ids: Sequence[str], sample: int | None
) -> list[Call]:
    """The calls that a subject is to face.

    Raises:
        ValueError: if subject, family or id is unknown.
    """
    adapter = resolve(subject)
    legal_families = [name for name in families if name != ILLEGAL]
    illegal_ids = [pattern for pattern in ids if pattern.startswith(ILLEGAL)]
    legal_ids = [pattern for pattern in ids if not pattern.startswith(ILLEGAL)]
    calls: list[Call] = []
    if (legal_families or not families) and (legal_ids or not ids):
        calls += select(legal_families, sample, legal_ids)
    wanted = ILLEGAL in families or bool(illegal_ids)
    if wanted or (adapter.faces_illegal_calls and not families and not ids):
        calls += select_illegal(illegal_ids)
    if not calls:
        raise ValueError("no case is left by --family and --case together")
    return calls


def exit_code(report: Report, subjects: Sequence[str], errors_count: bool) -> int:
    """What the run says of the subjects that decide.

    Args:
        report: the report.
        subjects: those that decide; the others are there for comparison.
        errors_count: whether illegal calls decide as well; for ours they always do.

    Returns:
        `HOLDS`, `FAILS`, `CANNOT_RUN` or `INTERRUPTED`.
    """
    if report.interrupted:
        return INTERRUPTED
    if any(subject in report.failures for subject in subjects):
        return CANNOT_RUN
    for subject in subjects:
        deciding = report.legal(subject)
        if errors_count or subject.partition(":")[0] == "ours":
            deciding = deciding + report.illegal(subject)
        if not report.complete(subject) or not all(f.judgement.holds for f in deciding):
            return FAILS
    return HOLDS


def _print_list() -> None:
    """Prints what there is to choose from."""
    typer.echo("subjects")
    for name, meaning in HELP:
        typer.echo(f"  {name:<24}  {meaning}")
    typer.echo("families")
    for name, cases in FAMILIES.items():
        typer.echo(f"  {name:<24}  {len(cases()):>6,} cases")
    typer.echo(f"  {ILLEGAL:<24}  {len(select_illegal()):>6,} calls that must be refused")


if __name__ == "__main__":
    app(prog_name="python -m compat_tests")
