"""What each input pixel's products reach, gathered: the adjoint of `overlap_add`'s scatter.

The gradients of a transposed convolution are matrix products of these patches: with the filters it
is the gradient of the input, with the input that of the filters. XLA on CPUs computes the filter
gradient of a convolution several times slower than it gathers and multiplies; elsewhere TensorFlow
has a fused op. Elsewhere this is called im2col.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisGeometry, Block, PhaseGrid
from tf_tconv.lowerings.blocks import around_block
from tf_tconv.lowerings.padding import pad_or_crop, pad_or_crop_axes
from tf_tconv.lowerings.shapes import sizes
from tf_tconv.lowerings.work import Convolution, Copy, Product, Sizes, Work


def patches(y: Any, rows: AxisGeometry, columns: AxisGeometry) -> Any:
    """The output cells that each input pixel's taps reach.

    Args:
        y: `[batch, output height, output width, out]`.
        rows: the geometry of the height; its kernel size known.
        columns: the geometry of the width, likewise.

    Returns:
        `[batch * input height * input width, kernel height * kernel width * out]`, zero where a tap
        reaches no output.
    """
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    batch, _, _, out = sizes(y)
    lines = _lines(pad_or_crop(y, down.crop, across.crop), down, across)
    bands = [
        tf.concat([_block(lines, down, across, *pair, out) for pair in band], axis=4)
        for band in ([(d, a) for a in across.blocks()] for d in down.blocks())
    ]
    taps = rows.kernel_size * columns.kernel_size
    pixels = batch * rows.input_size * columns.input_size
    return tf.reshape(tf.concat(bands, axis=3), [pixels, taps * out])


def _lines(y: Any, down: PhaseGrid, across: PhaseGrid) -> Any:
    """`[batch, steps down, steps across, phases down, phases across * out]`: space to depth."""
    batch, height, width, out = sizes(y)
    shape = [batch, height // down.stride, down.stride, width // across.stride, across.stride * out]
    return tf.transpose(tf.reshape(y, shape), [0, 1, 3, 2, 4])


def _block(
    steps: Any, down: PhaseGrid, across: PhaseGrid, row_block: Block, column_block: Block, out: Any
) -> Any:
    """What a block's taps reach: `[batch, height, width, taps down, taps across * out]`."""
    around = around_block(down, across, row_block, column_block, out)
    return pad_or_crop_axes(steps, [(-before, -after) for before, after in around])


def work_of_input_gradient(call: Sizes) -> dict[str, Work]:
    """What the input's gradient takes, by either way."""
    pixels, taps = call.pixels, call.taps
    convolution = Convolution(
        pixels, taps, call.out_channels, call.in_channels, call.outputs, padded=pixels
    )
    product = Product(1, pixels, taps * call.out_channels, call.in_channels)
    return {"convolution": Work((convolution,), 0), "product": _with_patches(call, product)}


def work_of_filter_gradient(call: Sizes) -> dict[str, Work]:
    """What the filters' gradient takes, by either way.

    As a convolution, each output channel is an image whose channels are the batch, and the input is
    a kernel as large as itself: which computes few and large windows.
    """
    pixels, taps = call.height * call.width, call.taps
    windows = taps * call.out_channels
    convolution = Convolution(
        windows, pixels, call.batch, call.in_channels, call.outputs, padded=windows
    )
    product = Product(1, taps * call.out_channels, call.pixels, call.in_channels)
    return {"convolution": Work((convolution,), 0), "product": _with_patches(call, product)}


def _with_patches(call: Sizes, product: Product) -> Work:
    gathered, run = call.pixels * call.taps * call.out_channels, call.out_channels
    steps = (
        Copy(call.outputs, call.outputs, call.columns.stride * run),
        Copy(gathered, gathered, run),
    )
    return Work((*steps, product), gathered + call.outputs)


GRADIENTS = {"input": work_of_input_gradient, "filters": work_of_filter_gradient}
"""Of the gradient with respect to what, the work of each way."""
