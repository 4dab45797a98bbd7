"""`tf-tconv bench`: ours and native in turn, over the layers of published models."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tf_tconv.commands import tables
from tf_tconv.commands.failure import one_sentence
from tf_tconv.writing import write_whole

if TYPE_CHECKING:
    from tf_tconv.benchmark.machine import Machine
    from tf_tconv.benchmark.rows import Row


class ModeName(str, Enum):
    """`tf_tconv.benchmark.modes.MODES` and the decoders, which --help need not load."""

    GRAPH = "graph"
    TRAIN = "train"
    XLA = "xla"
    XLA_TRAIN = "xla-train"
    EAGER = "eager"
    PLAIN = "plain"
    DECODERS = "decoders"


def bench(
    mode: Annotated[
        list[ModeName] | None,
        typer.Option(help="Which mode; may be given several times (default: all)."),
    ] = None,
    layers: Annotated[
        str, typer.Option(help="Only layers or decoders whose title or shape has this in it.")
    ] = "",
    seconds: Annotated[
        float, typer.Option(min=0.01, help="For all turns of a row together.")
    ] = 1.0,
    peers: Annotated[
        bool, typer.Option("--peers", help="Also torch, JAX, ONNX Runtime, OpenVINO (mode graph).")
    ] = False,
    scaling: Annotated[
        Path | None,
        typer.Option(help="Instead: time against stride, kernel, channels, size; a picture."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all numbers here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a picture of the ratios here.")] = None,
) -> None:
    """Times transposed convolutions of published models, ours against TensorFlow's op.

    Ours and native take turns in one process, a fresh one a mode, after both have run and have
    given the same values. A ratio above 1 means that ours is faster.

    Example: tf-tconv bench --mode graph --layers DCGAN
    """
    with one_sentence():
        _run(
            [each.value for each in mode or ModeName],
            layers,
            seconds,
            peers,
            scaling,
            {"json": json, "markdown": markdown, "plot": plot},
        )


def _run(
    modes: list[str],
    wanted: str,
    seconds: float,
    peers: bool,
    scaling: Path | None,
    targets: dict[str, Path | None],
) -> None:
    from tf_tconv.benchmark import machine, report
    from tf_tconv.benchmark.decoders import DECODERS
    from tf_tconv.benchmark.layers import published
    from tf_tconv.benchmark.run import DECODERS_MODE, Request, measure
    from tf_tconv.benchmark.scaling import FAMILIES

    screen = tables.screen()
    here = machine.measure()
    screen.print(report.describe(here), markup=False)
    if scaling is not None:
        requests = [
            Request("graph", tuple(range(len(family.values))), seconds, scaling=family.name)
            for family in FAMILIES
        ]
    else:
        titles = {
            "layers": [f"{layer.title} {layer.shape}" for layer in published()],
            DECODERS_MODE: [decoder.title for decoder in DECODERS],
        }
        requests = [
            Request(
                name,
                tuple(
                    number
                    for number, title in enumerate(titles.get(name, titles["layers"]))
                    if wanted.lower() in title.lower()
                ),
                seconds,
                peers,
            )
            for name in modes
        ]
        requests = [request for request in requests if request.layers]
        if not requests:
            raise ValueError(f"--layers {wanted!r} is in no layer's title or shape.")
    rows = []
    found = {}
    with _progress(screen) as progress:
        for request in requests:
            what = request.scaling or request.mode
            count = len(request.layers) * (2 if what == DECODERS_MODE else 1)
            task = progress.add_task(what, total=count)
            new = []
            for row in measure(request):
                new.append(row)
                progress.advance(task)
            rows += new
            found[what] = new
            if scaling is None:
                for group in report.by_mode(new).values():
                    progress.console.print(table(group, here))
                    progress.console.print(f"[bold]{report.sentence(group)}[/]\n")
    if scaling is not None:
        families = {
            family.name: list(zip(family.values, found[family.name], strict=True))
            for family in FAMILIES
        }
        write_whole(scaling, lambda path: report.plot_scaling(families, path))
    command = shlex.join(["tf-tconv", *sys.argv[1:]])
    if targets["json"]:
        text = report.as_json(rows, here)
        write_whole(targets["json"], lambda path: path.write_text(text, encoding="utf-8"))
    if targets["markdown"]:
        text_of_tables = report.markdown(rows, here, command)
        write_whole(
            targets["markdown"], lambda path: path.write_text(text_of_tables, encoding="utf-8")
        )
    if targets["plot"]:
        write_whole(targets["plot"], lambda path: report.plot(rows, path))


def table(rows: Sequence[Row], where: Machine) -> tables.Sheet:
    """A mode's rows for the terminal."""
    from tf_tconv.benchmark import report

    head, cells = report.columns(rows, where)
    shape = head.index("shape")
    made = []
    for row, line in zip(rows, cells, strict=True):
        colour = "green" if row.ratio >= 1 else "yellow" if row.ratio >= 0.85 else "red"
        texts = [*line[:shape], *line[shape + 1 :]]
        made.append(tables.Row(texts, line[shape], styles=[("ratio", colour)]))
    headings = [_SHORT.get(name, name) for name in head if name != "shape"]
    return tables.Sheet(report.TITLES.get(rows[0].mode, rows[0].mode), headings, made)


_SHORT = {
    "native ms": "native\nms",
    "ours ms": "ours\nms",
    "GFLOP/s": "GFLOP\n/s",
    "quartiles": "quar-\ntiles",
    "of matmul": "of\nmatmul",
    "of copy": "of\ncopy",
    "zero insertion": "zero\ninsertion",
    "fastest other": "fastest\nother",
}
"""Headings that would be wider than what stands below them."""


def _progress(screen: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
