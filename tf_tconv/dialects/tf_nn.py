"""`tf.nn.conv2d_transpose` and `tf_tconv.conv2d_transpose`, in plain numbers.

The function is told the output's shape, so its padding depends on the sizes only through that. It
takes "SAME", "VALID" and explicit padding, and so says every operation that adds no zeros before
the first product, and less than a stride of them after the last.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.dialects.operation import solve, solve_both
from tf_tconv.dialects.paddings import TF_NN
from tf_tconv.dialects.pairs import (
    axis_name,
    check_input_size,
    check_optional_pair,
    check_pair,
    is_sequence,
)
from tf_tconv.dialects.translation import Translation, Unquoted, collapsed, finish, format_call
from tf_tconv.dialects.weights import NEUTRAL_AXES, Array, check_weights
from tf_tconv.geometry import (
    AxisGeometry,
    AxisNames,
    Padding,
    brief,
    check_name,
    check_padding,
    effective_kernel_size,
    lowest_surplus,
)
from tf_tconv.layouts import LAYOUTS, NAMES_BY_RANK
from tf_tconv.operation import TransposedConvolution, check_channels, with_crops, with_input

CALLEE = "tf.nn.conv2d_transpose"
DEFAULTS = {"padding": "SAME", "data_format": "NHWC", "dilations": 1}


def from_arguments(
    *,
    kernel_size: Any,
    strides: Any,
    output_shape: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    groups: int = 1,
    in_channels: int | None = None,
    out_channels: int | None = None,
    input_size: Any = None,
) -> TransposedConvolution:
    """The operation that `tf.nn.conv2d_transpose` performs with these arguments.

    Args:
        kernel_size: taps, an integer or (height, width): the first two axes of `filters`.
        strides: cells; a scalar, 1, 2 (height, width) or 4 entries.
        output_shape: 4 entries in the order of `data_format`, of which batch and channels may be
            `None`, or 2 (height, width); `None` for Keras' default size, as our function has it.
        padding: "SAME", "VALID", or [[0, 0], [top, bottom], [left, right], [0, 0]] in the order of
            `data_format`.
        data_format: "NHWC" or "NCHW"; `None` means the first.
        dilations: cells, in the forms of `strides`; `None` means 1.
        groups: number of channel groups.
        in_channels: or `None` where unknown.
        out_channels: or `None` where unknown or said by `output_shape`.
        input_size: (height, width), or `None` for what follows from `output_shape`.

    Returns:
        The `TransposedConvolution`, without a bias.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or sizes that do not fit.

    Example:
        >>> operation = from_arguments(kernel_size=3, output_shape=[1, 6, 5, 8], strides=2)
        >>> operation.input_size, operation.crops, operation.out_channels
        ((3, 3), ((0, 1), (1, 1)), 8)

    Source:
        https://www.tensorflow.org/api_docs/python/tf/nn/conv2d_transpose.
    """
    layout = (
        "NHWC" if data_format is None else check_name("data_format", data_format, NAMES_BY_RANK[2])
    )
    kernel_size = check_pair("kernel_size", kernel_size)
    strides = check_pair("strides", _spatial("strides", strides, layout))
    dilations = check_pair(
        "dilations", 1 if dilations is None else _spatial("dilations", dilations, layout)
    )
    input_size = check_input_size(input_size)
    asked = None if output_shape is None else _spatial("output_shape", output_shape, layout)
    asked = check_optional_pair("output_shape", asked, 0)
    if output_shape is not None and len(output_shape) == 4:
        channels = output_shape[LAYOUTS[layout].channel]
        if channels is not None:
            channels = check_channels("the channels of output_shape", channels, groups)
            if out_channels not in (None, channels):
                raise ValueError(
                    f"output_shape={brief(output_shape)} has {channels} channels, and "
                    f"out_channels={out_channels}; they must be equal."
                )
            out_channels = channels

    def solve_one(axis: int) -> AxisGeometry:
        kernel, stride, dilation = kernel_size[axis], strides[axis], dilations[axis]
        side = _axis_padding(padding, axis, layout)
        cells = input_size and input_size[axis]
        if asked and cells is None:
            # The forward convolution makes its input size of the output's; see the geometry, 6.
            lowest = lowest_surplus(effective_kernel_size(kernel, dilation), side)
            cells = max((asked[axis] - lowest) // stride + 1, 0)
        return solve(
            kernel,
            stride,
            dilation,
            side,
            input_size=cells,
            output_size=asked[axis] if asked else None,
            names=AxisNames(f"output_shape's {axis_name(axis)}", unit=axis_name(axis)),
        )

    axes = solve_both(solve_one, TF_NN[layout])
    return TransposedConvolution.from_axes(
        axes,
        groups=groups,
        in_channels=in_channels,
        out_channels=out_channels,
        use_bias=False,
        data_format=layout,
    )


def to_arguments(
    operation: TransposedConvolution, *, data_format: str | None = None, strict: bool = False
) -> Translation:
    """The call of `tf.nn.conv2d_transpose` for an operation.

    `tf_tconv.conv2d_transpose` takes the same call. TensorFlow's function refuses some of what it
    has arguments for, such as explicit padding with dilations; ours does not.

    Args:
        operation: the operation.
        data_format: "NHWC" or "NCHW"; `None` for that of the operation.
        strict: whether to raise where zeros have to follow the call.

    Returns:
        The `Translation`. `output_shape` holds `None` for what is unknown: the batch, channels, and
        sizes if `input_size` is; the text computes those of the call from x. A bias is not part of
        the call.

    Raises:
        ValueError: the call alone does not say it, and `strict`.

    Example:
        >>> operation = TransposedConvolution(
        ...     kernel_size=3, strides=2, crops=((0, 1), (0, 1)), input_size=(3, 5), out_channels=8
        ... )
        >>> translation = to_arguments(operation)
        >>> translation.arguments["output_shape"]
        (None, 6, 10, 8)
        >>> print(translation.text)
        tf.nn.conv2d_transpose(x, w, output_shape=(tf.shape(x)[0], 6, 10, 8), strides=2)
    """
    layout = operation.data_format
    if data_format is not None:
        layout = check_name("data_format", data_format, NAMES_BY_RANK[2])
    kept = [min(max(-axis.pad_after, 0), axis.stride - 1) for axis in operation.axes]
    explicit = [(max(before, 0), max(after, 0)) for before, after in operation.crops]
    reached = [
        with_crops(axis, before, after - cells)
        for axis, (before, after), cells in zip(operation.axes, explicit, kept, strict=True)
    ]
    padding: Any = next(
        (name for name in ("SAME", "VALID") if all(_says(axis, name) for axis in reached)), None
    )
    if padding is None:
        padding = _in_layout(explicit, (0, 0), (0, 0), layout)
    sizes = [axis.output_size for axis in reached]
    shown_sizes = [
        Unquoted(_size_code(axis, position)) if size is None else size
        for axis, size, position in zip(reached, sizes, LAYOUTS[layout].spatial, strict=True)
    ]
    channels = operation.out_channels
    arguments = {
        "output_shape": _in_layout(sizes, None, channels, layout),
        "strides": operation.strides,
        "padding": padding,
        "data_format": layout,
        "dilations": operation.dilations,
    }
    shown = {
        **arguments,
        "output_shape": _in_layout(
            shown_sizes, Unquoted("tf.shape(x)[0]"), channels or Unquoted("out_channels"), layout
        ),
        "strides": collapsed(operation.strides),
        "dilations": collapsed(operation.dilations),
    }
    said = tuple((axis.pad_before, axis.pad_after) for axis in reached)
    return finish(
        CALLEE,
        arguments,
        format_call(CALLEE, ["x", "w"], shown, DEFAULTS),
        layout,
        NEUTRAL_AXES,
        crops=operation.crops,
        said=(said[0], said[1]),
        rule="padding is of at least 0, and the output is less than a stride larger than what the "
        "products span",
        strict=strict,
        pad_line=lambda zeros: f"y = tf.pad(y, {_in_layout(list(zeros), (0, 0), (0, 0), layout)})",
    )


def from_weights(weights: Any, *, groups: int = 1) -> Array:
    """`filters`, `[height, width, out/groups, in]`, which is the neutral layout.

    Args:
        weights: an array.
        groups: number of channel groups.

    Returns:
        The kernel in the neutral layout: the same array.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> from_weights(np.zeros([3, 5, 6, 4])).shape
        (3, 5, 6, 4)
    """
    return check_weights("weights", weights, NEUTRAL_AXES, 3, groups)


def to_weights(kernel: Any, *, groups: int = 1) -> Array:
    """`[height, width, out/groups, in]` as `filters`, which have that layout.

    Args:
        kernel: an array in the neutral layout.
        groups: number of channel groups.

    Returns:
        The filters: the same array.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> to_weights(np.zeros([3, 5, 6, 4])).shape
        (3, 5, 6, 4)
    """
    return check_weights("kernel", kernel, NEUTRAL_AXES, 3, groups)


def _says(axis: AxisGeometry, padding: str) -> bool:
    """Whether a named padding, with the axis' own output size, comes down to its crops."""
    # The surplus decides, so that one input cell stands for any number of them.
    single = with_input(axis, 1)
    size = axis.surplus
    lowest = lowest_surplus(axis.effective_kernel, padding)
    if not lowest <= size < lowest + axis.stride:
        return False
    solved = solve(
        axis.kernel_size, axis.stride, axis.dilation, padding, input_size=1, output_size=size
    )
    return solved == single


