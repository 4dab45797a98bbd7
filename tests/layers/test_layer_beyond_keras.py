"""What Keras' layer has no words for: groups, strides with dilation, explicit padding.

Judged by the oracle, and by other routes to the same numbers: a layer for each group, a kernel with
zeros between its taps, an output cut to size.
"""

import itertools

import keras
import numpy as np
import pytest
from layer_samples import Sample, assert_exactly, expected_geometry, ramp

import tf_tconv

layouts = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])


def right(arguments, input_shape, output_size=None):
    """Asserts that the layer of these arguments gives what the oracle does; returns its output."""
    sample = Sample("sample", arguments, input_shape, output_size)
    outputs = sample.filled()(sample.inputs(), output_size=output_size)
    assert_exactly(outputs, sample.expected())
    return np.asarray(outputs)


@layouts
@pytest.mark.parametrize(
    ("groups", "channels", "filters"),
    [(1, 3, 2), (2, 4, 6), (3, 6, 3), (4, 4, 4), (3, 3, 6), (6, 6, 6)],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("padding", ["same", "valid", ((1, 0), (2, 1))], ids=str)
def test_groups(groups, channels, filters, padding, data_format):
    arguments = {
        "filters": filters,
        "kernel_size": (3, 4),
        "strides": (2, 3),
        "padding": padding,
        "groups": groups,
        "data_format": data_format,
    }
    right(arguments, (2, 3, 4, channels))


def test_groups_are_layers_side_by_side():
    """Group g takes its slice of the input channels to its slice of the output channels."""
    arguments = {"kernel_size": (3, 2), "strides": (2, 3), "padding": "same"}
    sample = Sample("grouped", {**arguments, "filters": 6, "groups": 3}, (2, 4, 3, 6))
    image = sample.inputs()
    outputs = np.asarray(sample.filled()(image))
    kernel, bias = sample.weights()
    for group in range(3):
        part = slice(2 * group, 2 * group + 2)
        alone = tf_tconv.Conv2DTranspose(2, **arguments)
        alone.build((2, 4, 3, 2))
        alone.set_weights([kernel[..., part], bias[part]])
        assert_exactly(outputs[..., part], np.asarray(alone(image[..., part])))


def test_depthwise_gives_each_channel_its_own_kernel():
    sample = Sample(
        "depthwise",
        {"filters": 3, "kernel_size": (2, 3), "strides": (3, 2), "groups": 3, "use_bias": False},
        (1, 2, 2, 3),
    )
    (kernel,) = sample.weights()
    assert kernel.shape == (2, 3, 1, 3)
    image = np.zeros((1, 2, 2, 3), np.float32)
    image[0, 1, 0] = (1, 10, 100)
    # With "valid" the size is that of whole strides: 2 x 3 rows, the last one a hole.
    expected = np.zeros((1, 6, 5, 3), np.float32)
    expected[0, 3:5, :3] = kernel[:, :, 0] * (1, 10, 100)
    assert_exactly(sample.filled()(image), expected)


def test_depthwise_multiplier():
    """More filters than channels: each channel's filters stand together."""
    layer = tf_tconv.Conv2DTranspose(4, 1, groups=2, use_bias=False)
    layer.build((1, 1, 1, 2))
    layer.set_weights([np.float32([[1, 2], [3, 4]]).reshape(1, 1, 2, 2)])
    outputs = layer(np.float32([1, 10]).reshape(1, 1, 1, 2))
    assert np.ravel(outputs).tolist() == [1, 3, 20, 40]


@layouts
@pytest.mark.parametrize("padding", ["same", "valid", ((2, 1), (0, 3))], ids=str)
@pytest.mark.parametrize(
    ("strides", "dilation"),
    [((2, 3), (3, 2)), ((2, 2), (2, 2)), ((3, 1), (1, 3)), ((1, 4), (2, 5)), ((2, 3), (4, 1))],
    ids=str,
)
def test_strides_with_dilation(strides, dilation, padding, data_format):
    arguments = {
        "filters": 2,
        "kernel_size": (3, 2),
        "strides": strides,
        "padding": padding,
        "dilation_rate": dilation,
        "data_format": data_format,
    }
    right(arguments, (2, 3, 4, 3))


@pytest.mark.parametrize("dilation", [(2, 1), (1, 3), (3, 2)], ids=str)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_dilation_is_a_kernel_with_zeros_between(dilation, padding):
    arguments = {"filters": 2, "strides": (2, 3), "padding": padding}
    sample = Sample("dilated", {**arguments, "kernel_size": (3, 2)}, (2, 3, 4, 3))
    kernel, bias = sample.weights()
    rows, columns = (2 * dilation[0] + 1, dilation[1] + 1)
    wide = np.zeros((rows, columns, *kernel.shape[2:]), np.float32)
    wide[:: dilation[0], :: dilation[1]] = kernel
    native = keras.layers.Conv2DTranspose(**arguments, kernel_size=(rows, columns))
    native.build(sample.input_shape)
    native.set_weights([wide, bias])
    dilated = sample.but(dilation_rate=dilation).filled()
    assert_exactly(dilated(sample.inputs()), np.asarray(native(sample.inputs())))


@layouts
@pytest.mark.parametrize(
    "padding", list(itertools.product([(0, 0), (1, 2), (3, 0)], [(0, 1), (2, 2), (0, 4)])), ids=str
)
@pytest.mark.parametrize("output_padding", [None, (1, 0), (0, 2)], ids=str)
def test_explicit_padding(padding, output_padding, data_format):
    arguments = {
        "filters": 2,
        "kernel_size": (4, 5),
        "strides": (2, 3),
        "padding": padding,
        "output_padding": output_padding,
        "data_format": data_format,
    }
    right(arguments, (2, 3, 4, 3))


@pytest.mark.parametrize("padding", [((0, 0), (1, 2)), ((2, 1), (0, 3)), ((1, 0), (2, 0))], ids=str)
def test_explicit_padding_crops_what_valid_gives(padding):
    (top, bottom), (left, right_side) = padding
    sample = Sample(
        "cropped", {"filters": 2, "kernel_size": (4, 5), "strides": (2, 3)}, (2, 3, 4, 3)
    )
    whole = sample.expected()
    height, width = whole.shape[1] - bottom, whole.shape[2] - right_side
    cropped = sample.but(padding=padding).filled()(sample.inputs())
    assert_exactly(cropped, whole[:, top:height, left:width])


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("output_padding", [0, 1])
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(5, 2, 1), (3, 3, 1), (3, 2, 2)])
def test_size_is_that_of_torch(kernel, stride, dilation, padding, output_padding):
    """The formula that torch.nn.ConvTranspose2d documents; its padding is that of both sides."""
    layer = tf_tconv.Conv2DTranspose(
        2,
        (kernel, 1),
        strides=(stride, 1),
        padding=((padding, padding), (0, 0)),
        dilation_rate=(dilation, 1),
        output_padding=(output_padding, 0),
    )
    for size in (4, 7):
        height = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1
        assert tuple(layer(np.ones([1, size, 3, 2])).shape) == (1, height, 3, 2)
        assert layer.compute_output_shape((1, size, 3, 2)) == (1, height, 3, 2)


