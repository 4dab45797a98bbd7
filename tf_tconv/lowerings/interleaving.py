"""From steps and phases to cells: what puts the phases of step 7 in `tf_tconv.geometry` in place.

Columns cost nothing where a step's phases stand side by side in the channels: that is the memory
layout of the output already. Rows have to be moved, whole lines at a time. The batch and the steps
down are one axis, so that no tensor has more than four: many runtimes for devices know no fifth.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import PhaseGrid
from tf_tconv.lowerings.padding import pad_or_crop
from tf_tconv.lowerings.shapes import is_one, maximum, plus, reshape, sizes, times
from tf_tconv.lowerings.work import Copy, Sizes, Step


def step_counts(x: Any, rows: PhaseGrid, columns: PhaseGrid) -> tuple[Any, Any]:
    """How many steps down and across the output of `x` has."""
    _, height, width, _ = sizes(x)
    return maximum(plus(height, rows.more), 0), maximum(plus(width, columns.more), 0)


def side_by_side(pieces: Sequence[tuple[range, Any]], count: int, axis: int, unit: Any = 1) -> Any:
    """All phases along one axis, with zeros for those that no tap reaches.

    Args:
        pieces: which phases, in order, and their values: `unit` entries a phase along `axis`.
        count: the number of all phases.
        axis: along which.
        unit: entries of one phase.

    Returns:
        A tensor of `count * unit` entries along `axis`.
    """
    ends = [0, *(phases.start for phases, _ in pieces[1:]), count]
    filled = []
    for (phases, values), (start, stop) in zip(pieces, pairwise(ends), strict=True):
        missing = [phases.start - start, stop - phases.stop]
        if any(missing):
            pads = [[0, 0]] * values.shape.rank
            pads[axis] = [phases_missing * unit for phases_missing in missing]
            values = tf.pad(values, pads)
        filled.append(values)
    return filled[0] if len(filled) == 1 else tf.concat(filled, axis)


def as_lines(steps: Any) -> Any:
    """Depth to space: the phases down become lines of their own, those across cells in a line.

    Args:
        steps: `[batch * steps down, steps across, phases down, phases across * out]`.

    Returns:
        `[batch * steps down, phases down, steps across * phases across * out]`.
    """
    bands, steps_across, phases_down, phases_across = sizes(steps)
    if not is_one(phases_down):
        steps = tf.transpose(steps, [0, 2, 1, 3])
    return reshape(steps, [bands, phases_down, times(steps_across, phases_across)])


def to_cells(lines: Any, x: Any, rows: PhaseGrid, columns: PhaseGrid, out: Any) -> Any:
    """The output, from all its lines.

    Args:
        lines: batch, steps down, all phases down, steps across, all phases across and channels, in
            that order; any of them may be one axis.
        x: the input, `[batch, height, width, in]`.
        rows: the phases of the height.
        columns: the phases of the width.
        out: the number of channels.

    Returns:
        `[batch, output height, output width, out]`.
    """
    steps_down, steps_across = step_counts(x, rows, columns)
    cells = times(steps_down, rows.stride), times(steps_across, columns.stride)
    y = reshape(lines, [sizes(x)[0], *cells, out])
    return pad_or_crop(y, *((-before, -after) for before, after in (rows.crop, columns.crop)))


def steps_of(call: Sizes, rows: PhaseGrid, columns: PhaseGrid) -> tuple[int, int]:
    """How many steps down and across the output of a call has, in numbers."""
    return max(call.height + rows.more, 0), max(call.width + columns.more, 0)


def work_of_cropping(call: Sizes, rows: PhaseGrid, columns: PhaseGrid) -> tuple[Step, ...]:
    """What `to_cells` copies."""
    if not any((*rows.crop, *columns.crop)):
        return ()
    _, across = steps_of(call, rows, columns)
    return (Copy(call.outputs, call.outputs, across * columns.stride * call.out_channels),)
