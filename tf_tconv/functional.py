"""The function: arguments put in order, a geometry for each axis, a lowering, the layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import tensorflow as tf

from tf_tconv.adjoint import TransposeProduct
from tf_tconv.arguments import (
    CHANNEL_AXIS,
    SPATIAL_AXES,
    OutputShape,
    check_data_format,
    check_output_shape,
    check_paddings,
    check_pair,
    check_tensor,
)
from tf_tconv.backend import backend
from tf_tconv.dialects.paddings import TF_NN
from tf_tconv.fitting import (
    FILTERS_AXES,
    check_channels,
    check_elements,
    check_equal,
    infer_groups,
)
from tf_tconv.geometry import AxisGeometry, AxisNames, brief, check_integer
from tf_tconv.lowerings import REGISTRY, Lowering
from tf_tconv.lowerings.shapes import LARGEST, is_one, quotient, sizes, times
from tf_tconv.lowerings.work import Sizes
from tf_tconv.memory import remembered
from tf_tconv.planning import (
    call_sizes,
    check_largest,
    check_lowering,
    choose,
    gradients_by_products,
)
from tf_tconv.run_time import AxisRequest, Check, enforce, paddings_together, tied

INPUT_AXES = {
    "NHWC": "[batch, height, width, in_channels]",
    "NCHW": "[batch, in_channels, height, width]",
}


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
            only the run knows those numbers, it infers them then, and the call is computed by a
            lowering that takes any number of groups: say `groups` where you know it.
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
        raise TypeError(
            f"name={brief(name)} is a {type(name).__name__}; it must be a string or None."
        )
    with tf.name_scope(name or "conv2d_transpose"):
        lowering = check_lowering(lowering)
        arguments = arrange(
            input, filters, output_shape, strides, padding, data_format, dilations, groups
        )
        return transpose(arguments, lowering)


class Arguments(NamedTuple):
    """Arguments that were each checked alone.

    Args:
        x: the input, in the layout of `data_format`.
        filters: `[height, width, out / groups, in]`.
        rows: what is asked of the height.
        columns: what is asked of the width.
        groups: number of channel groups, a scalar int64 tensor if only the run knows it.
        data_format: "NHWC" or "NCHW".
        output_shape: batch and channels asked for, if any.
        bias: `[out]`, to add to every cell, if any.
    """

    x: Any
    filters: Any
    rows: AxisRequest
    columns: AxisRequest
    groups: Any
    data_format: str
    output_shape: OutputShape | None = None
    bias: Any = None


def arrange(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    groups: int | None,
) -> Arguments:
    """Puts the arguments of `conv2d_transpose` in order and checks each alone."""
    data_format = check_data_format(data_format)
    x = check_tensor("input", input, INPUT_AXES[data_format])
    filters = check_tensor("filters", filters, FILTERS_AXES, x.dtype)
    strides = check_pair("strides", strides, data_format)
    dilations = (1, 1) if dilations is None else check_pair("dilations", dilations, data_format)
    paddings = check_paddings(padding, data_format)
    shape = check_output_shape(output_shape, data_format)
    rows, columns = (
        AxisRequest(
            strides[axis],
            dilations[axis],
            paddings[axis],
            shape.sizes[axis + 1],
            names=AxisNames(
                shape.arguments[axis + 1],
                f"padding[{position}]" if isinstance(paddings[axis], tuple) else "padding",
                ("rows", "columns")[axis],
                TF_NN[data_format],
            ),
        )
        for axis, position in enumerate(SPATIAL_AXES[data_format])
    )
    if groups is None:
        groups, checks = infer_groups(sizes(x)[CHANNEL_AXIS[data_format]], filters, shape)
        shape = replace(shape, checks=(*shape.checks, *checks))
    else:
        groups = check_integer("groups", groups, 1, LARGEST)
    return Arguments(x, filters, rows, columns, groups, data_format, shape)


def transpose(arguments: Arguments, lowering: str) -> Any:
    """The transposed convolution for arguments that were each checked alone.

    Args:
        arguments: what to compute.
        lowering: "auto" or the name of an algorithm.

    Returns:
        The output in the layout of `data_format`, its static shape as sharp as what is known.
    """
    call = solve(arguments)
    x, filters, _, _, groups, data_format, _, bias = arguments
    row_axis, column_axis = call.rows, call.columns
    name = call.choice(lowering)
    check_largest(name, None if call.assumed else call.sizes)
    algorithm = REGISTRY[name]
    with tf.control_dependencies(enforce(call.checks)):
        x = tied(x, call.checks)
        if data_format == "NCHW":
            x = tf.transpose(x, [0, 2, 3, 1])
        trimmed = algorithm.trimmed and _is_static(row_axis, column_axis)
        if trimmed and not all(_reaches_all(axis) for axis in (row_axis, column_axis)):
            x, filters, row_axis, column_axis = _trim(x, filters, row_axis, column_axis)
        lower = _on_groups(algorithm, trimmed)
        by_products = gradients_by_products(None if call.assumed else call.sizes, backend())
        product = TransposeProduct(row_axis, column_axis, groups, lower, by_products)
        y = product.transposed(x, filters, bias)
        if None in call.shape[1:3] and isinstance(call.shape[3], int):
            # Converters lose the channels of a slice by sizes that only the run knows.
            y = tf.reshape(
                y, [sizes(x)[0], row_axis.output_size, column_axis.output_size, call.shape[3]]
            )
        y.set_shape(call.shape)
        return tf.transpose(y, [0, 3, 1, 2]) if data_format == "NCHW" else y


class Call(NamedTuple):
    """A call whose arguments were checked against each other.

    Args:
        rows: the geometry of the height.
        columns: the geometry of the width.
        shape: `[batch, output height, output width, out]`, None for what only the run knows.
        checks: what remains to be checked when it runs.
        known_groups: whether the number of channel groups is known.
        sizes: the call in numbers, for the planner; None where they can't be counted.
        assumed: what they assume of sizes that only the run knows.
    """

    rows: Any
    columns: Any
    shape: list[int | None]
    checks: list[Check]
    known_groups: bool
    sizes: Sizes | None
    assumed: tuple[str, ...]

    def choice(self, lowering: str) -> str:
        """The name of the lowering that computes it where it is traced or called."""
        return choose(
            lowering, self.sizes, self.known_kernel, backend(), remembered, self.known_groups
        )

    @property
    def known_kernel(self) -> bool:
        """Whether the kernel's height and width are known."""
        return all(isinstance(axis.kernel_size, int) for axis in (self.rows, self.columns))


