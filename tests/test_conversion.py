"""Models of every kind, their transposed convolutions exchanged for ours and back again."""

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from tf_tconv.conversion import convert, pairing
from tf_tconv.conversion import model as conversion

NATIVE, OURS = keras.layers.Conv2DTranspose, tf_tconv.Conv2DTranspose
Conv2D, Input = keras.layers.Conv2D, keras.Input


def sequential():
    return keras.Sequential(
        [
            Input((5, 4, 3), name="image"),
            NATIVE(4, 3, strides=2, padding="same", name="first", activation="relu"),
            NATIVE(2, (2, 5), strides=(1, 3), name="second", use_bias=False),
        ],
        name="decoder",
    )


def shared_layer():
    x = Input((4, 4, 3), name="image")
    up = NATIVE(3, 3, strides=2, padding="same", name="up")
    return keras.Model(x, keras.layers.Add(name="sum")([up(up(x)), up(up(-x))]), name="shared")


def several_inputs_and_outputs():
    left, right = Input((4, 4, 2), name="left"), Input((8, 8, 3), name="right")
    up = NATIVE(3, 4, strides=2, padding="same", name="up")(left)
    both = keras.layers.Concatenate(name="both")([up, right])
    outputs = {"wide": NATIVE(2, 2, strides=2, name="wide")(both), "narrow": Conv2D(1, 1)(both)}
    return keras.Model({"left": left, "right": right}, outputs, name="several")


def nested():
    inside = keras.Sequential([Input((None, None, 2)), NATIVE(2, 3, name="up")], name="inside")
    x = Input((None, None, 2), name="middle_in")
    middle = keras.Model(x, inside(NATIVE(2, 2, name="up")(inside(x))), name="middle")
    x = Input((3, 4, 2), name="image")
    return keras.Model(x, middle(NATIVE(2, 3, strides=2, name="up")(x)), name="outside")


def wrapped():
    layer = keras.layers.TimeDistributed(NATIVE(2, 3, strides=2, name="up"), name="each")
    return keras.Sequential([Input((3, 4, 5, 2)), layer], name="video")


def lambdas_and_operations():
    scale = 3.0
    x = Input((None, None, 2), name="image")
    y = NATIVE(2, 3, padding="same", name="up")(x)
    y = keras.layers.Lambda(lambda t: t * scale, name="scaled")(y)
    return keras.Model(x, keras.ops.flip(y[:, 1:] + 1.0, axis=2), name="operations")


def regularized_and_frozen():
    up = NATIVE(
        2,
        3,
        strides=2,
        name="up",
        kernel_regularizer=keras.regularizers.L2(0.1),
        activity_regularizer="l1",
        bias_constraint="non_neg",
        kernel_constraint=keras.constraints.MaxNorm(2.0, axis=(0, 1, 3)),
        kernel_initializer=keras.initializers.RandomNormal(seed=1),
        bias_initializer="ones",
        activation=keras.activations.relu,
    )
    frozen = NATIVE(2, 3, name="frozen", trainable=False)
    inside = keras.Sequential([Input((None, None, 2)), NATIVE(1, 3, name="up")], name="inside")
    model = keras.Sequential([Input((3, 4, 2)), up, frozen, inside], name="partly")
    inside.trainable = False
    inside.layers[0].trainable = True
    return model


def shared_by_a_frozen_model():
    up = NATIVE(2, 3, name="up")
    free = keras.Sequential([Input((None, None, 2)), up], name="free")
    frozen = keras.Sequential([Input((None, None, 2)), up, NATIVE(1, 2, name="last")], name="fro")
    frozen.trainable = False
    up.trainable = True
    x = Input((3, 4, 2), name="image")
    return keras.Model(x, frozen(free(x)), name="partly_shared")


def own_class():
    return Decoder(NATIVE(3, 3, strides=2, name="up"), name="own")


def functional_class():
    return FunctionalDecoder(name="functional_own")


def not_built():
    return keras.Sequential([NATIVE(3, 3, strides=2, name="up")], name="open")


@keras.saving.register_keras_serializable(package="test_conversion")
class Decoder(keras.Model):
    """A subclassed model whose config describes the layer that it was given."""

    def __init__(self, up, **kwargs):
        super().__init__(**kwargs)
        self.up = up

    def build(self, input_shape):
        self.up.build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.up(inputs)

    def get_config(self):
        return {"name": self.name, "up": keras.saving.serialize_keras_object(self.up)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["up"]), name=config["name"])


