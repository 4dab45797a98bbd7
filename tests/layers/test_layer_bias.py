"""The bias, which some lowerings add within their convolutions: same values, same gradients.

All numbers are integers whose sums stay exact, so every comparison is one of equality.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv

CALLS = {
    "covered": {"kernel_size": (5, 4), "strides": (2, 3), "padding": "same"},
    "with_holes": {"kernel_size": (1, 2), "strides": (3, 4)},  # Cells that only the bias reaches.
    "with_holes_down": {"kernel_size": (1, 3), "strides": (2, 2)},
    "cropped": {"kernel_size": 3, "strides": 2, "padding": ((2, 1), (0, 3))},
    "dilated": {"kernel_size": 3, "strides": 2, "dilation_rate": 2},
    "grouped": {"kernel_size": 4, "strides": 2, "groups": 2},
    "grouped_with_holes": {"kernel_size": 2, "strides": (3, 2), "groups": 2},
    "channels_first": {"kernel_size": 3, "strides": 2, "data_format": "channels_first"},
}
FILTERS = 4


def layer_of(call, lowering, size=(3, 4)):
    """The layer, weights set, and an input for it."""
    layer = tf_tconv.Conv2DTranspose(FILTERS, **CALLS[call], lowering=lowering)
    shape = (2, 6, *size) if call == "channels_first" else (2, *size, 6)
    layer.build(shape)
    layer.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    return layer, tf.constant(ramp(*shape, seed=2), tf.float32)


def outside(layer, x, kernel, bias):
    """By definition: the function's result, and then the bias."""
    first = layer.data_format == "channels_first"
    padding = layer.padding
    y = tf_tconv.conv2d_transpose(
        x,
        kernel,
        None,
        layer.strides,
        padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]],
        "NCHW" if first else "NHWC",
        layer.dilation_rate,
        groups=layer.groups,
        lowering="zero_insertion",
    )
    return y + tf.reshape(bias, [1, FILTERS, 1, 1] if first else [FILTERS])


def inside(layer, x, kernel, bias):
    """By the layer, from the same numbers."""
    with keras.StatelessScope([(layer.kernel, kernel), (layer.bias, bias)]):
        return layer(x)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_values_and_gradients(lowering, call):
    layer, x = layer_of(call, lowering)
    arguments = [x, *map(tf.constant, layer.get_weights())]
    results = []
    for compute in (inside, outside):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            y = compute(layer, *arguments)
            upstream = tf.constant(ramp(*y.shape, seed=7), tf.float32)
            total = tf.reduce_sum(y * upstream)
        results.append([y, *tape.gradient(total, arguments)])
    for ours, right in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, right)


@pytest.mark.slow
@pytest.mark.parametrize("lowering", [*tf_tconv.lowerings.NAMES, "native"])
def test_second_derivatives_and_forward_mode(lowering):
    layer, x = layer_of("covered", lowering)
    arguments = [x, *map(tf.constant, layer.get_weights())]
    directions = [tf.constant(ramp(*a.shape, seed=9), tf.float32) for a in arguments]
    results = []
    for compute in (inside, outside):
        with tf.GradientTape() as outer:
            outer.watch(arguments)
            with tf.GradientTape() as inner:
                inner.watch(arguments)
                y = compute(layer, *arguments)
                total = tf.reduce_sum(y * y) / 2
            slope = tf.add_n(
                [
                    tf.reduce_sum(gradient * direction)
                    for gradient, direction in zip(
                        inner.gradient(total, arguments), directions, strict=True
                    )
                ]
            )
        with tf.autodiff.ForwardAccumulator(arguments, directions) as forward:
            y = compute(layer, *arguments)
        results.append([*outer.gradient(slope, arguments), forward.jvp(y)])
    for ours, right in zip(*results, strict=True):
        assert np.abs(right).max() < 2**24
        np.testing.assert_array_equal(ours, right)


@pytest.mark.parametrize("call", ["covered", "with_holes"])
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_sizes_known_at_run_time(lowering, call):
    layer, _ = layer_of(call, lowering)
    traced = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 6])])
    for shape in ((2, 3, 4, 6), (1, 1, 1, 6), (0, 3, 4, 6)):
        x = ramp(*shape, seed=2).astype(np.float32)
        np.testing.assert_array_equal(traced(x), outside(layer, x, *layer.get_weights()))


def test_an_empty_image_has_the_bias_alone():
    layer = tf_tconv.Conv2DTranspose(2, 3, strides=2, bias_initializer="ones")
    y = layer(np.zeros((1, 0, 2, 3), np.float32))
    np.testing.assert_array_equal(y, np.ones(y.shape))
    assert y.shape == (1, 1, 5, 2)
