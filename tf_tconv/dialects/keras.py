"""`keras.layers.Conv2DTranspose` and `tf_tconv.Conv2DTranspose`, in plain numbers.

The two layers take the same arguments; only the second takes `groups`, explicit `padding` and
`strides` together with `dilation_rate`. Keras' own says "same" and "valid" alone, so a padding that
is neither becomes a "valid" layer and a `Cropping2D` after it.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.dialects.operation import solve, solve_both
from tf_tconv.dialects.paddings import KERAS
from tf_tconv.dialects.pairs import (
    Pair,
    Sides,
    axis_name,
    check_input_size,
    check_optional_pair,
    check_pair,
    is_sequence,
)
from tf_tconv.dialects.translation import Translation, adds_zeros, collapsed, finish, format_call
from tf_tconv.dialects.weights import NEUTRAL_AXES, Array, check_weights
from tf_tconv.geometry import (
    AxisGeometry,
    AxisNames,
    brief,
    check_name,
    check_padding,
    default_surplus,
    entry_count,
    lowest_surplus,
)
from tf_tconv.operation import TransposedConvolution, with_input

CALLEES = {"keras": "keras.layers.Conv2DTranspose", "tf_tconv": "tf_tconv.Conv2DTranspose"}
LAYOUTS = {"channels_last": "NHWC", "channels_first": "NCHW"}
DEFAULTS = {
    "strides": 1,
    "padding": "valid",
    "output_padding": None,
    "data_format": "channels_last",
    "dilation_rate": 1,
    "use_bias": True,
    "groups": 1,
}


def from_arguments(
    *,
    kernel_size: Any,
    filters: int | None = None,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
    use_bias: bool = True,
    groups: int = 1,
    in_channels: int | None = None,
    input_size: Any = None,
    output_size: Any = None,
) -> TransposedConvolution:
    """The operation that a `Conv2DTranspose` layer, Keras' or ours, performs with these arguments.

    Args:
        kernel_size: taps, an integer or (height, width).
        filters: output channels, or `None` where unknown.
        strides: cells, an integer or (height, width).
        padding: "valid", "same", or ((top, bottom), (left, right)).
        output_padding: an integer or (height, width) below the stride; `None` for the default size.
        data_format: "channels_last" or "channels_first"; `None` means the first.
        dilation_rate: cells, an integer or (height, width).
        use_bias: whether there is one.
        groups: number of channel groups.
        in_channels: or `None` where unknown.
        input_size: (height, width), or `None`; needed with `output_size` only.
        output_size: (height, width) as in a call of our layer, in place of `output_padding`.

    Returns:
        The `TransposedConvolution`.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or an output size that the layer does not reach.

    Example:
        >>> from_arguments(kernel_size=3, strides=2, padding="same").crops
        ((0, 1), (0, 1))

    Source:
        https://keras.io/api/layers/convolution_layers/convolution2d_transpose.
    """
    kernel_size = check_pair("kernel_size", kernel_size)
    strides, dilations = check_pair("strides", strides), check_pair("dilation_rate", dilation_rate)
    output_padding = check_optional_pair("output_padding", output_padding, 0)
    input_size = check_input_size(input_size)
    output_size = check_optional_pair("output_size", output_size, 0)
    if data_format is not None:
        data_format = check_name("data_format", data_format, LAYOUTS)
    named = not is_sequence(padding)
    if named:
        padding = check_name(
            "padding", padding, ("valid", "same"), "((top, bottom), (left, right))"
        )
    elif len(padding) != 2:
        raise ValueError(
            f"padding={brief(padding)} has {entry_count(padding)}; explicit padding is "
            "((top, bottom), (left, right)), integers of at least 0."
        )

    def solve_one(axis: int) -> AxisGeometry:
        argument = "padding" if named else f"padding[{axis}]"
        return solve(
            kernel_size[axis],
            strides[axis],
            dilations[axis],
            check_padding(padding if named else padding[axis], argument),
            input_size=input_size and input_size[axis],
            output_size=output_size and output_size[axis],
            output_padding=output_padding and output_padding[axis],
            names=AxisNames(f"output_size[{axis}]", argument, axis_name(axis)),
        )

    axes = solve_both(solve_one, KERAS)
    return TransposedConvolution.from_axes(
        axes,
        groups=groups,
        in_channels=in_channels,
        out_channels=filters,
        use_bias=use_bias,
        data_format=LAYOUTS[data_format or "channels_last"],
    )


def from_layer(layer: Any, *, input_size: Any = None) -> TransposedConvolution:
    """The operation of a `keras.layers.Conv2DTranspose` or `tf_tconv.Conv2DTranspose`.

    Args:
        layer: the layer; its input channels are known once it is built.
        input_size: (height, width), or `None`.

    Returns:
        The `TransposedConvolution`.

    Raises:
        TypeError: another object.

    Example:
        >>> import tf_tconv
        >>> from_layer(tf_tconv.Conv2DTranspose(8, 3, strides=2, padding="same")).crops
        ((0, 1), (0, 1))
    """
    if not any(base.__name__ == "Conv2DTranspose" for base in type(layer).__mro__):
        raise TypeError(
            f"layer is of type {type(layer).__name__}; it must be a "
            f"{' or a '.join(CALLEES.values())}."
        )
    return from_arguments(
        kernel_size=layer.kernel_size,
        filters=layer.filters,
        strides=layer.strides,
        padding=layer.padding,
        output_padding=layer.output_padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
        use_bias=layer.use_bias,
        groups=getattr(layer, "groups", 1),
        in_channels=layer.kernel.shape[3] if layer.built else None,
        input_size=input_size,
    )


def to_arguments(
    operation: TransposedConvolution,
    *,
    layer: str = "keras",
    data_format: str | None = None,
    strict: bool = False,
) -> Translation:
    """The call of a `Conv2DTranspose` layer for an operation, and the crop to follow it.

    Args:
        operation: the operation.
        layer: "keras" for `keras.layers.Conv2DTranspose`, "tf_tconv" for ours.
        data_format: "channels_last" or "channels_first"; `None` for that of the operation.
        strict: whether to raise where the layer needs a crop, or zeros, after it.

    Returns:
        The `Translation`.

    Raises:
        ValueError: Keras' layer is asked for groups or for a stride with dilation, which no crop
            makes up for; or a crop is needed, and `strict`.

    Example:
        >>> operation = TransposedConvolution(kernel_size=3, strides=2, crops=((1, 0), (1, 0)))
        >>> print(to_arguments(operation).text)
        keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=2)
        y = keras.layers.Cropping2D(((1, 0), (1, 0)))(y)
        >>> print(to_arguments(operation, layer="tf_tconv").text)
        tf_tconv.Conv2DTranspose(filters, kernel_size=3, strides=2, padding=((1, 0), (1, 0)))
    """
    layer = check_name("layer", layer, CALLEES)
    callee = CALLEES[layer]
    layout = _layout(operation, data_format)
    rule = 'padding is "same" or "valid", and output_padding is less than the stride'
    if layer == "tf_tconv":
        rule = "padding is of at least 0, and output_padding is less than the stride or dilation"
    elif operation.groups > 1:
        raise ValueError(
            f"{callee} has no groups, and the operation has {operation.groups}; "
            'layer="tf_tconv" has them.'
        )
    elif max(operation.strides) > 1 and max(operation.dilations) > 1:
        raise ValueError(
            f"{callee} takes no strides with a dilation_rate, and the operation has strides "
            f'{operation.strides} and dilations {operation.dilations}; layer="tf_tconv" takes both.'
        )
    padding, output_padding, said = _named_padding(operation) or (
        _explicit_padding(operation) if layer == "tf_tconv" else _valid_padding(operation)
    )
    arguments: dict[str, Any] = {
        "filters": operation.out_channels,
        "kernel_size": operation.kernel_size,
        "strides": operation.strides,
        "padding": padding,
        "output_padding": output_padding,
        "data_format": layout,
        "dilation_rate": operation.dilations,
        "use_bias": operation.use_bias and not adds_zeros(operation.crops, said),
    }
    if layer == "tf_tconv":
        arguments["groups"] = operation.groups
    shown = {
        name: value if name == "padding" else collapsed(value)
        for name, value in list(arguments.items())[1:]
    }
    ending = f', data_format="{layout}"' if layout != DEFAULTS["data_format"] else ""
    return finish(
        callee,
        {name: value for name, value in arguments.items() if name != "filters" or value},
        format_call(callee, [operation.out_channels or "filters"], shown, DEFAULTS),
        LAYOUTS[layout],
        NEUTRAL_AXES,
        crops=operation.crops,
        said=said,
        rule=rule,
        strict=strict,
        pad_line=lambda zeros: f"y = keras.layers.ZeroPadding2D({zeros}{ending})(y)",
        crop_line=lambda crop: f"y = keras.layers.Cropping2D({crop}{ending})(y)",
        bias_line=(_BIAS_LINES[layout] if operation.use_bias else ""),
    )


def from_weights(weights: Any, *, groups: int = 1) -> Array:
    """A layer's kernel, `[height, width, out/groups, in]`, which is the neutral layout.

    Args:
        weights: an array; of a built layer `layer.get_weights()[0]`.
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
    """`[height, width, out/groups, in]` as a layer's kernel, which has that layout.

    Args:
        kernel: an array in the neutral layout.
        groups: number of channel groups.

    Returns:
        The layer's kernel: the same array.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> to_weights(np.zeros([3, 5, 6, 4])).shape
        (3, 5, 6, 4)
    """
    return check_weights("kernel", kernel, NEUTRAL_AXES, 3, groups)


