"""The layer inside models: built in every style, cloned, saved, loaded, fed in batches."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from layer_samples import SAMPLES, assert_exactly, ramp

import tf_tconv

ROOT = Path(__file__).resolve().parents[2]
CLASSES = {"ours": tf_tconv.Conv2DTranspose, "keras": keras.layers.Conv2DTranspose}

FIRST = {"filters": 4, "kernel_size": (3, 2), "strides": (2, 3), "padding": "same"}
SECOND = {"filters": 3, "kernel_size": (2, 4), "strides": (3, 2), "activation": "relu"}


@keras.saving.register_keras_serializable(package="layer_tests")
class Decoder(keras.Model):
    """Two transposed convolutions, subclassed."""

    def __init__(self, kind="ours", **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.first = CLASSES[kind](**FIRST)
        self.second = CLASSES[kind](**SECOND)

    def call(self, inputs):
        return self.second(self.first(inputs))

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


def functional(kind):
    inputs = keras.Input((None, None, 2))
    return keras.Model(inputs, CLASSES[kind](**SECOND)(CLASSES[kind](**FIRST)(inputs)))


def sequential(kind):
    layers = [keras.Input((4, 3, 2)), CLASSES[kind](**FIRST), CLASSES[kind](**SECOND)]
    return keras.Sequential(layers)


def sequential_built_late(kind):
    return keras.Sequential([CLASSES[kind](**FIRST), CLASSES[kind](**SECOND)])


STYLES = {
    "functional": functional,
    "sequential": sequential,
    "sequential_built_late": sequential_built_late,
    "subclassed": Decoder,
}
styles = pytest.mark.parametrize("style", list(STYLES))

IMAGES = ramp(5, 4, 3, 2, start=5)


def integers(model):
    """The model's weights replaced by integers; it is built first."""
    model(IMAGES[:1])
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([ramp(*shape, start=index) for index, shape in enumerate(shapes)])
    return model


def encoder_decoder() -> keras.Model:
    """A small U-Net: odd sizes on the way down, matched by `output_size` on the way up."""
    image = keras.Input((None, None, 3), name="image")
    down = {"padding": "same", "strides": 2, "activation": "relu"}
    half = keras.layers.Conv2D(4, 3, name="half", **down)(image)
    quarter = keras.layers.Conv2D(5, 3, name="quarter", **down)(half)
    up = tf_tconv.Conv2DTranspose(4, (4, 3), strides=2, padding="same", name="up_half")
    decoded = up(quarter, output_size=half)
    decoded = keras.layers.Concatenate()([decoded, half])
    up = tf_tconv.Conv2DTranspose(3, (3, 5), strides=2, padding="same", name="up_full")
    return keras.Model(image, up(decoded, output_size=image))


@styles
def test_model_equals_that_of_keras_layers(style):
    ours, theirs = integers(STYLES[style]("ours")), integers(STYLES[style]("keras"))
    expected = keras.ops.convert_to_numpy(theirs(IMAGES))
    assert_exactly(ours(IMAGES), expected)


@styles
def test_predict_in_batches_that_leave_a_remainder(style):
    model = integers(STYLES[style]("ours"))
    assert len(IMAGES) % 2 == 1
    whole = keras.ops.convert_to_numpy(model(IMAGES))
    assert_exactly(model.predict(IMAGES, batch_size=2, verbose=0), whole)


@pytest.mark.parametrize("style", ["functional", "sequential"])
def test_clone_computes_the_same(style):
    model = integers(STYLES[style]("ours"))
    clone = keras.models.clone_model(model)
    copies, layers = clone.layers[-2:], model.layers[-2:]
    assert [type(copy) for copy in copies] == [tf_tconv.Conv2DTranspose] * 2
    assert [copy.get_config() for copy in copies] == [layer.get_config() for layer in layers]
    assert not set(copies) & set(layers)
    clone.set_weights(model.get_weights())
    assert_exactly(clone(IMAGES), keras.ops.convert_to_numpy(model(IMAGES)))


def test_clone_keeps_the_sizes_to_match():
    model = encoder_decoder()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    image = ramp(2, 13, 11, 3)
    assert_exactly(clone(image), keras.ops.convert_to_numpy(model(image)))


