"""The one value that says what is computed: made of numbers or of axes, equal where it is equal."""

import re
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from tf_tconv.dialects import jax, keras, onnx, tf_nn, torch
from tf_tconv.geometry import transpose_geometry
from tf_tconv.operation import TransposedConvolution, signed_axis, with_crops, with_input


@pytest.mark.parametrize(
    ("arguments", "rank"),
    [
        ({}, 2),
        ({"data_format": "NWC"}, 1),
        ({"data_format": "ncdhw"}, 3),
        ({"strides": (1, 2, 3)}, 3),
        ({"strides": (2,)}, 2),  # One for all.
        ({"dilations": [1, 2]}, 2),
        ({"input_size": (4, 5, 6)}, 3),
        ({"crops": ((0, 1),)}, 1),
        ({"crops": ((0, 1), (1, 0), (0, 0))}, 3),
        ({"crops": ((0, 1),), "data_format": "NCW"}, 1),
        ({"strides": 2, "input_size": (4, 5)}, 2),
    ],
)
def test_a_number_stands_for_as_many_axes_as_another_argument_says(arguments, rank):
    operation = TransposedConvolution(kernel_size=3, **arguments)
    assert operation.rank == len(operation.axes) == rank
    assert operation.kernel_size == (3,) * rank


def test_numbers_of_each_axis():
    operation = TransposedConvolution(
        kernel_size=(2, 3, 4),
        strides=(1, 2, 3),
        dilations=2,
        crops=((0, 1), (-1, 2), (0, -3)),
        input_size=(4, 5, 6),
        in_channels=4,
        out_channels=6,
        groups=2,
    )
    assert operation.strides == (1, 2, 3)
    assert operation.dilations == (2, 2, 2)
    assert operation.crops == ((0, 1), (-1, 2), (0, -3))
    assert operation.output_size == (3 + 3 - 1, 8 + 5 - 1, 15 + 7 + 3)
    assert (operation.taps, operation.weights) == (24, 24 * 4 * 3)
    assert (operation.pixels, operation.cells) == (120, 5 * 12 * 25)
    assert operation.data_format == "NDHWC"


def test_what_is_not_known_is_none():
    operation = TransposedConvolution(kernel_size=3, strides=2)
    assert operation.input_size is operation.output_size is None
    some = [signed_axis(3, input_size=4), signed_axis(3)]
    assert TransposedConvolution.from_axes(some).axes == (signed_axis(3), signed_axis(3))


EQUAL = {
    "one number or one each": (
        TransposedConvolution(kernel_size=3, strides=2, crops=((0, 1), (0, 1))),
        TransposedConvolution(kernel_size=[3, 3], strides=(2,), crops=[[0, 1], [0, 1]]),
    ),
    "NumPy's ints": (
        TransposedConvolution(kernel_size=3, input_size=(4, 5), in_channels=2, groups=2),
        TransposedConvolution(
            kernel_size=np.array([3, 3]),
            input_size=np.array([4, 5]),
            in_channels=np.int64(2),
            groups=np.int32(2),
        ),
    ),
    "numbers or axes": (
        TransposedConvolution(kernel_size=(3, 2), strides=2, crops=((0, 1), (1, 0))),
        TransposedConvolution([signed_axis(3, 2, 1, (0, 1)), signed_axis(2, 2, 1, (1, 0))]),
    ),
    "defaults or said": (
        TransposedConvolution(kernel_size=1),
        TransposedConvolution(
            kernel_size=1,
            strides=1,
            dilations=1,
            crops=((0, 0), (0, 0)),
            groups=1,
            use_bias=1,
            data_format="nhwc",
        ),
    ),
    "Keras or ONNX": (
        keras.from_arguments(
            kernel_size=3, strides=2, padding="same", data_format="channels_first"
        ),
        onnx.from_arguments(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    ),
    "torch or ONNX": (
        torch.from_arguments(kernel_size=4, stride=2, padding=1),
        onnx.from_arguments(kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1]),
    ),
    "TensorFlow or JAX": (
        tf_nn.from_arguments(kernel_size=3, strides=1, padding="SAME"),
        jax.from_arguments(kernel_size=3, strides=1, padding="SAME"),
    ),
}


@pytest.mark.parametrize("pair", EQUAL.values(), ids=EQUAL)
def test_equal_operations_are_equal_values(pair):
    one, other = (replace(each, use_bias=False) for each in pair)
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)


BASE = {
    "kernel_size": (3, 4),
    "strides": (2, 3),
    "dilations": (1, 2),
    "crops": ((0, 1), (2, 0)),
    "groups": 2,
    "in_channels": 4,
    "out_channels": 6,
    "use_bias": True,
    "input_size": (5, 6),
    "data_format": "NHWC",
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("kernel_size", (4, 3)),
        ("strides", (3, 2)),
        ("dilations", (2, 1)),
        ("crops", ((1, 0), (2, 0))),
        ("crops", ((0, 1), (0, 2))),
        ("groups", 1),
        ("in_channels", 2),
        ("in_channels", None),
        ("out_channels", 2),
        ("use_bias", False),
        ("input_size", (6, 5)),
        ("data_format", "NCHW"),
    ],
)
def test_an_operation_differs_in_each_argument_and_replace_changes_that_alone(argument, value):
    base = TransposedConvolution(**BASE)
    other = TransposedConvolution(**{**BASE, argument: value})
    assert other != base
    assert getattr(other, argument) == value
    assert replace(base, **{argument: value}) == other
    assert base == TransposedConvolution(**BASE)


