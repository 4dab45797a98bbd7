"""What a benchmark prints and writes: a table, Markdown, JSON and a plot."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_tconv.benchmark.machine import Machine
from tf_tconv.benchmark.modes import MODES
from tf_tconv.benchmark.rows import Row, geometric_mean

TITLES = {name: mode.title for name, mode in MODES.items()} | {
    "predict": "decoders, Keras predict",
    "fit": "decoders, Keras fit",
}


def by_mode(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each mode, in the order in which they came."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.mode, []).append(row)
    return found


def summary(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """Of each comparison its geometric mean and its worst row: above 1, ours is faster."""
    against = {"native": [row.ratio for row in rows]}
    inserted = [row.others["zero_insertion"] / row.ours for row in rows if _has_zero(row)]
    peers = [row.others[row.best_peer] / row.ours for row in rows if row.best_peer]
    if inserted:
        against["our zero insertion"] = inserted
    if peers:
        against["the fastest other framework"] = peers
    return {name: (geometric_mean(values), min(values)) for name, values in against.items()}


def _has_zero(row: Row) -> bool:
    return "zero_insertion" in row.others


def columns(rows: Sequence[Row], machine: Machine) -> tuple[list[str], list[list[str]]]:
    """The head and the cells of a mode's table."""
    head = ["layer", "shape", "lowering", "native ms", "ours ms", "ratio", "quartiles"]
    counted = any(row.flops for row in rows)
    if counted:
        head += ["GFLOP/s", "of matmul", "of copy"]
    compared = any(map(_has_zero, rows))
    if compared:
        head.append("zero insertion")
    peers = any(row.best_peer for row in rows)
    if peers:
        head.append("fastest other")
    cells = []
    for row in rows:
        line = [
            row.title,
            row.shape,
            row.lowering,
            f"{row.native * 1e3:.3f}",
            f"{row.ours * 1e3:.3f}",
            f"{row.ratio:.2f}",
            f"{row.low:.2f}-{row.high:.2f}",
        ]
        if counted:
            rate = row.flops / row.ours
            line += [
                f"{rate / 1e9:.0f}",
                f"{rate / machine.multiplied:.0%}",
                f"{row.bytes / row.ours / machine.copied:.0%}",
            ]
        if compared:
            line.append(f"{row.others['zero_insertion'] / row.ours:.2f}" if _has_zero(row) else "")
        if peers:
            best = row.best_peer
            line.append(f"{row.others[best] / row.ours:.2f} {best}" if best else "")
        cells.append(line)
    return head, cells


def sentence(rows: Sequence[Row]) -> str:
    """The summary in words."""
    return "; ".join(
        f"against {name}: geometric mean {mean:.2f}, worst {worst:.2f}"
        for name, (mean, worst) in summary(rows).items()
    )


def describe(machine: Machine) -> str:
    """Where it ran, in one line."""
    return (
        f"{machine.processor}, {machine.cores} cores; TensorFlow {machine.tensorflow}, Keras "
        f"{machine.keras}; matmul {machine.multiplied / 1e9:.0f} GFLOP/s, copy "
        f"{machine.copied / 1e9:.1f} GB/s"
    )


def markdown(rows: Iterable[Row], machine: Machine, command: str) -> str:
    """All tables, their summary first."""
    modes = by_mode(rows)
    lines = [
        f"Measured by `{command}` on: {describe(machine)}.",
        "",
        "A ratio is the other's time over ours, the median of turns taken A B A B in one process: "
        "above 1, ours is faster.",
        "",
        "| mode | against | geometric mean | worst row | rows |",
        "|---|---|---|---|---|",
    ]
    for mode, found in modes.items():
        for name, (mean, worst) in summary(found).items():
            cells = [TITLES.get(mode, mode), name, f"{mean:.2f}", f"{worst:.2f}", str(len(found))]
            lines.append(f"| {' | '.join(cells)} |")
    if "train" in modes:
        lines += [
            "",
            "Left out of the training steps: layers of one tap and a stride, whose filter gradient "
            "by TensorFlow's op writes past its buffer with oneDNN.",
        ]
    lines += ["", "Ratios to native, a line a layer:", "", *by_layer(modes)]
    for mode, found in modes.items():
        head, cells_of = columns(found, machine)
        lines += ["", f"### {TITLES.get(mode, mode)}", "", f"| {' | '.join(head)} |"]
        lines.append("|" + "---|" * len(head))
        lines += [f"| {' | '.join(line)} |" for line in cells_of]
    return "\n".join(lines) + "\n"


