"""Transposed convolution as matrix products whose results need no interleaving.

A line of the input times a row of the kernel's taps is a matrix product whose result is a line of
the output, column phases in place. One batched product gives as many lines as there are row phases,
and these in place too. A kernel no larger than the stride needs no more. A larger one is cut into
*blocks* of the stride's size, whose images are moved by whole steps and added.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations, Block
from tf_tconv.lowerings import overlap_add
from tf_tconv.lowerings.accumulation import accumulator
from tf_tconv.lowerings.blocks import sum_of_blocks, work_of_sum
from tf_tconv.lowerings.interleaving import to_cells, work_of_cropping
from tf_tconv.lowerings.shapes import is_one, quotient, reshape, sizes, times
from tf_tconv.lowerings.work import Copy, Product, Sizes, Step, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    _, _, out, per_group = sizes(w)
    if not is_one(quotient(sizes(x)[3], per_group)):
        # The results of several groups would have to be interleaved again, among the channels.
        return overlap_add.lower(x, w, rows, columns)
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    wide = accumulator(x.dtype)
    cast_x, cast_w = tf.cast(x, wide), tf.cast(w, wide)

    def image(row_block: Block, column_block: Block) -> Any:
        lines, cells = row_block.taps, column_block.taps
        return _lines(cast_x, cast_w[lines.start : lines.stop, cells.start : cells.stop])

    lines = tf.cast(sum_of_blocks(image, down, across, out, lines_in_place=True), x.dtype)
    return to_cells(lines, x, down, across, out)


def _lines(x: Any, taps: Any) -> Any:
    """Every line of the input times every row of taps.

    Args:
        x: `[batch, height, width, in]`.
        taps: `[taps down, taps across, out, in]`.

    Returns:
        `[batch, height, taps down, width, taps across * out]`.
    """
    batch, height, width, channels = sizes(x)
    down, across, out, _ = sizes(taps)
    if down == 1:
        # A batch of lines times a batch of one: there oneDNN writes beyond the result, to a crash
        # (TensorFlow 2.21).
        x = reshape(x, [times(batch, height, width), channels])
        taps = tf.reshape(taps, [times(across, out), channels])
    else:
        x = reshape(x, [times(batch, height), 1, width, channels])
        taps = tf.reshape(taps, [down, times(across, out), channels])
    y = tf.matmul(x, taps, transpose_b=True)
    return reshape(y, [batch, height, down, width, times(across, out)])


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    if call.groups > 1:
        return overlap_add.work(call)
    down, across = call.rows.phase_grid(compact=True), call.columns.phase_grid(compact=True)
    lines, depth = call.batch * call.height, call.in_channels
    steps: list[Step] = []
    several = len(down.blocks()) * len(across.blocks()) > 1
    for rows in down.blocks():
        for columns in across.blocks():
            height, width = len(rows.taps), len(columns.taps) * call.out_channels
            if several:
                part = height * width * depth
                steps.append(Copy(part, part, width * depth))
            if height == 1:
                steps.append(Product(1, lines * call.width, depth, width))
            else:
                steps.append(Product(lines * height, call.width, depth, width, right=height))
    summed = work_of_sum(call, down, across)
    products = call.pixels * call.taps * call.out_channels
    images = sum(step.written for step in summed[:-1] if isinstance(step, Copy))
    steps.extend((*summed, *work_of_cropping(call, down, across)))
    return Work(tuple(steps), products * bool(summed) + images)
