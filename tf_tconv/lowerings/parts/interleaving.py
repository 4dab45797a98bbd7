"""From steps and phases to cells: what puts the phases of a transposed convolution in place.

The phases of the last axis cost nothing where a step's phases stand side by side in the channels:
that is the order of the output already. Those of an axis before it have to be moved, whole lines at
a time. What stands before an axis is one axis with its steps, so that no array has more than four:
many runtimes for devices know no fifth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from tf_tconv.geometry import Size
from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one, plus, times
from tf_tconv.phases import PhaseGrid, Window

Piece = Callable[[tuple[Window, ...]], Array]
"""The values of a window of each axis: `[batch, *steps, phases of all these windows * out]`, in any
shape of as many numbers."""


def step_counts(ops: Ops, x: Array, grids: Sequence[PhaseGrid]) -> list[Size]:
    """How many steps along each axis the output of `x` has."""
    _, *cells, _ = ops.sizes(x)
    return [ops.maximum(plus(size, grid.more), 0) for size, grid in zip(cells, grids, strict=True)]


def interleaved(
    ops: Ops,
    piece: Piece,
    lead: Size,
    steps: Sequence[Size],
    grids: Sequence[PhaseGrid],
    windows: Sequence[Sequence[Window]],
    out: Size,
    chosen: tuple[Window, ...] = (),
) -> Array:
    """All phases of the axes that no window is chosen of yet, in their places.

    Args:
        ops: what an array is.
        piece: gives the values of a window an axis.
        lead: entries that stand before these axes: images, and steps of earlier axes.
        steps: the steps of each axis.
        grids: the phases of each axis.
        windows: the windows of each axis.
        out: the number of channels.
        chosen: the windows of the axes before these.

    Returns:
        `[lead, phases of the chosen windows, cells of these axes * out]`.
    """
    axis = len(chosen)
    before = math.prod(len(window.phases) for window in chosen)
    if axis == len(grids):
        return ops.reshape(piece(chosen), [lead, before, out])
    inner = times(lead, steps[axis])
    length = times(*all_cells(steps[axis + 1 :], grids[axis + 1 :]), out)
    pieces = []
    for window in windows[axis]:
        values = interleaved(ops, piece, inner, steps, grids, windows, out, (*chosen, window))
        shape = [inner, before, len(window.phases), length]
        pieces.append((window.phases, ops.reshape(values, shape)))
    lines = side_by_side(ops, pieces, grids[axis].stride, axis=2)
    del pieces
    width = times(grids[axis].stride, length)
    if not is_one(before):
        lines = ops.reshape(lines, [lead, steps[axis], before, width])
        lines = ops.transpose(lines, [0, 2, 1, 3])
    return ops.reshape(lines, [lead, before, times(steps[axis], width)])


def all_cells(steps: Sequence[Size], grids: Sequence[PhaseGrid]) -> list[Size]:
    """The cells of each axis in all its steps, before any is cropped."""
    return [times(count, grid.stride) for count, grid in zip(steps, grids, strict=True)]


def side_by_side(ops: Ops, pieces: Sequence[tuple[range, Array]], count: int, axis: int) -> Array:
    """All phases along one axis, with zeros for those that no tap reaches.

    Args:
        ops: what an array is.
        pieces: which phases, in order, and their values, an entry a phase along `axis`.
        count: the number of all phases.
        axis: along which.

    Returns:
        An array of `count` entries along `axis`.
    """
    ends = [0, *(phases.start for phases, _ in pieces[1:]), count]
    filled = []
    for (phases, values), (start, stop) in zip(pieces, pairwise(ends), strict=True):
        missing = (phases.start - start, stop - phases.stop)
        if any(missing):
            amounts: list[tuple[int, int]] = [(0, 0)] * len(ops.sizes(values))
            amounts[axis] = missing
            values = ops.pad(values, amounts)
        filled.append(values)
    return filled[0] if len(filled) == 1 else ops.concat(filled, axis)


def to_cells(
    ops: Ops,
    lines: Array,
    batch: Size,
    steps: Sequence[Size],
    grids: Sequence[PhaseGrid],
    out: Size,
) -> Array:
    """The output, from all its steps and phases.

    Args:
        ops: what an array is.
        lines: batch, then the steps and all phases of each axis in turn, then channels; any of them
            may be one axis.
        batch: images.
        steps: the steps of each axis.
        grids: the phases of each axis.
        out: the number of channels.

    Returns:
        `[batch, *output cells, out]`.
    """
    y = ops.reshape(lines, [batch, *all_cells(steps, grids), out])
    crops = [(-before, -after) for before, after in (grid.crop for grid in grids)]
    return pad_or_crop(ops, y, [(0, 0), *crops, (0, 0)])
