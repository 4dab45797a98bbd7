"""`jax.lax.conv_transpose` and `jax.lax.conv_general_dilated`, in plain numbers.

JAX convolves the dilated input with the kernel as it stands, so its explicit padding is the zeros
of the zero-insertion form, `lead` and `trail`, and may be negative: it says every operation. What
it does not do by itself is the flip: a kernel has to be reversed, unless `conv_transpose` is called
with ``transpose_kernel=True``. Every function here takes that argument, and its default is JAX's.

An axis of no cells stays one of no cells when JAX dilates it, so that its result is ``stride - 1``
cells larger than the definition's.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.dialects.operation import TransposedAxis, solve
from tf_tconv.dialects.pairs import check_input_size, check_pair, is_sequence
from tf_tconv.dialects.translation import Translation, finish, format_call
from tf_tconv.dialects.weights import NEUTRAL_AXES, Array, check_weights
from tf_tconv.geometry import (
    AxisGeometry,
    Padding,
    brief,
    check_name,
    effective_kernel_size,
)
from tf_tconv.layouts import NAMES_BY_RANK
from tf_tconv.operation import TransposedConvolution, check_signed, with_crops

CALLEES = {
    "conv_transpose": "jax.lax.conv_transpose",
    "conv_general_dilated": "jax.lax.conv_general_dilated",
}
REVERSED_AXES = "[height, width, in/groups, out]"
TRANSPOSE_KERNEL = False
"""The default of every `transpose_kernel` here: a call and the weights for it belong together."""

KERNEL_AXES = "HWIO"
DEFAULTS: dict[str, dict[str, Any]] = {
    "conv_transpose": {
        "rhs_dilation": (1, 1),
        "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
        "transpose_kernel": TRANSPOSE_KERNEL,
    },
    "conv_general_dilated": {"rhs_dilation": (1, 1), "feature_group_count": 1},
}


def from_arguments(
    *,
    kernel_size: Any,
    strides: Any,
    padding: Any,
    rhs_dilation: Any = 1,
    dimension_numbers: Any = None,
    transpose_kernel: bool = TRANSPOSE_KERNEL,
    use_consistent_padding: bool = False,
    in_channels: int | None = None,
    out_channels: int | None = None,
    input_size: Any = None,
) -> TransposedConvolution:
    """The operation that `jax.lax.conv_transpose` performs with these arguments.

    Args:
        kernel_size: taps, an integer or (height, width).
        strides: cells, an integer or (height, width).
        padding: "SAME" or "VALID" of the forward convolution, or a pair (before, after) of zeros an
            axis, negative for cells to crop.
        rhs_dilation: cells between taps, an integer or (height, width); `None` means 1.
        dimension_numbers: such as ("NHWC", "HWIO", "NHWC"), which `None` means; the images may be
            NHWC or NCHW.
        transpose_kernel: how the weights are to be read, see `from_weights`; the operation is the
            same.
        use_consistent_padding: whether pairs, too, are the padding of the forward convolution.
        in_channels: or `None` where unknown.
        out_channels: or `None` where unknown.
        input_size: (height, width), or `None`.

    Returns:
        The `TransposedConvolution`, without a bias.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range.

    Example:
        >>> from_arguments(kernel_size=3, strides=2, padding="SAME").crops
        ((0, 1), (0, 1))
        >>> from_arguments(kernel_size=3, strides=2, padding=((2, 1), (2, 1))).crops
        ((0, 1), (0, 1))

    Source:
        https://docs.jax.dev/en/latest/_autosummary/jax.lax.conv_transpose.html.
    """
    kernel_size, strides = check_pair("kernel_size", kernel_size), check_pair("strides", strides)
    dilations = check_pair("rhs_dilation", 1 if rhs_dilation is None else rhs_dilation)
    input_size = check_input_size(input_size)
    axes = []
    for axis in (0, 1):
        geometry = (kernel_size[axis], strides[axis], dilations[axis])
        cells = input_size and input_size[axis]
        side = _axis_padding(padding, axis)
        if isinstance(side, str):
            found = solve(*geometry, side, input_size=cells)
        elif use_consistent_padding:
            found = TransposedAxis(*geometry, *side, cells)
        else:
            found = _from_zeros(*geometry, *side, cells)
        axes.append(with_crops(found, found.pad_before, found.pad_after - _more_cells(found)))
    return TransposedConvolution.from_axes(
        axes,
        in_channels=in_channels,
        out_channels=out_channels,
        use_bias=False,
        data_format=_layout(dimension_numbers, "NHWC"),
    )


def from_general_arguments(
    *,
    kernel_size: Any,
    padding: Any,
    lhs_dilation: Any = 1,
    rhs_dilation: Any = 1,
    window_strides: Any = 1,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    in_channels: int | None = None,
    out_channels: int | None = None,
    input_size: Any = None,
) -> TransposedConvolution:
    """The transposed convolution that a call of `jax.lax.conv_general_dilated` is.

    Args:
        kernel_size: taps, an integer or (height, width).
        padding: a pair (before, after) of zeros an axis, negative for cells to crop.
        lhs_dilation: the transposed convolution's stride, an integer or (height, width); `None`
            means 1.
        rhs_dilation: cells between taps, an integer or (height, width); `None` means 1.
        window_strides: must be 1, as a transposed convolution has no other.
        dimension_numbers: such as ("NCHW", "OIHW", "NCHW"), which `None` means; the images may be
            NHWC or NCHW.
        feature_group_count: number of channel groups.
        in_channels: or `None` where unknown.
        out_channels: or `None` where unknown.
        input_size: (height, width), or `None`.

    Returns:
        The `TransposedConvolution`, without a bias.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range.

    Example:
        >>> from_general_arguments(
        ...     kernel_size=3, padding=((2, 1), (2, 1)), lhs_dilation=(2, 2)
        ... ).crops
        ((0, 1), (0, 1))

    Source:
        https://docs.jax.dev/en/latest/_autosummary/jax.lax.conv_general_dilated.html.
    """
    kernel_size = check_pair("kernel_size", kernel_size)
    strides = check_pair("lhs_dilation", 1 if lhs_dilation is None else lhs_dilation)
    dilations = check_pair("rhs_dilation", 1 if rhs_dilation is None else rhs_dilation)
    input_size = check_input_size(input_size)
    if check_pair("window_strides", window_strides) != (1, 1):
        raise ValueError(
            f"window_strides={brief(window_strides)} must be 1: a convolution of larger steps is "
            "not a transposed one."
        )
    axes = []
    for axis in (0, 1):
        side = _axis_padding(padding, axis)
        if isinstance(side, str):
            raise ValueError(
                f'padding="{padding}" is not how JAX pads a dilated input; it must be a pair '
                "(before, after) an axis."
            )
        cells = input_size and input_size[axis]
        found = _from_zeros(kernel_size[axis], strides[axis], dilations[axis], *side, cells)
        axes.append(with_crops(found, found.pad_before, found.pad_after - _more_cells(found)))
    return TransposedConvolution.from_axes(
        axes,
        groups=feature_group_count,
        in_channels=in_channels,
        out_channels=out_channels,
        use_bias=False,
        data_format=_layout(dimension_numbers, "NCHW"),
    )


def to_arguments(
    operation: TransposedConvolution,
    *,
    function: str | None = None,
    transpose_kernel: bool = TRANSPOSE_KERNEL,
    data_format: str | None = None,
    strict: bool = False,
) -> Translation:
    """The call of a JAX function for an operation, for weights from `to_weights`.

    It needs no crop after it, except where `input_size` says that an axis has no cells.

    Args:
        operation: the operation.
        function: "conv_transpose", "conv_general_dilated", or `None` for the first where there is
            one group, since it takes no more.
        transpose_kernel: whether `conv_transpose` is to reverse the kernel and to swap its
            channels, which lets it take TensorFlow's kernel as it is; `to_weights` must be told
            the same.
        data_format: "NHWC" or "NCHW"; `None` for that of the operation.
        strict: whether to raise where JAX needs a crop after the call.

    Returns:
        The `Translation`. A bias is not part of the call.

    Raises:
        ValueError: `conv_transpose` is asked for groups, or `conv_general_dilated` for
            `transpose_kernel`; or a crop is needed, and `strict`.

    Example:
        >>> operation = TransposedConvolution(kernel_size=3, strides=2, crops=((0, 1), (0, 1)))
        >>> print(to_arguments(operation).text)
        jax.lax.conv_transpose(x, w, strides=(2, 2), padding=((2, 1), (2, 1)))
        >>> print(to_arguments(operation, transpose_kernel=True).text)
        jax.lax.conv_transpose(x, w, strides=(2, 2), padding=((2, 1), (2, 1)), \
transpose_kernel=True)
    """
    if function is None:
        function = "conv_transpose" if operation.groups == 1 else "conv_general_dilated"
    function = check_name("function", function, CALLEES)
    layout = operation.data_format
    if data_format is not None:
        layout = check_name("data_format", data_format, NAMES_BY_RANK[2])
    padding = tuple((axis.lead, axis.trail) for axis in operation.axes)
    dimension_numbers = (layout, "HWIO", layout)
    arguments: dict[str, Any]
    if function == "conv_general_dilated":
        if transpose_kernel:
            raise ValueError(
                f"transpose_kernel=True is not an argument of {CALLEES[function]}; it must be "
                'False there, or function "conv_transpose", which has one group.'
            )
        arguments = {
            "window_strides": (1, 1),
            "padding": padding,
            "lhs_dilation": operation.strides,
            "rhs_dilation": operation.dilations,
            "dimension_numbers": dimension_numbers,
            "feature_group_count": operation.groups,
        }
    elif operation.groups > 1:
        raise ValueError(
            f"{CALLEES[function]} has no groups, and the operation has {operation.groups}; "
            'function="conv_general_dilated" has them.'
        )
    else:
        arguments = {
            "strides": operation.strides,
            "padding": padding,
            "rhs_dilation": operation.dilations,
            "dimension_numbers": dimension_numbers,
            "transpose_kernel": bool(transpose_kernel),
        }
    callee = CALLEES[function]
    rows, columns = (
        (before, after - _more_cells(axis))
        for axis, (before, after) in zip(operation.axes, operation.crops, strict=True)
    )
    return finish(
        callee,
        arguments,
        format_call(callee, ["x", "w"], arguments, DEFAULTS[function]),
        layout,
        NEUTRAL_AXES if arguments.get("transpose_kernel") else f"{REVERSED_AXES}, reversed",
        crops=operation.crops,
        said=(rows, columns),
        rule="of an axis without cells it makes stride - 1 cells more than the definition",
        strict=strict,
        pad_line=str,
    )


def from_weights(
    weights: Any,
    *,
    groups: int = 1,
    transpose_kernel: bool = TRANSPOSE_KERNEL,
    dimension_numbers: Any = None,
) -> Array:
    """A JAX kernel as `[height, width, out/groups, in]`.

    Args:
        weights: `[height, width, in/groups, out]`, as `conv_transpose` takes it; with
            `transpose_kernel`, `[height, width, out, in]`.
        groups: number of channel groups, `feature_group_count`.
        transpose_kernel: whether the kernel is for `conv_transpose` with this argument, which then
            takes the neutral layout.
        dimension_numbers: such as ("NHWC", "HWIO", "NHWC"), which `None` means; the second string
            says the order of the kernel's axes. Of a call of `conv_general_dilated` give it, or
            take `from_general_weights`, since `None` means ("NCHW", "OIHW", "NCHW") there.

    Returns:
        The kernel in the neutral layout, reversed unless `transpose_kernel`.

    Raises:
        ValueError: another rank, channels that `groups` does not divide, or groups with
            `transpose_kernel`.

    Example:
        >>> import numpy as np
        >>> from_weights(np.zeros([3, 5, 4, 6])).shape
        (3, 5, 6, 4)
        >>> from_weights(np.arange(3.0).reshape(3, 1, 1, 1)).ravel()
        array([2., 1., 0.])
    """
    order = KERNEL_AXES
    if dimension_numbers is not None:
        _layout(dimension_numbers, "")
        order = _kernel_axes(dimension_numbers)
    positions = [order.index(axis) for axis in KERNEL_AXES]
    if transpose_kernel:
        _check_single_group(groups)
        # What JAX calls O is the input of a transposed convolution.
        axes = "[height, width, out/groups, in]" if order == KERNEL_AXES else order
        return check_weights("weights", weights, axes, positions[3], 1).transpose(positions)
    axes = REVERSED_AXES if order == KERNEL_AXES else order
    array = check_weights("weights", weights, axes, positions[3], groups).transpose(positions)
    height, width, group_in, out = array.shape
    split = array[::-1, ::-1].reshape(height, width, group_in, groups, out // groups)
    return split.transpose(0, 1, 4, 3, 2).reshape(height, width, out // groups, groups * group_in)


def from_general_weights(weights: Any, *, groups: int = 1, dimension_numbers: Any = None) -> Array:
    """A kernel of `jax.lax.conv_general_dilated` as `[height, width, out/groups, in]`.

    Args:
        weights: `[out, in/groups, height, width]`, or in the order of `dimension_numbers`.
        groups: number of channel groups, `feature_group_count`.
        dimension_numbers: such as ("NCHW", "OIHW", "NCHW"), which `None` means, as in
            `from_general_arguments`.

    Returns:
        The kernel in the neutral layout, reversed.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> from_general_weights(np.zeros([6, 4, 3, 5])).shape
        (3, 5, 6, 4)
    """
    if dimension_numbers is None:
        dimension_numbers = ("NCHW", "OIHW", "NCHW")
    return from_weights(weights, groups=groups, dimension_numbers=dimension_numbers)


def to_weights(kernel: Any, *, groups: int = 1, transpose_kernel: bool = TRANSPOSE_KERNEL) -> Array:
    """`[height, width, out/groups, in]` as a JAX kernel.

    Args:
        kernel: an array in the neutral layout.
        groups: number of channel groups, `feature_group_count`.
        transpose_kernel: whether it is for `conv_transpose` with this argument, as `to_arguments`
            writes the call; it then takes the neutral layout.

    Returns:
        `[height, width, in/groups, out]`, reversed; or the same array with `transpose_kernel`.

    Raises:
        ValueError: another rank, channels that `groups` does not divide, or groups with
            `transpose_kernel`.

    Example:
        >>> import numpy as np
        >>> to_weights(np.zeros([3, 5, 6, 4])).shape
        (3, 5, 4, 6)
    """
    array = check_weights("kernel", kernel, NEUTRAL_AXES, 3, groups)
    if transpose_kernel:
        _check_single_group(groups)
        return array
    height, width, group_out, channels = array.shape
    split = array[::-1, ::-1].reshape(height, width, group_out, groups, channels // groups)
    return split.transpose(0, 1, 4, 3, 2).reshape(
        height, width, channels // groups, groups * group_out
    )


def _more_cells(axis: AxisGeometry) -> int:
    """By how many cells JAX' result is larger than ``(i - 1) s + surplus``: see the module."""
    return axis.stride - 1 if axis.input_size == 0 else 0


