"""`tf-tconv translate`: a transposed convolution in another framework's words."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import typer

from tf_tconv.commands.failure import one_sentence
from tf_tconv.commands.reading import PADDING, TORCH_PADDING, in_options
from tf_tconv.dialects import (
    Translation,
    TransposedConvolution,
    jax,
    keras,
    onnx,
    tf_nn,
    torch,
)
from tf_tconv.geometry import check_name


class Dialect(str, Enum):
    """The frameworks, and the function or layer that is meant."""

    KERAS = "keras"
    TF_TCONV = "tf_tconv"
    TORCH = "torch"
    ONNX = "onnx"
    JAX = "jax"
    TF_NN = "tf_nn"


ALWAYS_NCHW = (Dialect.TORCH, Dialect.ONNX)
OPERATION = (
    *("kernel_size", "strides", "dilations", "crops", "groups", "in_channels", "out_channels"),
    *("use_bias", "input_size", "data_format"),
)
"""What --json says of the operation itself."""


def translate(
    source: Annotated[Dialect, typer.Option("--from", help="Whose arguments are given.")],
    target: Annotated[Dialect, typer.Option("--to", help="Whose call is wanted.")],
    kernel: Annotated[str, typer.Option(help="Taps: 3, or height,width: 3,5.")],
    stride: Annotated[str, typer.Option(help="As --kernel.")] = "1",
    padding: Annotated[
        str | None,
        typer.Option(
            help="As --from has it: a name (same, VALID, SAME_UPPER), one number, height,width, or "
            "four: top,bottom,left,right (ONNX: top,left,bottom,right). [default: --from's]"
        ),
    ] = None,
    output_padding: Annotated[
        str | None, typer.Option(help="As --kernel, for keras, tf_tconv, torch and onnx.")
    ] = None,
    dilation: Annotated[str, typer.Option(help="As --kernel.")] = "1",
    groups: Annotated[int, typer.Option(help="Channel groups.")] = 1,
    in_channels: Annotated[int | None, typer.Option(help="Channels of the input.")] = None,
    out_channels: Annotated[int | None, typer.Option(help="Channels of the output.")] = None,
    bias: Annotated[bool, typer.Option(help="Whether there is one.")] = True,
    input_size: Annotated[
        str | None, typer.Option(help="height,width of the input; needed with --output-size.")
    ] = None,
    output_size: Annotated[
        str | None, typer.Option(help="height,width of the output, in place of --output-padding.")
    ] = None,
    data_format: Annotated[
        str | None,
        typer.Option(help="NHWC or NCHW, for --to. [default: NCHW for torch and onnx, else NHWC]"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where the call needs a crop after it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prints the call of another framework that computes the same, to paste.

    Where one call cannot say it, lines that crop or pad its result, named y, follow it.

    Example: tf-tconv translate --from torch --kernel 3 --stride 2 --padding 1 --output-padding 1
    --to keras
    """
    with one_sentence():
        given: dict[str, Any] = {
            "kernel": _pair("--kernel", kernel),
            "stride": _pair("--stride", stride),
            "padding": None if padding is None else _padding(padding, source),
            "output_padding": _optional_pair("--output-padding", output_padding),
            "dilation": _pair("--dilation", dilation),
            "groups": groups,
            "in_channels": in_channels,
            "out_channels": out_channels,
            "bias": bias,
            "input_size": _optional_pair("--input-size", input_size),
            "output_size": _optional_pair("--output-size", output_size),
        }
        with in_options(TORCH_PADDING if source is Dialect.TORCH else PADDING):
            operation = _READERS[source](given)
        translation = _write(operation, target, data_format, strict)
    if as_json:
        typer.echo(json.dumps(_as_json(source, target, operation, translation), indent=2))
        return
    typer.echo(translation.text)
    typer.echo(f"# images {translation.data_format}, kernel {translation.kernel}")


def _read_torch(given: dict[str, Any]) -> TransposedConvolution:
    return torch.from_arguments(
        kernel_size=given["kernel"],
        stride=given["stride"],
        padding=given["padding"] or 0,
        output_padding=given["output_padding"] or 0,
        dilation=given["dilation"],
        groups=given["groups"],
        bias=given["bias"],
        in_channels=given["in_channels"],
        out_channels=given["out_channels"],
        input_size=given["input_size"],
        output_size=given["output_size"],
    )


def _read_keras(given: dict[str, Any]) -> TransposedConvolution:
    return keras.from_arguments(
        kernel_size=given["kernel"],
        filters=given["out_channels"],
        strides=given["stride"],
        padding=given["padding"] or "valid",
        output_padding=given["output_padding"],
        dilation_rate=given["dilation"],
        use_bias=given["bias"],
        groups=given["groups"],
        in_channels=given["in_channels"],
        input_size=given["input_size"],
        output_size=given["output_size"],
    )


def _read_onnx(given: dict[str, Any]) -> TransposedConvolution:
    padding = given["padding"]
    named = isinstance(padding, str)
    return onnx.from_arguments(
        kernel_shape=given["kernel"],
        strides=given["stride"],
        pads=None if named else padding,
        auto_pad=padding if named else "NOTSET",
        output_padding=given["output_padding"] or 0,
        output_shape=given["output_size"],
        dilations=given["dilation"],
        group=given["groups"],
        bias=given["bias"],
        in_channels=given["in_channels"],
        out_channels=given["out_channels"],
        input_size=given["input_size"],
    )


