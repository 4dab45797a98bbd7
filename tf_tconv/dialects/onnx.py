"""The ONNX operator `ConvTranspose`, in plain numbers: onnx itself is never imported.

ONNX says with `pads` what is cut off before and after, each for itself, so it says everything that
TensorFlow does. Its `auto_pad` is read as the operator's specification has it:

* the total to cut is ``s (i - 1) + output_padding + k' - output_shape``, where `output_shape` is
  ``i s`` for SAME_UPPER and SAME_LOWER if not given; nothing is cut where the total is negative;
* SAME_UPPER cuts the odd cell at the end, as TensorFlow does, and every other `auto_pad` at the
  beginning; `pads` are not read where `output_shape` is given.

`to_arguments` never uses `auto_pad`: runtimes differ in it where the kernel is smaller than the
stride.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tf_tconv.dialects.operation import TransposedAxis, solve
from tf_tconv.dialects.pairs import (
    Sides,
    axis_name,
    check_input_size,
    check_optional_pair,
    check_pair,
    is_sequence,
)
from tf_tconv.dialects.translation import Translation, adds_zeros, finish, format_call
from tf_tconv.dialects.weights import (
    CHANNELS_FIRST_AXES,
    Array,
    channels_first_to_neutral,
    neutral_to_channels_first,
)
from tf_tconv.geometry import (
    AxisNames,
    brief,
    check_integer,
    check_name,
    default_surplus,
    effective_kernel_size,
    split_padding,
    with_article,
)
from tf_tconv.operation import TransposedConvolution

CALLEE = "ConvTranspose"
AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
DEFAULTS = {
    "strides": [1, 1],
    "dilations": [1, 1],
    "pads": [0, 0, 0, 0],
    "output_padding": [0, 0],
    "group": 1,
}
_DECODERS: dict[
    int, Callable[[Any], Any]
] = {  # By AttributeProto.AttributeType, whose numbers are part of ONNX' file format.
    2: lambda attribute: attribute.i,
    3: lambda attribute: attribute.s.decode(),
    7: lambda attribute: list(attribute.ints),
}


def from_arguments(
    *,
    kernel_shape: Any,
    strides: Any = 1,
    pads: Any = None,
    auto_pad: str = "NOTSET",
    output_padding: Any = 0,
    output_shape: Any = None,
    dilations: Any = 1,
    group: int = 1,
    bias: bool = True,
    in_channels: int | None = None,
    out_channels: int | None = None,
    input_size: Any = None,
) -> TransposedConvolution:
    """The operation that a `ConvTranspose` node performs with these attributes.

    Args:
        kernel_shape: taps, an integer or [height, width].
        strides: cells, an integer or [height, width].
        pads: [top, left, bottom, right] cells cut off; not with `auto_pad`, not read with
            `output_shape`.
        auto_pad: "NOTSET", "SAME_UPPER", "SAME_LOWER" or "VALID".
        output_padding: cells that stay at the end, an integer or [height, width]; below the stride
            or the dilation.
        output_shape: [height, width] of the output; needs `input_size`.
        dilations: cells, an integer or [height, width].
        group: number of channel groups.
        bias: whether the node has the input B.
        in_channels: or `None` where unknown.
        out_channels: or `None` where unknown.
        input_size: [height, width], or `None`; needed with `output_shape` only.

    Returns:
        The `TransposedConvolution`, of "NCHW" images.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or attributes that contradict each other.

    Example:
        >>> from_arguments(kernel_shape=3, strides=2, auto_pad="SAME_UPPER").crops
        ((0, 1), (0, 1))
        >>> from_arguments(kernel_shape=3, strides=2, auto_pad="SAME_LOWER").crops
        ((1, 0), (1, 0))

    Source:
        https://onnx.ai/onnx/operators/onnx__ConvTranspose.html, version 22.
    """
    kernel_shape = check_pair("kernel_shape", kernel_shape)
    strides, dilations = check_pair("strides", strides), check_pair("dilations", dilations)
    output_padding = check_pair("output_padding", output_padding, 0)
    input_size = check_input_size(input_size)
    output_shape = check_optional_pair("output_shape", output_shape, 0)
    auto_pad = check_name("auto_pad", auto_pad, AUTO_PADS)
    if pads is not None and auto_pad != "NOTSET":
        raise ValueError(
            f'pads={brief(pads)} and auto_pad="{auto_pad}" both fix the padding; give at most one '
            "of them."
        )
    sides = _check_pads(pads)
    axes = []
    for axis in (0, 1):
        kernel, stride, dilation = kernel_shape[axis], strides[axis], dilations[axis]
        kept = check_integer(
            f"output_padding[{axis}]", output_padding[axis], 0, max(stride, dilation) - 1
        )
        cells = input_size and input_size[axis]
        if output_shape is None and not auto_pad.startswith("SAME"):
            names = AxisNames(padding=f"pads of the {axis_name(axis)}", unit=axis_name(axis))
            axes.append(
                solve(
                    kernel,
                    stride,
                    dilation,
                    sides[axis],
                    input_size=cells,
                    output_padding=kept,
                    names=names,
                )
            )
            continue
        effective = effective_kernel_size(kernel, dilation)
        if output_shape is None:
            surplus = default_surplus(effective, stride, "SAME")
        elif cells is None:
            raise ValueError(
                f"output_shape={list(output_shape)} decides the padding only together with the "
                "input size, and that is unknown; give input_size."
            )
        else:
            surplus = output_shape[axis] - (cells - 1) * stride
        before, after = split_padding(effective + kept, surplus, "SAME")
        if auto_pad != "SAME_UPPER":
            before = after
        axes.append(
            TransposedAxis(kernel, stride, dilation, before, effective - surplus - before, cells)
        )
    return TransposedConvolution.from_axes(
        axes,
        groups=group,
        in_channels=in_channels,
        out_channels=out_channels,
        use_bias=bias,
        data_format="NCHW",
    )


def from_node(
    node: Any, *, weights_shape: Sequence[int] | None = None, input_size: Any = None
) -> TransposedConvolution:
    """The operation of a `ConvTranspose` node.

    Args:
        node: an `onnx.NodeProto`.
        weights_shape: shape of the node's input W, for the channels and for a node that has no
            `kernel_shape`.
        input_size: [height, width], or `None`; needed with `output_shape` only.

    Returns:
        The `TransposedConvolution`.

    Raises:
        TypeError: another object.
        ValueError: another operator, an attribute that the operator lacks, or a convolution that is
            not of two axes.

    Example:
        >>> import onnx  # doctest: +SKIP
        >>> node = onnx.helper.make_node(
        ...     "ConvTranspose", ["X", "W"], ["Y"], strides=[2, 2]
        ... )  # doctest: +SKIP
        >>> from_node(node, weights_shape=(4, 6, 3, 3)).out_channels  # doctest: +SKIP
        6
    """
    if type(node).__name__ != "NodeProto":
        raise TypeError(f"node is of type {type(node).__name__}; it must be an onnx.NodeProto.")
    if node.op_type != CALLEE:
        raise ValueError(
            f'node "{node.name}" is {with_article(node.op_type)}; it must be a {CALLEE}.'
        )
    if node.domain not in ("", "ai.onnx"):
        raise ValueError(
            f'node "{node.name}" is the {CALLEE} of domain "{node.domain}"; it must be that of '
            "ONNX itself."
        )
    attributes = {}
    known = ("kernel_shape", "output_shape", "auto_pad", *DEFAULTS)
    for attribute in node.attribute:
        name = check_name(f'attribute of node "{node.name}"', attribute.name, known)
        if attribute.type not in _DECODERS:
            raise ValueError(
                f'attribute {name} of node "{node.name}" is of type {attribute.type}; it must be '
                "an integer, integers or a string."
            )
        attributes[name] = _DECODERS[attribute.type](attribute)
    if weights_shape is not None:
        taps = list(weights_shape)[2:]
        if len(taps) != 2:
            raise ValueError(
                f'node "{node.name}" convolves over {len(taps)} axes, its weights having the shape '
                f"{list(weights_shape)}; only two axes, height and width, are supported."
            )
        if attributes.setdefault("kernel_shape", taps) != taps:
            raise ValueError(
                f'kernel_shape={attributes["kernel_shape"]} of node "{node.name}" is not that of '
                f"its weights, {taps}."
            )
        attributes["in_channels"] = weights_shape[0]
        attributes["out_channels"] = weights_shape[1] * attributes.get("group", 1)
    elif "kernel_shape" not in attributes:
        raise ValueError(
            f'node "{node.name}" has no kernel_shape; give weights_shape, the shape of its input W.'
        )
    bias = len(node.input) > 2 and node.input[2] != ""
    return from_arguments(**attributes, bias=bias, input_size=input_size)


def to_arguments(operation: TransposedConvolution, *, strict: bool = False) -> Translation:
    """The attributes of a `ConvTranspose` node for an operation.

    Args:
        operation: the operation.
        strict: whether to raise where a `Pad` has to follow the node: for zeros before the first
            product, or a stride or more of them after the last.

    Returns:
        The `Translation`; `arguments` are the attributes, and the images are "NCHW", as always with
        ONNX. Its lines after the call make a second node, which takes the first one's output.

    Raises:
        ValueError: the node alone does not say it, and `strict`.

    Example:
        >>> operation = TransposedConvolution(kernel_size=3, strides=2, crops=((0, 1), (0, 1)))
        >>> print(to_arguments(operation).text)
        onnx.helper.make_node("ConvTranspose", ["X", "W", "B"], ["Y"], kernel_shape=[3, 3], \
strides=[2, 2], pads=[0, 0, 1, 1])
    """
    pads, output_padding = [], []
    for axis, (before, after) in zip(operation.axes, operation.crops, strict=True):
        pads.append((max(before, 0), max(after, 0)))
        # Runtimes want it below the stride, whatever the dilation.
        output_padding.append(min(max(-after, 0), axis.stride - 1))
    (top, bottom), (left, right) = pads
    arguments = {
        "kernel_shape": list(operation.kernel_size),
        "strides": list(operation.strides),
        "dilations": list(operation.dilations),
        "pads": [top, left, bottom, right],
        "output_padding": output_padding,
        "group": operation.groups,
    }
    said = ((top, bottom - output_padding[0]), (left, right - output_padding[1]))
    bias = operation.use_bias and not adds_zeros(operation.crops, said)
    inputs = '["X", "W", "B"]' if bias else '["X", "W"]'
    return finish(
        CALLEE,
        arguments,
        format_call("onnx.helper.make_node", [f'"{CALLEE}"', inputs, '["Y"]'], arguments, DEFAULTS),
        "NCHW",
        CHANNELS_FIRST_AXES,
        crops=operation.crops,
        said=said,
        rule="pads are of at least 0, and output_padding is less than the stride",
        strict=strict,
        pad_line=_pad_node,
        bias_line=_BIAS_NODE if operation.use_bias else "",
    )


def from_weights(weights: Any, *, groups: int = 1) -> Array:
    """A node's input W, `[in, out/groups, height, width]`, as `[height, width, out/groups, in]`.

    Args:
        weights: an array; of an initializer `onnx.numpy_helper.to_array(initializer)`.
        groups: number of channel groups.

    Returns:
        The kernel in the neutral layout, a view.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> from_weights(np.zeros([4, 6, 3, 5])).shape
        (3, 5, 6, 4)
    """
    return channels_first_to_neutral(weights, groups)


def to_weights(kernel: Any, *, groups: int = 1) -> Array:
    """`[height, width, out/groups, in]` as a node's input W, `[in, out/groups, height, width]`.

    Args:
        kernel: an array in the neutral layout.
        groups: number of channel groups.

    Returns:
        The weights, a view.

    Raises:
        ValueError: another rank, or channels that `groups` does not divide.

    Example:
        >>> import numpy as np
        >>> to_weights(np.zeros([3, 5, 6, 4])).shape
        (4, 6, 3, 5)
    """
    return neutral_to_channels_first(kernel, groups)


def _check_pads(pads: Any) -> tuple[Sides, ...]:
    if pads is None:
        return (0, 0), (0, 0)
    if not is_sequence(pads) or len(pads) != 4:
        raise ValueError(
            f"pads={brief(pads)} must be 4 integers of at least 0, [top, left, bottom, right]."
        )
    top, left, bottom, right = (
        check_integer(f"pads[{index}]", cells, 0) for index, cells in enumerate(pads)
    )
    return (top, bottom), (left, right)


_BIAS_NODE = 'onnx.helper.make_node("Add", ["Z", "bias"], ["Z_bias"])  # bias: B as [out, 1, 1]'


def _pad_node(zeros: tuple[Sides, ...]) -> str:
    (top, bottom), (left, right) = zeros
    return (
        'onnx.helper.make_node("Pad", ["Y", "zeros"], ["Z"])  '
        f"# zeros: the int64 tensor {[0, 0, top, left, 0, 0, bottom, right]}"
    )