def solve(arguments: Arguments) -> Call:
    """Geometry and checks of a call."""
    x, filters, rows, columns, groups, data_format, output_shape, _ = arguments
    dimensions = sizes(x)
    batch, in_channels = dimensions[0], dimensions[CHANNEL_AXIS[data_format]]
    height, width = (dimensions[axis] for axis in SPATIAL_AXES[data_format])
    kernel_height, kernel_width, per_group, _ = sizes(filters)
    checks = check_channels(x.dtype, in_channels, filters, groups)
    asked = (None,) * 4
    if output_shape is not None:
        asked = output_shape.sizes
        checks += output_shape.checks
        checks += check_equal(
            output_shape.arguments[0], asked[0], batch, "is not the batch of input"
        )
    if not isinstance(groups, int):
        out_channels = asked[3]  # What the groups were inferred from, and checked.
    else:
        out_channels = times(per_group, groups)
        rule = f"is not filters.shape[2] times {groups} group{'s' * (groups > 1)}"
        argument = output_shape.arguments[3] if output_shape else ""
        checks += check_equal(argument, asked[3], out_channels, rule)
    with paddings_together((rows, columns), ((height, kernel_height), (width, kernel_width))):
        row_axis, row_checks = rows.solve(height, kernel_height)
        column_axis, column_checks = columns.solve(width, kernel_width)
    checks += row_checks + column_checks
    checks += check_elements(
        rows.names.output_size.partition("[")[0],
        batch,
        row_axis,
        column_axis,
        out_channels,
    )
    static_shape = [
        _first_known(batch, asked[0]),
        _first_known(row_axis.output_size, rows.output_size),
        _first_known(column_axis.output_size, columns.output_size),
        _first_known(out_channels, asked[3]),
    ]
    numbers = call_sizes(
        (static_shape[0], height, width),
        _trimmed(row_axis),
        _trimmed(column_axis),
        in_channels,
        out_channels,
        groups,
        x.dtype.size,
    )
    known_groups = isinstance(groups, int)
    return Call(row_axis, column_axis, static_shape, checks, known_groups, *(numbers or (None, ())))