_BIAS_LINES = {
    "channels_last": "y = y + bias",
    "channels_first": "y = y + keras.ops.reshape(bias, (-1, 1, 1))",
}

_Said = tuple[Any, Pair | None, tuple[Sides, ...]]
"""`padding`, `output_padding`, and the crops that the two come down to."""


def _named_padding(operation: TransposedConvolution) -> _Said | None:
    """What says it all by name: "same" or "valid", without `output_padding` if that goes."""
    for name in ("same", "valid"):
        if all(_says(axis, name.upper(), None) for axis in operation.axes):
            return name, None, operation.crops
    for name in ("valid", "same"):
        rows, columns = (
            axis.surplus - default_surplus(axis.effective_kernel, axis.stride, name.upper(), 0)
            for axis in operation.axes
        )
        kept = (rows, columns)
        if all(
            0 <= cells < axis.stride and _says(axis, name.upper(), cells)
            for axis, cells in zip(operation.axes, kept, strict=True)
        ):
            return name, kept, operation.crops
    return None


def _says(axis: AxisGeometry, padding: str, output_padding: int | None) -> bool:
    """Whether a named padding comes down to the axis' crops, and to a size that it may have."""
    solved = solve(
        axis.kernel_size, axis.stride, axis.dilation, padding, output_padding=output_padding
    )
    # Keras' formula can give "same" sizes that are not legal; on TensorFlow its layer fails there.
    legal = axis.surplus >= lowest_surplus(axis.effective_kernel, padding)
    return legal and solved == with_input(axis, None)


