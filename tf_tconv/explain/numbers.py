"""Every intermediate of one call, as numbers."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tf_tconv.geometry import AxisGeometry, brief, check_integer
from tf_tconv.phases import phase_grid

Array = NDArray[Any]

MOST_ELEMENTS = 2**26
"""Of an array that is made on request; the windows stay available whatever the size."""


class Axes(NamedTuple):
    """The two spatial axes of a call.

    Args:
        rows: the geometry of the height.
        columns: the geometry of the width.
    """

    rows: AxisGeometry
    columns: AxisGeometry


class CellKind(enum.IntEnum):
    """What a cell of the padded input is, in the order in which one hides another.

    Where rows and columns differ, the larger counts: a cell in a lead row is a lead zero whatever
    its column is.
    """

    VALUE = 0
    INSERTED = 1
    TRAIL = 2
    LEAD = 3


class Term(NamedTuple):
    """One product that reaches an output cell.

    Args:
        input_cell: (row, column) of the input.
        tap: (row, column) of the kernel, not reversed.
        channel: of the input.
        x: what stands at `input_cell`.
        w: what stands at `tap`.
        product: ``x * w``.
    """

    input_cell: tuple[int, int]
    tap: tuple[int, int]
    channel: int
    x: Any
    w: Any
    product: Any


@dataclass(frozen=True, eq=False)
class Window:
    """What the reversed kernel sees behind one output cell.

    The kernel's taps only, without the gaps between them that a dilation makes. Integers are int64
    and all else float64, so that the sum is as exact as it can be.

    Args:
        cell: (row, column) of the output.
        values: the padded input under each tap, `[kernel height, kernel width, channels]`.
        kinds: what each of those is, `CellKind`, `[kernel height, kernel width]`.
        kernel: the reversed kernel, `[kernel height, kernel width, channels]`.
        products: ``values * kernel``.
        terms: the products that come from an input, in the order of the input's cells.
    """

    cell: tuple[int, int]
    values: Array
    kinds: Array
    kernel: Array
    products: Array
    terms: tuple[Term, ...]

    @property
    def sum(self) -> Any:
        """The sum of the products: the output cell."""
        return self.products.sum()


def phase_taps(axis: AxisGeometry) -> tuple[tuple[int, ...], ...]:
    """The taps that reach each phase of one axis: its output cells ``first, first + stride, ...``.

    Args:
        axis: the geometry.

    Returns:
        Of the first `stride` output cells, or of all where there are fewer, the taps in ascending
        order; none where the kernel leaves holes.

    Example:
        >>> from tf_tconv.geometry import transpose_geometry
        >>> phase_taps(transpose_geometry(3, kernel_size=3, stride=2))
        ((0, 2), (1,))
    """
    grid = phase_grid(axis)  # Its first phase is the first output cell.
    taps: dict[int, tuple[int, ...]] = {}
    for window in grid.windows():
        (phase,) = window.phases
        found = (grid.tap(block, phase) for block in window.blocks)
        taps[phase] = tuple(tap for tap in found if tap is not None)
    return tuple(taps.get(first, ()) for first in range(min(axis.stride, axis.output_size)))


def sources(axis: AxisGeometry, positions: Array) -> tuple[Array, Array]:
    """What stands at positions of the padded input, along one axis.

    Args:
        axis: the geometry.
        positions: int64, from 0 to ``o + k' - 2``.

    Returns:
        The input cell of each, or -1 for a zero, and its `CellKind`.
    """
    dilated = positions - axis.lead
    last = (axis.input_size - 1) * axis.stride
    kinds = np.where(dilated % axis.stride == 0, CellKind.VALUE, CellKind.INSERTED)
    kinds = np.where(dilated > last, CellKind.TRAIL, kinds)
    kinds = np.where(dilated < 0, CellKind.LEAD, kinds)
    cells = np.where(kinds == CellKind.VALUE, dilated // axis.stride, -1)
    return cells, kinds.astype(np.int8)


def padded_size(axis: AxisGeometry) -> int:
    """Cells of the padded input: as many windows of the effective kernel as there are outputs."""
    return axis.output_size + axis.effective_kernel - 1


def dilated_size(axis: AxisGeometry) -> int:
    """Cells of the input with its inserted zeros."""
    return (axis.input_size - 1) * axis.stride + 1 if axis.input_size else 0


def pad(images: Array, axes: Axes) -> Array:
    """`images`, `[batch, height, width, channels]`, dilated and padded."""
    return _spread(images, axes, [padded_size(axis) for axis in axes], (0, 0), "padded")


def dilate(images: Array, axes: Axes) -> Array:
    """`images`, `[batch, height, width, channels]`, with the inserted zeros alone."""
    leads = (axes.rows.lead, axes.columns.lead)
    return _spread(images, axes, [dilated_size(axis) for axis in axes], leads, "dilated")


def padded_kinds(axes: Axes) -> Array:
    """The `CellKind` of each cell of the padded input, `[height, width]`, int8."""
    sizes = [padded_size(axis) for axis in axes]
    check_elements("kinds", sizes)
    rows, columns = (
        sources(axis, np.arange(size))[1] for axis, size in zip(axes, sizes, strict=True)
    )
    return np.maximum(rows[:, None], columns)


def reverse_kernel(filters: Array, axes: Axes) -> Array:
    """`filters`, `[height, width, ...]`, reversed, with the zeros that a dilation puts between."""
    spans = [axis.effective_kernel for axis in axes]
    check_elements("kernel", [*spans, *filters.shape[2:]])
    kernel = np.zeros((*spans, *filters.shape[2:]), filters.dtype)
    kernel[:: axes.rows.dilation, :: axes.columns.dilation] = filters[::-1, ::-1]
    return kernel


def gather(image: Array, kernel: Array, axes: Axes) -> Array:
    """One channel through one kernel, by windows of the padded input.

    Args:
        image: `[height, width]`.
        kernel: `[height, width]`, as in the filters.
        axes: the geometry.

    Returns:
        The sum of products behind each output cell, `[output height, output width]`.

    Raises:
        ValueError: the output has too many cells.
    """
    sizes = [axis.output_size for axis in axes]
    check_elements("the output", sizes)
    output = np.zeros(sizes, np.result_type(image, kernel))
    under = [
        [
            sources(axis, np.arange(axis.output_size) + tap * axis.dilation)[0]
            for tap in range(axis.kernel_size)
        ]
        for axis in axes
    ]
    for row, rows in enumerate(under[0]):
        for column, columns in enumerate(under[1]):
            there = np.ix_(np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0))
            here = np.ix_(rows[rows >= 0], columns[columns >= 0])
            output[there] += image[here] * kernel[-1 - row, -1 - column]
    return output


def canvas(image: Array, kernel: Array, axes: Axes) -> tuple[Array, tuple[int, int]]:
    """All that the inputs scatter, what falls outside the output included.

    Args:
        image: `[height, width]`.
        kernel: `[height, width]`, as in the filters.
        axes: the geometry.

    Returns:
        The sums, and the output cell (row, column) of their first, which may be negative.
    """
    whole = []
    for axis in axes:
        reach = (axis.input_size - 1) * axis.stride + axis.effective_kernel
        size = max(reach, axis.output_size + axis.pad_before)
        whole.append(dataclasses.replace(axis, output_size=size, pad_before=0, pad_after=0))
    check_elements("a canvas", [axis.output_size for axis in whole])
    sums = gather(image, kernel, Axes(*whole))
    return sums, (-axes.rows.pad_before, -axes.columns.pad_before)


def window_at(
    images: Array, filters: Array, axes: Axes, cell: tuple[int, int], channels: range
) -> Window:
    """The window behind one output cell.

    Args:
        images: one example, `[height, width, channels]`.
        filters: the kernels of one output channel, `[height, width, channels]`.
        axes: the geometry.
        cell: (row, column) of the output.
        channels: what to call the channels.

    Returns:
        The window.
    """
    taps = [np.arange(axis.kernel_size) * axis.dilation for axis in axes]
    (rows, row_kinds), (columns, column_kinds) = (
        sources(axis, index + steps) for axis, index, steps in zip(axes, cell, taps, strict=True)
    )
    images, filters = promote(images), promote(filters)
    values = np.zeros(filters.shape, images.dtype)
    values[np.ix_(rows >= 0, columns >= 0)] = images[np.ix_(rows[rows >= 0], columns[columns >= 0])]
    kernel = filters[::-1, ::-1]
    terms = tuple(
        Term((j, m), (a, b), channel, x, w, x * w)
        for j, a in axes.rows.contributions(cell[0])
        for m, b in axes.columns.contributions(cell[1])
        for channel, x, w in zip(channels, images[j, m], filters[a, b], strict=True)
    )
    kinds = np.maximum(row_kinds[:, None], column_kinds)
    return Window(cell, values, kinds, kernel, values * kernel, terms)


def promote(array: Array) -> Array:
    """`array` in int64 if it holds integers, in float64 otherwise."""
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)


def check_cell(cell: Any, axes: Axes) -> tuple[int, int]:
    """`cell` as (row, column) of the output, or an error that says which there are."""
    if not isinstance(cell, Sequence) or isinstance(cell, (str, bytes)) or len(cell) != 2:
        raise TypeError(f"cell={brief(cell)} must be a pair (row, column) of integers.")
    for axis, name in zip(axes, ("rows", "columns"), strict=True):
        if not axis.output_size:
            raise ValueError(f"cell={brief(cell)}: the output has no cells, as it has 0 {name}.")
    row, column = (
        check_integer(f"cell[{index}]", entry, 0, axis.output_size - 1)
        for index, (entry, axis) in enumerate(zip(cell, axes, strict=True))
    )
    return row, column


def check_elements(name: str, shape: Sequence[int]) -> None:
    """That an array is not too large to make."""
    if math.prod(shape) > MOST_ELEMENTS:
        raise ValueError(
            f"{name} would have {' x '.join(map(str, shape))} elements; at most {MOST_ELEMENTS} "
            "are made. Ask for the window of one output cell, as in trace.window((0, 0))."
        )


def _spread(
    images: Array, axes: Axes, sizes: Sequence[int], first: tuple[int, int], name: str
) -> Array:
    """The part of the padded input that starts at `first` and has `sizes` cells."""
    batch, _, _, channels = images.shape
    check_elements(name, [batch, *sizes, channels])
    rows, columns = (
        sources(axis, np.arange(size) + start)[0]
        for axis, size, start in zip(axes, sizes, first, strict=True)
    )
    result = np.zeros((batch, *sizes, channels), images.dtype)
    down, across = np.flatnonzero(rows >= 0)[:, None], np.flatnonzero(columns >= 0)
    result[:, down, across] = images[:, rows[down], columns[across]]
    return result
