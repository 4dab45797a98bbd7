"""Transposed convolution as matrix products whose results need no interleaving.

A line of the input times a row of the kernel's taps is a matrix product whose result is a line of
the output, column phases in place. One batched product gives as many lines as there are row phases,
and these in place too. A kernel no larger than the stride needs no more. A larger one is cut into
*blocks* of the stride's size, whose images are moved by whole steps and added.
"""

from __future__ import annotations

from tf_tconv.lowerings import overlap_add
from tf_tconv.lowerings.parts.interleaving import step_counts, to_cells
from tf_tconv.lowerings.parts.scattering import around_taps, sum_of_blocks
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one, times
from tf_tconv.phases import Block, phase_grid


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    if not is_one(operation.groups):
        # The results of several groups would have to be interleaved again, among the channels.
        return overlap_add.lower(ops, x, w, operation, bias)
    rank = operation.rank
    grids = [phase_grid(axis, compact=True, quotient=ops.quotient) for axis in operation.axes]
    batch, out = ops.sizes(x)[0], ops.sizes(w)[-2]
    wide_x, wide_w = ops.widen(x), ops.widen(w)

    def image(blocks: tuple[Block, ...]) -> Array:
        around = around_taps(blocks, operation.kernel_size)
        taps = wide_w
        if any(map(any, around)):
            taps = ops.crop(taps, [*around, (0, 0), (0, 0)])
        return _lines(ops, wide_x, taps)

    # An axis' cells and its taps stand side by side.
    order = [0, *(1 + axis + part * rank for axis in range(rank) for part in (0, 1))]
    lines = ops.like(sum_of_blocks(ops, image, grids, out, order), x)
    return to_cells(ops, lines, batch, step_counts(ops, x, grids), grids, out)


def _lines(ops: Ops, x: Array, taps: Array) -> Array:
    """Every line of the input times every row of taps.

    Args:
        ops: what an array is.
        x: `[batch, *cells, in]`.
        taps: `[*taps, out, in]`.

    Returns:
        `[batch, cells, taps, cells, taps, ...]`, an axis after the other, the last axis' taps times
        `out`.
    """
    batch, *cells, channels = ops.sizes(x)
    *kernel, out, _ = ops.sizes(taps)
    # A batch of lines and a batch of rows of taps: of each axis but the last its cells, its taps.
    earlier = list(zip(cells[:-1], kernel[:-1], strict=True))
    lines = [entry for size, _ in earlier for entry in (size, 1)]
    rows = [entry for _, count in earlier for entry in (1, count)]
    length = times(kernel[-1], out)
    x = ops.reshape(x, [times(batch, *lines[:1]), *lines[1:], cells[-1], channels])
    taps = ops.reshape(taps, [*rows[1:], length, channels])
    y = ops.matmul(x, taps, transpose_b=True)
    pairs = [entry for pair in earlier for entry in pair]
    return ops.reshape(y, [batch, *pairs, cells[-1], length])
