"""The photograph's example, on a small crop and with little training."""

import importlib.util
import sys
from pathlib import Path

import keras
import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from typer.testing import CliRunner

import tf_tconv
from compat_tests import oracle

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "photograph.py"
SIZE, STEPS = 67, 4


@pytest.fixture(scope="module")
def example():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("photograph_example", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Where dataclasses look for the annotations of the module.
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def invoke(example, output, *arguments):
    """Runs the command."""
    options = ["--output", str(output), "--steps", str(STEPS), "--size", str(SIZE), *arguments]
    return CliRunner().invoke(example.app, options)


def test_command_succeeds_and_draws(example, tmp_path):
    output = tmp_path / "new" / "photograph.png"
    result = invoke(example, output)
    assert result.exit_code == example.HOLDS, result.output
    for text in ("Trained weights", "rounded to integers", "whole decoder", "67×55×3", "ulp"):
        assert text in result.output
    picture = matplotlib.image.imread(output)
    assert picture.shape[1] == 1920
    assert picture.shape[0] > 500
    # The second panel and the third are of two decoders that agree, and nothing is left blank.
    quarters = np.array_split(picture[100:-100, :1800, :3], 4, axis=1)
    assert all(quarter.std() > 0.05 for quarter in quarters[:3])


@pytest.fixture(scope="module")
def comparisons(example):
    """What the example finds: of trained weights, and of integers."""
    quiet, refused = Console(quiet=True), example.refusals()
    return example.run(example.photograph(SIZE), STEPS, quiet, refused)


def test_trained_decoders_differ_by_rounding_only(example, comparisons):
    trained, _ = comparisons
    assert [row.name for row in trained] == [*example.NAMES, "whole decoder"]
    shapes = [(1, 34, 28, 24), (1, 67, 55, 16), (1, 67, 55, 3), (1, 67, 55, 3)]
    assert [row.ours.shape for row in trained] == shapes
    for row in trained:
        assert row.holds
        assert np.isfinite(row.ours).all()
        assert np.unique(row.ours).size > 1000
        assert 0 < row.allowed.max() < 1


def test_integers_are_equal(comparisons):
    _, integers = comparisons
    for row in integers:
        assert row.difference.max() == 0
        assert row.equal == 1
        assert row.holds
        assert not row.allowed.any()
        assert np.array_equal(row.ours, np.rint(row.ours))
        assert row.scale.max() < 2**24
        assert np.unique(row.ours).size > 20


def test_photograph_is_of_awkward_size(example):
    for size in (31, 100, 511, 600):
        image = example.photograph(size)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1
        for cells, wanted in zip(image.shape[1:3], (size, size * 5 // 6), strict=True):
            assert cells % 4 == 3
            assert wanted - 4 < cells <= wanted


def test_crops_are_of_the_photograph(example):
    image = example.photograph(200)
    batches = list(example.crops(image, 2))
    assert [batch.shape for batch in batches] == [(example.BATCH, 95, 95, 3)] * 2
    windows = np.lib.stride_tricks.sliding_window_view(image[0], (95, 95), axis=(0, 1))
    corner = batches[1][5, 0, 0]
    (found,) = [
        window
        for window in windows[np.all(windows[..., 0, 0] == corner, axis=-1)]
        if np.array_equal(np.moveaxis(window, 0, -1), batches[1][5])
    ]
    assert found.shape == (3, 95, 95)
    assert not np.array_equal(batches[0], batches[1])


class Shifted(tf_tconv.Conv2DTranspose):
    """One row off: what a wrong rule of padding gives."""

    def call(self, inputs, output_size=None):
        return tf.roll(super().call(inputs, output_size), 1, axis=1)


class LastBit(tf_tconv.Conv2DTranspose):
    """Larger by one unit of the last place: rounding in floats, a fault in integers."""

    def call(self, inputs, output_size=None):
        return super().call(inputs, output_size) * (1 + 2.0**-23)


@pytest.mark.parametrize(
    ("fault", "index", "times"), [(Shifted, 1, 2), (LastBit, 0, 1), (LastBit, 2, 1)]
)
def test_fault_is_found(example, monkeypatch, tmp_path, fault, index, times):
    """With integers always, with trained weights if it is more than rounding."""
    right = example.our_layers

    def wrong():
        layers = right()
        layers[index] = fault.from_config(layers[index].get_config())
        return layers

    monkeypatch.setattr(example, "our_layers", wrong)
    result = invoke(example, tmp_path / "photograph.png")
    assert result.exit_code == example.FAILS
    _, _, failed = result.output.replace("\n", " ").partition("Further apart than allowed: ")
    for name in example.NAMES:  # The layers alone; each gets its input from the right decoder.
        assert failed.count(name) == (times if name == example.NAMES[index] else 0)
    if fault is Shifted:
        assert failed.count("whole decoder") == 2


def test_refused_layer_is_scattered_instead(example, monkeypatch, tmp_path):
    """As where TensorFlow runs without oneDNN, which takes no dilation."""
    right = example.native_layers

    class Refusing(keras.layers.Conv2DTranspose):
        def call(self, inputs):
            message = "reached through\n\n{{function_node f}} no dilation [here]\n\t [[{{node}}]]"
            raise tf.errors.UnimplementedError(None, None, message)

    def refusing():
        layers = right()
        layers[2] = Refusing.from_config(layers[2].get_config())
        return layers

    monkeypatch.setattr(example, "native_layers", refusing)
    output = tmp_path / "photograph.png"
    result = invoke(example, output)
    assert result.exit_code == example.HOLDS, result.output
    told = " ".join(result.output.split())
    assert "TensorFlow refuses k3 s1 d2: no dilation [here]. NumPy scatters" in told
    assert matplotlib.image.imread(output).shape[1] == 1920


@pytest.mark.parametrize("fault", [Shifted, LastBit])
def test_fault_is_found_by_the_definition_too(example, monkeypatch, fault):
    right = example.our_layers

    def wrong():
        layers = right()
        layers[1] = fault.from_config(layers[1].get_config())
        return layers

    refused, image, quiet = range(3), example.photograph(SIZE), Console(quiet=True)
    assert all(row.holds for rows in example.run(image, 1, quiet, refused) for row in rows)
    monkeypatch.setattr(example, "our_layers", wrong)
    _, integers = example.run(image, 1, quiet, refused)
    assert not integers[1].holds


def test_reason_of_a_message_of_keras(example):
    message = (
        "Exception encountered when calling Conv2DTranspose.call().\n\n"
        "\x1b[1m{{function_node __wrapped__X}} No dilation > 1 [Op:X]\x1b[0m\n\n"
        "Arguments received by Conv2DTranspose.call():\n  • inputs=tf.Tensor"
    )
    assert example.reason(message) == "No dilation > 1 [Op:X]"


@pytest.mark.parametrize(
    ("size", "kernel", "strides", "dilations", "wanted"),
    [
        ((3, 4), (3, 2), (1, 1), (1, 1), (3, 4)),
        ((3, 4), (5, 4), (2, 2), (1, 1), (6, 7)),
        ((5, 3), (1, 2), (2, 3), (1, 1), (9, 9)),
        ((4, 4), (3, 3), (1, 1), (2, 3), (4, 4)),
    ],
)
def test_scatter_is_the_definition(example, size, kernel, strides, dilations, wanted):
    """By the suite's oracle."""
    random = np.random.default_rng(0)
    x, w = random.integers(-4, 5, (2, *size, 3)), random.integers(-4, 5, (*kernel, 2, 3))
    y = oracle.conv2d_transpose(x, w, wanted, strides, "SAME", dilations)
    np.testing.assert_array_equal(example.scatter(x, w, wanted, strides, dilations), y)


@pytest.mark.parametrize("option", [("--size", "30"), ("--size", "601"), ("--steps", "-1")])
def test_option_out_of_range(example, tmp_path, option):
    result = invoke(example, tmp_path / "photograph.png", *option)
    assert result.exit_code == 2
    assert option[0] in result.output
    assert "than or equal to" in result.output


def test_no_training_is_no_hindrance(example, tmp_path):
    result = invoke(example, tmp_path / "photograph.png", "--steps", "0")
    assert result.exit_code == example.HOLDS, result.output


def test_native_layer_for_sizes_has_the_weights_of_keras(example):
    native = example.NativeTransposeToSize(3, 4, strides=2)
    keras_layer = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same")
    for layer in (native, keras_layer):
        layer.build((None, None, None, 2))
    shapes = [[tuple(weight.shape) for weight in layer.weights] for layer in (native, keras_layer)]
    assert shapes[0] == shapes[1]
    native.set_weights(keras_layer.get_weights())
    image = np.arange(24, dtype=np.float32).reshape(1, 4, 3, 2)
    whole = np.zeros((1, 8, 6, 1), np.float32)
    np.testing.assert_array_equal(native(image, output_size=whole), keras_layer(image))
