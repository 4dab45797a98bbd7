"""The function of two axes: `conv2d_transpose`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.functional.arguments import check_data_format, check_tensor, input_axes
from tf_tconv.functional.call import Request, arrange
from tf_tconv.functional.consistency import FILTERS_AXES
from tf_tconv.functional.transpose import transpose
from tf_tconv.geometry import a_type, brief
from tf_tconv.planning import check_lowering


@tf.autograph.experimental.do_not_convert  # rewriting plain Python takes seconds a trace
def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
    *,
    groups: int | None = None,
    lowering: str = "auto",
) -> tf.Tensor:
    """The transposed convolution: the adjoint of `tf.nn.conv2d`, computed without its gradient op.

    A drop-in for `tf.nn.conv2d_transpose` that also answers where the op refuses, and says what is
    wrong where there is no answer. What goes where is the padding asymmetry rule, derived in
    `tf_tconv.geometry`.

    Args:
        input: `[batch, height, width, in_channels]`, or `[batch, in_channels, height, width]` for
            "NCHW"; float16, bfloat16, float32, float64 or int32. Sizes may be unknown when traced.
        filters: `[height, width, out_channels/groups, in_channels]`, of the same dtype.
        output_shape: 4 entries in the order of `data_format`; 2 entries (height, width); an integer
            tensor of that length, known now or at run time; or `None` for Keras' default size:
            ``size * stride`` for SAME, ``(size - 1) * stride + max(effective kernel, stride)`` less
            the padding otherwise.
        strides: cells between the outputs of neighbouring inputs; a scalar, 1, 2 (height, width) or
            4 entries.
        padding: "SAME", "VALID", or `[[0, 0], [top, bottom], [left, right], [0, 0]]` in the order
            of `data_format`: what the *forward* convolution pads, in cells.
        data_format: "NHWC" or "NCHW".
        dilations: cells between neighbouring taps of the kernel, in the forms of `strides`; `None`
            means 1.
        name: a name scope for the ops.
        groups: number of independent channel groups; `None` infers them as the native op does, from
            the output channels over `filters.shape[2]`, and means 1 without output channels. Where
            those numbers are known only at run time, it infers them then, and the call is computed
            by a lowering that takes any number of groups: say `groups` where you know it.
        lowering: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native" for TensorFlow's op.

    Returns:
        A tensor of `input`'s dtype and layout. Differentiable in `input` and `filters`, any number
        of times, backward and forward.

    Raises:
        TypeError: an argument of the wrong type, or dtypes that differ.
        ValueError: an argument out of range, sizes that do not fit, or a result too large.
        tf.errors.InvalidArgumentError: the same, for what is known only at run time.

    Example:
        >>> x = tf.reshape(tf.range(1.0, 10.0), [1, 3, 3, 1])
        >>> w = tf.reshape(tf.constant([0, 0, 0, 0, 2.0, 0, 0, 0, 0]), [3, 3, 1, 1])
        >>> y = conv2d_transpose(x, w, output_shape=[1, 6, 6, 1], strides=2)
        >>> float(y[0, 5, 5, 0])  # 2 * 9, at the bottom right: the odd zero stands first
        18.0

    Source:
        Dumoulin & Visin, chapter 4 of https://arxiv.org/abs/1603.07285v2; arguments of
        https://www.tensorflow.org/api_docs/python/tf/nn/conv2d_transpose.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name={brief(name)} is {a_type(name)}; it must be a string or None.")
    with tf.name_scope(name or "conv2d_transpose"):
        lowering = check_lowering(lowering)
        request, x, filters = ordered(
            *(input, filters, output_shape, strides, padding, data_format, dilations), groups=groups
        )
        return transpose(request, x, filters, lowering)


def ordered(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    groups: int | None,
) -> tuple[Request, tf.Tensor, tf.Tensor]:
    """The arguments of `conv2d_transpose` put in order: what is asked, input and filters."""
    layout = check_data_format(data_format)
    x = check_tensor("input", input, input_axes(layout))
    filters = check_tensor("filters", filters, FILTERS_AXES[layout.rank], x.dtype)
    request = arrange(output_shape, strides, padding, layout.name, dilations, groups)
    return request, x, filters