class FunctionalDecoder(keras.Model):
    """A functional model that makes its graph itself, as its config does not say."""

    def __init__(self, name):
        x = Input((4, 4, 2))
        super().__init__(x, NATIVE(2, 3, padding="same", name="up")(x), name=name)


class Block(keras.layers.Layer):
    """A layer that makes its transposed convolution by its own code."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.up = NATIVE(2, 3, name="up")

    def call(self, inputs):
        return self.up(inputs)


class Noise(keras.layers.Layer):
    """A layer that never answers twice alike."""

    def call(self, inputs):
        return inputs + tf.random.uniform(tf.shape(inputs))


MODELS = {
    each.__name__: each
    for each in (
        sequential,
        shared_layer,
        several_inputs_and_outputs,
        nested,
        wrapped,
        lambdas_and_operations,
        regularized_and_frozen,
        shared_by_a_frozen_model,
        functional_class,
    )
}
SWAPPED = {
    "sequential": ["first", "second"],
    "shared_layer": ["up"],
    "several_inputs_and_outputs": ["up", "wide"],
    "nested": ["up", "middle/inside/up", "middle/up"],
    "wrapped": ["each/up"],
    "lambdas_and_operations": ["up"],
    "regularized_and_frozen": ["up", "frozen", "inside/up"],
    "shared_by_a_frozen_model": ["free/up", "fro/last"],
    "functional_class": ["up"],
}


def with_integers(model):
    """The model, integers for all its weights; sums through all its layers stay below 2**24."""
    model.set_weights(
        [ramp(*w.shape, seed=i, low=-1, high=3) for i, w in enumerate(model.get_weights())]
    )
    return model


def integer_inputs(model):
    sequential_ = isinstance(model, keras.Sequential)
    structure = model.inputs[0] if sequential_ else model.input
    return tf.nest.map_structure(
        lambda t: ramp(*(n or 5 for n in t.shape), seed=7, low=-2).astype(np.float32), structure
    )


def outputs(model, inputs):
    return [np.asarray(each) for each in tf.nest.flatten(model(inputs))]


def all_layers(model):
    return [model, *(pair.old for pair in pairing.paired(model, model, {}))]


def described(model):
    """What a model says of its layers; operations are left out, as Keras renumbers their names."""
    text = []
    for layer in all_layers(model):
        if not isinstance(layer, keras.Model):
            config = layer.get_config()
            text.append(json.dumps([type(layer).__name__, config], sort_keys=True, default=str))
    return text


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(name):
    model = with_integers(MODELS[name]())
    before, weights = described(model), model.get_weights()
    inputs = integer_inputs(model)
    expected = outputs(model, inputs)

    there = convert(model)
    assert sorted(layer.path for layer in there.swapped) == sorted(SWAPPED[name])
    assert all(layer.equal for layer in there.swapped)
    assert there.largest_difference is not None
    assert not any(type(layer) is NATIVE for layer in all_layers(there.model))
    assert_same_state(there.model, model)
    for ours, native in zip(outputs(there.model, inputs), expected, strict=True):
        np.testing.assert_array_equal(ours, native)
    assert len(there.model.losses) == len(model.losses)

    back = convert(there.model, to="keras")
    assert [layer.path for layer in back.swapped] == [layer.path for layer in there.swapped]
    assert described(back.model) == before
    assert_same_state(back.model, model)
    for native, again in zip(expected, outputs(back.model, inputs), strict=True):
        np.testing.assert_array_equal(again, native)

    assert described(model) == before, "the model given is left as it was"
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def assert_same_state(clone, model):
    assert clone.name == model.name
    assert clone.built == model.built
    assert [tensor.name for tensor in clone.outputs or []] or not model.outputs
    pairs = zip(all_layers(clone), all_layers(model), strict=True)
    for new, old in pairs:
        assert new is not old
        assert (new.name, new.trainable, new.built) == (old.name, old.trainable, old.built)
        assert new.dtype_policy.name == old.dtype_policy.name
    for new, old in zip(clone.weights, model.weights, strict=True):
        assert new is not old
        assert (new.name, new.trainable, new.dtype) == (old.name, old.trainable, old.dtype)
        np.testing.assert_array_equal(new.numpy(), old.numpy())


def test_what_is_reported():
    (first, second) = convert(sequential()).swapped
    assert (first.path, first.parameters, first.equal) == ("first", 3 * 3 * 4 * 3 + 4, True)
    assert (first.operation.crops, first.operation.in_channels) == (((0, 1), (0, 1)), 3)
    assert (second.parameters, second.operation.use_bias) == (2 * 5 * 2 * 4, False)


def test_a_subclassed_model_whose_config_describes_its_layers():
    model = own_class()
    x = ramp(2, 4, 5, 2).astype(np.float32)
    model(x)
    converted = convert(model, inputs=x)
    assert type(converted.model) is Decoder
    assert type(converted.model.up) is OURS
    assert converted.largest_difference is not None
    assert [layer.path for layer in converted.swapped] == ["up"]
    with pytest.raises(RuntimeError, match='"own" does not say the shapes of its inputs; give inp'):
        convert(model)


def test_a_model_not_yet_built():
    converted = convert(not_built())
    assert converted.swapped[0].equal is True
    assert (converted.swapped[0].parameters, converted.largest_difference) == (0, None)
    assert not converted.model.built
    assert type(converted.model.layers[0]) is OURS
    assert tuple(converted.model(np.ones((1, 4, 4, 2), np.float32)).shape) == (1, 9, 9, 3)


def test_the_dtype_policy_stays():
    x = Input((6, 6, 2), name="image")
    up = NATIVE(3, 3, strides=2, padding="same", name="up", dtype="mixed_float16")
    model = keras.Model(x, NATIVE(2, 3, name="last", dtype="float64")(up(x)))
    converted = convert(model)
    policies = {layer.name: layer.dtype_policy.name for layer in converted.model.layers}
    assert (policies["up"], policies["last"]) == ("mixed_float16", "float64")
    assert_same_state(converted.model, model)


def test_lowering():
    model = sequential()
    assert convert(model, lowering="native").model.get_layer("first").lowering == "native"
    converted = tf_tconv.convert_model(model, "tf_tconv", "zero_insertion", True)
    assert converted.get_layer("second").lowering == "zero_insertion"
    # Ours stay as they are: there is nothing to exchange.
    again = convert(converted, lowering="native")
    assert again.swapped == ()
    assert again.model.get_layer("second").lowering == "zero_insertion"


def test_subclasses_of_the_layer_stay():
    model = keras.Sequential([Input((4, 4, 2)), Up(2, 3, name="up"), NATIVE(2, 3, name="plain")])
    converted = convert(model)
    assert type(converted.model.get_layer("up")) is Up
    assert [layer.path for layer in converted.swapped] == ["plain"]


@keras.saving.register_keras_serializable(package="test_conversion")
class Up(NATIVE):
    """A subclass, which may do anything."""


def test_a_compiled_model_is_compiled_alike():
    model = sequential()
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse", metrics=["mae"])
    converted = convert(model).model
    assert converted.compiled
    assert model.compiled
    assert np.asarray(converted.optimizer.learning_rate) == 0.25
    assert converted.optimizer is not model.optimizer
    x, y = ramp(4, 5, 4, 3), ramp(4, 11, 26, 2)
    converted.fit(x, y, verbose=0)


@keras.saving.register_keras_serializable(package="test_conversion")
class LastError(keras.metrics.Metric):
    """A metric with a state, that no config can make again."""

    def __init__(self, scale, name="last"):
        super().__init__(name=name)
        self.scale, self.last = scale, self.add_weight(name="last", shape=(), initializer="zeros")

    def update_state(self, y, prediction, sample_weight=None):
        self.last.assign(keras.ops.mean(keras.ops.abs(y - prediction)) * self.scale)

    def result(self):
        return self.last * 1.0  # A tensor: the oldest Keras returns a variable as it is.

    def get_config(self):
        return {"name": self.name}


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of the user's own, registered nowhere."""

    def __call__(self, step):
        return 0.5 / (1.0 + keras.ops.cast(step, "float32"))

    def get_config(self):
        return {}