def _read_jax(given: dict[str, Any]) -> TransposedConvolution:
    _check_absent("jax", given, "output_padding", "output_size")
    if given["padding"] is None:
        raise ValueError("--from jax needs --padding: SAME, VALID or four numbers.")
    arguments = {
        "kernel_size": given["kernel"],
        "padding": given["padding"],
        "rhs_dilation": given["dilation"],
        "in_channels": given["in_channels"],
        "out_channels": given["out_channels"],
        "input_size": given["input_size"],
    }
    if given["groups"] == 1:
        return jax.from_arguments(**arguments, strides=given["stride"])
    return jax.from_general_arguments(
        **arguments,
        lhs_dilation=given["stride"],
        feature_group_count=given["groups"],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _read_tf_nn(given: dict[str, Any]) -> TransposedConvolution:
    _check_absent("tf_nn", given, "output_padding")
    return tf_nn.from_arguments(
        kernel_size=given["kernel"],
        strides=given["stride"],
        output_shape=given["output_size"],
        padding=given["padding"] or "SAME",
        dilations=given["dilation"],
        groups=given["groups"],
        in_channels=given["in_channels"],
        out_channels=given["out_channels"],
        input_size=given["input_size"],
    )


_READERS: dict[Dialect, Callable[[dict[str, Any]], TransposedConvolution]] = {
    Dialect.KERAS: _read_keras,
    Dialect.TF_TCONV: _read_keras,
    Dialect.TORCH: _read_torch,
    Dialect.ONNX: _read_onnx,
    Dialect.JAX: _read_jax,
    Dialect.TF_NN: _read_tf_nn,
}


def _write(
    operation: TransposedConvolution, target: Dialect, data_format: str | None, strict: bool
) -> Translation:
    layout = "NCHW" if target in ALWAYS_NCHW else "NHWC"
    if data_format is not None:
        layout = check_name("--data-format", data_format, ("NHWC", "NCHW"))
    if target in ALWAYS_NCHW:
        if layout != "NCHW":
            raise ValueError(f'--data-format="{layout}": images of {target.value} are NCHW.')
        dialect = torch if target is Dialect.TORCH else onnx
        return dialect.to_arguments(operation, strict=strict)
    if target in (Dialect.KERAS, Dialect.TF_TCONV):
        names = {layout: name for name, layout in keras.LAYOUTS.items()}
        return keras.to_arguments(
            operation, layer=target.value, data_format=names[layout], strict=strict
        )
    if target is Dialect.JAX:
        # TensorFlow's kernel as it is, where JAX takes it so.
        return jax.to_arguments(
            operation,
            transpose_kernel=operation.groups == 1,
            data_format=layout,
            strict=strict,
        )
    return tf_nn.to_arguments(operation, data_format=layout, strict=strict)


def _padding(text: str, source: Dialect) -> Any:
    """`--padding` in the form that the source's `from_arguments` takes."""
    if re.fullmatch(r"[A-Za-z_]+", text):
        return text
    numbers = _numbers("--padding", text, (1, 2, 4))
    if source is Dialect.TORCH:
        if len(numbers) == 4:
            raise ValueError(
                f"--padding={text} has 4 numbers; torch pads both sides alike: give 1 or 2."
            )
        return numbers
    if len(numbers) < 4:
        height, width = numbers[0], numbers[-1]
        numbers = [height, width, height, width]
        if source is not Dialect.ONNX:
            numbers = [height, height, width, width]
    if source is Dialect.ONNX:
        return numbers
    pairs = ((numbers[0], numbers[1]), (numbers[2], numbers[3]))
    return [(0, 0), *pairs, (0, 0)] if source is Dialect.TF_NN else pairs


def _pair(option: str, text: str) -> tuple[int, int]:
    numbers = _numbers(option, text, (1, 2))
    return numbers[0], numbers[-1]


def _optional_pair(option: str, text: str | None) -> tuple[int, int] | None:
    return None if text is None else _pair(option, text)


def _numbers(option: str, text: str, counts: tuple[int, ...]) -> list[int]:
    entries = re.split(r"[,x]", text)
    if len(entries) not in counts or not all(re.fullmatch(r"\s*-?\d+\s*", e) for e in entries):
        legal = " or ".join(map(str, counts))
        raise ValueError(
            f'{option}="{text}" must be {legal} integers with commas between, as in 3 or 3,5.'
        )
    return [int(entry) for entry in entries]


def _check_absent(source: str, given: dict[str, Any], *names: str) -> None:
    for name in names:
        if given[name] is not None:
            raise ValueError(f"--{name.replace('_', '-')} is not an argument of {source}.")


def _as_json(
    source: Dialect, target: Dialect, operation: TransposedConvolution, translation: Translation
) -> dict[str, Any]:
    return {
        "from": source.value,
        "to": target.value,
        **dataclasses.asdict(translation),
        "exact": translation.exact,
        "text": translation.text,
        "operation": {name: getattr(operation, name) for name in OPERATION},
    }