def _kernel_axes(dimension_numbers: Any) -> str:
    """The order of the kernel's axes, such as "OIHW"."""
    order = dimension_numbers[1]
    if not isinstance(order, str) or sorted(order) != sorted(KERNEL_AXES):
        raise ValueError(
            f"dimension_numbers[1]={brief(order)} must be the letters H, W, I and O in the order "
            'of the kernel\'s axes, such as "HWIO".'
        )
    return order


def _check_single_group(groups: int) -> None:
    if groups != 1:
        raise ValueError(
            f"groups={groups} and transpose_kernel=True do not go together: "
            f"{CALLEES['conv_transpose']} has no groups."
        )


def _layout(dimension_numbers: Any, default: str) -> str:
    """The layout of the images, which has to be that of the result."""
    if dimension_numbers is None:
        return default
    if (
        not is_sequence(dimension_numbers)
        or len(dimension_numbers) != 3
        or dimension_numbers[0] != dimension_numbers[2]
    ):
        raise ValueError(
            f"dimension_numbers={brief(dimension_numbers)} must be three strings such as "
            '("NHWC", "HWIO", "NHWC"), the first and the last equal.'
        )
    _kernel_axes(dimension_numbers)
    return check_name("dimension_numbers[0]", dimension_numbers[0], NAMES_BY_RANK[2])


def _axis_padding(padding: Any, axis: int) -> Padding:
    legal = '"SAME", "VALID" or a pair (before, after) an axis'
    if isinstance(padding, str):
        return check_name("padding", padding, ("SAME", "VALID"), "a pair (before, after) an axis")
    if not is_sequence(padding) or len(padding) != 2:
        raise ValueError(f"padding={brief(padding)} must be {legal}.")
    pair = padding[axis]
    if not is_sequence(pair) or len(pair) != 2:
        raise ValueError(f"padding[{axis}]={brief(pair)} must be a pair (before, after).")
    before, after = (
        check_signed(f"padding[{axis}][{side}]", cells) for side, cells in enumerate(pair)
    )
    return before, after


def _from_zeros(
    kernel_size: int, stride: int, dilation: int, lead: int, trail: int, input_size: int | None
) -> AxisGeometry:
    """The axis with `lead` and `trail` zeros around its dilated input."""
    # A side's zeros are what the kernel reaches over it less what is cut off there.
    reach = effective_kernel_size(kernel_size, dilation) - 1
    return TransposedAxis(kernel_size, stride, dilation, reach - lead, reach - trail, input_size)
