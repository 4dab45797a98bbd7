"""What each input pixel's products reach, gathered: the adjoint of `overlap_add`'s scatter.

The gradients of a transposed convolution are matrix products of these patches: with the filters it
is the gradient of the input, with the input that of the filters. XLA on CPUs computes the filter
gradient of a convolution several times slower than it gathers and multiplies; elsewhere TensorFlow
has a fused op. Elsewhere this is called im2col.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations, Block, PhaseGrid
from tf_tconv.lowerings.padding import pad_or_crop, pad_or_crop_axes
from tf_tconv.lowerings.shapes import sizes
from tf_tconv.lowerings.work import Sizes


def patches(y: Any, rows: AxisRelations, columns: AxisRelations) -> Any:
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
    missing_across = (phases * out for phases in across.missing(column_block))
    around = (
        (0, 0),
        down.around(row_block.steps),
        across.around(column_block.steps),
        down.missing(row_block),
        tuple(missing_across),
    )
    return pad_or_crop_axes(steps, [(-before, -after) for before, after in around])


def held(call: Sizes) -> int:
    """Numbers in the patches of a call."""
    taps = int(call.rows.kernel_size * call.columns.kernel_size)
    return call.batch * call.height * call.width * taps * call.out_channels