def test_a_value_does_not_change():
    operation = TransposedConvolution(**BASE)
    with pytest.raises(FrozenInstanceError):
        operation.groups = 1


def test_crops_take_numbers_of_the_axis_along():
    operation = replace(TransposedConvolution(**BASE), crops=((1, 1), (0, -2)))
    assert operation.axes == tuple(
        with_crops(axis, *crops)
        for axis, crops in zip(TransposedConvolution(**BASE).axes, ((1, 1), (0, -2)), strict=True)
    )
    assert operation.output_size == (4 * 2 + 3 - 2, 5 * 3 + 7 + 2)


def test_an_axis_of_another_input_size_cuts_off_as_much():
    axis = signed_axis(3, 2, 1, (1, -1), 4)
    larger = with_input(axis, 7)
    assert (larger.pad_before, larger.crop_after, larger.output_size) == (1, -1, 15)
    assert with_input(larger, 4) == axis


@pytest.mark.parametrize("size", range(1, 6))
@pytest.mark.parametrize("kernel", [1, 2, 5])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_crops_say_what_a_padding_by_name_does(padding, kernel, size):
    """For each legal output size."""
    stride = 3
    for over in range(stride):
        axis = transpose_geometry(size, kernel, stride, 1, padding)
        lowest = (size - 1) * stride + (1 if padding == "SAME" else kernel)
        axis = transpose_geometry(size, kernel, stride, 1, padding, lowest + over)
        crops = (axis.pad_before, axis.crop_after)
        signed = signed_axis(kernel, stride, 1, crops, size)
        assert signed.output_size == axis.output_size
        cells = range(axis.output_size)
        assert [*map(signed.contributions, cells)] == [*map(axis.contributions, cells)]


@pytest.mark.parametrize("crops", [(6, 0), (0, 6), (3, 3)])
def test_trimming_leaves_out_what_reaches_nothing(crops):
    """Of 4 cells and 4 taps: the last, the first, and all of them reach the one output."""
    operation = TransposedConvolution(
        kernel_size=(4, 3), crops=(crops, (0, 0)), input_size=(4, 3), in_channels=1, out_channels=1
    )
    trimmed = operation.trimmed()
    left = 4 if crops == (3, 3) else 1
    assert trimmed.output_size == operation.output_size == (1, 5)
    assert (trimmed.input_size, trimmed.kernel_size) == ((left, 3), (left, 3))
    assert trimmed.trimmed() is trimmed


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "kernel_size is missing"),
        ({"axes": ()}, ValueError, "axes has 0 entries; it must have 1 to 3, "),
        ({"axes": [signed_axis(1)] * 4}, ValueError, "axes has 4 entries"),
        ({"kernel_size": (3, 3, 3, 3)}, ValueError, "kernel_size=(3, 3, 3, 3) has 4 entries"),
        ({"kernel_size": (3, 3), "strides": (1, 1, 1)}, ValueError, "strides=(1, 1, 1) has 3 "),
        ({"kernel_size": 3, "strides": 0}, ValueError, "strides=0 is out of range"),
        ({"kernel_size": 3, "dilations": (1, 0)}, ValueError, "dilations[1]=0 is out of range"),
        ({"kernel_size": 3, "input_size": -1}, ValueError, "input_size=-1 is out of range"),
        ({"kernel_size": 3, "crops": 1}, ValueError, "crops=1 must be ((top, bottom), (left, "),
        ({"kernel_size": 3, "crops": (0, 0)}, ValueError, "crops=(0, 0) must be ((top, bottom), "),
        (
            {"kernel_size": 3, "crops": 1, "data_format": "NWC"},
            ValueError,
            "crops=1 must be ((before, after),)",
        ),
        (
            {"kernel_size": 3, "crops": ((0, 0),), "data_format": "NDHWC"},
            ValueError,
            "must be ((front, back), (top, bottom), (left, right))",
        ),
        (
            {"kernel_size": 3, "crops": ((0, 0), (0, 0.5))},
            TypeError,
            "crops[1][1]=0.5 is a float",
        ),
        (
            {"kernel_size": 2, "crops": ((0, 0), (0, 0), (3, 2)), "input_size": (3, 3, 3)},
            ValueError,
            "crops[2]=(3, 2) takes off more than 3 input columns give: kernel 2, stride 1, "
            "dilation 1 span 4",
        ),
        ({"kernel_size": 3, "groups": 0}, ValueError, "groups=0 is out of range"),
        ({"kernel_size": 3, "groups": 2, "out_channels": 3}, ValueError, "does not divide out_ch"),
        ({"kernel_size": 3, "in_channels": 2.0}, TypeError, "in_channels=2.0 is a float"),
        ({"kernel_size": (3, 3), "data_format": "NWC"}, ValueError, 'data_format="NWC" is unknown'),
        ({"kernel_size": 3, "data_format": "NHCW"}, ValueError, 'Did you mean "NHWC"'),
    ],
)
def test_errors_name_the_argument(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        TransposedConvolution(**arguments)
