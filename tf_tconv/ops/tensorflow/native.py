"""TensorFlow's own transposed convolution.

The op is asked for what "SAME" or "VALID" means, or for all that the taps reach, of which another
output is cut: explicit padding, and outputs beyond all taps. tf2onnx halves every padding, the
negative one beyond the taps too, and so would misplace these in ONNX; and LiteRT knows no padding
in numbers.
"""

from __future__ import annotations

import tensorflow as tf

from tf_tconv.geometry import AxisGeometry, Size
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.arithmetic import times
from tf_tconv.ops.tensorflow.padding import pad_or_crop, padding_name
from tf_tconv.ops.tensorflow.sizes import maximum, sizes


def native(x: tf.Tensor, w: tf.Tensor, operation: TransposedConvolution) -> tf.Tensor:
    """What the op gives for an operation of two axes.

    Args:
        x: `[batch, height, width, in]`.
        w: `[height, width, out / groups, in]`.
        operation: what to compute.
    """
    groups = operation.groups
    if isinstance(groups, int) and groups > 1:
        # In one call CPUs refuse them without oneDNN, and of float64 and int32 with it, too.
        alone = operation.during_run(operation.axes, 1)
        parts = zip(tf.split(x, groups, -1), tf.split(w, groups, -1), strict=True)
        return tf.concat([native(*part, alone) for part in parts], -1)
    axes = operation.axes
    batch, *image, _ = sizes(x)
    named = padding_name(axes) if all(map(_is_covered, axes)) else None
    if named:
        cells = [axis.output_size for axis in axes]
    else:
        cells = [_reached(size, axis) for size, axis in zip(image, axes, strict=True)]
    out = times(sizes(w)[-2], groups)
    y = tf.nn.conv2d_transpose(
        x,
        w,
        tf.stack([tf.cast(size, tf.int32) for size in (batch, *cells, out)]),
        strides=operation.strides,
        padding=named or "VALID",
        dilations=operation.dilations,
    )
    if named:
        return y
    # Not by `pad_after`, which is what was asked for: a larger output lies beyond all taps.
    return pad_or_crop(
        y, [(0, 0), *((-axis.pad_before, -axis.crop_after) for axis in axes), (0, 0)]
    )


def _is_covered(axis: AxisGeometry) -> bool:
    """Whether taps are sure to reach the whole output, without which tf2onnx leaves its end out."""
    kernel = axis.effective_kernel
    beyond = axis.surplus - kernel
    if isinstance(beyond, int):
        return bool(beyond <= 0)
    # Of the paddings only SAME depends on a size of run time, and its output is `i s` at most.
    return tf.is_tensor(axis.pad_before) and isinstance(kernel, int) and kernel >= axis.stride


def _reached(size: Size, axis: AxisGeometry) -> Size:
    """Cells of the output that the products of `size` inputs reach, nothing cropped."""
    return maximum((size - 1) * axis.stride + axis.effective_kernel, 0)
