"""`tf-tconv explain`: one call with all its intermediates, on the screen or as a picture."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from tf_tconv.commands.failure import one_sentence
from tf_tconv.commands.reading import PADDING, in_options, read_padding, read_pair
from tf_tconv.explain import VIEWS, CellKind, Trace
from tf_tconv.explain.formatting import TooLarge
from tf_tconv.explain.numbers import Axes
from tf_tconv.explain.tracing import definition
from tf_tconv.geometry import (
    AskedAxis,
    AxisNames,
    Padding,
    Unreachable,
    brief,
    restated,
    solve_axis,
)

MOST_CELLS = 2**20

UNITS = ("rows", "columns")


def explain(
    input_: Annotated[
        str, typer.Option("--input", help="Cells of the input: 3, or height,width: 3,4.")
    ] = "3",
    kernel: Annotated[str, typer.Option(help="Taps, as --input.")] = "3",
    stride: Annotated[str, typer.Option(help="As --input.")] = "1",
    dilation: Annotated[str, typer.Option(help="As --input.")] = "1",
    padding: Annotated[
        str,
        typer.Option(
            help="same, valid, or what the forward convolution pads: top,bottom,left,right."
        ),
    ] = "same",
    output: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="WHAT VALUE", help="cell 5,5 or size 6,6: the same as --cell and --output-size."
        ),
    ] = None,
    output_size: Annotated[
        str | None, typer.Option(help="As --input (default: that of Keras).")
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="row,column of the output cell to account for.")
    ] = None,
    view: Annotated[
        str, typer.Option(help=f"How to see the call: {', '.join(VIEWS)} (or polyphase).")
    ] = VIEWS[0],
    input_values: Annotated[
        str | None,
        typer.Option(
            help="Rows of numbers: 1,2;3,4, in place of --input (default: 1, 2, 3 and so on)."
        ),
    ] = None,
    kernel_values: Annotated[
        str | None,
        typer.Option(help="As --input-values (default: counting up, with 2 in the centre)."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write a picture: .svg or .gif (films without --cell), .png, .pdf."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Shows where every number of a transposed convolution comes from.

    Example: tf-tconv explain --input 3 --kernel 3 --stride 2 --padding same --output cell 5,5
    """
    with one_sentence(), in_options():
        cell, output_size = _output(output, cell, output_size)
        image = _image("input", input_, input_values, first=1)
        taps = _image("kernel", kernel, kernel_values, centre=2)
        pads = read_padding(padding)
        pads = pads.upper() if isinstance(pads, str) else pads
        axes = _geometry(
            image.shape,
            taps.shape,
            read_pair("stride", stride, 1),
            read_pair("dilation", dilation, 1),
            [pads] * 2 if isinstance(pads, str) else [tuple(side) for side in pads[1:3]],
            [None, None] if output_size is None else read_pair("output-size", output_size, 0),
        )
        steps = definition(image, taps, axes, pads)
        place = None if cell is None else read_pair("cell", cell, 0)
        try:
            if save is not None:
                steps.save(save, view, place)
            text = json.dumps(_as_json(steps, place), indent=2) if as_json else None
            text = text or steps.text(view, place)
        except TooLarge as error:
            raise ValueError(f"{error} Here: a smaller --input, or --json.") from error
        typer.echo(text)
        if save is not None and not as_json:
            typer.echo(f"\n{save} is written.")


def _output(
    output: tuple[str, str] | None, cell: str | None, size: str | None
) -> tuple[str | None, str | None]:
    """The cell and the size asked for, by either form."""
    if output is None:
        return cell, size
    what, value = output
    given = {"cell": cell, "size": size}
    if what not in given:
        raise ValueError(
            f"--output {what} {value}: it must be cell row,column or size height,width."
        )
    if given[what] is not None:
        long = {"cell": "--cell", "size": "--output-size"}[what]
        raise ValueError(
            f"--output {what} {value} and {long} {given[what]} say the same; give one."
        )
    given[what] = value
    return given["cell"], given["size"]


def _geometry(
    inputs: Sequence[int],
    kernels: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    paddings: Sequence[Padding],
    outputs: Sequence[int | None],
) -> Axes:
    """Rows and columns; where one of them cannot be, the error says a padding for both."""
    calls = list(zip(inputs, kernels, strides, dilations, paddings, outputs, strict=True))
    asked = tuple(
        AskedAxis(k, s, d, padding, i, o, unit)
        for (i, k, s, d, padding, o), unit in zip(calls, UNITS, strict=True)
    )
    with restated(lambda found: Unreachable(found.sentence, asked).error(PADDING)):
        rows, columns = (
            solve_axis(*call, names=AxisNames(unit=unit))
            for call, unit in zip(calls, UNITS, strict=True)
        )
        return Axes(rows, columns)


def _image(
    option: str, size: str, values: str | None, *, first: int = 1, centre: int | None = None
) -> NDArray[np.float64]:
    """The numbers given, or counting up from `first` or to `centre` in the middle."""
    if values is None:
        height, width = read_pair(option, size, 1)
        if height * width > MOST_CELLS:
            raise ValueError(f"--{option} {size} is too large; at most {MOST_CELLS} cells.")
        if centre is not None:
            first = centre - (height // 2 * width + width // 2)
        image = np.arange(first, first + height * width, dtype=np.float64).reshape(height, width)
    else:
        rows = [row.split(",") for row in values.split(";")]
        if len({len(row) for row in rows}) != 1:
            raise ValueError(
                f"--{option}-values {brief(values)} has rows of unequal lengths; it must be rows "
                "of as many numbers each, as in 1,2;3,4."
            )
        try:
            image = np.array(rows, dtype=np.float64)
        except ValueError:
            raise ValueError(
                f"--{option}-values {brief(values)} must be numbers, as in 1,2;3,4."
            ) from None
    return image


def _as_json(steps: Trace, cell: list[int] | None) -> dict[str, Any]:
    rows, columns = steps.geometry
    plane = steps.plane
    found: dict[str, Any] = {
        "rows": {**dataclasses.asdict(rows), "lead": rows.lead, "trail": rows.trail},
        "columns": {**dataclasses.asdict(columns), "lead": columns.lead, "trail": columns.trail},
        "input": plane.input.tolist(),
        "kernel": plane.filter.tolist(),
        "padded_input": plane.padded.tolist(),
        "padded_kinds": [[CellKind(kind).name.lower() for kind in line] for line in plane.kinds],
        "reversed_kernel": plane.kernel.tolist(),
        "output": plane.output.tolist(),
    }
    if cell is not None:
        window = steps.window(cell)
        found["cell"] = {
            "cell": list(window.cell),
            "products": [
                {
                    "input_cell": list(term.input_cell),
                    "tap": list(term.tap),
                    "input": float(term.x),
                    "weight": float(term.w),
                    "product": float(term.product),
                }
                for term in window.terms
            ],
            "sum": float(window.sum),
        }
    return found
