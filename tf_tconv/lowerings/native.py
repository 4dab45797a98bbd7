"""TensorFlow's own op, for comparison and for exporters that want it fused.

"auto" never chooses it. What the op refuses, this refuses, with the op's own message.

The op is asked for what "SAME" or "VALID" means, or for all that the taps reach, of which another
output is cut: explicit padding, and outputs beyond all taps. tf2onnx halves every padding, the
negative one beyond the taps too, and so would misplace these in ONNX; and LiteRT knows no padding
in numbers.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.lowerings.padding import pad_or_crop, padding_name
from tf_tconv.lowerings.shapes import maximum, sizes, times


def lower(x: Any, w: Any, rows: Any, columns: Any, groups: Any = 1) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    axes = (rows, columns)
    batch, *image, _ = sizes(x)
    named = padding_name(*axes) if all(map(_is_covered, axes)) else None
    if named:
        cells = [axis.output_size for axis in axes]
    else:
        cells = [_reached(size, axis) for size, axis in zip(image, axes, strict=True)]
    output_shape = [batch, *cells, times(sizes(w)[2], groups)]
    y = tf.nn.conv2d_transpose(
        x,
        w,
        tf.stack([tf.cast(size, tf.int32) for size in output_shape]),
        strides=(rows.stride, columns.stride),
        padding=named or "VALID",
        dilations=(rows.dilation, columns.dilation),
    )
    if named:
        return y
    # Not by `pad_after`, which is what was asked for: a larger output lies beyond all taps.
    behind = [axis.surplus - axis.effective_kernel + axis.pad_before for axis in axes]
    return pad_or_crop(
        y, *((-axis.pad_before, more) for axis, more in zip(axes, behind, strict=True))
    )


def _is_covered(axis: Any) -> bool:
    """Whether taps are sure to reach the whole output, without which tf2onnx leaves its end out."""
    kernel = axis.effective_kernel
    beyond = axis.surplus - kernel
    if isinstance(beyond, int):
        return beyond <= 0
    # Of the paddings only SAME depends on a size of run time, and its output is `i s` at most.
    return tf.is_tensor(axis.pad_before) and isinstance(kernel, int) and kernel >= axis.stride


def _reached(size: Any, axis: Any) -> Any:
    """Cells of the output that the products of `size` inputs reach, nothing cropped."""
    return maximum((size - 1) * axis.stride + axis.effective_kernel, 0)
