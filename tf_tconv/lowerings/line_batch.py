"""Transposed convolution as one convolution of a batch of lines, whose padding picks the phases.

The input lines that a step of the output's first axis reads, few as they are, become an image of
their own. All phases' taps of that axis stand one below the other in one tall kernel, which moves
over that image by its height: at each place other taps lie on the image and the rest on padding. So
one convolution gives a step's lines one below the other, the phases of the other axes packed in
channels, and lines need no interleaving. An implementation that multiplies by its padding does
`stride` times the work; oneDNN steps over rows of padding.
"""

from __future__ import annotations

import math

from tf_tconv.geometry import Size
from tf_tconv.lowerings import row_polyphase
from tf_tconv.lowerings.parts.interleaving import (
    all_cells,
    interleaved,
    side_by_side,
    step_counts,
    to_cells,
)
from tf_tconv.lowerings.parts.kernels import (
    NO_TAP,
    Taps,
    add_bias,
    phase_kernel,
    phases_first,
    window_taps,
)
from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import times
from tf_tconv.phases import Window, phase_grid


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    grids = [phase_grid(axis, compact=True, quotient=ops.quotient) for axis in operation.axes]
    first, others = grids[0], grids[1:]
    line_windows = first.windows(joined=True)
    if len(line_windows) > 1 or first.stride == 1:
        # Phases that read no common lines, or a single one, which needs no interleaving anyway.
        return row_polyphase.lower(ops, x, w, operation, bias)
    (window,) = line_windows
    batch, _, *cells, channels = ops.sizes(x)
    out, groups = ops.sizes(w)[-2], operation.groups
    steps = step_counts(ops, x, grids)
    lines, phases = len(window.blocks), len(window.phases)
    images = _images(ops, x, first.around(window.blocks), steps[0], lines)
    images = ops.reshape(images, [times(batch, steps[0]), lines, *cells, channels])
    taps, padding = _tall(window_taps(first, window))

    def piece(chosen: tuple[Window, ...]) -> Array:
        others_taps = [window_taps(*pair) for pair in zip(others, chosen, strict=True)]
        packed = math.prod(len(each.phases) for each in chosen)
        y = ops.conv(
            images,
            phase_kernel(ops, w, [taps, *others_taps], groups),
            [padding, *(g.around(each.blocks) for g, each in zip(others, chosen, strict=True))],
            strides=[lines, *([1] * len(others))],
            dilations=[1, *(each.blocks.step for each in chosen)],
            loose=True,
        )
        # [batch * steps, phases, *steps of the others, their phases * out]
        return phases_first(ops, add_bias(ops, y, bias, packed, groups), groups, packed, out)

    windows = [grid.windows(joined=True) for grid in others]
    lead = times(batch, steps[0], phases)
    y = interleaved(ops, piece, lead, steps[1:], others, windows, out)
    if phases < first.stride:
        length = times(*all_cells(steps[1:], others), out)
        y = ops.reshape(y, [times(batch, steps[0]), phases, length])
        y = side_by_side(ops, [(window.phases, y)], first.stride, axis=1)
    return to_cells(ops, y, batch, steps, grids, out)


def _images(ops: Ops, x: Array, around: tuple[Size, Size], steps: Size, lines: int) -> Array:
    """For each step the lines it reads.

    Args:
        ops: what an array is.
        x: `[batch, lines, *cells, in]`.
        around: lines to pad (before, after), or to crop.
        steps: how many steps.
        lines: how many lines each step reads.

    Returns:
        `[batch, steps, lines * cells * in]`.
    """
    batch, height, *others = ops.sizes(x)
    x = ops.reshape(x, [batch, height, times(*others)])
    x = pad_or_crop(ops, x, [(0, 0), around, (0, 0)])
    if lines == 1:
        return x
    shifted = [ops.crop(x, [(0, 0), (line, lines - 1 - line), (0, 0)]) for line in range(lines)]
    return ops.concat(shifted, 2)


def _tall(taps: Taps) -> tuple[Taps, tuple[int, int]]:
    """The kernel's rows for all row phases, and the padding with which they meet the lines.

    Phase ``r`` is the place ``r * lines`` of the kernel, where the rows of phase ``r`` lie on the
    image. So the phases stand in the kernel in reverse.

    Args:
        taps: for each line, the tap of each phase.

    Returns:
        The taps, for each row of the kernel one phase, rows of nothing at the ends left out; and
        the rows of padding (before, after) the image.
    """
    lines, phases = len(taps), len(taps[0])
    tall = [taps[line][phase] for phase in reversed(range(phases)) for line in range(lines)]
    held = [row for row, tap in enumerate(tall) if tap != NO_TAP]
    first, last = held[0], held[-1]
    around = (phases - 1) * lines
    rows = tuple((tap,) for tap in tall[first : last + 1])
    return rows, (around - first, around - (lines * phases - 1 - last))
