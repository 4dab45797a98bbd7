"""What each input pixel's products reach, gathered: the adjoint of `overlap_add`'s scatter.

Elsewhere this is called im2col.
"""

from __future__ import annotations

import math

from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.lowerings.parts.scattering import around_blocks
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.phases import Block, phase_grid


def patches(ops: Ops, y: Array, operation: TransposedConvolution) -> Array:
    """The output cells that each input pixel's taps reach.

    Args:
        ops: what an array is.
        y: `[batch, *output cells, out]`.
        operation: what is computed; all its sizes known.

    Returns:
        `[batch * input cells, taps * out]`, zero where a tap reaches no output.
    """
    rank = operation.rank
    grids = [phase_grid(axis, compact=True) for axis in operation.axes]
    batch, *_, out = ops.sizes(y)
    y = pad_or_crop(ops, y, [(0, 0), *(grid.crop for grid in grids), (0, 0)])
    # Space to depth: [batch, *steps, *phases], the phases of the last axis times `out`.
    _, *cells, _ = ops.sizes(y)
    split = [
        entry
        for size, grid in zip(cells, grids, strict=True)
        for entry in (size // grid.stride, grid.stride)
    ]
    y = ops.reshape(y, [batch, *split[:-1], split[-1] * out])
    steps = range(1, 1 + 2 * rank, 2)
    y = ops.transpose(y, [0, *steps, *(axis + 1 for axis in steps)])

    def gathered(chosen: tuple[Block, ...]) -> Array:
        """All taps of the axes that no block is chosen of yet."""
        axis = len(chosen)
        if axis == rank:
            around = around_blocks(grids, chosen, out)
            return pad_or_crop(ops, y, [(-before, -after) for before, after in around])
        parts = [gathered((*chosen, block)) for block in grids[axis].blocks()]
        return parts[0] if len(parts) == 1 else ops.concat(parts, 1 + rank + axis)

    pixels = batch * math.prod(axis.input_size for axis in operation.axes)
    return ops.reshape(gathered(()), [pixels, operation.taps * out])