def _valid_padding(operation: TransposedConvolution) -> _Said:
    """No padding, and as many of the zeros after the last product as `output_padding` may be."""
    rows, columns = (min(max(-axis.pad_after, 0), axis.stride - 1) for axis in operation.axes)
    return (
        "valid",
        _or_default(operation, ((0, 0), (0, 0)), (rows, columns)),
        ((0, -rows), (0, -columns)),
    )


def _explicit_padding(operation: TransposedConvolution) -> _Said:
    """Explicit padding, and `output_padding` for zeros after the last product."""
    (top, bottom), (left, right) = (
        (max(before, 0), max(after, 0)) for before, after in operation.crops
    )
    rows, columns = (
        min(max(-axis.pad_after, 0), max(axis.stride, axis.dilation) - 1) for axis in operation.axes
    )
    padding = ((top, bottom), (left, right))
    said = ((top, bottom - rows), (left, right - columns))
    return padding, _or_default(operation, padding, (rows, columns)), said


def _or_default(
    operation: TransposedConvolution, padding: tuple[Sides, ...], output_padding: Pair
) -> Pair | None:
    """`output_padding`, or `None` where the default size is the same."""
    axes = zip(operation.axes, padding, output_padding, strict=True)
    default = all(
        default_surplus(axis.effective_kernel, axis.stride, sides)
        == default_surplus(axis.effective_kernel, axis.stride, sides, cells)
        for axis, sides, cells in axes
    )
    return None if default else output_padding


def _layout(operation: TransposedConvolution, data_format: str | None) -> str:
    if data_format is not None:
        return check_name("data_format", data_format, LAYOUTS)
    return next(name for name, layout in LAYOUTS.items() if layout == operation.data_format)