def test_clone_may_turn_keras_layers_into_ours():
    theirs = integers(functional("keras"))

    def clone_function(layer):
        native = isinstance(layer, keras.layers.Conv2DTranspose)
        cls = tf_tconv.Conv2DTranspose if native else type(layer)
        return cls.from_config(layer.get_config())

    ours = keras.models.clone_model(theirs, clone_function=clone_function)
    ours.set_weights(theirs.get_weights())
    assert [type(layer) for layer in ours.layers[1:]] == [tf_tconv.Conv2DTranspose] * 2
    assert_exactly(ours(IMAGES), keras.ops.convert_to_numpy(theirs(IMAGES)))


@styles
def test_saved_model_comes_back(style, tmp_path):
    model = integers(STYLES[style]("ours"))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert_exactly(again(IMAGES), keras.ops.convert_to_numpy(model(IMAGES)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_saved_sample_comes_back(sample, tmp_path):
    layer = sample.layer()
    inputs = keras.Input(sample.inputs().shape[1:])
    model = keras.Model(inputs, layer(inputs, output_size=sample.output_size))
    layer.set_weights(sample.weights())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_exactly(again(sample.inputs()), sample.expected())
    assert again.layers[-1].get_config() == layer.get_config()


def test_saved_model_with_sizes_to_match_comes_back(tmp_path):
    model = encoder_decoder()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for size in ((13, 11), (7, 9)):
        image = ramp(2, *size, 3)
        assert_exactly(again(image), keras.ops.convert_to_numpy(model(image)))
        assert again(image).shape == image.shape


LOAD = """
import sys
import keras
import numpy as np
import tf_tconv

folder = sys.argv[1]
model = keras.saving.load_model(folder + "/model.keras")
np.save(folder + "/loaded.npy", model.predict(np.load(folder + "/images.npy"), verbose=0))
"""


@pytest.mark.slow
def test_saved_model_comes_back_in_a_fresh_process(tmp_path):
    model = encoder_decoder()
    images = ramp(3, 13, 11, 3)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LOAD, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_exactly(np.load(tmp_path / "loaded.npy"), model.predict(images, verbose=0))


@pytest.mark.parametrize("style", ["functional", "sequential", "subclassed"])
@pytest.mark.parametrize(("source", "target"), [("ours", "keras"), ("keras", "ours")])
def test_weights_file_goes_both_ways(style, source, target, tmp_path):
    written, read = integers(STYLES[style](source)), STYLES[style](target)
    read(IMAGES[:1])
    written.save_weights(tmp_path / "model.weights.h5")
    read.load_weights(tmp_path / "model.weights.h5")
    for own, other in zip(read.get_weights(), written.get_weights(), strict=True):
        assert_exactly(own, other)
    assert_exactly(read(IMAGES), keras.ops.convert_to_numpy(written(IMAGES)))


def test_weights_of_another_shape_are_refused(tmp_path):
    written = integers(sequential("ours"))
    written.save_weights(tmp_path / "model.weights.h5")
    other = keras.Sequential([keras.Input((4, 3, 2)), CLASSES["ours"](4, 3), CLASSES["ours"](3, 3)])
    with pytest.raises(ValueError, match="shape"):
        other.load_weights(tmp_path / "model.weights.h5")


def test_unbuilt_layer_is_built_by_its_first_call():
    layer = tf_tconv.Conv2DTranspose(**FIRST)
    assert not layer.built
    assert layer.weights == []
    layer(IMAGES)
    assert layer.built
    assert len(layer.weights) == 2


def test_layer_shared_by_two_branches_has_one_kernel():
    layer = tf_tconv.Conv2DTranspose(**FIRST)
    small, large = keras.Input((4, 3, 2)), keras.Input((5, 6, 2))
    model = keras.Model([small, large], [layer(small), layer(large)])
    assert len(model.weights) == 2
    assert [tuple(output.shape) for output in model.outputs] == [(None, 8, 9, 4), (None, 10, 18, 4)]


def test_layer_under_time_distributed():
    sample = next(sample for sample in SAMPLES if sample.name == "strided")
    layer = sample.filled()
    clips = keras.Input((3, *sample.input_shape[1:]))
    model = keras.Model(clips, keras.layers.TimeDistributed(layer)(clips))
    frames = ramp(2, 3, *sample.input_shape[1:])
    expected = np.stack([layer(frames[:, time]) for time in range(3)], axis=1)
    assert model.output_shape == (None, *expected.shape[1:])
    assert_exactly(model(frames), expected)
    assert_exactly(model.predict(frames, verbose=0), expected)
