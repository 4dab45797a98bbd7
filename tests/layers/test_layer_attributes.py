"""Initializers, regularizers, constraints, names, copies: what every Keras layer can do."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_samples import SAMPLES, Sample, assert_exactly, ramp

import tf_tconv

ARGUMENTS = {"filters": 4, "kernel_size": (3, 2), "strides": (2, 3), "padding": "same"}
SHAPE = (2, 4, 3, 6)

samples = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def built(**arguments):
    layer = tf_tconv.Conv2DTranspose(**{**ARGUMENTS, **arguments})
    layer.build(SHAPE)
    return layer


def both(**arguments):
    """The layer and Keras' own with the same arguments, built."""
    native = keras.layers.Conv2DTranspose(**{**ARGUMENTS, **arguments})
    native.build(SHAPE)
    return built(**arguments), native


def test_initializers_fill_the_weights():
    layer = built(
        kernel_initializer=lambda shape, dtype: ramp(*shape),
        bias_initializer=lambda shape, dtype: ramp(*shape, start=2),
    )
    assert_exactly(layer.kernel, ramp(3, 2, 4, 6))
    assert_exactly(layer.bias, ramp(4, start=2))


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.GlorotUniform(seed=3),
        keras.initializers.HeNormal(seed=4),
        keras.initializers.LecunUniform(seed=5),
        keras.initializers.RandomNormal(seed=6),
        keras.initializers.Orthogonal(seed=7),
    ],
    ids=lambda initializer: type(initializer).__name__,
)
def test_initializers_draw_what_they_draw_for_keras(initializer):
    # A seeded initializer gives the same numbers every time it is called.
    ours, theirs = both(kernel_initializer=initializer)
    assert_exactly(ours.kernel, keras.ops.convert_to_numpy(theirs.kernel))


def test_default_weights():
    layer = built()
    limit = np.sqrt(6 / ((4 + 6) * 3 * 2))  # Glorot's, with fans of taps times channels.
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    # 144 numbers: that all miss the outer tenth has a chance of 0.9**144 = 3e-7.
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    assert not keras.ops.convert_to_numpy(layer.bias).any()


