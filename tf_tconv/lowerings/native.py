"""TensorFlow's own op, for comparison and for exporters that want it fused; "auto" never chooses it.

What the op refuses, this refuses, with the op's own message.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisRelations, split_padding
from tf_tconv.lowerings.shapes import sizes


def lower(x: Any, w: Any, rows: Any, columns: Any) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    output_shape = [sizes(x)[0], rows.output_size, columns.output_size, sizes(w)[2]]
    return tf.nn.conv2d_transpose(
        x,
        w,
        tf.stack([tf.cast(size, tf.int32) for size in output_shape]),
        strides=(rows.stride, columns.stride),
        padding=_padding_argument(rows, columns),
        dilations=(rows.dilation, columns.dilation),
    )


def _padding_argument(rows: AxisRelations, columns: AxisRelations) -> str | list[list[int]]:
    """The padding in the op's own words, by name where it has one: more is supported by name."""
    axes = (rows, columns)
    for name in ("VALID", "SAME"):
        if all(_is_padded(axis, name) for axis in axes):
            return name
    return [[0, 0], *([axis.pad_before, axis.pad_after] for axis in axes), [0, 0]]


def _is_padded(axis: AxisRelations, name: str) -> bool:
    if tf.is_tensor(axis.pad_before):
        return name == "SAME"  # No other padding depends on a size known only at run time.
    if tf.is_tensor(axis.surplus) and name == "SAME":
        return False
    pads = split_padding(axis.effective_kernel, axis.surplus, name)
    return pads == (axis.pad_before, axis.pad_after)
