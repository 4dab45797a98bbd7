"""What `plant_faults` tells of its trials: a table for a terminal, Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from tools.faults.sites import Fault
from tools.faults.trials import Trial

WIDTH = 60
"""Of an expression, so that a row stays readable."""

HEADINGS = ("place", "kind", "before", "after", "caught by", "stage")


def outcome(trial: Trial, equivalent: Mapping[str, str]) -> str:
    """Which test caught the fault, or why none has to, or that none did."""
    if trial.caught_by is not None:
        return trial.caught_by
    reason = equivalent.get(trial.fault.key)
    return f"equivalent: {reason}" if reason else "SURVIVED"


def survivors(trials: Sequence[Trial], equivalent: Mapping[str, str]) -> list[Fault]:
    """The faults that no test catches and that are not known to change nothing."""
    return [t.fault for t in trials if t.caught_by is None and t.fault.key not in equivalent]


def table(trials: Sequence[Trial], equivalent: Mapping[str, str]) -> Table:
    """A row a fault, for rich."""
    shown = Table(*HEADINGS, title=summary(trials, equivalent))
    for trial in trials:
        color = "red" if survivors([trial], equivalent) else None
        shown.add_row(*(escape(cell) for cell in _row(trial, equivalent)), style=color)
    return shown


def markdown(trials: Sequence[Trial], equivalent: Mapping[str, str]) -> str:
    """The same as a table of Markdown, with a line above it."""
    lines = [summary(trials, equivalent), "", _markdown_row(HEADINGS)]
    lines.append(_markdown_row(["---"] * len(HEADINGS)))
    for trial in trials:
        place, kind, before, after, caught, stage = _row(trial, equivalent)
        lines.append(_markdown_row([place, kind, f"`{before}`", f"`{after}`", caught, stage]))
    return "\n".join(lines) + "\n"


def as_json(trials: Sequence[Trial], equivalent: Mapping[str, str]) -> str:
    """All that is known of each trial."""
    rows = [
        {
            **asdict(trial.fault),
            "key": trial.fault.key,
            "caught_by": trial.caught_by,
            "stage": trial.stage,
            "seconds": round(trial.seconds, 1),
            "equivalent": equivalent.get(trial.fault.key),
        }
        for trial in trials
    ]
    return json.dumps(rows, indent=2) + "\n"


def summary(trials: Sequence[Trial], equivalent: Mapping[str, str]) -> str:
    """How many were caught, by which stage, and how many were not."""
    caught = Counter(trial.stage for trial in trials if trial.caught_by is not None)
    survived = len(survivors(trials, equivalent))
    harmless = len(trials) - caught.total() - survived
    stages = ", ".join(f"{count} by {stage}" for stage, count in caught.items())
    return (
        f"{len(trials)} faults: {caught.total()} caught ({stages or 'none'}), "
        f"{harmless} equivalent, {survived} survived"
    )


def _row(trial: Trial, equivalent: Mapping[str, str]) -> list[str]:
    fault = trial.fault
    return [
        f"{fault.module}:{fault.line} {fault.function}",
        fault.kind,
        _short(fault.before),
        _short(fault.after),
        outcome(trial, equivalent),
        trial.stage,
    ]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