def test_losses_metrics_and_schedules_of_the_users_own_are_reused():
    def loss(y, prediction):
        return keras.ops.mean(keras.ops.square(y - prediction))

    metric = LastError(3.0)
    model = sequential()
    optimizer = keras.optimizers.SGD(Halving(), momentum=0.5)
    model.compile(optimizer, loss=loss, metrics=[metric, "mae"], run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted = convert(model).model
    assert converted.compiled
    assert model.compiled
    assert converted.loss is loss
    assert converted.run_eagerly
    assert converted.optimizer is not optimizer
    assert type(converted.optimizer._learning_rate) is Halving
    assert converted.optimizer.momentum == 0.5
    x, y = ramp(4, 5, 4, 3), ramp(4, 11, 26, 2)
    # Means of some thousand float32 values, of cells that may be rounded in another order.
    found, right = converted.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(found, right, rtol=1e-5)
    converted.fit(x, y, verbose=0)
    assert optimizer.iterations == 0


def test_extraordinary_inputs():
    tokens = Input((3,), dtype="int32", name="tokens")
    image = Input((2, 2, 3), name="image")
    y = keras.layers.Embedding(2, 12)(tokens)
    y = keras.layers.Reshape((3, 3, 4))(keras.layers.Flatten()(y))
    outputs = [NATIVE(2, 2, strides=2, name="up")(y), NATIVE(2, 2, name="up_too")(image)]
    converted = convert(keras.Model([tokens, image], outputs))
    assert [layer.equal for layer in converted.swapped] == [True, True]
    assert converted.largest_difference is not None


def test_a_dilation_stays():
    # Not compared: on CPUs without oneDNN, Keras' own layer is refused.
    model = keras.Sequential([Input((4, 5, 3)), NATIVE(2, 3, dilation_rate=(2, 1), name="up")])
    converted = convert(model, verify=False).model
    layer = converted.get_layer("up")
    assert type(layer) is tf_tconv.Conv2DTranspose
    assert layer.dilation_rate == (2, 1)
    assert tuple(converted.output_shape) == tuple(model.output_shape)


class TestVerification:
    def test_a_model_that_differs_from_itself(self):
        model = keras.Sequential([Input((4, 4, 2)), Noise(), NATIVE(2, 3, name="up")], name="noisy")
        with pytest.warns(UserWarning, match='"noisy" differs from itself by up to'):
            converted = convert(model)
        assert converted.largest_difference is None
        assert converted.swapped[0].equal is True

    def test_a_misplaced_cell_is_found_in_the_layer(self, monkeypatch):
        right = tf_tconv.layers.transpose

        def wrong(*arguments, **named):
            return tf.roll(right(*arguments, **named), 1, axis=2)

        monkeypatch.setattr(tf_tconv.layers, "transpose", wrong)
        with pytest.raises(RuntimeError, match='layer "first" was exchanged for one that differs'):
            convert(sequential())

    @pytest.mark.parametrize("change", [lambda w: np.roll(w, 1, axis=0), lambda w: w * 1.001])
    def test_wrong_weights_are_found_in_the_model(self, monkeypatch, change):
        right = conversion.copy_state

        def wrong(model, clone, pairs):
            right(model, clone, pairs)
            clone.set_weights([change(each) for each in clone.get_weights()])

        monkeypatch.setattr(conversion, "copy_state", wrong)
        with pytest.raises(RuntimeError, match='weight "kernel" of layer "first" is another after'):
            convert(sequential())
        monkeypatch.setattr(conversion, "check_equal_state", lambda pairs: None)
        with pytest.raises(
            RuntimeError, match=r'output 0 of model "decoder" differs by .* rounding'
        ):
            convert(sequential())
        assert convert(sequential(), verify=False).largest_difference is None

    def test_a_model_that_fails_on_random_numbers(self):
        x = Input((None, None, 2), name="image")
        y = NATIVE(2, 3, name="up")(keras.layers.Reshape((4, 4, 2))(x))
        model = keras.Model(x, y, name="picky")
        with pytest.raises(
            RuntimeError,
            match=r'"picky" fails on inputs of shape \[\(2, 64, 64, 2\)\].* give inputs that suit',
        ):
            convert(model)
        given = ramp(1, 2, 8, 2).astype(np.float32)
        assert convert(model, inputs=given).largest_difference is not None

    def test_inputs_that_are_no_numbers(self):
        x = Input((4, 4, 2), dtype="string", name="text")
        y = keras.layers.Lambda(tf.strings.to_number, output_shape=(4, 4, 2))(x)
        model = keras.Model(x, NATIVE(2, 3, name="up")(y), name="reader")
        with pytest.raises(RuntimeError, match='"reader" takes an input of dtype string'):
            convert(model)

    def test_a_layer_that_fails_in_keras(self):
        """Even kernel, "same", no output padding: ours answers, Keras on TensorFlow does not."""
        try:
            layer = NATIVE(2, 4, strides=2, padding="same", output_padding=0, name="up")
        except ValueError as error:
            pytest.skip(f"this Keras takes no output_padding=0: {error}")
        model = keras.Sequential([Input((4, 4, 2)), layer], name="refused")
        with pytest.raises(RuntimeError, match='"refused" fails on inputs of shape'):
            convert(model)
        converted = convert(model, verify=False)
        assert converted.swapped[0].equal is None
        assert tuple(converted.model(np.ones((1, 4, 4, 2), np.float32)).shape) == (1, 6, 6, 2)

    def test_integers_that_are_decided_upon_are_not_compared(self):
        x = Input((4, 4, 2), name="image")
        y = NATIVE(2, 3, name="up")(x)
        decided = keras.ops.argmax(y, axis=-1)
        assert convert(keras.Model(x, [y, decided])).largest_difference is not None

    def test_numbers_that_are_none(self):
        x = Input((4, 4, 2), name="image")
        y = keras.ops.log(NATIVE(2, 3, name="up")(x))
        converted = convert(keras.Model(x, y))
        assert np.isfinite(converted.largest_difference)
        assert np.isfinite(converted.largest_output)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"groups": 2}, "has no groups, and the operation has 2"),
            ({"strides": 2, "dilation_rate": 2}, "takes no strides with a dilation_rate"),
            ({"padding": ((1, 0), (0, 0))}, r"cannot cut \(\(1, 0\), \(0, 0\)\) cells off"),
        ],
    )
    def test_what_keras_cannot_express(self, arguments, reason):
        model = keras.Sequential([Input((6, 6, 2)), OURS(2, 3, name="up", **arguments)])
        sentence = rf'layer "up" cannot become a keras\.layers\.Conv2DTranspose: .*{reason}'
        with pytest.raises(ValueError, match=sentence):
            convert(model, to="keras")

    def test_what_keras_cannot_be_called_with(self):
        x = Input((3, 3, 2), name="image")
        model = keras.Model(x, OURS(2, 3, strides=2, padding="same", name="up")(x, (5, 5)))
        with pytest.raises(ValueError, match=r'layer "up" cannot .* it is called with output_size'):
            convert(model, to="keras")

    def test_explicit_padding_that_has_a_name(self):
        layer = OURS(2, 3, strides=2, padding=((0, 1), (0, 1)), name="up")
        model = convert(keras.Sequential([Input((6, 6, 2)), layer]), to="keras").model
        assert (model.layers[0].padding, model.layers[0].output_padding) == ("same", None)

    @pytest.mark.parametrize(
        ("arguments", "error", "sentence"),
        [
            (("model",), TypeError, "model='model' is a str; it must be a keras.Model"),
            ((not_built, "kears"), ValueError, 'to="kears" is unknown; .* Did you mean "keras"'),
            ((not_built, "keras", "fast"), ValueError, 'lowering="fast" is unknown'),
        ],
    )
    def test_arguments(self, arguments, error, sentence):
        model, *rest = arguments
        with pytest.raises(error, match=sentence):
            convert(model() if callable(model) else model, *rest)

    def test_layers_made_by_code(self):
        model = keras.Sequential([Input((4, 4, 2)), Block(name="block")], name="coded")
        with pytest.raises(ValueError, match='layer "block/up" is made by the code of the layer'):
            convert(model)

    def test_layers_that_cannot_be_cloned(self):
        class Odd(keras.layers.Layer):
            def __init__(self, number, **kwargs):
                super().__init__(**kwargs)
                self.number = number

            def call(self, inputs):
                return inputs

            def get_config(self):
                return super().get_config()

        model = keras.Sequential([Input((4, 4, 2)), Odd(3, name="odd"), NATIVE(2, 3)])
        with pytest.raises(
            ValueError, match='layer "odd", an Odd, cannot be cloned from its config'
        ):
            convert(model)


def test_nothing_warns_in_an_ordinary_conversion():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert(convert(nested()).model, to="keras")
