"""TensorFlow's own gradient of a convolution with respect to its filters, where it has one."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tf_tconv.geometry import Size, pad_behind
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.arithmetic import is_one
from tf_tconv.ops.tensorflow.accumulation import summed_once
from tf_tconv.ops.tensorflow.padding import grow, pad_or_crop, padding_name
from tf_tconv.ops.tensorflow.sizes import maximum, sizes


def has_op(operation: TransposedConvolution) -> bool:
    """Whether the op computes the filter gradient of an operation on CPUs.

    It is refused with dilation and with groups; and a kernel of a size known only at run time may
    be the one tap that it does not survive.
    """
    return (
        operation.rank == 2
        and is_one(operation.groups)
        and set(operation.dilations) == {1}
        and all(isinstance(size, int) for size in operation.kernel_size)
    )


def native_filter_gradient(
    y: tf.Tensor, x: tf.Tensor, operation: TransposedConvolution, shape: Sequence[Size]
) -> tf.Tensor:
    """``w[a] = sum_j y[j s + a d - p0] x[j]`` by the op.

    Args:
        y: `[batch, height, width, out]`.
        x: `[batch, input height, input width, in]`.
        operation: the transposed convolution.
        shape: of the filters.
    """
    padding = padding_name(operation.axes)
    if padding is None:
        # Not by attribute: `tf.vectorized_map` loses the explicit padding of the op below.
        pads = [(axis.pad_before, pad_behind(axis, maximum)) for axis in operation.axes]
        y, padding = pad_or_crop(y, [(0, 0), *pads, (0, 0)]), "VALID"
    if not all(isinstance(size, int) for size in sizes(x)[1:-1]):
        same = padding == "SAME"
        x = grow(x, (1, 1))
        y = grow(y, [1 if same else axis.effective_kernel for axis in operation.axes])
    strides = list(operation.strides)
    if list(shape[:2]) == [1, 1]:
        # With oneDNN the op below writes past its buffer for one tap and a stride.
        y, strides = y[:, :: strides[0], :: strides[1]], [1, 1]
    return summed_once(
        "filter_gradient",
        lambda y, x: tf.raw_ops.Conv2DBackpropFilter(
            input=y,
            filter_sizes=tf.stack([tf.cast(size, tf.int32) for size in shape]),
            out_backprop=x,
            strides=[1, *strides, 1],
            padding=padding,
        ),
        y,
        x,
    )
