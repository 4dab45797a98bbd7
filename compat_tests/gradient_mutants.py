"""Implementations in TensorFlow whose outputs are right, and whose gradients are not.

Apart from `mutants`, which has to do without a framework. They have the signature of
`tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def right(
    input: Any,
    filters: Any,
    output_shape: Sequence[int],
    strides: Sequence[int],
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1),
    name: str | None = None,
) -> Any:
    """The definition as a single sum of products, which a tape differentiates any number of times.

    Args:
        input: `[batch, height, width, in_channels]`, or channels second for NCHW.
        filters: `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        output_shape: four entries, in the order of the layout, or a tensor of them.
        strides: two entries.
        padding: "SAME", "VALID" or four pairs in the order of the layout.
        data_format: "NHWC" or "NCHW".
        dilations: two entries.
        name: has no effect.

    Returns:
        Tensor of `output_shape`, of the type of the input.
    """
    last = data_format == "NHWC"
    height, channel = (1, 3) if last else (2, 1)
    x = tf.cast(input if last else tf.transpose(input, [0, 2, 3, 1]), tf.float64)
    rows, columns, group_out, channels = filters.shape
    groups = output_shape[channel] // group_out
    batch, *size, _ = tf.unstack(tf.shape(x))
    output = [output_shape[height], output_shape[height + 1]]
    high, wide = (
        _landing(
            size[axis],
            filters.shape[axis],
            output[axis],
            strides[axis],
            dilations[axis],
            padding if isinstance(padding, str) else padding[height + axis][0],
        )
        for axis in (0, 1)
    )
    x = tf.reshape(x, [batch, *size, groups, channels // groups])
    w = tf.cast(filters, tf.float64)
    w = tf.reshape(w, [rows, columns, group_out, groups, channels // groups])
    y = tf.einsum("nijgc,aiI,bjJ,abdgc->nIJgd", x, high, wide, w)
    y = tf.reshape(y, [batch, *output, groups * group_out])
    return tf.cast(y if last else tf.transpose(y, [0, 3, 1, 2]), input.dtype)


def doubled(input: Any, filters: Any, *args: Any, **kwargs: Any) -> Any:
    """Counts the gradient by the filters twice."""
    return right(input, _pulled_back(filters, lambda dw: 2 * dw), *args, **kwargs)


def mirrored(input: Any, filters: Any, *args: Any, **kwargs: Any) -> Any:
    """Takes the kernel the wrong way round in the gradient by the filters."""
    return right(input, _pulled_back(filters, lambda dw: dw[::-1, ::-1]), *args, **kwargs)


def forgetful(input: Any, filters: Any, *args: Any, **kwargs: Any) -> Any:
    """Leaves zeros for the gradient by the input."""
    return right(_pulled_back(input, lambda dx: 0 * dx), filters, *args, **kwargs)


def _pulled_back(tensor: Any, change: Callable[[Any], Any]) -> Any:
    """The tensor as it is, with what comes back to it in a gradient changed."""

    @tf.custom_gradient
    def same(tensor: Any) -> tuple[Any, Callable[[Any], Any]]:
        return tf.identity(tensor), change

    return same(tensor)


def _landing(i: Any, k: int, o: Any, s: int, d: int, padding: str | int) -> Any:
    """One where tap `a` carries input `j` to output `t`, zero elsewhere: `[k, i, o]`.

    Args:
        i: input size.
        k: kernel size.
        o: output size.
        s: stride.
        d: dilation.
        padding: "SAME", "VALID" or what the forward convolution pads before.
    """
    before = padding
    if isinstance(padding, str):
        lacking = ((o + s - 1) // s - 1) * s + (k - 1) * d + 1 - o
        before = tf.maximum(lacking, 0) // 2 if padding == "SAME" else 0
    a, j, t = tf.meshgrid(tf.range(k), tf.range(i), tf.range(o), indexing="ij")
    return tf.cast(tf.equal(j * s + a * d - before, t), tf.float64)
