"""The four ways to see a plane, each composed into a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tf_tconv.explain import numbers
from tf_tconv.explain.formatting import check_legible, equation, padding_text, shown
from tf_tconv.explain.layout import Block, Cell, Layout
from tf_tconv.explain.numbers import Array, CellKind, Window
from tf_tconv.explain.plane import Plane
from tf_tconv.explain.scene import (
    PHASES,
    Box,
    Item,
    Label,
    Picture,
    Timed,
    fitting,
    number,
    outline,
)

Corner = tuple[float, float]

ROLES = {
    CellKind.VALUE: ("value", "input"),
    CellKind.INSERTED: ("inserted", "inserted zero"),
    CellKind.LEAD: ("lead", "lead zero"),
    CellKind.TRAIL: ("trail", "trail zero"),
}


def compose(plane: Plane, padding: Any, view: str) -> Picture:
    """The picture of a plane.

    Args:
        plane: what is shown.
        padding: as the call has it, for the subtitle.
        view: a name of `VIEWS`.

    Returns:
        The picture.

    Raises:
        ValueError: there is no input or no output, or it is too large to read.
    """
    if not plane.output.size or not plane.input.size:
        raise ValueError(
            f"input of {' x '.join(map(str, plane.input.shape))} and output of "
            f"{' x '.join(map(str, plane.output.shape))} cells: there is nothing to draw. What "
            "numbers there are is in trace.padded and trace.output."
        )
    check_legible("an output", plane.output.shape, "trace.output")
    return _VIEWS[view](plane, _subtitle(plane, padding))


def _subtitle(plane: Plane, padding: Any) -> list[str]:
    rows, columns = plane.geometry
    pairs = [
        ("kernel", rows.kernel_size, columns.kernel_size),
        ("stride", rows.stride, columns.stride),
    ]
    if max(rows.dilation, columns.dilation) > 1:
        pairs.append(("dilation", rows.dilation, columns.dilation))
    text = f"{rows.input_size} × {columns.input_size} to {rows.output_size} × {columns.output_size}"
    text += "".join(f", {name} {down} × {across}" for name, down, across in pairs)
    return [f"{text}, padding {padding_text(padding)}", *filter(None, [plane.caption])]


def _zero_insertion(plane: Plane, subtitle: list[str]) -> Picture:
    rows, columns = plane.geometry
    height, width = numbers.padded_size(rows), numbers.padded_size(columns)
    check_legible("a padded input", (height, width), "trace.padded")
    sides = [
        (rows.lead, "above"),
        (rows.trail, "below"),
        (columns.lead, "left"),
        (columns.trail, "right"),
    ]
    zeros = [f"{count if count >= 0 else f'{-count} cropped'} {side}" for count, side in sides]
    layout = Layout(
        "Zero insertion: a stride-1 convolution with the reversed kernel",
        subtitle,
        [
            Block("padded input", height, width, f"zeros: {', '.join(zeros)}"),
            _block("reversed kernel", plane.kernel),
            _output_block(plane),
        ],
        [ROLES[kind] for kind in ROLES if kind in plane.kinds],
    )
    padded, kernel, output = layout.corners
    roles = np.array([ROLES[kind][0] for kind in sorted(ROLES)])
    layout.items += _grid(padded, plane.padded, roles[plane.kinds])
    layout.items += [
        Box(kernel[0] + column, kernel[1] + row, 1, 1, "inserted")
        for row, column in np.ndindex(plane.kernel.shape)
    ]
    weights = plane.filter[::-1, ::-1]
    layout.items += _grid(kernel, weights, "kernel", (rows.dilation, columns.dilation))

    def window(cell: Cell) -> tuple[Item, ...]:
        x, y = padded[0] + cell[1], padded[1] + cell[0]
        items: list[Item] = []
        for (row, column), weight in np.ndenumerate(weights):
            corner = (x + column * columns.dilation, y + row * rows.dilation)
            items += _chip(*corner, _short(weight))
        items.append(outline(x, y, columns.effective_kernel, rows.effective_kernel))
        items.append(outline(output[0] + cell[1], output[1] + cell[0]))
        return (*items, layout.say(_accounted(plane, cell)))

    cells = _cells(plane)
    # An output that is not there yet is an empty cell.
    layout.items += [Box(output[0] + u, output[1] + t, 1, 1, "faint") for t, u in cells]
    outputs = list(_grid(output, plane.output, "output"))
    timed = [
        Timed(index, len(cells), tuple(outputs[2 * index : 2 * index + 2]))
        for index in range(len(cells))
    ]
    timed += [Timed(index, index + 1, window(cell)) for index, cell in enumerate(cells)]
    return layout.picture(
        timed,
        len(cells),
        lambda cell: (*outputs, *window(cell)),
        _longest(plane),
    )


def _scatter(plane: Plane, subtitle: list[str]) -> Picture:
    rows, columns = plane.geometry
    sums, (top, left) = numbers.canvas(plane.input, plane.filter, plane.geometry)
    check_legible("a canvas", sums.shape, "trace.output")
    dropped = sums.size > plane.output.size
    layout = Layout(
        "Scatter: every input adds a scaled kernel to the output",
        subtitle,
        [
            _block("input", plane.input),
            _block("kernel", plane.filter),
            _block(
                "output",
                sums,
                f"a kernel every {rows.stride} × {columns.stride} cells"
                + ("; outside of the frame: dropped" if dropped else ""),
            ),
        ],
        [("value", "input"), ("kernel", "kernel"), ("output", "output")]
        + [("faint", "dropped")] * dropped,
    )
    images, kernel, canvas = layout.corners
    layout.items += _grid(images, plane.input, "value")
    layout.items += _grid(kernel, plane.filter, "kernel")
    kept = (slice(-top, -top + rows.output_size), slice(-left, -left + columns.output_size))
    inside = np.zeros(sums.shape, bool)
    inside[kept] = True
    for (row, column), inner in np.ndenumerate(inside):
        role = "output" if inner else "faint"
        layout.items.append(Box(canvas[0] + column, canvas[1] + row, 1, 1, role))
    layout.items.append(
        Box(
            canvas[0] - left,
            canvas[1] - top,
            columns.output_size,
            rows.output_size,
            None,
            "ink",
            0.07,
        )
    )

    size = fitting(map(_short, sums.flat))

    def value(row: int, column: int, total: Any) -> Label:
        role = "output" if inside[row, column] else "faint"
        return number(canvas[0] + column, canvas[1] + row, _short(total), role, size)[1]

    timed: list[Timed] = []
    cells = [(int(j), int(m)) for j, m in np.ndindex(plane.input.shape)]
    running: dict[Cell, tuple[int, float]] = {}
    for index, (j, m) in enumerate(cells):
        x, y = canvas[0] + m * columns.stride, canvas[1] + j * rows.stride
        items: list[Item] = [
            outline(images[0] + m, images[1] + j),
            outline(x, y, columns.effective_kernel, rows.effective_kernel),
        ]
        for (a, b), weight in np.ndenumerate(plane.filter):
            place = (j * rows.stride + a * rows.dilation, m * columns.stride + b * columns.dilation)
            product = plane.input[j, m] * weight
            since, before = running.get(place, (0, 0))
            if place in running:
                timed.append(Timed(since, index, (value(*place, before),)))
            running[place] = (index, before + product)
            added = ("" if product < 0 else "+") + _short(product)
            items += _chip(canvas[0] + place[1], canvas[1] + place[0], added)
        first = f"output[{j * rows.stride + top}, {m * columns.stride + left}]"
        said = layout.say(
            f"input[{j}, {m}]: {_short(plane.input[j, m])} × kernel is added from {first} on"
        )
        timed.append(Timed(index, index + 1, (*items, said)))
    timed += [
        Timed(since, len(cells), (value(*place, total),))
        for place, (since, total) in running.items()
    ]

    def still(cell: Cell) -> tuple[Item, ...]:
        items: list[Item] = [value(*place, total) for place, (_, total) in running.items()]
        for term in plane.window(cell).terms:
            (j, m), (a, b) = term.input_cell, term.tap
            corner = (canvas[0] + m * columns.stride, canvas[1] + j * rows.stride)
            span = (columns.effective_kernel, rows.effective_kernel)
            items.append(outline(*corner, *span, dashed=True))
            items.append(outline(images[0] + m, images[1] + j))
            items.append(outline(kernel[0] + b, kernel[1] + a))
        items.append(outline(canvas[0] + cell[1] - left, canvas[1] + cell[0] - top))
        return (*items, layout.say(_accounted(plane, cell)))

    return layout.picture(timed, len(cells), still, _longest(plane))


def _phases(plane: Plane, subtitle: list[str]) -> Picture:
    rows, columns = plane.geometry
    row_phases, column_phases = (numbers.phase_taps(axis) for axis in plane.geometry)
    heights = [max(len(taps), 1) + 1.1 for taps in row_phases]
    widths = [max(len(taps), 2.4) + 0.5 for taps in column_phases]
    check_legible("a table of phases", (round(sum(heights)), round(sum(widths))), "trace.kernel")
    layout = Layout(
        "Phases: each part of the output has taps of its own",
        subtitle,
        [
            _block("input", plane.input),
            _block("kernel", plane.filter),
            Block("its phases", sum(heights), sum(widths) - 0.5),
            _output_block(plane),
        ],
    )
    images, kernel, table, output = layout.corners
    layout.items += _grid(images, plane.input, "value")
    timed: list[Timed] = []
    highlights: dict[Cell, tuple[Item, ...]] = {}
    for p, down in enumerate(row_phases):
        for q, across in enumerate(column_phases):
            role = PHASES[(p * len(column_phases) + q) % len(PHASES)]
            corner = (table[0] + sum(widths[:q]), table[1] + sum(heights[:p]) + 0.75)
            name = f"[{p}::{rows.stride}, {q}::{columns.stride}]"
            layout.items.append(Label(corner[0], corner[1] - 0.3, name, size=0.33, anchor="start"))
            corners = (corner, kernel, output)
            marks = _phase(plane, (p, q), (down, across), role, corners, layout)
            highlights[p, q] = marks
            count = len(down) * len(across)
            products = (
                f"{count} product{'s' * (count != 1)} a cell" if count else "holes that stay 0"
            )
            said = layout.say(f"output{name}: {products}")
            timed.append(Timed(len(timed), len(timed) + 1, (*marks, said)))

    def still(cell: Cell) -> tuple[Item, ...]:
        marks = highlights[cell[0] % rows.stride, cell[1] % columns.stride]
        at = outline(output[0] + cell[1], output[1] + cell[0])
        return (*marks, at, layout.say(_accounted(plane, cell)))

    return layout.picture(timed, len(timed), still, _longest(plane))


def _phase(
    plane: Plane,
    first: Cell,
    taps: tuple[tuple[int, ...], tuple[int, ...]],
    role: str,
    corners: tuple[Corner, Corner, Corner],
    layout: Layout,
) -> tuple[Item, ...]:
    """Adds the cells of one phase to the layout, and returns what marks them.

    Args:
        plane: what is shown.
        first: the first output cell of the phase.
        taps: (down, across) that reach it.
        role: of its cells.
        corners: of the phase's own block, of the kernel and of the output.
        layout: where to add.
    """
    down, across = taps
    corner, kernel, output = corners
    rows, columns = plane.geometry
    marks: list[Item] = []
    if down and across:
        layout.items += _grid(corner, plane.filter[np.ix_(down, across)], role)
        marks.append(outline(*corner, len(across), len(down)))
    else:
        role = "inserted"
        layout.items.append(Label(corner[0], corner[1] + 0.4, "no taps", "faint", 0.38, "start"))
    size = fitting(map(_short, plane.filter.flat))
    for a in down:
        for b in across:
            place = (kernel[0] + b, kernel[1] + a)
            layout.items += number(*place, _short(plane.filter[a, b]), role, size)
            marks.append(_thin(*place))
    size = fitting(map(_short, plane.output.flat))
    for t in range(first[0], rows.output_size, rows.stride):
        for u in range(first[1], columns.output_size, columns.stride):
            place = (output[0] + u, output[1] + t)
            layout.items += number(*place, _short(plane.output[t, u]), role, size)
            marks.append(_thin(*place))
    return tuple(marks)


def _matrix(plane: Plane, subtitle: list[str]) -> Picture:
    """The input beside the rows of C, the output below its columns."""
    size = (plane.input.size, plane.output.size)
    check_legible("a matrix", size, "tf_tconv.convolution_matrix")
    layout = Layout(
        "Matrix: the forward convolution is C, so this is C transposed",
        subtitle,
        [
            Block("input", size[0] + 2, 1.6, " "),
            Block("C", size[0] + 2, size[1], "the input times each column of C is an output"),
        ],
        [("value", "input"), ("kernel", "tap"), ("inserted", "no tap: zero"), ("output", "output")],
    )
    images, matrix = layout.corners
    images = (images[0] + 0.6, images[1])
    output = (matrix[0], matrix[1] + size[0] + 0.5)
    layout.items += _grid(images, plane.input.reshape(-1, 1), "value")
    layout.items += _grid(output, plane.output.reshape(1, -1), "output")
    layout.items += [
        Box(matrix[0] + column, matrix[1] + row, 1, 1, "inserted")
        for row, column in np.ndindex(size)
    ]
    cells = _cells(plane)
    inputs: dict[Cell, list[int]] = {}
    letters = fitting(map(_short, plane.filter.flat))
    for column, cell in enumerate(cells):
        inputs[cell] = []
        for term in plane.window(cell).terms:
            row = term.input_cell[0] * plane.input.shape[1] + term.input_cell[1]
            place = (matrix[0] + column, matrix[1] + row)
            layout.items += number(*place, _short(term.w), "kernel", letters)
            inputs[cell].append(row)
    for index, (j, m) in enumerate(np.ndindex(plane.input.shape)):
        y = images[1] + index + 0.5
        layout.items.append(Label(images[0] - 0.15, y, f"{j}, {m}", "faint", 0.3, "end"))
    for index, (t, u) in enumerate(np.ndindex(plane.output.shape)):
        x = output[0] + index + 0.5
        layout.items.append(Label(x, output[1] + 1.3, f"{t}, {u}", "faint", 0.3))

    def still(cell: Cell) -> tuple[Item, ...]:
        column = cell[0] * plane.output.shape[1] + cell[1]
        items: list[Item] = [outline(output[0] + column, output[1])]
        items.append(outline(matrix[0] + column, matrix[1], 1, size[0]))
        items += [outline(images[0], images[1] + row) for row in inputs[cell]]
        return (*items, layout.say(_accounted(plane, cell)))

    timed = [Timed(index, index + 1, still(cell)) for index, cell in enumerate(cells)]
    return layout.picture(timed, len(cells), still, _longest(plane))


_VIEWS: dict[str, Callable[[Plane, list[str]], Picture]] = {
    "zero_insertion": _zero_insertion,
    "scatter": _scatter,
    "phases": _phases,
    "matrix": _matrix,
}


def _output_block(plane: Plane) -> Block:
    note = "the share of one input channel" if plane.is_share else ""
    return _block("output", plane.output, note)


def _block(heading: str, values: Array, note: str = "") -> Block:
    return Block(heading, values.shape[0], values.shape[1], note)


def _grid(
    corner: tuple[float, float], values: Array, role: Any, step: tuple[int, int] = (1, 1)
) -> Iterable[Item]:
    """Cells with numbers, of one role or each of its own, one every `step` (down, across)."""
    roles = np.broadcast_to(role, values.shape)
    size = fitting(map(_short, values.flat))
    for (row, column), value in np.ndenumerate(values):
        place = (corner[0] + column * step[1], corner[1] + row * step[0])
        yield from number(*place, _short(value), str(roles[row, column]), size)


def _chip(x: float, y: float, text: str) -> tuple[Item, ...]:
    """A small number in the lower right corner of a cell."""
    width = min(0.14 + 0.15 * len(text), 0.96)
    size = min(0.24, 1.32 / max(len(text), 1))
    box = Box(x + 0.98 - width, y + 0.66, width, 0.32, "kernel", None)
    return box, Label(x + 0.98 - width / 2, y + 0.82, text, "kernel", size)


def _short(value: Any) -> str:
    """A number in six letters at most, so that it fits into a cell; rounded as that takes."""
    text = shown(value, digits=3)
    if len(text) > 6:
        text = f"{value:.2f}" if abs(value) < 1 else f"{value:.0e}"
    return text


def _thin(x: float, y: float) -> Box:
    return Box(x + 0.04, y + 0.04, 0.92, 0.92, None, "accent", 0.045)


def _cells(plane: Plane) -> list[Cell]:
    return [(int(t), int(u)) for t, u in np.ndindex(plane.output.shape)]


def _accounted(plane: Plane, cell: Cell) -> str:
    share = "share of " if plane.is_share else ""
    return f"{share}output[{cell[0]}, {cell[1]}] = {_sum(plane.window(cell))}"


def _sum(window: Window) -> str:
    if not window.terms:
        return "0: no input meets a tap"
    return equation(window, most=6, times=" × ")


def _longest(plane: Plane) -> str:
    return max((_accounted(plane, cell) for cell in _cells(plane)), key=len)
