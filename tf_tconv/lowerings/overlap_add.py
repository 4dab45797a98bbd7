"""Transposed convolution as one matrix product, whose parts are shifted and added.

Every input pixel times every tap is one matrix product, for which the weights need neither a
transpose nor a copy. The products of a *block*, up to as many neighbouring taps as there are
phases, are the channels of an image with a pixel a step. These images, one a block, are moved by
whole steps and added, and their sum goes from depth to space. Elsewhere this is called GEMM and
col2im.
"""

from __future__ import annotations

import math

from tf_tconv.geometry import Size
from tf_tconv.lowerings.parts.interleaving import interleaved, step_counts, to_cells
from tf_tconv.lowerings.parts.scattering import around_taps, sum_of_blocks
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one, times
from tf_tconv.phases import Block, Window, phase_grid


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    grids = [phase_grid(axis, compact=True, quotient=ops.quotient) for axis in operation.axes]
    batch, out = ops.sizes(x)[0], ops.sizes(w)[-2]
    products = _products(ops, ops.widen(x), ops.widen(w), operation.groups)
    rank = operation.rank
    several = math.prod(len(grid.blocks()) for grid in grids) > 1

    def image(blocks: tuple[Block, ...]) -> Array:
        if not several:
            return products
        *around, (before, after) = around_taps(blocks, operation.kernel_size)
        last = (times(before, out), times(after, out))
        return ops.crop(products, [*([(0, 0)] * (1 + rank)), *around, last])

    order = list(range(1 + 2 * rank))
    summed = ops.like(sum_of_blocks(ops, image, grids, out, order), x)
    steps = step_counts(ops, x, grids)
    windows = [(Window(range(grid.stride), range(0)),) for grid in grids]
    lines = interleaved(ops, lambda _: summed, batch, steps, grids, windows, out)
    return to_cells(ops, lines, batch, steps, grids, out)


def _products(ops: Ops, x: Array, w: Array, groups: Size) -> Array:
    """Every pixel times every tap.

    Args:
        ops: what an array is.
        x: `[batch, *cells, in]`.
        w: `[*kernel, out, in / groups]`.
        groups: the number of channel groups.

    Returns:
        `[batch, *cells, *kernel]`, the last axis of the kernel times `out`.
    """
    batch, *cells, channels = ops.sizes(x)
    *kernel, out, per_group = ops.sizes(w)
    pixels, taps = times(batch, *cells), math.prod(kernel)
    if is_one(groups):
        x, w = ops.reshape(x, [pixels, channels]), ops.reshape(w, [times(taps, out), channels])
        y = ops.matmul(x, w, transpose_b=True)
    else:
        each = ops.quotient(out, groups)
        x = ops.transpose(ops.reshape(x, [pixels, groups, per_group]), [1, 0, 2])
        w = ops.transpose(ops.reshape(w, [taps, groups, each, per_group]), [1, 0, 2, 3])
        w = ops.reshape(w, [groups, times(taps, each), per_group])
        y = ops.reshape(ops.matmul(x, w, transpose_b=True), [groups, pixels, taps, each])
        y = ops.transpose(y, [1, 2, 0, 3])
    return ops.reshape(y, [batch, *cells, *kernel[:-1], times(kernel[-1], out)])
