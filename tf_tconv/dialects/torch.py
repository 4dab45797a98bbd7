"""`torch.nn.ConvTranspose2d`, in plain numbers: torch itself is never imported.

torch cuts `padding` cells off both sides and leaves `output_padding` of them standing after the
last, so it cuts no more after than before. TensorFlow's SAME, whose odd cell is cut after, is out
of its reach; then the nearest call is followed by a slice.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.dialects.operation import solve, solve_both
from tf_tconv.dialects.paddings import TORCH
from tf_tconv.dialects.pairs import axis_name, check_input_size, check_optional_pair, check_pair
from tf_tconv.dialects.translation import Translation, adds_zeros, collapsed, finish, format_call
from tf_tconv.dialects.weights import (
    CHANNELS_FIRST_AXES,
    Array,
    channels_first_to_neutral,
    neutral_to_channels_first,
)
from tf_tconv.geometry import AxisNames, check_integer, check_name
from tf_tconv.operation import TransposedConvolution

CALLEE = "torch.nn.ConvTranspose2d"
DEFAULTS = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "groups": 1,
    "bias": True,
    "dilation": 1,
}


def from_arguments(
    *,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    bias: bool = True,
    dilation: Any = 1,
    padding_mode: str = "zeros",
    in_channels: int | None = None,
    out_channels: int | None = None,
    input_size: Any = None,
    output_size: Any = None,
) -> TransposedConvolution:
    """The operation that `torch.nn.ConvTranspose2d` performs with these arguments.

    Args:
        kernel_size: taps, an integer or (height, width).
        stride: cells, an integer or (height, width).
        padding: cells cut off both sides, an integer or (height, width).
        output_padding: cells of them that stay at the end, an integer or (height, width); below
            the stride or the dilation.
        groups: number of channel groups.
        bias: whether there is one.
        dilation: cells, an integer or (height, width).
        padding_mode: "zeros", as torch has it for transposed convolutions.
        in_channels: or `None` where unknown.
        out_channels: or `None` where unknown.
        input_size: (height, width), or `None`; needed with `output_size` only.
        output_size: (height, width) as in a call of the module, in place of `output_padding`.

    Returns:
        The `TransposedConvolution`, of "NCHW" images.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or an output size that torch does not reach.

    Example:
        >>> from_arguments(kernel_size=3, stride=2, padding=1, output_padding=1).crops
        ((1, 0), (1, 0))

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html.
    """
    check_name("padding_mode", padding_mode, ("zeros",))
    kernel_size = check_pair("kernel_size", kernel_size)
    stride, dilation = check_pair("stride", stride), check_pair("dilation", dilation)
    padding = check_pair("padding", padding, 0)
    output_padding = check_pair("output_padding", output_padding, 0)
    input_size = check_input_size(input_size)
    output_size = check_optional_pair("output_size", output_size, 0)
    for axis, cells in enumerate(output_padding):
        limit = max(stride[axis], dilation[axis])
        check_integer(f"output_padding[{axis}]", cells, 0, limit - 1)
    axes = solve_both(
        lambda axis: solve(
            kernel_size[axis],
            stride[axis],
            dilation[axis],
            (padding[axis], padding[axis]),
            input_size=input_size and input_size[axis],
            output_size=output_size and output_size[axis],
            output_padding=None if output_size else output_padding[axis],
            names=AxisNames(f"output_size[{axis}]", f"padding[{axis}]", axis_name(axis)),
        ),
        TORCH,
    )
    return TransposedConvolution.from_axes(
        axes,
        groups=groups,
        in_channels=in_channels,
        out_channels=out_channels,
        use_bias=bias,
        data_format="NCHW",
    )


def from_module(module: Any, *, input_size: Any = None) -> TransposedConvolution:
    """The operation of a `torch.nn.ConvTranspose2d`.

    Args:
        module: the module.
        input_size: (height, width), or `None`.

    Returns:
        The `TransposedConvolution`.

    Raises:
        TypeError: another object.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> module = torch.nn.ConvTranspose2d(4, 6, 3, stride=2)  # doctest: +SKIP
        >>> from_module(module).in_channels  # doctest: +SKIP
        4
    """
    check_module(module)
    if not hasattr(module, "stride"):
        raise TypeError(
            f"module is traced TorchScript, which keeps no arguments; it must be a {CALLEE}, or "
            "scripted. tf_tconv.from_torch reads traced ones by running them."
        )
    names = (
        *("kernel_size", "stride", "padding", "output_padding", "groups", "dilation"),
        *("padding_mode", "in_channels", "out_channels"),
    )
    return from_arguments(
        **{name: getattr(module, name) for name in names},
        bias=module.bias is not None,
        input_size=input_size,
    )


def check_module(module: Any) -> None:
    """Raises unless it is a `torch.nn.ConvTranspose2d` of floats, or TorchScript of one.

    Args:
        module: any object.

    Returns:
        Nothing.

    Raises:
        TypeError: another object; the message says what to give instead, where there is something.

    Example:
        >>> check_module(3)
        Traceback (most recent call last):
        ...
        TypeError: module is of type int; it must be a torch.nn.ConvTranspose2d.
    """
    kind = type(module).__name__
    bases = [base for base in type(module).__mro__ if base.__module__.startswith("torch.")]
    quantized = {base.__name__ for base in bases if ".quantized." in base.__module__}
    names = {base.__name__ for base in bases if ".quantized." not in base.__module__}
    way = ""
    if is_scripted(module):
        kind = f"TorchScript of {module.original_name}"
        if module.original_name.endswith("ConvTranspose2d"):
            return
        way = " Give that module of it which is one, or the module from before the script."
    elif "ConvTranspose2d" in names:
        return
    elif any(name.startswith("ConvTranspose") for name in quantized):
        kind = f"quantized {kind}"
        way = (
            " Give the float module that it was made of, or a new one whose weight is "
            "module.weight().dequantize()."
        )
    elif names & {"ConvTranspose1d", "ConvTranspose3d"}:
        way = " Transposed convolutions of one and of three axes are not supported yet."
    elif hasattr(module, "_orig_mod"):
        way = " It was compiled; give module._orig_mod."
    elif names & {"DataParallel", "DistributedDataParallel"}:
        way = " Give module.module."
    elif "Module" in names and any("ConvTranspose2d" in str(type(m)) for m in module.modules()):
        way = " Give the ConvTranspose2d inside it."
    raise TypeError(f"module is of type {kind}; it must be a {CALLEE}.{way}")


def is_scripted(module: Any) -> bool:
    """Whether a module is TorchScript, scripted, traced or loaded.

    Args:
        module: any object.

    Returns:
        Whether it is.

    Raises:
        Nothing.

    Example:
        >>> is_scripted(3)
        False
    """
    return any(base.__name__ == "ScriptModule" for base in type(module).__mro__)


def additions(module: Any) -> list[str]:
    """What a module has that may make it compute more than its class's transposed convolution.

    Args:
        module: a `torch.nn.Module`.

    Returns:
        Words for each, for a message.

    Raises:
        Nothing.

    Example:
        >>> class Module:
        ...     def __init__(self):
        ...         self._forward_hooks = {0: print}
        >>> additions(Module())
        ['a forward hook']
    """
    found = []
    for method in ("forward", "_output_padding", "__call__"):
        if method in vars(module):
            found.append(f"a {method} of its own")
            continue
        owner = next((base for base in type(module).__mro__ if method in vars(base)), None)
        if owner is not None and not owner.__module__.startswith("torch."):
            found.append(f"the {method} of class {owner.__name__}")
    for attribute, words in (
        ("_forward_pre_hooks", "a forward pre-hook"),
        ("_forward_hooks", "a forward hook"),
    ):
        if getattr(module, attribute, None):
            found.append(words)
    return found


def to_arguments(operation: TransposedConvolution, *, strict: bool = False) -> Translation:
    """The call of `torch.nn.ConvTranspose2d` for an operation, and the crop to follow it.

    Args:
        operation: the operation.
        strict: whether to raise where torch needs a crop, or zeros, after the call.

    Returns:
        The `Translation`; its images are "NCHW", as torch's always are.

    Raises:
        ValueError: the call alone does not say it, and `strict`.

    Example:
        >>> operation = TransposedConvolution(kernel_size=3, strides=2, crops=((1, 0), (1, 0)))
        >>> to_arguments(operation).call
        'torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=3, stride=2, padding=1, \
output_padding=1)'
    """
    paddings, output_paddings, said = [], [], []
    for axis, (before, after) in zip(operation.axes, operation.crops, strict=True):
        most = max(axis.stride, axis.dilation) - 1
        padding = max(min(before, after + most), 0)
        output_padding = min(max(padding - after, 0), most)
        paddings.append(padding)
        output_paddings.append(output_padding)
        said.append((padding, padding - output_padding))
    arguments: dict[str, Any] = {
        "in_channels": operation.in_channels,
        "out_channels": operation.out_channels,
        "kernel_size": operation.kernel_size,
        "stride": operation.strides,
        "padding": tuple(paddings),
        "output_padding": tuple(output_paddings),
        "groups": operation.groups,
        "bias": operation.use_bias and not adds_zeros(operation.crops, (said[0], said[1])),
        "dilation": operation.dilations,
    }
    channels = [arguments[name] or name for name in ("in_channels", "out_channels")]
    shown = {name: collapsed(value) for name, value in list(arguments.items())[2:]}
    return finish(
        CALLEE,
        {name: value for name, value in arguments.items() if value is not None},
        format_call(CALLEE, channels, shown, DEFAULTS),
        "NCHW",
        CHANNELS_FIRST_AXES,
        crops=operation.crops,
        said=(said[0], said[1]),
        rule="it cuts the same padding off both sides, and output_padding, which is less than the "
        "stride or the dilation, leaves that many standing after the last",
        strict=strict,
        pad_line=lambda zeros: (
            f"y = torch.nn.functional.pad(y, {(*zeros[1], *zeros[0])})"  # Columns come first.
        ),
        bias_line="y = y + bias[:, None, None]" if operation.use_bias else "",
    )


def from_weights(weights: Any, *, groups: int = 1) -> Array:
    """A module's weights, `[in, out/groups, height, width]`, as `[height, width, out/groups, in]`.

    Args:
        weights: an array; of a module `module.weight.detach().numpy()`.
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
    """`[height, width, out/groups, in]` as a module's weights, `[in, out/groups, height, width]`.

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
