"""Equal to `keras.layers.Conv2DTranspose` in weights, outputs and gradients wherever that answers.

Where it fails on TensorFlow, equal to the oracle with the padding that Keras has for JAX.
"""

import itertools
from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_samples import Sample, assert_exactly, expected_axis, ramp

import tf_tconv
from compat_tests import oracle

KERNELS = range(1, 6)
STRIDES = range(1, 4)
ACTIVATIONS = (None, "relu", "tanh")

_Axis = tuple[int, int, int | None]
"""Kernel, stride and output padding of one axis."""

DEFAULT_SIZES: list[_Axis] = [(k, s, None) for k in KERNELS for s in STRIDES]
PADDED_SIZES: list[_Axis] = [(k, s, q) for k in KERNELS for s in STRIDES for q in range(s)]


def _keras_takes_zero() -> bool:
    """Whether this Keras takes `output_padding=0` at all; Keras 3.0 does not."""
    try:
        keras.layers.Conv2DTranspose(1, 3, strides=2, output_padding=0)
    except ValueError:
        return False
    return True


KERAS_TAKES_ZERO = _keras_takes_zero()


def _paired(axes: list[_Axis]) -> Iterator[tuple[_Axis, _Axis]]:
    """Each entry as rows and as columns, beside others that differ from one pairing to the next."""
    for shift in (1, 7):
        for index, rows in enumerate(axes):
            yield rows, axes[(index * 2 + shift) % len(axes)]


def _samples() -> Iterator[Sample]:
    variants = itertools.cycle(itertools.product((True, False), ACTIVATIONS))
    for padding in ("same", "valid"):
        for axes in (DEFAULT_SIZES, PADDED_SIZES):
            for rows, columns in _paired(axes):
                (kh, sh, qh), (kw, sw, qw) = rows, columns
                use_bias, activation = next(variants)
                name = f"k{kh}x{kw}-s{sh}x{sw}-{padding}" + (
                    f"-q{qh}x{qw}" if axes[0][2] == 0 else ""
                )
                arguments = {
                    "filters": 3,
                    "kernel_size": (kh, kw),
                    "strides": (sh, sw),
                    "padding": padding,
                    "use_bias": use_bias,
                    "activation": activation,
                }
                if qh is not None:
                    arguments["output_padding"] = (qh, qw)
                yield Sample(name, arguments, (2, 3, 4, 2))


GRID = {sample.name: sample for sample in _samples()}
"""By name, which drops the pairs that came up twice."""


def keras_fails(sample: Sample) -> bool:
    """Whether Keras on TensorFlow has no answer: the size is below any that TensorFlow knows."""
    padding = sample.arguments.get("output_padding")
    if padding is None:
        return False
    if not KERAS_TAKES_ZERO and 0 in padding:
        return True
    even = [kernel % 2 == 0 for kernel in sample.arguments["kernel_size"]]
    smallest = [is_even and cells == 0 for is_even, cells in zip(even, padding, strict=True)]
    return sample.arguments["padding"] == "same" and any(smallest)


ANSWERED = [sample for sample in GRID.values() if not keras_fails(sample)]
UNANSWERED = [sample for sample in GRID.values() if keras_fails(sample)]


def native(sample: Sample) -> keras.layers.Layer:
    """Keras' layer, channels last, with the sample's weights."""
    arguments = {**sample.arguments, "data_format": "channels_last"}
    layer = keras.layers.Conv2DTranspose(**arguments)
    layer.build(sample.input_shape)
    layer.set_weights(sample.weights())
    return layer


def named(samples):
    return pytest.mark.parametrize("sample", samples, ids=lambda sample: sample.name)


def test_grid_covers_what_it_should():
    rows = {
        (*(part[axis] for part in _parts(sample)), sample.arguments["padding"])
        for sample in GRID.values()
        for axis in (0, 1)
    }
    assert len(rows) == 2 * (len(DEFAULT_SIZES) + len(PADDED_SIZES)) == 2 * (15 + 30)
    kinds = {(sample.arguments["use_bias"], sample.arguments["activation"]) for sample in ANSWERED}
    assert len(kinds) == 6
    assert len(ANSWERED) >= 100
    assert len(UNANSWERED) > 20


def _parts(sample: Sample):
    padding = sample.arguments.get("output_padding", (-1, -1))
    return sample.arguments["kernel_size"], sample.arguments["strides"], padding


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@named(ANSWERED)
def test_output_is_that_of_keras(sample, data_format):
    # Keras runs channels last in both cases: on CPUs without oneDNN its other layout is refused,
    # and Keras 3.15 adds the bias along the width there when that is as long as the bias.
    ours = sample.but(data_format=data_format)
    theirs = keras.ops.convert_to_numpy(native(sample)(sample.inputs()))
    assert_exactly(ours.filled()(ours.inputs()), ours.layout(theirs))


@named(UNANSWERED)
def test_output_is_right_where_keras_fails(sample):
    sample = sample.but(activation=None)
    assert_exactly(sample.filled()(sample.inputs()), sample.expected())


