"""Transposed convolution as one matrix product of gathered windows, then depth to space.

What `subpixel` leaves to `tf.nn.conv2d`, written out: each step's window of the input becomes a row
of a matrix. That is worth its memory where the convolution is slow for its few input channels, and
costs nothing where the kernel is no larger than the stride: there a window is a pixel.
"""

from __future__ import annotations

import itertools
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings import subpixel
from tf_tconv.lowerings.accumulation import summed_once
from tf_tconv.lowerings.padding import pad_or_crop
from tf_tconv.lowerings.shapes import is_one, maximum, plus, quotient, reshape, sizes, times
from tf_tconv.lowerings.windows import convolve_windows
from tf_tconv.lowerings.work import Convolution, Copy, Product, Sizes, Step, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations, bias: Any = None) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    if not is_one(quotient(sizes(x)[3], sizes(w)[3])):
        # Of several groups each would be a product of its own.
        return subpixel.lower(x, w, rows, columns, bias)
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    row_windows, column_windows = down.windows(joined=True), across.windows(joined=True)
    return convolve_windows(x, w, down, across, row_windows, column_windows, bias, _multiply)


def _multiply(
    x: Any, w: Any, rows: Any, columns: Any, *, dilations: tuple[int, int], reshaped: bool
) -> Any:
    """What `tf_tconv.lowerings.convolution.convolve` gives for these arguments, at stride 1."""
    cells_down, cells_across, _, out = sizes(w)
    x = pad_or_crop(x, rows, columns)
    batch, height, width, channels = sizes(x)
    down, across = dilations
    tall = maximum(height - (cells_down - 1) * down, 0)
    wide = maximum(width - (cells_across - 1) * across, 0)
    shifted = [
        x[:, line * down : plus(tall, line * down), cell * across : plus(wide, cell * across)]
        for line in range(cells_down)
        for cell in range(cells_across)
    ]
    gathered = shifted[0] if len(shifted) == 1 else tf.concat(shifted, axis=3)
    depth = cells_down * cells_across * channels
    gathered = reshape(gathered, [times(batch, tall, wide), depth])
    y = summed_once("product", tf.matmul, gathered, tf.reshape(w, [depth, out]))
    return y if reshaped else reshape(y, [batch, tall, wide, out])


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    convolved = subpixel.work(call)
    if call.groups > 1:
        return convolved
    down, across = call.rows.phase_grid(compact=True), call.columns.phase_grid(compact=True)
    pairs = itertools.product(down.windows(joined=True), across.windows(joined=True))
    steps: list[Step] = []
    gathered = 0
    for step in convolved.steps:
        if not isinstance(step, Convolution):
            steps.append(step)
            continue
        row_window, column_window = next(pairs)
        if any((*down.around(row_window.blocks), *across.around(column_window.blocks))):
            steps.append(Copy(call.inputs, call.inputs, call.width * call.in_channels))
        depth = step.taps * step.depth
        if step.taps > 1:
            matrix = step.windows * depth
            # Slices, and their concatenation.
            steps.extend((Copy(matrix, matrix, step.depth),) * 2)
            gathered += 2 * matrix
        steps.append(Product(1, step.windows, depth, step.channels))
    return Work(tuple(steps), convolved.held + gathered)
