"""Weights and states go to the layer that stands for theirs; the model given stays as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from tf_tconv.conversion import convert
from tf_tconv.conversion.pairing import paired

NATIVE, OURS = keras.layers.Conv2DTranspose, tf_tconv.Conv2DTranspose
Input = keras.Input


def same(name, **arguments):
    """A layer that keeps all sizes, so that any two of them could be exchanged unnoticed."""
    return NATIVE(3, 3, padding="same", name=name, **arguments)


class Hub(keras.Model):
    """A functional model whose class sets layers before its graph, in another order than used."""

    def __init__(self, **kwargs):
        self.last = same("last")
        self.first = same("first")
        x = Input((5, 5, 3), name="image")
        super().__init__(inputs=x, outputs=self.last(self.first(x)), **kwargs)


class HubOfHubs(keras.Model):
    """The same, of models that are parts and hold one layer together."""

    def __init__(self, **kwargs):
        shared = same("shared")
        self.head = keras.Sequential([Input((5, 5, 3)), same("up"), shared], name="head")
        self.back = keras.Sequential([Input((5, 5, 3)), shared, same("up")], name="back")
        x = Input((5, 5, 3), name="image")
        super().__init__(inputs=x, outputs=self.head(self.back(x)), **kwargs)


@keras.saving.register_keras_serializable(package="states")
class Scaled(keras.Model):
    """A functional model with a weight and a call of its own."""

    def __init__(self, factor=3.0, **kwargs):
        x = Input((5, 5, 3), name="image")
        super().__init__(inputs=x, outputs=same("last")(same("first")(x)), **kwargs)
        self.factor = factor
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs) * self.scale * self.factor

    def get_config(self):
        return {"name": self.name, "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="states")
class Chain(keras.Model):
    """A subclassed model that holds its layers in a list, a dict, and a set, in no order of use."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = {"z": same("z"), "a": same("a")}
        self.row = [same("r0"), same("r1")]
        self.pair = (same("p0"), {"deep": [same("p1")]})
        self.seen = self.add_weight(name="seen", shape=(2,), trainable=False)
        self.noise = keras.layers.GaussianNoise(0.5)
        self.mean = keras.metrics.Mean(name="mean")

    def call(self, inputs, training=None):
        x = self.row[1](self.table["a"](inputs))
        x = self.pair[1]["deep"][0](self.row[0](self.table["z"](x)))
        return self.noise(self.pair[0](x), training=training) + self.seen[0]

    def get_config(self):
        return {"name": self.name}


def sequential_in_functional():
    x = Input((5, 5, 3), name="image")
    last = keras.Sequential([same("up"), keras.layers.BatchNormalization(name="norm")], name="s")
    first = same("up")
    return keras.Model(x, last(first(x)))


def normalized():
    adapted = keras.layers.Normalization(name="adapted")
    adapted.adapt(ramp(6, 5, 5, 3).astype(np.float32))
    x = Input((5, 5, 3), name="image")
    norm = keras.layers.BatchNormalization(name="norm")
    drop = keras.layers.Dropout(0.5, seed=5, name="drop")
    return keras.Model(x, drop(norm(same("up")(adapted(x)))))


def with_layers_for_activations():
    x = Input((5, 5, 3), name="image")
    layers = [same(name, activation=keras.layers.PReLU(name=f"{name}_act")) for name in "ba"]
    return keras.Model(x, layers[0](layers[1](x)))


def numbered(model):
    """The model, each of its weights with numbers of its own."""
    for index, variable in enumerate(model.variables):
        if variable.dtype == "float32" and "adapted" not in variable.path:
            # Positive, as variances are; small, as they multiply.
            variable.assign(0.05 + 0.2 * np.abs(ramp(*variable.shape, seed=index)) / 8)
    return model


MODELS = {
    each.__name__: each
    for each in (
        *(Hub, HubOfHubs, Scaled, Chain),
        *(sequential_in_functional, normalized, with_layers_for_activations),
    )
}
X = ramp(2, 5, 5, 3).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("inside", ["copy", "in place"])
@pytest.mark.parametrize("verify", [True, False])
def test_each_layer_keeps_its_weights(name, inside, verify):
    model = MODELS[name]()
    model(X)
    numbered(model)
    expected = np.asarray(model(X))
    states = {variable.path: variable.numpy() for variable in model.variables}
    count = sum(type(layer) is NATIVE for layer in model._flatten_layers())
    converted = convert(model, inside=inside, verify=verify, inputs=X)
    assert len(converted.swapped) == count > 0
    assert (converted.model is model) == (inside == "in place")
    clone = converted.model
    assert not any(type(layer) is NATIVE for layer in clone._flatten_layers())
    # A swap of two layers would be off by a good part of the whole; sums differ in a last digit.
    difference = np.abs(np.asarray(clone(X)) - expected).max()
    assert difference <= 1e-5 * np.abs(expected).max()
    found = {variable.path: variable.numpy() for variable in clone.variables}
    if name in ("Hub", "Scaled", "sequential_in_functional"):  # Where Keras numbers no names anew.
        for path, value in found.items():
            np.testing.assert_array_equal(value, states[path], err_msg=path)
    assert sorted(v.tobytes() for v in found.values()) == sorted(
        v.tobytes() for v in states.values()
    )


