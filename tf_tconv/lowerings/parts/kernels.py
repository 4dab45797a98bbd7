"""Kernels of convolutions that compute several phases at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

from tf_tconv.geometry import Size
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one
from tf_tconv.phases import PhaseGrid, Window

NO_TAP = -1

Taps = tuple[tuple[int, ...], ...]
"""Which tap of the kernel each cell of a window holds for each phase, `NO_TAP` for none."""


def window_taps(grid: PhaseGrid, window: Window) -> Taps:
    """Which tap of the transposed kernel each cell of a window holds, for each of its phases.

    Returns:
        An entry a block, each with an entry a phase. A later block reads an earlier input, so the
        blocks stand in reverse: that is the reversal of the kernel.
    """
    taps = (
        [grid.tap(block, phase) for phase in window.phases] for block in reversed(window.blocks)
    )
    return tuple(tuple(NO_TAP if tap is None else tap for tap in row) for row in taps)


def phase_kernel(ops: Ops, w: Array, taps: Sequence[Taps], groups: Size) -> Array:
    """The kernel that computes all phases of a window, those of the first axis times the others'.

    Args:
        ops: what an array is.
        w: `[*kernel, out, in / groups]`.
        taps: of each axis, what the cells of its window hold.
        groups: the number of channel groups.

    Returns:
        `[*cells, in / groups, groups * phases * out / groups]`, zero where there is no tap.
    """
    *kernel, out, per_group = ops.sizes(w)
    total = math.prod(kernel)
    order = _order(tuple(taps), tuple(kernel), total)
    flat = ops.reshape(w, [total, out, per_group])
    if total in order:
        flat = ops.pad(flat, [(0, 1), (0, 0), (0, 0)])
    if order != tuple(range(total)):
        # Moves whole taps, where a slice with steps would go from number to number.
        flat = ops.take(flat, order)
    cells = [len(axis) for axis in taps]
    phases = math.prod(len(axis[0]) for axis in taps)
    if phases == 1 or is_one(groups):
        flat = ops.reshape(flat, [math.prod(cells), phases * out, per_group])
        flat = ops.transpose(flat, [0, 2, 1])
    else:
        flat = ops.reshape(flat, [math.prod(cells), phases, groups, out // groups, per_group])
        flat = ops.transpose(flat, [0, 4, 2, 1, 3])
    return ops.reshape(flat, [*cells, per_group, phases * out])


@lru_cache(maxsize=4096)
def _order(taps: tuple[Taps, ...], kernel: tuple[int, ...], no_tap: int) -> tuple[int, ...]:
    """Of all taps counted through, those of `[*cells, *phases]`; `no_tap` where there is none."""
    strides = [math.prod(kernel[axis + 1 :]) for axis in range(len(kernel))]
    # Of each axis, the part of the number that its cell and phase make.
    parts = [
        [[None if tap == NO_TAP else tap * stride for tap in row] for row in axis]
        for axis, stride in zip(taps, strides, strict=True)
    ]
    order = []
    for rows in itertools.product(*parts):
        for found in itertools.product(*rows):
            order.append(no_tap if None in found else sum(found))  # type: ignore[arg-type]
    return tuple(order)


def add_bias(ops: Ops, y: Array, bias: Array | None, phases: int, groups: Size) -> Array:
    """A convolution's result with the bias of each of its phases.

    Args:
        ops: what an array is.
        y: `[batch, *windows, groups * phases * out / groups]`, loose as `Ops.conv` may leave it.
        bias: `[out]`, or `None` for none.
        phases: the number of phases.
        groups: the number of channel groups.

    Returns:
        The same numbers, as loose.
    """
    if bias is None:
        return y
    if phases > 1:
        (out,) = ops.sizes(bias)
        bias = ops.tile(ops.reshape(bias, [groups, 1, ops.quotient(out, groups)]), [1, phases, 1])
        bias = ops.reshape(bias, [phases * out])
    return ops.add_bias(y, bias, loose=True)


def phases_first(ops: Ops, y: Array, groups: Size, phases: int, out: Size) -> Array:
    """The channels of a convolution with `phase_kernel`, brought from the groups' order to phases'.

    Args:
        ops: what an array is.
        y: `[..., groups * phases * out / groups]`.
        groups: the number of channel groups.
        phases: the number of phases.
        out: the number of channels of one phase.

    Returns:
        The same pixels, as `[..., phases, groups, out / groups]` where the order changes.
    """
    if phases == 1 or is_one(groups):
        return y
    *pixels, _ = ops.sizes(y)
    total = math.prod(pixels) if all(isinstance(size, int) for size in pixels) else -1
    y = ops.reshape(y, [total, groups, phases, ops.quotient(out, groups)])
    return ops.transpose(y, [0, 2, 1, 3])
