"""TensorFlow's own op, for comparison and for exporters that want it fused.

"auto" never chooses it. What the op refuses, this refuses, with the op's own message.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.lowerings.padding import padding_name
from tf_tconv.lowerings.shapes import sizes


def lower(x: Any, w: Any, rows: Any, columns: Any, groups: Any = 1) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    output_shape = [sizes(x)[0], rows.output_size, columns.output_size, sizes(w)[2] * groups]
    return tf.nn.conv2d_transpose(
        x,
        w,
        tf.stack([tf.cast(size, tf.int32) for size in output_shape]),
        strides=(rows.stride, columns.stride),
        padding=padding_name(rows, columns)
        or [[0, 0], *([axis.pad_before, axis.pad_after] for axis in (rows, columns)), [0, 0]],
        dilations=(rows.dilation, columns.dilation),
    )
