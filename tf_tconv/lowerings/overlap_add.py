"""Transposed convolution as one matrix product, whose parts are shifted and added.

Every input pixel times every tap is one matrix product, for which the weights need neither a
transpose nor a copy. The products of a *block*, up to `stride * stride` neighbouring taps, are the
channels of an image with a pixel a step. These images, one a block, are moved by whole steps and
added, and their sum goes from depth to space. Elsewhere this is called GEMM and col2im.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations, Block
from tf_tconv.lowerings.accumulation import accumulator
from tf_tconv.lowerings.blocks import sum_of_blocks, work_of_sum
from tf_tconv.lowerings.interleaving import as_lines, step_counts, to_cells, work_of_cropping
from tf_tconv.lowerings.shapes import is_one, quotient, reshape, sizes, times
from tf_tconv.lowerings.work import Copy, Product, Sizes, Step, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    out = sizes(w)[2]
    wide = accumulator(x.dtype)
    products = _products(tf.cast(x, wide), tf.cast(w, wide))

    def image(row_block: Block, column_block: Block) -> Any:
        lines, cells = row_block.taps, column_block.taps
        return products[
            ..., lines.start : lines.stop, times(cells.start, out) : times(cells.stop, out)
        ]

    steps = tf.cast(sum_of_blocks(image, down, across, out, lines_in_place=False), x.dtype)
    steps_down, steps_across = step_counts(x, down, across)
    shape = [
        times(sizes(x)[0], steps_down),
        steps_across,
        down.stride,
        times(across.stride, out),
    ]
    return to_cells(as_lines(reshape(steps, shape)), x, down, across, out)


def _products(x: Any, w: Any) -> Any:
    """Every pixel times every tap.

    Args:
        x: `[batch, height, width, in]`.
        w: `[kernel height, kernel width, out, in / groups]`.

    Returns:
        `[batch, height, width, kernel height, kernel width * out]`.
    """
    batch, height, width, channels = sizes(x)
    kernel_height, kernel_width, out, per_group = sizes(w)
    pixels, taps = times(batch, height, width), kernel_height * kernel_width
    groups = quotient(channels, per_group)
    if is_one(groups):
        x, w = reshape(x, [pixels, channels]), tf.reshape(w, [times(taps, out), channels])
        y = tf.matmul(x, w, transpose_b=True)
    else:
        each = quotient(out, groups)
        x = tf.transpose(reshape(x, [pixels, groups, per_group]), [1, 0, 2])
        w = tf.transpose(tf.reshape(w, [taps, groups, each, per_group]), [1, 0, 2, 3])
        w = tf.reshape(w, [groups, times(taps, each), per_group])
        y = reshape(tf.matmul(x, w, transpose_b=True), [groups, pixels, taps, each])
        y = tf.transpose(y, [1, 2, 0, 3])
    return reshape(y, [batch, height, width, kernel_height, times(kernel_width, out)])


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    down, across = call.rows.phase_grid(compact=True), call.columns.phase_grid(compact=True)
    taps, groups = call.taps, call.groups
    products = call.pixels * taps * call.out_channels
    steps: list[Step] = []
    if groups > 1:
        steps.append(Copy(call.inputs, call.inputs, call.in_channels // groups))
        steps.append(Copy(call.weights, call.weights, call.weights // (taps * groups)))
    steps.append(
        Product(
            groups,
            call.pixels,
            call.in_channels // groups,
            taps * call.out_channels // groups,
            right=groups,
        )
    )
    if groups > 1:
        steps.append(Copy(products, products, call.out_channels // groups))
    blocks = len(down.blocks()) * len(across.blocks())
    summed = work_of_sum(call, down, across)
    # A slice of the products, which only a kernel of one block spares.
    if blocks > 1:
        steps.append(Copy(products, products, across.stride * call.out_channels))
    steps.extend(summed)
    if down.stride > 1:
        steps.append(Copy(call.outputs, call.outputs, across.stride * call.out_channels))
    steps.extend(work_of_cropping(call, down, across))
    images = sum(step.written for step in summed[:blocks] if isinstance(step, Copy))
    return Work(tuple(steps), products + max(images, call.outputs * (down.stride > 1)))
