"""Layers that another layer's own code makes: refused, left, exchanged in a copy or in place."""

import keras
import numpy as np
import pytest
from integers import ramp

import tf_tconv
from tf_tconv.conversion import convert

NATIVE, OURS = keras.layers.Conv2DTranspose, tf_tconv.Conv2DTranspose
X = ramp(2, 4, 5, 2).astype(np.float32)


class Holder(keras.layers.Layer):
    """A layer with two transposed convolutions of one shape, which subclasses hold somewhere."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hold()

    def make(self):
        return NATIVE(2, 3, strides=2, padding="same")

    def call(self, inputs):
        first, second = self.held()
        return second(first(inputs))


class InAttributes(Holder):
    def hold(self):
        self.zz, self.aa = self.make(), self.make()

    def held(self):
        return self.aa, self.zz


class InAList(Holder):
    def hold(self):
        self.blocks = [[self.make()], [self.make()]]

    def held(self):
        return self.blocks[1][0], self.blocks[0][0]


class InADict(Holder):
    def hold(self):
        self.table = {"b": self.make(), "a": [self.make()]}

    def held(self):
        return self.table["a"][0], self.table["b"]


class InATuple(Holder):
    def hold(self):
        self.pair = (self.make(), (self.make(),))

    def held(self):
        return self.pair[1][0], self.pair[0]


class InASequential(Holder):
    def hold(self):
        self.stack = keras.Sequential([self.make(), keras.layers.ReLU(), self.make()])

    def held(self):
        return self.stack, lambda x: x


class InAWrapper(Holder):
    def hold(self):
        self.each = keras.layers.TimeDistributed(self.make())
        self.up = self.make()

    def held(self):
        expand = keras.ops.expand_dims
        return lambda x: keras.ops.squeeze(self.each(expand(x, 1)), 1), self.up


class InALayerInside(Holder):
    def hold(self):
        self.block = InAttributes()

    def held(self):
        return self.block, lambda x: x


class MadeWhenBuilt(Holder):
    def hold(self):
        self.ups = []

    def build(self, input_shape):
        self.ups.append(self.make())
        self.ups.append(self.make())
        self.ups[1].build(input_shape)
        self.ups[0].build(self.ups[1].compute_output_shape(input_shape))

    def held(self):
        return self.ups[1], self.ups[0]


class TrackedByHand(Holder):
    def hold(self):
        self._layers.append(self.make())
        self._layers.append(self.make())

    def held(self):
        return self._layers[1], self._layers[0]


HOLDERS = {each.__name__: each for each in Holder.__subclasses__()}


def model_of(holder, **compile_arguments):
    layers = [keras.Input((4, 5, 2)), holder(name="block"), NATIVE(2, 2, name="top")]
    model = keras.Sequential(layers, name="outer")
    for index, weight in enumerate(model.weights):
        weight.assign(ramp(*weight.shape, seed=index))
    if compile_arguments:
        model.compile(**compile_arguments)
    return model


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize("inside", ["copy", "in place"])
def test_they_are_exchanged_wherever_they_are_held(name, inside):
    model = model_of(HOLDERS[name])
    expected = np.asarray(model(X))
    converted = convert(model, inside=inside)
    assert [layer.equal for layer in converted.swapped] == [True] * 3
    assert all(layer.made_by.startswith("block") for layer in converted.swapped[:2])
    assert converted.swapped[2].made_by is None
    kinds = [type(layer) for layer in converted.model._flatten_layers()]
    assert (kinds.count(OURS), kinds.count(NATIVE)) == (3, 0)
    np.testing.assert_array_equal(np.asarray(converted.model(X)), expected)
    kinds = [type(layer) for layer in model._flatten_layers()]
    assert kinds.count(NATIVE) == (3 if inside == "copy" else 0)
    # And back: a clone has Keras' layers from the code that makes them.
    back = convert(converted.model, to="keras", inside=inside)
    assert len(back.swapped) == 3
    np.testing.assert_array_equal(np.asarray(back.model(X)), expected)


@pytest.mark.parametrize("name", HOLDERS)
def test_they_are_refused_by_default_and_left_if_asked(name):
    model = model_of(HOLDERS[name])
    with pytest.raises(ValueError, match=r'made by the code .* inside="copy" .* inside="leave"'):
        convert(model)
    converted = convert(model, inside="leave")
    assert [layer.path for layer in converted.swapped] == ["top"]
    assert len(converted.left) == 2
    assert all("is made by the code of" in layer.reason for layer in converted.left)


@pytest.mark.filterwarnings("ignore:.build... was called on layer 'block':UserWarning")
@pytest.mark.parametrize("name", ["InAttributes", "InASequential"])
@pytest.mark.parametrize("inside", ["copy", "in place"])
def test_what_a_file_holds(name, inside, tmp_path):
    """As `SwappedLayer.made_by` says: the weights, and the layer that the code makes."""
    converted = convert(model_of(HOLDERS[name]), inside=inside).model
    converted.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", HOLDERS)
    kinds = [type(layer) for layer in loaded._flatten_layers()]
    assert (kinds.count(OURS), kinds.count(NATIVE)) == (1, 2)
    np.testing.assert_array_equal(np.asarray(loaded(X)), np.asarray(converted(X)))


def test_a_clone_of_a_model_exchanged_before_keeps_that():
    once = convert(model_of(InAttributes), lowering="zero_insertion", inside="in place").model
    again = convert(once).model
    lowerings = [layer.lowering for layer in again._flatten_layers() if type(layer) is OURS]
    assert lowerings == ["zero_insertion"] * 3
    np.testing.assert_array_equal(np.asarray(again(X)), np.asarray(once(X)))


class TestInPlace:
    def test_training_goes_on_with_the_same_weights_and_optimizer(self):
        arguments = {"loss": "mse", "jit_compile": False}
        model, twin = (
            model_of(InAttributes, optimizer=keras.optimizers.SGD(2.0**-20), **arguments)
            for _ in range(2)
        )
        y = np.zeros(model.output_shape[1:])[None].repeat(2, 0)
        for each in (model, twin):
            each.fit(X, y, verbose=0)
            each.predict(X, verbose=0)
        weights = list(map(id, model.weights))
        assert convert(model, inside="in place").model is model
        assert list(map(id, model.weights)) == weights
        assert model.predict_function is None
        for each in (model, twin):
            each.fit(X, y, verbose=0)
        assert model.optimizer.iterations.numpy() == 2
        for ours, native in zip(model.get_weights(), twin.get_weights(), strict=True):
            # One step apart in the order of sums.
            np.testing.assert_allclose(ours, native, rtol=1e-5, atol=1e-5)

    def test_a_failure_undoes_it(self, monkeypatch):
        model = model_of(InAttributes)
        model.layers[0].note = "the user's own"
        expected = np.asarray(model(X))
        before = [(layer, dict(vars(layer))) for layer in model._flatten_layers()]

        def wrong(layer, inputs, output_size=None):
            return right(layer, inputs) + (layer.name == "top")

        right = OURS.call
        monkeypatch.setattr(OURS, "call", wrong)
        with pytest.raises(RuntimeError, match=r"more than the .* that rounding explains"):
            convert(model, inside="in place")
        assert [(layer, dict(vars(layer))) for layer in model._flatten_layers()] == before
        assert type(model.layers[1]) is NATIVE
        np.testing.assert_array_equal(np.asarray(model(X)), expected)

    def test_a_model_that_no_config_describes(self):
        class Own(keras.Model):
            def __init__(self, unknown):
                super().__init__()
                self.up, self.unknown = NATIVE(2, 3), unknown

            def call(self, inputs):
                return self.up(inputs)

        model = Own(object())
        expected = np.asarray(model(X))
        with pytest.raises(ValueError, match=r'inside="in place" needs no clone'):
            convert(model, inputs=X)
        assert type(convert(model, inside="in place", inputs=X).model.up) is OURS
        np.testing.assert_allclose(np.asarray(model(X)), expected, rtol=1e-5, atol=1e-5)

    def test_layers_that_are_yet_to_be_built(self):
        model = keras.Sequential([NATIVE(3, 3, strides=2, name="up")])
        converted = convert(model, inside="in place").model
        assert tuple(converted(X).shape) == (2, 9, 11, 3)
        assert [weight.path for weight in converted.weights] == [
            "sequential/up/kernel",
            "sequential/up/bias",
        ] or [weight.name for weight in converted.weights] == ["kernel", "bias"]
        native = NATIVE(3, 3, strides=2)
        native.build(X.shape)
        native.set_weights(converted.get_weights())
        np.testing.assert_allclose(np.asarray(converted(X)), np.asarray(native(X)), atol=1e-5)


@keras.saving.register_keras_serializable(package="inside")
class Up(NATIVE):
    """A subclass, which may do anything."""


LEFT = {
    "line": (lambda: keras.layers.Conv1DTranspose(2, 3), "a Conv1DTranspose", "1 spatial axis"),
    "solid": (lambda: keras.layers.Conv3DTranspose(2, 3), "a Conv3DTranspose", "3 axes"),
    "own": (lambda: Up(2, 3), "an Up", "a subclass of keras.layers.Conv2DTranspose"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_is_named_with_the_reason(name):
    make, named, reason = LEFT[name]
    rank = {"line": 1, "solid": 3}.get(name, 2)
    layer = make()
    layer.name = name
    wrapped = keras.layers.TimeDistributed(layer, name="each")
    inside = keras.Sequential([keras.Input((2, *[4] * rank, 2)), wrapped], name="inside")
    x = keras.Input((2, *[4] * rank, 2), name="image")
    model = keras.Model(x, inside(x))
    (left,) = convert(model).left
    assert (left.path, left.kind) == (f"inside/each/{name}", named.split()[1])
    assert reason in left.reason
    with pytest.warns(UserWarning, match=rf'left as they are: "inside/each/{name}", {named}: '):
        tf_tconv.convert_model(model)


def test_a_function_is_left():
    x = keras.Input((4, 4, 3), name="image")
    y = keras.ops.conv_transpose(
        x, np.ones((3, 3, 2, 3), np.float32), 2, data_format="channels_last"
    )
    (left,) = convert(keras.Model(x, y), verify=False).left  # Keras' own fails when it runs.
    assert "only layers are exchanged" in left.reason


def test_an_unknown_way():
    with pytest.raises(ValueError, match=r'inside="deep" is unknown; .*"refuse"'):
        convert(model_of(InAttributes), inside="deep")