def test_a_swap_of_two_layers_is_found(monkeypatch):
    """What B5 was: the comparison has to see it by itself, the weights' own check aside."""
    model = numbered(Hub(name="hub"))
    right = tf_tconv.conversion.model.copy_state

    def swapped(model, clone, pairs):
        right(model, clone, pairs)
        first, last = clone.get_layer("first"), clone.get_layer("last")
        weights = first.get_weights(), last.get_weights()
        first.set_weights(weights[1])
        last.set_weights(weights[0])

    monkeypatch.setattr(tf_tconv.conversion.model, "copy_state", swapped)
    with pytest.raises(RuntimeError, match='weight "kernel" of layer "first" is another'):
        convert(model)
    monkeypatch.setattr(tf_tconv.conversion.model, "check_equal_state", lambda pairs: None)
    with pytest.raises(RuntimeError, match=r"more than the .* that rounding explains"):
        convert(model)


def snapshot(model):
    """All that can be seen of a model: the attributes of each layer, the numbers it holds."""
    seen = {}
    for layer in model._flatten_layers():
        for name, value in vars(layer).items():
            size = len(value) if isinstance(value, (list, tuple, dict, set)) else None
            seen[layer.name, id(layer), name] = type(layer), id(value), size
    operations = getattr(model, "operations", [])
    nodes = [(len(op._inbound_nodes), len(op._outbound_nodes)) for op in operations]
    states = [variable.numpy().tobytes() for variable in model.variables]
    losses = [float(loss) for loss in model.losses]
    return seen, nodes, states, losses, [v.numpy().tobytes() for v in model.metrics_variables]


@pytest.mark.parametrize("name", MODELS)
def test_the_model_given_is_left_as_it_was(name):
    model = MODELS[name]()
    model(X)
    model.compile("sgd", loss="mse", metrics=["mae"])
    model.fit(X, np.asarray(model(X)) + 1, verbose=0)
    model.predict(X, verbose=0)
    before = snapshot(model)
    convert(model, inside="copy", inputs=X)
    assert snapshot(model) == before


def test_losses_and_operations_of_the_model_given_stay():
    x = Input((5, 5, 3), name="image")
    y = same("up", activity_regularizer="l2", kernel_regularizer="l1")(x)
    model = keras.Model(x, keras.ops.flip(y[:, 1:] + 1.0, axis=2))
    model(X)
    before = snapshot(model)
    assert len(before[3]) == 2
    convert(model)
    assert snapshot(model) == before


