"""A call as plain text: what a plane holds, and how one output cell comes about."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tf_tconv.explain import numbers
from tf_tconv.explain.formatting import (
    axis_lines,
    check_legible,
    equation,
    padding_text,
    product,
    shown,
)
from tf_tconv.explain.numbers import Array, Axes, CellKind, Window
from tf_tconv.explain.plane import Plane

MARKS = {CellKind.INSERTED: ".", CellKind.LEAD: "<", CellKind.TRAIL: ">"}

MOST_TERMS = 24

Cell = tuple[int, int]


def render(plane: Plane, padding: Any, view: str, window: Window | None, channels: range) -> str:
    """The call as a view shows it, and how one output cell comes about.

    Args:
        plane: what is shown.
        padding: as the call has it, for the heading.
        view: a name of `VIEWS`.
        window: behind the output cell to account for, with all its input channels; `None` means
            none.
        channels: the input channels of `window`.

    Returns:
        Lines of ASCII.

    Raises:
        ValueError: too much to read.
    """
    cell = None if window is None else window.cell
    blocks = [heading(plane.geometry, padding), *_VIEWS[view](plane, cell)]
    if plane.caption:
        blocks.insert(1, plane.caption)
    if window is not None:
        blocks.append(account(window, len(channels) > 1))
    return "\n\n".join(blocks)


def heading(axes: Axes, padding: Any) -> str:
    """What was called, and the geometry of both axes."""
    rows, columns = axes
    title = (
        f"transposed convolution: {rows.input_size} x {columns.input_size} -> "
        f"{rows.output_size} x {columns.output_size}, kernel {rows.kernel_size} x "
        f"{columns.kernel_size}, padding {padding_text(padding)}"
    )
    if rows == columns:
        return "\n".join([title, *axis_lines("rows and columns", rows)])
    return "\n".join([title, *axis_lines("rows", rows), *axis_lines("columns", columns)])


def account(window: Window, several: bool) -> str:
    """How one output cell comes about.

    Args:
        window: behind the cell.
        several: whether to say of which input channel each product is.
    """
    lines = [
        f"input[{term.input_cell[0]}, {term.input_cell[1]}]"
        + (f" of channel {term.channel}" if several else "")
        + f" meets tap [{term.tap[0]}, {term.tap[1]}]: {product(term)} = {shown(term.product)}"
        for term in window.terms[:MOST_TERMS]
    ]
    row, column = window.cell
    if len(window.terms) > MOST_TERMS:
        more = len(window.terms) - MOST_TERMS
        lines.append(f"and {more} products more: trace.window(({row}, {column}))")
    if not window.terms:
        lines = ["no input meets a tap: a hole"]
    return "\n".join([*lines, f"output[{row}, {column}] = {equation(window)}"])


def _zero_insertion(plane: Plane, cell: Cell | None) -> Iterable[str]:
    rows, columns = plane.geometry
    size = (numbers.padded_size(rows), numbers.padded_size(columns))
    check_legible("a padded input", size, "trace.padded")
    texts = [
        [MARKS.get(CellKind(kind)) or shown(value) for value, kind in zip(*line, strict=True)]
        for line in zip(plane.padded, plane.kinds, strict=True)
    ]
    under: set[Cell] = set()
    if cell is not None:
        taps = [np.arange(axis.kernel_size) * axis.dilation for axis in plane.geometry]
        under = {(cell[0] + int(a), cell[1] + int(b)) for a in taps[0] for b in taps[1]}
    marked = f"; [ ] under the taps for output[{cell[0]}, {cell[1]}]" if cell is not None else ""
    yield (
        f"padded input, {size[0]} x {size[1]}: . inserted zero, < lead zero, > trail zero{marked}\n"
        + _grid(texts, under)
    )
    gaps = [
        [
            shown(plane.kernel[a, b])
            if a % rows.dilation == 0 and b % columns.dilation == 0
            else "."
            for b in range(columns.effective_kernel)
        ]
        for a in range(rows.effective_kernel)
    ]
    dilated = ", . for the gaps of the dilation" if plane.kernel.size > plane.filter.size else ""
    yield f"reversed kernel{dilated}\n" + _grid(gaps)
    yield _output(plane, cell)


def _scatter(plane: Plane, cell: Cell | None) -> Iterable[str]:
    rows, columns = plane.geometry
    canvas, (top, left) = numbers.canvas(plane.input, plane.filter, plane.geometry)
    check_legible("a canvas", canvas.shape, "trace.output")
    yield "input\n" + _grid(_texts(plane.input))
    yield "kernel\n" + _grid(_texts(plane.filter))
    texts = [
        [
            shown(value)
            if 0 <= t + top < rows.output_size and 0 <= u + left < columns.output_size
            else f"({shown(value)})"
            for u, value in enumerate(line)
        ]
        for t, line in enumerate(canvas)
    ]
    marked = set() if cell is None else {(cell[0] - top, cell[1] - left)}
    yield (
        "sum of the kernels that every input scatters, from output cell "
        f"[{top}, {left}] on; in ( ) what is dropped\n" + _grid(texts, marked)
    )


def _phases(plane: Plane, cell: Cell | None) -> Iterable[str]:
    rows, columns = plane.geometry
    check_legible("an output", plane.output.shape, "trace.output")
    row_phases, column_phases = (numbers.phase_taps(axis) for axis in plane.geometry)
    names = iter(string.ascii_letters + string.digits)
    letters = {
        (p, q): next(names, "*") for p in range(len(row_phases)) for q in range(len(column_phases))
    }
    texts = [
        [letters[t % rows.stride, u % columns.stride] for u in range(columns.output_size)]
        for t in range(rows.output_size)
    ]
    marked = set() if cell is None else {cell}
    yield "the phase of every output cell\n" + _grid(texts, marked)
    for (p, q), letter in letters.items():
        down, across = row_phases[p], column_phases[q]
        title = f"phase {letter}: output[{p}::{rows.stride}, {q}::{columns.stride}], "
        if down and across:
            block = _grid(_texts(plane.filter[np.ix_(down, across)]))
            yield f"{title}taps {_set(down)} x {_set(across)} of the kernel\n{block}"
        else:
            yield title + "no taps: holes that stay zero"
    yield _output(plane, cell)


def _matrix(plane: Plane, cell: Cell | None) -> Iterable[str]:
    columns = plane.geometry.columns
    size = (plane.output.size, plane.input.size)
    check_legible("a matrix", size, "tf_tconv.convolution_matrix")
    texts = [["."] * size[1] for _ in range(size[0])]
    labels = []
    marked = set()
    for line, place in enumerate(np.ndindex(plane.output.shape)):
        labels.append(f"[{place[0]}, {place[1]}]")
        for term in plane.window(place).terms:
            column = term.input_cell[0] * columns.input_size + term.input_cell[1]
            texts[line][column] = shown(term.w)
            if place == cell:
                marked.add((line, column))
    width = max(map(len, labels), default=0)
    lines = _grid(texts, marked).splitlines()
    yield (
        "the transposed matrix of the forward convolution: a line an output cell, a column an "
        "input cell\n"
        + "\n".join(f"{label:>{width}} {line}" for label, line in zip(labels, lines, strict=True))
    )
    yield _output(plane, cell)


_VIEWS: dict[str, Callable[[Plane, Cell | None], Iterable[str]]] = {
    "zero_insertion": _zero_insertion,
    "scatter": _scatter,
    "phases": _phases,
    "matrix": _matrix,
}


def _output(plane: Plane, cell: Cell | None) -> str:
    size = plane.output.shape
    check_legible("an output", size, "trace.output")
    name = "share of the output" if plane.is_share else "output"
    marked = set() if cell is None else {cell}
    return f"{name}, {size[0]} x {size[1]}\n" + _grid(_texts(plane.output), marked)


def _texts(array: Array) -> list[list[str]]:
    return [[shown(value) for value in line] for line in array]


def _grid(texts: Sequence[Sequence[str]], marked: Iterable[Cell] = ()) -> str:
    """Texts in columns of one width, those marked in brackets."""
    marked = set(marked)
    width = max((len(text) for line in texts for text in line), default=0)
    lines = []
    for row, line in enumerate(texts):
        cells = [
            f"[{text}]".rjust(width + 2) if (row, column) in marked else f" {text:>{width}} "
            for column, text in enumerate(line)
        ]
        lines.append(" " + "".join(cells).rstrip())
    return "\n".join(lines) if any(texts) else "  (empty)"


def _set(taps: Sequence[int]) -> str:
    return "{" + ", ".join(map(str, taps)) + "}"