@pytest.mark.parametrize("dilation", [(1, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", list(itertools.product(KERNELS, (2, 3))))
@pytest.mark.parametrize("output_padding", [None, 0])
def test_dilated_output_is_right(kernel, padding, dilation, output_padding):
    # Keras answers here with oneDNN only, so the oracle judges.
    arguments = {
        "filters": 3,
        "kernel_size": kernel,
        "padding": padding,
        "dilation_rate": dilation,
        "output_padding": output_padding,
    }
    sample = Sample("dilated", arguments, (2, 5, 4, 2))
    assert_exactly(sample.filled()(sample.inputs()), sample.expected())


def test_smallest_same_output_by_hand():
    """Kernel 4 3 2 1, stride 2, `output_padding=0`, inputs 1 2 3: the size is (3 - 1) * 2 + 0 = 4.

    One zero stands before the dilated input, by ceil((4 + 0 - 2 + 0) / 2), so the forward padding
    is 4 - 1 - 1 = 2 and the kernels begin at cells -2, 0 and 2:

        4 3 2 1
            8 6  4 2
                12 9 6 3
           ----------
           10 7 16 11
    """
    layer = tf_tconv.Conv2DTranspose(
        1, (1, 4), strides=(1, 2), padding="same", output_padding=0, use_bias=False
    )
    inputs = np.float32([1, 2, 3]).reshape(1, 1, 3, 1)
    layer.build(inputs.shape)
    layer.set_weights([np.float32([4, 3, 2, 1]).reshape(1, 4, 1, 1)])
    assert expected_axis(3, 4, 2, 1, "same", 0, None) == (4, 2)
    # Across one row of a kernel of height 1 nothing is dropped: 1 % 2 + 0 cells of 1.
    assert np.ravel(layer(inputs)).tolist() == [10, 7, 16, 11]


def test_smallest_same_output_of_one_cell_is_empty():
    layer = tf_tconv.Conv2DTranspose(2, (4, 1), strides=2, padding="same", output_padding=0)
    assert tuple(layer(np.ones([3, 1, 2, 1])).shape) == (3, 0, 3, 2)


WEIGHED = ANSWERED[::7]


@named(WEIGHED)
def test_weights_have_the_names_shapes_and_order_of_keras(sample):
    ours, theirs = sample.filled(), native(sample)
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    assert [tuple(weight.shape) for weight in ours.weights] == [
        tuple(weight.shape) for weight in theirs.weights
    ]
    assert [weight.dtype for weight in ours.weights] == [weight.dtype for weight in theirs.weights]
    assert (ours.bias is None) == (theirs.bias is None) == (not sample.arguments["use_bias"])
    assert ours.count_params() == theirs.count_params()


@named(WEIGHED)
def test_weights_go_both_ways(sample):
    ours, theirs = sample.layer(), native(sample)
    ours.build(sample.input_shape)
    ours.set_weights(theirs.get_weights())
    assert_exactly(ours.kernel, sample.weights()[0])
    theirs.set_weights([3 - weight for weight in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())
    assert_exactly(theirs.kernel, sample.weights()[0])
    image = sample.inputs()
    assert_exactly(ours(image), keras.ops.convert_to_numpy(theirs(image)))


def gradients(layer, image, upstream):
    """Gradients of `sum(upstream * layer(image))` by the image and by each weight."""
    image = tf.convert_to_tensor(image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(layer(image) * upstream)
    return tape.gradient(total, [image, *layer.trainable_weights])


RUNS = {
    "eager": gradients,
    "graph": tf.function(gradients),
    "xla": tf.function(gradients, jit_compile=True),
}


def survives(sample):
    """Whether TensorFlow's filter gradient is sure to: of one tap and a stride it writes too far.

    With oneDNN, and to a crash on some processors only. Those samples are the oracle's, below.
    """
    kernel, strides, _ = _parts(sample)
    return max(kernel) > 1 or max(strides) == 1


@pytest.mark.parametrize("run", list(RUNS))
@named([sample for sample in ANSWERED[::13] if survives(sample)])
def test_gradients_are_those_of_keras(sample, run):
    sample = sample.but(activation="relu")  # Whose gradient is an integer.
    image, layer = sample.inputs(), sample.filled()
    theirs = native(sample)
    upstream = ramp(*theirs(image).shape, start=2)
    ours = RUNS[run](layer, image, upstream)
    theirs = gradients(theirs, image, upstream)
    assert len(ours) == len(theirs) == 2 + sample.arguments["use_bias"]
    for own, other in zip(ours, theirs, strict=True):
        assert_exactly(own, other.numpy())


@pytest.mark.parametrize("run", list(RUNS))
@named([*UNANSWERED[::5], *(sample for sample in ANSWERED[::13] if not survives(sample))])
def test_gradients_are_right_where_keras_fails(sample, run):
    sample = sample.but(activation=None)
    image, kernel = sample.inputs(), sample.weights()[0]
    upstream = ramp(*sample.expected().shape, start=2)
    ours = RUNS[run](sample.filled(), image, upstream)
    axes = [
        expected_axis(size, k, s, 1, sample.arguments["padding"], q, None)
        for size, k, s, q in zip(sample.input_shape[1:3], *_parts(sample), strict=True)
    ]
    padding = tuple((before, 0) for _, before in axes)
    strides = sample.arguments["strides"]
    assert_exactly(ours[0], oracle.input_gradient(upstream, kernel, (3, 4), strides, padding))
    assert_exactly(
        ours[1], oracle.filter_gradient(upstream, image, kernel.shape[:2], strides, padding)
    )
    assert len(ours) == 2 + sample.arguments["use_bias"]
    if sample.arguments["use_bias"]:
        assert_exactly(ours[2], upstream.sum(axis=(0, 1, 2)))
