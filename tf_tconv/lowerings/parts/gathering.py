"""The gathering algorithm: one convolution at stride 1 for each choice of a window an axis.

`polyphase`, `row_polyphase`, `subpixel` and `im2col` are this one algorithm. They differ in which
phases share a window, and in what computes the convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tf_tconv.lowerings.parts.interleaving import interleaved, step_counts, to_cells
from tf_tconv.lowerings.parts.kernels import add_bias, phase_kernel, phases_first, window_taps
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.phases import Window, phase_grid

Convolve = Callable[..., Array]


def gather(
    ops: Ops,
    x: Array,
    w: Array,
    operation: TransposedConvolution,
    bias: Array | None,
    joined: Sequence[bool],
    convolve: Convolve | None = None,
) -> Array:
    """The transposed convolution of `x` with `w`, gathered.

    Args:
        ops: what an array is.
        x: `[batch, *input cells, in]`.
        w: `[*kernel, out, in / groups]`.
        operation: what to compute.
        bias: `[out]`, added to what each convolution gives; `None` for none.
        joined: of each axis, whether all its phases share a window.
        convolve: computes each convolution, as `Ops.conv`; that by default.

    Returns:
        `[batch, *output cells, out]`.
    """
    grids = [
        phase_grid(axis, compact, ops.quotient)
        for axis, compact in zip(operation.axes, joined, strict=True)
    ]
    windows = [grid.windows(each) for grid, each in zip(grids, joined, strict=True)]
    steps = step_counts(ops, x, grids)
    batch, out = ops.sizes(x)[0], ops.sizes(w)[-2]
    convolve = convolve or ops.conv

    def piece(chosen: tuple[Window, ...]) -> Any:
        taps = [window_taps(*pair) for pair in zip(grids, chosen, strict=True)]
        phases = math.prod(len(window.phases) for window in chosen)
        y = convolve(
            x,
            phase_kernel(ops, w, taps, operation.groups),
            [g.around(window.blocks) for g, window in zip(grids, chosen, strict=True)],
            dilations=[window.blocks.step for window in chosen],
            loose=True,
        )
        y = add_bias(ops, y, bias, phases, operation.groups)
        return phases_first(ops, y, operation.groups, phases, out)

    lines = interleaved(ops, piece, batch, steps, grids, windows, out)
    return to_cells(ops, lines, batch, steps, grids, out)