def test_output_padding_of_torch_may_reach_the_dilation():
    """torch wants it below the stride or the dilation; cells beyond the last tap hold the bias."""
    arguments = {
        "filters": 2,
        "kernel_size": 2,
        "strides": (1, 2),
        "padding": ((1, 0), (0, 1)),
        "dilation_rate": (3, 4),
        "output_padding": (2, 3),
    }
    (height, width), _ = expected_geometry(arguments, (1, 3, 4, 3))
    assert (height, width) == (2 + 4 - 1 + 2, 3 * 2 + 5 - 1 + 3)
    right(arguments, (1, 3, 4, 3))


@layouts
def test_everything_at_once(data_format):
    arguments = {
        "filters": 6,
        "kernel_size": (3, 2),
        "strides": (2, 3),
        "padding": ((2, 1), (0, 3)),
        "dilation_rate": (2, 4),
        "data_format": data_format,
        "groups": 2,
    }
    for size in itertools.product((8, 9), (11, 12, 13)):
        right(arguments, (2, 4, 4, 4), output_size=size)


def test_holes_hold_the_bias_alone():
    """A kernel smaller than the stride leaves cells that no input reaches."""
    outputs = right(
        {"filters": 2, "kernel_size": (1, 2), "strides": (3, 4), "padding": "same"}, (1, 2, 3, 3)
    )
    bias = 7 - ramp(2)
    rows = np.arange(outputs.shape[1]) % 3 != 0  # With a kernel of 1 nothing is padded.
    assert_exactly(outputs[:, rows], np.broadcast_to(bias, outputs[:, rows].shape))


@pytest.mark.parametrize("lowering", ["auto", *tf_tconv.lowerings.NAMES, "native"])
def test_every_lowering_gives_the_same(lowering):
    arguments = {
        "filters": 4,
        "kernel_size": (3, 4),
        "strides": (2, 3),
        "padding": "same",
        "lowering": lowering,
    }
    right(arguments, (2, 3, 4, 3))
    right({**arguments, "groups": 2}, (2, 3, 4, 4), output_size=(5, 11))


@pytest.mark.parametrize("shape", [(0, 3, 4, 3), (2, 0, 4, 3), (2, 3, 0, 3)], ids=str)
@layouts
def test_empty_inputs_give_empty_outputs(shape, data_format):
    arguments = {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}
    sample = Sample("empty", {**arguments, "data_format": data_format}, shape)
    layer = sample.but().filled()
    outputs = np.asarray(layer(sample.inputs()))
    assert outputs.shape == sample.layout(np.empty((shape[0], 2 * shape[1], 2 * shape[2], 2))).shape
    assert outputs.size == 0
