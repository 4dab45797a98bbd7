"""`tf-tconv plan`: which lowering computes a call, and why."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Annotated, Any

import typer

from tf_tconv.commands.failure import one_sentence
from tf_tconv.commands.reading import in_options, read_integer, read_padding, read_pair
from tf_tconv.commands.tables import Row, Sheet, screen
from tf_tconv.functional.plan import plan as plan_of
from tf_tconv.geometry import brief
from tf_tconv.planning import Plan
from tf_tconv.planning.costs import BACKENDS

Backend = Enum("Backend", {name: name for name in BACKENDS}, type=str)  # type: ignore[misc]


def plan(
    input_: Annotated[
        str,
        typer.Option(
            "--input", help="batch,height,width,channels; ? where known only at run time."
        ),
    ],
    filters: Annotated[str, typer.Option(help="height,width,out channels / groups,in channels.")],
    stride: Annotated[str, typer.Option(help="Down and across: 2, or 2,1.")] = "1",
    dilation: Annotated[str, typer.Option(help="As --stride.")] = "1",
    padding: Annotated[
        str, typer.Option(help="same, valid, or the forward one's: top,bottom,left,right.")
    ] = "same",
    output_size: Annotated[
        str | None, typer.Option(help="height,width (default: that of Keras).")
    ] = None,
    groups: Annotated[int, typer.Option(help="Channel groups.")] = 1,
    backend: Annotated[
        Backend | None, typer.Option(help="What is to compute (default: what would here).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Shows which lowering computes a transposed convolution, and every other with its costs.

    Example: tf-tconv plan --input 1,128,128,64 --filters 5,5,3,64 --stride 2
    """
    with one_sentence(), in_options():
        found = plan_of(
            _shape("input", input_, open_=True),
            _shape("filters", filters),
            None if output_size is None else read_pair("output-size", output_size, 0),
            read_pair("stride", stride, 1),
            read_padding(padding),
            dilations=read_pair("dilation", dilation, 1),
            groups=groups,
            backend=None if backend is None else backend.value,
        )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), indent=2))
        return
    console = screen()
    console.print(_table(found))
    console.print(f"[bold]{found.lowering}[/]: {found.reason}.")
    for text in found.assumed:
        console.print(f"Assumed: {text}.")


def _shape(option: str, text: str, open_: bool = False) -> list[Any]:
    entries = text.split(",")
    if len(entries) != 4:
        raise ValueError(f"--{option} {brief(text)} has {len(entries)} numbers; it must have 4.")
    return [None if open_ and e.strip() == "?" else read_integer(option, e) for e in entries]


def _table(found: Plan) -> Sheet:
    rows = []
    for each in found.candidates:
        chosen = each.lowering == found.lowering
        cells = [
            each.lowering,
            f"{each.flops / 1e9:.3f}",
            f"{each.bytes / 1e6:.2f}",
            f"{each.temporaries / 1e6:.2f}",
            str(each.operations),
            f"{each.seconds * 1e3:.3f}",
            "chosen" if chosen else each.excluded,
        ]
        rows.append(Row(cells, style="bold green" if chosen else "dim" if each.excluded else ""))
    return Sheet(
        f"{found.flops / 1e9:.3f} GFLOP by the definition, backend {found.backend}",
        ["lowering", "GFLOP", "MB moved", "MB held", "steps", "estimated ms", ""],
        rows,
    )
