"""Kernels of `tf.nn.conv2d` that compute several phases at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_tconv.geometry import PhaseGrid, Window
from tf_tconv.lowerings.shapes import is_one, quotient, reshape, sizes
from tf_tconv.lowerings.work import Copy, Sizes, Step


def window_taps(grid: PhaseGrid, window: Window) -> Any:
    """Which tap of the transposed kernel each cell of a window holds, for each of its phases.

    Returns:
        Integers `[blocks, phases]`, -1 where there is no tap. A later block reads an earlier input,
        so the blocks stand in reverse: that is the reversal of the kernel.
    """
    taps = [
        [grid.tap(block, phase) for phase in window.phases] for block in reversed(window.blocks)
    ]
    return np.array([[-1 if tap is None else tap for tap in row] for row in taps])


def phase_kernel(w: Any, taps_down: Any, taps_across: Any, groups: Any) -> Any:
    """The kernel that computes all phases of a window, row phases times column phases.

    Args:
        w: `[kernel height, kernel width, out, in / groups]`.
        taps_down: integers `[cells, phases]`, -1 for no tap.
        taps_across: likewise.
        groups: the number of channel groups.

    Returns:
        `[cells down, cells across, in / groups, groups * phases * out / groups]`, zero where there
        is no tap.
    """
    height, width, out, per_group = sizes(w)
    # Of all taps counted through, [cells down, cells across, phases down, phases across].
    down, across = taps_down[:, None, :, None], taps_across[None, :, None, :]
    order = np.where((down < 0) | (across < 0), height * width, down * width + across).ravel()
    kernel = tf.reshape(w, [height * width, out, per_group])
    if height * width in order:
        kernel = tf.pad(kernel, [[0, 1], [0, 0], [0, 0]])
    if not np.array_equal(order, np.arange(height * width)):
        # Moves whole taps, where a slice with steps would go from number to number.
        kernel = tf.gather(kernel, order)
    cells, phases = len(taps_down) * len(taps_across), down.shape[2] * across.shape[3]
    if phases == 1 or is_one(groups):
        kernel = tf.reshape(kernel, [cells, phases * out, per_group])
        kernel = tf.transpose(kernel, [0, 2, 1])
    else:
        kernel = tf.reshape(kernel, [cells, phases, groups, out // groups, per_group])
        kernel = tf.transpose(kernel, [0, 4, 2, 1, 3])
    return tf.reshape(kernel, [len(taps_down), len(taps_across), per_group, phases * out])


def phase_bias(bias: Any, phases: int, groups: Any) -> Any:
    """A bias for every output of a convolution with `phase_kernel`.

    Args:
        bias: `[out]`.
        phases: the number of phases.
        groups: the number of channel groups.

    Returns:
        `[groups * phases * out / groups]`.
    """
    if phases == 1:
        return bias
    return tf.reshape(tf.tile(tf.reshape(bias, [groups, 1, -1]), [1, phases, 1]), [-1])


def add_bias(y: Any, bias: Any, phases: int, groups: Any) -> Any:
    """A convolution's result with the bias of each of its phases.

    Args:
        y: `[batch, height, width, groups * phases * out / groups]`; of an unknown batch that is
            empty, `tf_tconv.lowerings.convolution.convolve` says what else it may be.
        bias: `[out]`, or `None` for none.
        phases: the number of phases.
        groups: the number of channel groups.

    Returns:
        The same numbers; of an unknown batch as `[batch * height * width, all channels]`, which an
        empty one is too, whatever shape it came in.
    """
    if bias is None:
        return y
    if y.shape[0] is None:
        y = reshape(y, [-1, sizes(y)[-1]])
    return tf.nn.bias_add(y, phase_bias(bias, phases, groups))


def phases_first(y: Any, groups: Any, phases: int) -> Any:
    """The channels of a convolution with `phase_kernel`, brought from the groups' order to phases'.

    Args:
        y: `[..., groups * phases * out / groups]`.
        groups: the number of channel groups.
        phases: the number of phases.

    Returns:
        The same pixels, as `[..., phases, groups, out / groups]` where the order changes.
    """
    if phases == 1 or is_one(groups):
        return y
    each = quotient(sizes(y)[-1], groups * phases)
    return tf.transpose(reshape(y, [-1, groups, phases, each]), [0, 2, 1, 3])


def work_of_kernel(call: Sizes, taps_down: Any, taps_across: Any) -> tuple[Step, ...]:
    """What `phase_kernel` copies."""
    each = call.in_channels // call.groups * call.out_channels
    down, across = taps_down[:, None, :, None], taps_across[None, :, None, :]
    holes = bool((down < 0).any() or (across < 0).any())
    numbers = taps_down.size * taps_across.size * each
    columns = call.columns.kernel_size
    order = (down * columns + across).ravel()
    steps: list[Step] = []
    if holes:
        steps.append(Copy(call.weights, call.weights, call.weights))
    if holes or not np.array_equal(order, np.arange(call.rows.kernel_size * columns)):
        steps.append(Copy(numbers, numbers, each))
    return (*steps, Copy(numbers, numbers, 1))