def _trim(x: Any, filters: Any, rows: AxisGeometry, columns: AxisGeometry) -> tuple[Any, ...]:
    """The same call without the inputs and taps that reach no output, and their geometry."""
    axes = (rows, columns)
    inputs, taps = (
        [getattr(axis, part) for axis in axes] for part in ("useful_inputs", "useful_taps")
    )
    if any(len(cells) < axis.input_size for cells, axis in zip(inputs, axes, strict=True)):
        x = x[:, inputs[0].start : inputs[0].stop, inputs[1].start : inputs[1].stop, :]
    if any(len(cells) < axis.kernel_size for cells, axis in zip(taps, axes, strict=True)):
        filters = filters[taps[0].start : taps[0].stop, taps[1].start : taps[1].stop]
    return x, filters, rows.trimmed(), columns.trimmed()


def _reaches_all(axis: AxisGeometry) -> bool:
    """Whether every input reaches an output, and no tap is far off for its dilation.

    Then taps that reach none are few. They are cut off for the lowering alone: for the gradients,
    which have TensorFlow's own ops, it would be a copy of the filters and one of their gradient.
    """
    return axis.dilation == 1 and len(axis.useful_inputs) == axis.input_size


def _on_groups(lowering: Lowering, trimmed: bool) -> Callable[..., Any]:
    """`lowering` for filters in TensorFlow's layout, any number of groups, and a bias or `None`."""

    def lower(x: Any, filters: Any, bias: Any, rows: Any, columns: Any, groups: Any) -> Any:
        if trimmed:
            x, filters, rows, columns = _trim(x, filters, rows, columns)
        if bias is not None and not (
            lowering.biased and rows.fills_phases and columns.fills_phases
        ):
            return tf.nn.bias_add(convolve(x, filters, rows, columns, groups), bias)
        own = () if bias is None else (bias,)
        return convolve(x, filters, rows, columns, groups, *own)

    def convolve(x: Any, filters: Any, rows: Any, columns: Any, groups: Any, *own: Any) -> Any:
        if is_one(groups):
            return lowering.lower(x, filters, rows, columns, *own)
        if lowering.grouped:
            height, width, per_group, channels = sizes(filters)
            each = quotient(channels, groups)
            shape = [height, width, per_group, groups, each]
            filters = tf.transpose(tf.reshape(filters, shape), [0, 1, 3, 2, 4])
            shape = [height, width, times(groups, per_group), each]
            return lowering.lower(x, tf.reshape(filters, shape), rows, columns, *own)
        if not isinstance(groups, int):
            return lowering.lower(x, filters, rows, columns, groups)
        parts = zip(tf.split(x, groups, 3), tf.split(filters, groups, 3), strict=True)
        return tf.concat([lowering.lower(*part, rows, columns) for part in parts], axis=3)

    return lower


def _trimmed(axis: Any) -> Any:
    return axis.trimmed() if isinstance(axis, AxisGeometry) else axis


def _is_static(*axes: Any) -> bool:
    return all(isinstance(axis, AxisGeometry) for axis in axes)


def _first_known(*candidates: Any) -> int | None:
    return next((size for size in candidates if isinstance(size, int)), None)
