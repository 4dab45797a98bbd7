"""What Keras documents for subclasses of its convolutions holds for subclasses of ours."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

from tf_tconv import Conv2DTranspose
from tf_tconv.checkerboard import ResizeConv2D

NATIVE = keras.layers.Conv2DTranspose
LAYOUTS = ("channels_last", "channels_first")


class Doubled(Conv2DTranspose):
    """As Keras' base layers document it: inputs and kernel alone."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, 2 * kernel)


class Sized(Conv2DTranspose):
    """With the size that only our layer can be asked for."""

    def convolution_op(self, inputs, kernel, output_size=None):
        return super().convolution_op(inputs, 2 * kernel, output_size)


class Replaced(Conv2DTranspose):
    """Another operation altogether, which still has the layer's bias and activation after it."""

    def convolution_op(self, inputs, kernel):
        return keras.ops.zeros((*inputs.shape[:-1], self.filters), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


def filled(layer, shape):
    """The layer, built, with whole numbers for weights."""
    layer.build(shape)
    layer.set_weights([ramp(*w.shape, seed=3, low=-2, high=3) for w in layer.get_weights()])
    return layer


def image(layout, height=4, width=5, channels=3):
    shape = (2, height, width, channels)
    shape = shape if layout == "channels_last" else (2, channels, height, width)
    return ramp(*shape, seed=1, low=-2).astype(np.float32)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("run", ["eager", "graph", "xla", "functional", "training"])
def test_an_override_of_convolution_op_is_called(layout, use_bias, run):
    arguments = {"strides": 2, "padding": "same", "data_format": layout, "use_bias": use_bias}
    x = image(layout)
    layer = filled(Doubled(4, 3, activation="relu", **arguments), x.shape)
    plain = filled(Conv2DTranspose(4, 3, **arguments), x.shape)
    kernel, *bias = layer.get_weights()
    plain.set_weights([2 * kernel, *bias])
    expected = np.maximum(np.asarray(plain(x)), 0)
    if run == "eager":
        found = layer(x)
    elif run == "functional":
        found = keras.Sequential([keras.Input(batch_shape=x.shape), layer])(x)
    elif run == "training":
        with tf.GradientTape() as tape:
            found = layer(x)
            total = tf.reduce_sum(found)
        # Of the kernel as it is held: twice that of the kernel which the operation is given.
        gradient = tape.gradient(total, layer.kernel.value)
        with tf.GradientTape() as tape:
            relu = tf.reduce_sum(tf.nn.relu(plain(x)))
        np.testing.assert_array_equal(gradient, 2 * tape.gradient(relu, plain.kernel.value))
    else:
        found = tf.function(layer, jit_compile=run == "xla")(x)
    np.testing.assert_array_equal(np.asarray(found), expected)


def test_an_override_on_the_instance_is_called():
    x = image("channels_last")
    layer = filled(Conv2DTranspose(4, 3), x.shape)
    layer.convolution_op = lambda inputs, kernel: Conv2DTranspose.convolution_op(
        layer, inputs, 0 * kernel
    )
    np.testing.assert_array_equal(np.asarray(layer(x)), np.broadcast_to(layer.bias, (2, 6, 7, 4)))


def test_an_override_gets_an_output_size_that_it_names():
    x = image("channels_last")
    layer = filled(Sized(4, 3, strides=2, padding="same"), x.shape)
    plain = filled(Conv2DTranspose(4, 3, strides=2, padding="same"), x.shape)
    plain.set_weights([2 * layer.get_weights()[0], layer.get_weights()[1]])
    np.testing.assert_array_equal(
        np.asarray(layer(x, output_size=(7, 10))), np.asarray(plain(x, output_size=(7, 10)))
    )
    np.testing.assert_array_equal(np.asarray(layer(x)), np.asarray(plain(x)))


def test_an_override_that_takes_no_output_size_says_so():
    layer = Doubled(4, 3, strides=2, padding="same")
    with pytest.raises(TypeError, match=r"Doubled\.convolution_op, .* must take output_size=None"):
        layer(image("channels_last"), output_size=(7, 10))


def test_an_override_of_the_shape_takes_the_inputs_shape_alone():
    x = keras.Input((4, 5, 3))
    model = keras.Model(x, Replaced(2, 3, strides=2, bias_initializer="ones")(x))
    assert model.output_shape == (None, 4, 5, 2)
    np.testing.assert_array_equal(model(image("channels_last")), np.ones((2, 4, 5, 2)))


def test_a_build_without_a_bias_attribute_will_do():
    class Own(Conv2DTranspose):
        def build(self, input_shape):
            shape = (*self.kernel_size, self.filters, input_shape[-1])
            self.kernel = self.add_weight(shape=shape, initializer="ones")

    x = image("channels_last")
    native = NATIVE(2, 3, use_bias=False, kernel_initializer="ones")
    np.testing.assert_array_equal(np.asarray(Own(2, 3, use_bias=False)(x)), np.asarray(native(x)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_resize_convolution_calls_an_override_of_convolution_op(layout):
    class DoubledResize(ResizeConv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, 2 * kernel)

    x = image(layout)
    layer = filled(DoubledResize(4, 3, activation="relu", data_format=layout), x.shape)
    plain = filled(ResizeConv2D(4, 3, activation="relu", data_format=layout), x.shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([2 * kernel, bias])
    np.testing.assert_array_equal(np.asarray(layer(x)), np.asarray(plain(x)))


def test_a_subclass_is_saved_and_loaded_with_its_override(tmp_path):
    model = keras.Sequential([keras.Input((4, 5, 3)), filled(Doubled(2, 3), (None, 4, 5, 3))])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", {"Doubled": Doubled})
    x = image("channels_last")
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(model(x)))
