"""What a dialect writes, it reads back as the same operation, whatever its arguments."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest
from argument_sets import keras_arguments, operations

from tf_tconv import transpose_geometry
from tf_tconv.dialects import (
    Translation,
    TransposedConvolution,
    jax,
    keras,
    onnx,
    tf_nn,
    torch,
)

SETS = keras_arguments()
SIZE = (5, 7)


def through_keras(operation: TransposedConvolution, **options: Any) -> Any:
    translation = keras.to_arguments(operation, **options)
    return translation, keras.from_arguments(
        **translation.arguments,
        in_channels=operation.in_channels,
        input_size=operation.input_size,
    )


def through_ours(operation: TransposedConvolution) -> Any:
    return through_keras(operation, layer="tf_tconv")


def through_torch(operation: TransposedConvolution) -> Any:
    translation = torch.to_arguments(operation)
    return translation, torch.from_arguments(
        **translation.arguments, input_size=operation.input_size
    )


def through_onnx(operation: TransposedConvolution) -> Any:
    translation = onnx.to_arguments(operation)
    return translation, onnx.from_arguments(
        **translation.arguments,
        bias='"B"' in translation.call,
        in_channels=operation.in_channels,
        out_channels=operation.out_channels,
        input_size=operation.input_size,
    )


def through_jax(operation: TransposedConvolution) -> Any:
    translation = jax.to_arguments(operation, function="conv_transpose")
    return translation, jax.from_arguments(
        kernel_size=operation.kernel_size,
        **translation.arguments,
        in_channels=operation.in_channels,
        out_channels=operation.out_channels,
        input_size=operation.input_size,
    )


def through_jax_general(operation: TransposedConvolution) -> Any:
    translation = jax.to_arguments(operation, function="conv_general_dilated")
    return translation, jax.from_general_arguments(
        kernel_size=operation.kernel_size,
        **translation.arguments,
        in_channels=operation.in_channels,
        out_channels=operation.out_channels,
        input_size=operation.input_size,
    )


def through_tf_nn(operation: TransposedConvolution) -> Any:
    translation = tf_nn.to_arguments(operation)
    return translation, tf_nn.from_arguments(
        kernel_size=operation.kernel_size,
        **translation.arguments,
        groups=operation.groups,
        in_channels=operation.in_channels,
    )


THROUGH: dict[str, Callable[[TransposedConvolution], tuple[Translation, Any]]] = {
    "keras": through_keras,
    "tf_tconv": through_ours,
    "torch": through_torch,
    "onnx": through_onnx,
    "jax": through_jax,
    "jax_general": through_jax_general,
    "tf_nn": through_tf_nn,
}
BIASLESS = ("jax", "jax_general", "tf_nn")


def cropped(translation: Translation, operation: TransposedConvolution) -> TransposedConvolution:
    """The operation after the crop that the translation asks for."""
    crops = tuple(
        (before + crop[0], after + crop[1])
        for (before, after), crop in zip(operation.crops, translation.crop, strict=True)
    )
    return dataclasses.replace(operation, crops=crops)


def carried(
    name: str, operation: TransposedConvolution, translation: Translation, read: Any
) -> TransposedConvolution:
    """`read` with what the dialect has no word for: a bias, and a layout that never changes."""
    left_out = name in BIASLESS
    if min(min(sides) for sides in translation.crop) < 0:
        assert not read.use_bias, "zeros that are added to a result would lack its bias"
        assert name in BIASLESS or ("bias" in translation.after[-1]) == operation.use_bias
        left_out = True
    return dataclasses.replace(
        read,
        use_bias=operation.use_bias if left_out else read.use_bias,
        data_format=operation.data_format if name in ("torch", "onnx") else read.data_format,
    )


def test_the_grid_is_large_and_of_all_kinds():
    assert len({str(each) for each in SETS}) == len(SETS) >= 2000
    assert {(each["padding"], each["output_padding"] is None) for each in SETS} == {
        (padding, default) for padding in ("same", "valid") for default in (True, False)
    }
    crops = {keras.from_arguments(**each).crops for each in SETS}
    assert any(before != after for pair in crops for before, after in pair)


def test_keras_is_read_as_the_geometry_has_it():
    for arguments in SETS:
        operation = keras.from_arguments(**arguments, input_size=SIZE)
        for axis, size in enumerate(SIZE):
            kept = arguments["output_padding"]
            geometry = transpose_geometry(
                size,
                arguments["kernel_size"][axis],
                arguments["strides"][axis],
                arguments["dilation_rate"][axis],
                arguments["padding"],
                output_padding=None if kept is None else kept[axis],
            )
            read = operation.axes[axis]
            assert (read.lead, read.trail) == (geometry.lead, geometry.trail), arguments
            assert read.output_size == geometry.output_size, arguments


@functools.cache
def back_to_keras(operation: TransposedConvolution) -> TransposedConvolution:
    """The operation in Keras' words, and these read again."""
    translation = keras.to_arguments(operation, strict=True)
    return keras.from_arguments(
        **translation.arguments,
        in_channels=operation.in_channels,
        input_size=operation.input_size,
    )


