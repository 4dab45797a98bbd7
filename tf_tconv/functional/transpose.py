"""A call computed: planned, checked, and lowered over TensorFlow's tensors."""

from __future__ import annotations

import tensorflow as tf

from tf_tconv.functional.call import Call, Request, solve
from tf_tconv.functional.differentiation import Faces
from tf_tconv.functional.enforcing import enforce, tied
from tf_tconv.lowerings import REGISTRY
from tf_tconv.lowerings.calling import trim
from tf_tconv.operation import Axis
from tf_tconv.ops import tensorflow as ops
from tf_tconv.planning import check_largest, choose, gradients_by_products
from tf_tconv.planning.choices import remembered
from tf_tconv.planning.engine import engine


def transpose(
    request: Request,
    x: tf.Tensor,
    filters: tf.Tensor,
    lowering: str,
    bias: tf.Tensor | None = None,
) -> tf.Tensor:
    """The transposed convolution for arguments that were each checked alone.

    Args:
        request: what to compute.
        x: the input, in the layout of the request.
        filters: `[*kernel, out / groups, in]`.
        lowering: "auto" or the name of an algorithm.
        bias: `[out]`, to add to every cell, if any.

    Returns:
        The output in the same layout, its static shape as sharp as what is known.

    Raises:
        TypeError: dtypes that differ.
        ValueError: sizes that do not fit.
    """
    if filters.dtype != x.dtype:
        raise TypeError(
            f"filters has dtype {filters.dtype.name} and input {x.dtype.name}; they must be the "
            "same: cast one, as in tf.cast(filters, input.dtype)."
        )
    call = solve(
        request, ops.sizes(x), ops.sizes(filters), x.dtype.size, ops, use_bias=bias is not None
    )
    computes = engine()
    name = choose(lowering, call.operation, call.load, computes, remembered)
    check_largest(name, call.exact_load)
    algorithm = REGISTRY[name]
    with tf.control_dependencies(enforce(call.checks)):
        x = tied(x, call.checks)
        if not request.layout.channels_last:
            x = tf.transpose(x, request.layout.to_channels_last)
        operation = call.running
        if algorithm.primitive and not all(map(_reaches_all, operation.axes)):
            x, filters, operation = trim(ops, x, filters, operation)
        by_products = gradients_by_products(call.exact_load, computes)
        y = Faces(operation, algorithm, by_products).transposed(x, filters, bias)
        y = _with_known_channels(y, call, operation.axes)
        y.set_shape(call.shape)
        if request.layout.channels_last:
            return y
        return tf.transpose(y, request.layout.from_channels_last)


def _with_known_channels(y: tf.Tensor, call: Call, axes: tuple[Axis, ...]) -> tf.Tensor:
    """`y` where converters lose the channels of a slice by sizes known only at run time."""
    *_, channels = call.shape
    if None not in call.shape[1:-1] or channels is None:
        return y
    return tf.reshape(y, [ops.sizes(y)[0], *(axis.output_size for axis in axes), channels])


def _reaches_all(axis: Axis) -> bool:
    """Whether every input reaches an output, and no tap is far off for its dilation.

    Then taps that reach none are few. They are cut off for the lowering alone: for the gradients,
    which have TensorFlow's own ops, it would be a copy of the filters and one of their gradient.
    """
    if not axis.is_known:
        return True
    return axis.dilation == 1 and len(axis.useful_inputs) == axis.input_size