def by_layer(modes: Mapping[str, Sequence[Row]]) -> list[str]:
    """A Markdown table of ratios: layers down, modes across, and the whole models by themselves."""
    lines: list[str] = []
    for whole in (False, True):
        chosen = {m: f for m, f in modes.items() if (m in ("predict", "fit")) == whole}
        ratios = {(r.title, r.shape, m): r.ratio for m, found in chosen.items() for r in found}
        if not ratios:
            continue
        head = ["layer", "shape", *(TITLES.get(mode, mode) for mode in chosen)]
        lines += [""] * bool(lines)
        lines += [f"| {' | '.join(head)} |", "|---|---|" + "---:|" * len(chosen)]
        for title, shape in dict.fromkeys((title, shape) for title, shape, _ in ratios):
            found = (ratios.get((title, shape, mode)) for mode in chosen)
            cells = [title, shape, *("" if r is None else f"{r:.2f}" for r in found)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def as_json(rows: Iterable[Row], machine: Machine) -> str:
    """Everything that was measured."""
    modes = by_mode(rows)
    content: Mapping[str, Any] = {
        "machine": dataclasses.asdict(machine),
        "summary": {
            mode: {
                name: {"geometric_mean": mean, "worst": worst}
                for name, (mean, worst) in summary(found).items()
            }
            for mode, found in modes.items()
        },
        "rows": [dataclasses.asdict(row) for found in modes.values() for row in found],
    }
    return json.dumps(content, indent=1) + "\n"


def plot(rows: Iterable[Row], path: Path) -> None:
    """Writes one picture: each mode's ratios, sorted, on a logarithmic scale."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    modes = by_mode(rows)
    tallest = max(len(found) for found in modes.values())
    across = min(len(modes), 2)
    down = math.ceil(len(modes) / across)
    figure = Figure(figsize=(7.5 * across, (0.23 * tallest + 1.2) * down), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis in axes[len(modes) :]:
        axis.set_axis_off()
    for axis, (mode, found) in zip(axes, modes.items(), strict=False):
        ordered = sorted(found, key=lambda row: row.ratio)
        ratios = [row.ratio for row in ordered]
        colours = ["#2a9d8f" if ratio >= 1 else "#e76f51" for ratio in ratios]
        places = range(len(ordered))
        axis.barh(places, [ratio - 1 for ratio in ratios], left=1, color=colours)
        for place, row in zip(places, ordered, strict=True):
            axis.plot([row.low, row.high], [place, place], color="#26323a", linewidth=1)
        axis.set_xscale("log")
        low, high = min(*ratios, 0.5) / 1.1, max(*ratios, 2) * 1.15
        axis.set_xlim(low, high)
        ticks = [t for t in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 100) if low <= t <= high]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_yticks(places, [f"{row.title}  {row.shape}" for row in ordered], fontsize=7)
        axis.set_ylim(-0.6, len(ordered) - 0.4)
        axis.axvline(1, color="#26323a", linewidth=0.8)
        axis.grid(axis="x", linewidth=0.3)
        axis.set_axisbelow(True)
        mean, worst = summary(found)["native"]
        axis.set_title(
            f"{TITLES.get(mode, mode)}: geometric mean {mean:.2f}, worst {worst:.2f}", fontsize=10
        )
        axis.set_xlabel("time of native / time of ours", fontsize=8)
    figure.savefig(path, dpi=130)


def plot_scaling(families: Mapping[str, Sequence[tuple[int, Row]]], path: Path) -> None:
    """Writes one picture: time against each number, ours, native and zero insertion."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    for axis, (name, found) in zip(axes, families.items(), strict=True):
        values = [value for value, _ in found]
        rows = [row for _, row in found]
        series = {
            "ours": ([row.ours for row in rows], "#2a9d8f", "o-"),
            "native": ([row.native for row in rows], "#4361ee", "s-"),
            "zero insertion": (
                [row.others.get("zero_insertion", math.nan) for row in rows],
                "#e76f51",
                "^-",
            ),
        }
        for label, (seconds, colour, style) in series.items():
            milliseconds = [1e3 * each for each in seconds]
            axis.loglog(values, milliseconds, style, color=colour, label=label, markersize=4)
        # As much slower as there is more to multiply, from the largest layer.
        useful = [1e3 * rows[-1].ours * row.flops / rows[-1].flops for row in rows]
        axis.loglog(values, useful, ":", color="#777777", label="useful FLOPs")
        axis.set_xticks(values, [str(value) for value in values], fontsize=7)
        axis.minorticks_off()
        axis.set_xlabel(name)
        axis.set_ylabel("ms")
        axis.set_title(_kept(rows, name), fontsize=9)
        axis.grid(linewidth=0.3)
        axis.legend(fontsize=7)
    figure.savefig(path, dpi=130)


def _kept(rows: Sequence[Row], name: str) -> str:
    return f"time against {name}: {rows[0].shape} to {rows[-1].shape}"