@pytest.mark.parametrize("name", THROUGH)
def test_from_keras_and_back(name):
    """Keras to the dialect, what it wrote read back and cropped, and that to Keras again."""
    size = SIZE if name == "tf_nn" else None  # Its arguments hold the output's size.
    for arguments in SETS:
        operation = keras.from_arguments(**arguments, input_size=size)
        translation, read = THROUGH[name](operation)
        there = cropped(translation, carried(name, operation, translation, read))
        assert there == operation, (arguments, translation.text)
        assert back_to_keras(there) == operation, arguments


@pytest.mark.parametrize("name", THROUGH)
def test_any_operation(name):
    tried = 0
    for operation in operations():
        grouped = operation.groups > 1 and name in ("keras", "jax")
        strided = name == "keras" and max(operation.strides) > 1 and max(operation.dilations) > 1
        if grouped or strided:
            with pytest.raises(ValueError, match="and the operation has"):
                THROUGH[name](operation)
            continue
        translation, read = THROUGH[name](operation)
        assert cropped(translation, carried(name, operation, translation, read)) == operation, (
            translation.text
        )
        assert translation.exact == (read.crops == operation.crops)
        tried += 1
    assert tried >= 200


@pytest.mark.parametrize("name", ["onnx", "jax", "jax_general", "tf_nn", "tf_tconv"])
def test_these_need_no_crop_after_a_layer_of_keras(name):
    for arguments in SETS:
        translation, _ = THROUGH[name](keras.from_arguments(**arguments, input_size=SIZE))
        assert translation.exact, translation.text


def test_torch_needs_a_crop_exactly_where_more_is_cut_after():
    needed = 0
    for arguments in SETS:
        operation = keras.from_arguments(**arguments)
        translation = torch.to_arguments(operation)
        assert translation.exact == all(before >= after for before, after in operation.crops)
        assert min(min(side) for side in translation.crop) >= 0, "a crop is all that Keras takes"
        needed += not translation.exact
    assert needed > 100


def test_the_text_says_what_the_arguments_do():
    """A call's text, read by Python, has the arguments that it was made from."""
    for arguments in SETS[::7]:
        translation = torch.to_arguments(keras.from_arguments(**arguments))
        spoken = eval(translation.call, {"torch": Recorder()})
        written = dict(translation.arguments)
        assert spoken.pop("positional") == (written.pop("in_channels"), written.pop("out_channels"))
        for name, value in written.items():
            said = spoken.get(name, torch.DEFAULTS.get(name))
            assert said == value or (said, said) == value, translation.call


class Recorder:
    """Anything called on it, however deep, returns its arguments."""

    def __getattr__(self, name: str) -> "Recorder":
        return self

    def __call__(self, *positional: Any, **named: Any) -> dict[str, Any]:
        return {"positional": positional, **named}
