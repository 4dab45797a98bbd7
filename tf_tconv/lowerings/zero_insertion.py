"""Transposed convolution as the textbook draws it: zeros inserted, padded, convolved at stride 1.

Step 5 of the derivation in `tf_tconv.geometry`: `stride - 1` zeros between the inputs, `lead` and
`trail` zeros around them (or a crop), then a stride-1 convolution with the reversed kernel. It
multiplies by all the zeros it inserts, so its cost grows with the product of the strides.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings.convolution import convolve
from tf_tconv.lowerings.shapes import reshape, sizes, times
from tf_tconv.lowerings.work import Convolution, Copy, Sizes, Step, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    # An axis at a time: OpenVINO reads no reversal of two.
    reversed_kernel = tf.transpose(tf.reverse(tf.reverse(w, [0]), [1]), [0, 1, 3, 2])
    return convolve(
        _insert_zeros(x, rows.stride, columns.stride),
        reversed_kernel,
        _outer_zeros(rows),
        _outer_zeros(columns),
        dilations=(rows.dilation, columns.dilation),
    )


def _outer_zeros(axis: AxisRelations) -> tuple[Any, Any]:
    # Every input brought stride - 1 zeros along, the last one too.
    return axis.lead, axis.trail - (axis.stride - 1)


def _insert_zeros(x: Any, row_stride: int, column_stride: int) -> Any:
    """Every cell of `x` followed by `stride - 1` zeros along each axis.

    Pads at rank 4, an axis at a time: converters to mobile formats know no higher-rank pad.
    """
    batch, height, width, channels = sizes(x)
    if column_stride > 1:
        cells = reshape(x, [times(batch, height), width, 1, channels])
        cells = tf.pad(cells, [[0, 0], [0, 0], [0, column_stride - 1], [0, 0]])
        width = width * column_stride
        x = reshape(cells, [batch, height, width, channels])
    if row_stride > 1:
        lines = reshape(x, [batch, height, 1, times(width, channels)])
        lines = tf.pad(lines, [[0, 0], [0, 0], [0, row_stride - 1], [0, 0]])
        x = reshape(lines, [batch, height * row_stride, width, channels])
    return x


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    weights, out = call.weights, call.out_channels
    steps: list[Step] = [Copy(weights, weights, call.weights // out), Copy(weights, weights, 1)]
    wide = call.inputs * call.columns.stride
    dilated = wide * call.rows.stride
    if call.columns.stride > 1:
        steps.append(Copy(call.inputs, wide, call.in_channels))
    if call.rows.stride > 1:
        steps.append(Copy(wide, dilated, call.width * call.in_channels))
    windows = call.outputs // out
    steps.append(
        Convolution(
            windows,
            taps=int(call.rows.kernel_size * call.columns.kernel_size),
            depth=call.in_channels // call.groups,
            channels=out,
            read=dilated,
            padded=windows,
        )
    )
    return Work(tuple(steps), (wide + dilated if dilated > call.inputs else 0) + weights)
