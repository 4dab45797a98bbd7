"""Transposed convolution as one convolution of a batch of lines, whose padding picks the phases.

The input lines that a step of the output reads, few as they are, become an image of their own. All
row phases' taps stand one below the other in one tall kernel, which moves over that image by its
height: at each place other taps lie on the image and the rest on padding. So one convolution gives
a step's lines one below the other, column phases packed in channels, and nothing has to be
interleaved. An implementation that multiplies by its padding does `stride` times the work; oneDNN
steps over rows of padding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings import row_polyphase
from tf_tconv.lowerings.convolution import convolve
from tf_tconv.lowerings.interleaving import (
    side_by_side,
    step_counts,
    steps_of,
    to_cells,
    work_of_cropping,
)
from tf_tconv.lowerings.kernels import (
    add_bias,
    phase_kernel,
    phases_first,
    window_taps,
    work_of_kernel,
)
from tf_tconv.lowerings.padding import pad_or_crop
from tf_tconv.lowerings.shapes import plus, quotient, reshape, sizes, times
from tf_tconv.lowerings.work import Convolution, Copy, Sizes, Step, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations, bias: Any = None) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    row_windows = down.windows(joined=True)
    if len(row_windows) > 1 or down.stride == 1:
        # Phases that read no common lines, or a single one, which needs no interleaving anyway.
        return row_polyphase.lower(x, w, rows, columns, bias)
    (window,) = row_windows
    batch, _, width, channels = sizes(x)
    _, _, out, per_group = sizes(w)
    groups, phases = quotient(channels, per_group), len(window.phases)
    steps_down, steps_across = step_counts(x, down, across)
    lines = len(window.blocks)
    images = _images(pad_or_crop(x, down.around(window.blocks), (0, 0)), steps_down, lines)
    images = reshape(images, [times(batch, steps_down), lines, width, channels])
    taps, padding = _tall(window_taps(down, window))
    pieces = []
    for columns_of in across.windows(joined=True):
        kernel = phase_kernel(w, taps, window_taps(across, columns_of), groups)
        y = convolve(
            images,
            kernel,
            padding,
            across.around(columns_of.blocks),
            strides=(lines, 1),
            dilations=(1, columns_of.blocks.step),
            reshaped=True,
        )
        # [batch * steps down, phases down, steps across, phases across * out]
        y = phases_first(
            add_bias(y, bias, len(columns_of.phases), groups), groups, len(columns_of.phases)
        )
        shape = [
            times(batch, steps_down),
            phases,
            steps_across,
            times(len(columns_of.phases), out),
        ]
        pieces.append((columns_of.phases, reshape(y, shape)))
    y = side_by_side(pieces, across.stride, axis=3, unit=out)
    y = side_by_side([(window.phases, y)], down.stride, axis=1)
    return to_cells(y, x, down, across, out)


def _images(x: Any, steps: Any, lines: int) -> Any:
    """For each step the lines it reads.

    Args:
        x: `[batch, steps + lines - 1, width, in]`.
        steps: how many steps.
        lines: how many lines each step reads.

    Returns:
        `[batch, steps, lines * width * in]`.
    """
    batch, height, width, channels = sizes(x)
    x = reshape(x, [batch, height, times(width, channels)])
    return tf.concat([x[:, line : plus(steps, line)] for line in range(lines)], axis=2)


def _tall(taps: Any) -> tuple[Any, tuple[int, int]]:
    """The kernel's rows for all row phases, and the padding with which they meet the lines.

    Phase ``r`` is the place ``r * lines`` of the kernel, where the rows of phase ``r`` lie on the
    image. So the phases stand in the kernel in reverse.

    Args:
        taps: integers `[lines, phases]`, -1 where there is no tap.

    Returns:
        The taps `[at most lines * phases, 1]`, rows of nothing at the ends left out; and the rows
        of padding (before, after) the image.
    """
    lines, phases = taps.shape
    tall = taps.T[::-1].reshape(lines * phases, 1)
    held = np.flatnonzero(tall >= 0)
    first, last = int(held[0]), int(held[-1])
    around = (phases - 1) * lines
    return tall[first : last + 1], (around - first, around - (lines * phases - 1 - last))


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    down, across = call.rows.phase_grid(compact=True), call.columns.phase_grid(compact=True)
    row_windows = down.windows(joined=True)
    if len(row_windows) > 1 or down.stride == 1:
        return row_polyphase.work(call)
    (window,) = row_windows
    steps_down, steps_across = steps_of(call, down, across)
    lines, phases = len(window.blocks), len(window.phases)
    images = call.batch * steps_down * lines * call.width * call.in_channels
    taps, _ = _tall(window_taps(down, window))
    steps: list[Step] = []
    if lines > 1:
        steps.append(Copy(images, images, call.width * call.in_channels))
    column_windows = across.windows(joined=True)
    windows = call.batch * steps_down * phases * steps_across
    for columns in column_windows:
        cells = window_taps(across, columns)
        steps.extend(work_of_kernel(call, taps, cells))
        steps.append(
            Convolution(
                windows,
                taps=lines * len(cells),
                depth=call.in_channels // call.groups,
                channels=len(columns.phases) * call.out_channels,
                read=images,
                padded=windows * len(taps) // lines,
            )
        )
    whole = windows * across.stride * call.out_channels
    if len(column_windows) > 1:
        steps.append(Copy(whole, whole, call.out_channels))
    if phases < down.stride:
        steps.append(Copy(whole, call.outputs, steps_across * across.stride * call.out_channels))
    cropping = work_of_cropping(call, down, across)
    held = images * (lines > 1) + whole * bool(cropping) + call.weights
    return Work((*steps, *cropping), held)