def _spatial(argument: str, value: Any, layout: str) -> Any:
    """The entries for height and width of an argument that may have all four."""
    if not is_sequence(value) or len(value) != 4:
        return value
    return [value[axis] for axis in LAYOUTS[layout].spatial]


def _axis_padding(padding: Any, axis: int, layout: str) -> Padding:
    if isinstance(padding, str):
        return check_padding(padding)
    if not is_sequence(padding) or len(padding) != 4:
        raise ValueError(
            f'padding={brief(padding)} must be "SAME", "VALID" or four pairs (before, after) in '
            f"the order of {layout}."
        )
    position = LAYOUTS[layout].spatial[axis]
    return check_padding(padding[position], f"padding[{position}]")


def _in_layout(spatial: Any, batch: Any, channels: Any, layout: str) -> tuple[Any, ...]:
    entries = (batch, *spatial, channels)
    return tuple(entries[axis] for axis in LAYOUTS[layout].from_channels_last)


def _size_code(axis: AxisGeometry, position: int) -> str:
    """An unknown output size, ``(i - 1) s + surplus``, as code that asks x for ``i``."""
    size = f"tf.shape(x)[{position}]"
    rest = axis.surplus - axis.stride
    product = f"{size} * {axis.stride}" if axis.stride > 1 else size
    return product if rest == 0 else f"{product} {'+' if rest > 0 else '-'} {abs(rest)}"