@pytest.mark.parametrize(
    "regularizer", ["l1", "l2", pytest.param(keras.regularizers.L1L2(0.25, 0.5), id="both")]
)
@pytest.mark.parametrize("which", ["kernel", "bias"])
def test_weight_regularizers_add_losses(which, regularizer):
    ours, theirs = both(**{f"{which}_regularizer": regularizer})
    weights = [ramp(*weight.shape, start=1) for weight in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
        assert len(layer.losses) == 1
    expected = keras.regularizers.get(regularizer)(weights[["kernel", "bias"].index(which)])
    assert float(ours.losses[0]) == float(theirs.losses[0]) == float(expected) > 0


def test_activity_regularizer_adds_a_loss_a_call():
    ours, theirs = both(activity_regularizer=keras.regularizers.L1(0.5))
    image = ramp(*SHAPE)
    for layer in (ours, theirs):
        layer.set_weights([ramp(*weight.shape, start=1) for weight in layer.weights])
        assert layer.losses == []
        outputs = layer(image)
        assert len(layer.losses) == 1
    # Integers, and halves of them. Keras 3.0 takes the sum, later versions its mean over the batch.
    total = 0.5 * np.abs(outputs).sum()
    assert float(ours.losses[0]) == float(theirs.losses[0])
    assert float(ours.losses[0]) in (total, total / len(image))
    assert total > 0


def test_regularizers_take_part_in_training():
    rate = 2.0**-4
    layer = built(kernel_regularizer=keras.regularizers.L2(0.5))
    layer.set_weights([ramp(*weight.shape, start=1) for weight in layer.weights])
    model = keras.Sequential([keras.Input(SHAPE[1:]), layer])
    model.compile(keras.optimizers.SGD(rate), lambda y_true, y_pred: 0 * y_pred)
    model.train_on_batch(ramp(*SHAPE), np.zeros((2, 8, 9, 4)))
    # The gradient of half a square is the weight itself, so all shrink by the rate.
    assert_exactly(layer.kernel, (1 - np.float32(rate)) * ramp(3, 2, 4, 6, start=1))


def test_constraints_hold_after_a_step():
    layer = built(kernel_constraint="non_neg", bias_constraint=keras.constraints.NonNeg())
    layer.set_weights([ramp(*weight.shape) for weight in layer.weights])
    model = keras.Sequential([keras.Input(SHAPE[1:]), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.train_on_batch(ramp(*SHAPE), np.zeros((2, 8, 9, 4)))
    assert_exactly(layer.kernel, np.maximum(ramp(3, 2, 4, 6), 0))
    assert_exactly(layer.bias, np.maximum(ramp(4), 0))


@pytest.mark.parametrize(
    "activation", ["relu", "elu", "sigmoid", "softmax", keras.activations.tanh]
)
def test_activation_is_applied_to_the_biased_output(activation):
    sample = Sample("activated", {**ARGUMENTS, "activation": activation}, SHAPE)
    function = keras.activations.get(activation)
    expected = function(tf.constant(sample.expected(), tf.float32))
    # The same function of the same numbers.
    assert_exactly(sample.filled()(sample.inputs()), np.asarray(expected))


def test_without_an_activation_the_output_is_linear():
    assert tf_tconv.Conv2DTranspose(**ARGUMENTS).activation is keras.activations.linear


def test_name():
    assert tf_tconv.Conv2DTranspose(**ARGUMENTS, name="upwards").name == "upwards"
    keras.backend.clear_session()
    names = [tf_tconv.Conv2DTranspose(**ARGUMENTS).name for _ in range(2)]
    keras.backend.clear_session()
    natives = [keras.layers.Conv2DTranspose(**ARGUMENTS).name for _ in range(2)]
    assert names == natives == ["conv2d_transpose", "conv2d_transpose_1"]


def test_variables_are_named_under_the_layer():
    layer = tf_tconv.Conv2DTranspose(**ARGUMENTS, name="upwards")
    layer(ramp(*SHAPE))
    assert [weight.path for weight in layer.weights] == ["upwards/kernel", "upwards/bias"]


@samples
def test_count_params(sample):
    layer = sample.filled()
    assert layer.count_params() == sum(weight.size for weight in sample.weights())


def test_count_params_by_hand():
    assert built().count_params() == 3 * 2 * 4 * 6 + 4
    assert built(use_bias=False).count_params() == 3 * 2 * 4 * 6
    assert built(groups=2).count_params() == 3 * 2 * 2 * 6 + 4


def test_count_params_before_building():
    with pytest.raises(ValueError, match="build"):
        tf_tconv.Conv2DTranspose(**ARGUMENTS).count_params()


def test_trainable_may_be_switched():
    layer = built()
    assert len(layer.trainable_weights) == 2
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 2
    assert layer.get_config()["trainable"] is False
    layer.trainable = True
    assert len(layer.trainable_weights) == 2


def test_compute_output_shape_needs_no_weights():
    layer = tf_tconv.Conv2DTranspose(**ARGUMENTS)
    assert layer.compute_output_shape(SHAPE) == (2, 8, 9, 4)
    assert layer.compute_output_shape([None, None, 3, 6]) == (None, None, 9, 4)
    assert not layer.built


@samples
def test_compute_output_shape_is_that_of_the_output(sample):
    layer = sample.layer()
    shape = layer.compute_output_shape(sample.inputs().shape, output_size=sample.output_size)
    assert shape == sample.expected().shape
    assert all(type(size) is int for size in shape)


def by_configuration(layer):
    twin = type(layer).from_config(layer.get_config())
    if layer.built:
        twin.build(layer.get_build_config()["input_shape"])
        twin.set_weights(layer.get_weights())
    return twin


def by_pickle(layer):
    return pickle.loads(pickle.dumps(layer))


def keras_allows(duplicate):
    """Whether Keras' own layer can be copied that way; in Keras 3.0 by configuration only."""
    try:
        duplicate(keras.layers.Conv2DTranspose(1, 1))(np.ones([1, 1, 1, 1]))
    except (AttributeError, TypeError, ValueError):
        return False
    return True


DUPLICATES = [
    duplicate
    for duplicate in (by_configuration, by_pickle, copy.deepcopy)
    if keras_allows(duplicate)
]
duplicates = pytest.mark.parametrize(
    "duplicate", DUPLICATES, ids=lambda function: function.__name__
)


def test_there_is_a_way_to_copy():
    assert by_configuration in DUPLICATES


@duplicates
@samples
def test_copy_is_a_layer_of_its_own(sample, duplicate):
    layer = sample.filled()
    twin = duplicate(layer)
    assert twin is not layer
    assert twin.get_config() == layer.get_config()
    assert_exactly(twin(sample.inputs(), output_size=sample.output_size), sample.expected())
    twin.set_weights([0 * weight for weight in twin.get_weights()])
    assert_exactly(layer(sample.inputs(), output_size=sample.output_size), sample.expected())


@duplicates
def test_copy_of_an_unbuilt_layer(duplicate):
    twin = duplicate(tf_tconv.Conv2DTranspose(**ARGUMENTS, name="upwards"))
    assert twin.name == "upwards"
    assert not twin.built
    assert twin(ramp(*SHAPE)).shape == (2, 8, 9, 4)


@duplicates
def test_copy_of_a_model(duplicate):
    inputs = keras.Input((None, None, 6))
    half = keras.layers.Conv2D(5, 3, strides=2, padding="same")(inputs)
    outputs = tf_tconv.Conv2DTranspose(3, 4, strides=2, padding="same")(half, output_size=inputs)
    model = keras.Model(inputs, outputs)
    twin = keras.models.clone_model(model) if duplicate is by_configuration else duplicate(model)
    twin.set_weights(model.get_weights())
    image = ramp(2, 7, 5, 6)
    assert_exactly(twin(image), keras.ops.convert_to_numpy(model(image)))


def test_image_data_format_of_keras_is_the_default():
    was = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        layer = tf_tconv.Conv2DTranspose(**ARGUMENTS)
        assert layer.data_format == "channels_first"
        assert layer(np.zeros((2, 6, 4, 3))).shape == (2, 4, 8, 9)
    finally:
        keras.config.set_image_data_format(was)
    # What was chosen stays, and it is written into the configuration.
    assert layer(np.zeros((2, 6, 4, 3))).shape == (2, 4, 8, 9)
    assert layer.get_config()["data_format"] == "channels_first"
    assert tf_tconv.Conv2DTranspose(**ARGUMENTS).data_format == was


@pytest.mark.parametrize("make", [np.asarray, tf.constant], ids=["numpy", "tensorflow"])
@samples
def test_stateless_call(sample, make):
    """With weights of the caller's; Keras hands them and the inputs on just as they are."""
    layer = sample.filled()
    weights = [make(2 * weight) for weight in sample.weights()]
    outputs, state = layer.stateless_call(
        weights, [], make(sample.inputs()), output_size=sample.output_size
    )
    assert_exactly(outputs, 2 * sample.expected())
    assert state == []
    assert_exactly(layer(sample.inputs(), output_size=sample.output_size), sample.expected())


def test_subclass_of_the_layer():
    class Doubled(tf_tconv.Conv2DTranspose):
        def call(self, inputs, output_size=None):
            return 2 * super().call(inputs, output_size)

    sample = Sample("doubled", ARGUMENTS, SHAPE, (7, 9))
    layer = Doubled(**ARGUMENTS)
    layer.build(SHAPE)
    layer.set_weights(sample.weights())
    assert_exactly(layer(sample.inputs(), output_size=(7, 9)), 2 * sample.expected())


def test_forward_graph_holds_no_native_gradient_op():
    layer = built()
    run = tf.function(lambda images: layer(images, output_size=(7, 8)))
    graph = run.get_concrete_function(tf.TensorSpec([None, None, None, 6])).graph.as_graph_def()
    functions = [node for function in graph.library.function for node in function.node_def]
    operations = {node.op for node in [*graph.node, *functions]}
    assert "Conv2D" in operations
    assert not {name for name in operations if "Backprop" in name}