class Drawing(keras.layers.Layer):
    """A layer that draws numbers of a seed that it counts on, at inference too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed_generator)


def test_the_state_of_a_seed_is_copied_and_not_advanced():
    model = keras.Sequential([Input((5, 5, 3)), Drawing(name="draw"), same("up")])
    model(X)
    state = model.layers[0].seed_generator.state.numpy()
    converted = convert(model)
    np.testing.assert_array_equal(model.layers[0].seed_generator.state.numpy(), state)
    np.testing.assert_array_equal(converted.model.layers[0].seed_generator.state.numpy(), state)
    # So that both draw the same numbers, and nothing is left to chance in the comparison.
    assert converted.largest_difference < 1e-5


class Trembling(keras.layers.Layer):
    """Rounding that is another from run to run, as where threads add in no order."""

    scale = 1e-6

    def call(self, inputs):
        return inputs * (1 + self.scale * tf.random.uniform(tf.shape(inputs), -1.0, 1.0))


class Shaking(Trembling):
    """Chance that is no rounding."""

    scale = 0.1


class TestNoise:
    def test_rounding_that_differs_from_run_to_run_is_allowed_for(self, recwarn):
        model = keras.Sequential([Input((5, 5, 3)), Trembling(), same("up")])
        converted = convert(model)
        assert 0 < converted.largest_difference < 1e-4
        assert not recwarn.list

    @pytest.mark.parametrize(("kind", "factor"), [(Trembling, 1.002), (Shaking, 100.0)])
    def test_a_difference_beyond_the_noise_is_found(self, kind, factor, monkeypatch):
        model = keras.Sequential([Input((5, 5, 3)), kind(), same("up")])
        right = OURS.call

        def wrong(layer, inputs, output_size=None):
            twin = layer.name != "up"  # The layer's own comparison, on integers.
            return right(layer, inputs, output_size) * (1.0 if twin else factor)

        monkeypatch.setattr(OURS, "call", wrong)
        with pytest.raises(RuntimeError, match="and the model's own noise"):
            convert(model)

    def test_chance_is_said(self):
        model = keras.Sequential([Input((5, 5, 3)), Shaking(), same("up")], name="shaking")
        with pytest.warns(UserWarning, match='"shaking" differs from itself by up to'):
            assert convert(model).largest_difference is None


def test_a_shared_layer_whose_clones_are_several_is_refused():
    up = same("up")
    x = Input((5, 5, 3), name="image")
    each = keras.layers.TimeDistributed(up, name="each")
    y = keras.layers.Reshape((1, 5, 5, 3))(up(x))
    model = keras.Model(x, each(y))
    with pytest.raises(
        ValueError, match=r'"each/up" is held in several places, .*inside="in place"'
    ):
        convert(model)
    converted = convert(model, inside="in place")
    assert [layer.path for layer in converted.swapped] == ["up"]


class Tracking(keras.Model):
    """A functional model that trains in its own way, as the guides of Keras have it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tracker = keras.metrics.Mean(name="tracker")

    def train_step(self, data):
        self.tracker.update_state(tf.reduce_sum(self(data[0], training=True)))
        return {"tracked": self.tracker.result()}


class Wanting(Tracking):
    """The same, of a class that takes more than it says."""

    def __init__(self, *args, **kwargs):
        self.wanted = kwargs.pop("wanted")
        super().__init__(*args, **kwargs)


def image_and_output():
    x = Input((5, 5, 3), name="image")
    return {"inputs": {"image": x}, "outputs": [same("up")(x)], "name": "net"}


def test_a_class_that_hands_all_its_arguments_on_stays():
    model = Tracking(**image_and_output())
    model.compile("sgd", "mse")
    x, y = ramp(2, 5, 5, 3).astype(np.float32), ramp(2, 5, 5, 3).astype(np.float32)
    model.fit({"image": x}, y, verbose=0)
    converted = convert(model).model
    assert type(converted) is Tracking
    assert converted.name == "net"
    assert type(converted.get_layer("up")) is OURS
    assert converted.input.keys() == {"image"}
    assert isinstance(converted.output, list)
    assert converted.tracker.total.numpy() == model.tracker.total.numpy() != 0
    assert converted.train_on_batch({"image": x}, y, return_dict=True).keys() == {"tracked"}


def test_a_class_that_cannot_be_made_of_a_graph_does_not():
    model = Wanting(**image_and_output(), wanted=1)
    with pytest.raises(ValueError, match=r'"net", a Wanting, .*inside="in place" keeps them'):
        convert(model)


def test_a_training_step_that_is_lost_is_said():
    class Own(keras.Model):
        def __init__(self, cells):
            x = Input((cells, cells, 3), name="image")
            super().__init__(inputs=x, outputs=same("up")(x), name="own")

        def train_step(self, data):
            return {}

    model = Own(5)
    assert convert(model).swapped  # Not compiled, it trains in no way.
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match='"own" is a plain functional .* the train_step of Own; '):
        convert(model)
    assert type(convert(model, inside="in place").model) is Own


def test_what_has_no_weights_may_become_several():
    again = keras.layers.ReLU(name="again")
    again.build((None, 5, 5, 3))
    pairs = [("first", again, keras.layers.ReLU()), ("second", again, keras.layers.ReLU())]
    holders = {"old": keras.layers.Layer(name="old"), "new": keras.layers.Layer(name="new")}
    for attribute, old, new in pairs:
        inside = keras.layers.Layer(name=attribute), keras.layers.Layer(name=attribute)
        for holder, within, layer in zip(holders.values(), inside, (old, new), strict=True):
            within.held = layer
            setattr(holder, attribute, within)
    paths = [pair.path for pair in paired(holders["old"], holders["new"], {})]
    assert paths == ["first", "first/again", "second"]


def test_a_model_of_keras_2_in_memory_is_told_the_way():
    legacy = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})()
    with pytest.raises(TypeError, match=r"a Sequential of tf_keras, .*tf-tconv convert old\.h5"):
        convert(legacy)
