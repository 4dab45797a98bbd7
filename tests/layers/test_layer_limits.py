"""Inputs of unknown rank, and kernels larger than a tensor or the memory: both are said."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
import tf_tconv.layers
from tf_tconv.checkerboard import ResizeConv2D

LAYERS = {
    "transposed": lambda **arguments: tf_tconv.Conv2DTranspose(**{"kernel_size": 3, **arguments}),
    "resizing": lambda **arguments: ResizeConv2D(**{"kernel_size": 3, **arguments}),
}


def without_rank(x):
    return tf.py_function(lambda: x, [], tf.float32)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("built", [True, False])
def test_an_input_of_unknown_rank(name, built):
    layer = LAYERS[name](filters=2)
    x = np.ones((1, 4, 5, 3), np.float32)
    if built:
        layer(x)

    @tf.function
    def run():
        return layer(without_rank(x))

    with pytest.raises(ValueError, match=r"inputs has unknown rank.* tf\.ensure_shape"):
        run()


@pytest.mark.parametrize("name", LAYERS)
def test_an_input_whose_rank_is_ensured(name):
    layer = LAYERS[name](filters=2, kernel_initializer="ones")
    x = ramp(1, 4, 5, 3).astype(np.float32)
    expected = layer(x)

    @tf.function
    def run():
        return layer(tf.ensure_shape(without_rank(x), [None, None, None, 3]))

    np.testing.assert_array_equal(run(), expected)


def test_an_output_size_of_unknown_rank():
    layer = tf_tconv.Conv2DTranspose(2, 3, strides=2, padding="same")
    x = np.ones((1, 4, 5, 3), np.float32)

    @tf.function
    def run():
        return layer(x, output_size=without_rank(np.ones((1, 8, 10, 1), np.float32)))

    with pytest.raises(ValueError, match="output_size has unknown rank"):
        run()


LARGEST = 2**31 - 1
TOO_LARGE = (
    # arguments, channels, the kernel's elements
    ({"filters": LARGEST}, 1, 9 * LARGEST),
    ({"filters": LARGEST, "kernel_size": 1}, 2, 2 * LARGEST),
    ({"filters": 1, "kernel_size": (LARGEST, 2)}, 1, 2 * LARGEST),
    ({"filters": 1, "kernel_size": (2**16, 2**16)}, 1, 2**32),
    ({"filters": 2, "kernel_size": 1}, 2**30, 2**31),
    ({"filters": 2**17, "kernel_size": 1, "groups": 2}, 2**16, 2**32),
)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("arguments", "channels", "elements"), TOO_LARGE)
def test_a_kernel_of_more_elements_than_a_tensor_has(name, arguments, channels, elements):
    layer = LAYERS[name](**arguments)
    sentence = (
        rf"filters={layer.filters} with kernel_size=.* need a kernel of {elements:,} elements"
    )
    with pytest.raises(ValueError, match=f"{sentence}; a tensor has at most {LARGEST:,}"):
        layer.build((None, 4, 4, channels))
    assert not layer.weights


@pytest.mark.parametrize("name", LAYERS)
def test_a_kernel_larger_than_the_memory(name, monkeypatch):
    monkeypatch.setattr(tf_tconv.layers, "_memory", lambda: 2**20)
    LAYERS[name](filters=2**9).build((None, 4, 4, 2**5))  # 9/16 of it.
    with pytest.raises(ValueError, match=r"filters=1024 .*GiB in float32; this machine has .* GiB"):
        LAYERS[name](filters=2**10).build((None, 4, 4, 2**5))


@pytest.mark.parametrize("name", LAYERS)
def test_a_kernel_larger_than_what_is_free(name):
    class Exhausting(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    layer = LAYERS[name](filters=2, kernel_initializer=Exhausting())
    with pytest.raises(ValueError, match=r"filters=2 .* the memory now free does not hold"):
        layer.build((None, 4, 4, 3))
