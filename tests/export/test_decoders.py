"""Published decoders: built as published, exchanged, exported, trained."""

import gc
import importlib

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

import tf_tconv
from tf_tconv.benchmark.models import DECODERS

example = importlib.import_module("export_decoders")

SMALL = {
    "dcgan": {"width": 1 / 32},
    "pix2pix": {"width": 1 / 16, "size": 32},
    "fcn8s": {"width": 1 / 32, "size": 64, "classes": 21},
    "fsrcnn": {"width": 1 / 4, "size": 12},
}
PUBLISHED = {  # Height, channels in and out, kernel, stride of each transposed convolution.
    "dcgan": [(4, 1024, 512, 5, 2), (8, 512, 256, 5, 2), (16, 256, 128, 5, 2), (32, 128, 3, 5, 2)],
    "pix2pix": [
        *[(1, 512, 512, 4, 2), *[(n, 1024, 512, 4, 2) for n in (2, 4, 8)]],
        *[(16, 1024, 256, 4, 2), (32, 512, 128, 4, 2), (64, 256, 64, 4, 2), (128, 128, 3, 4, 2)],
    ],
    "fcn8s": [(16, 21, 21, 4, 2), (32, 21, 21, 4, 2), (64, 21, 21, 16, 8)],
    "fsrcnn": [(64, 56, 1, 9, 3)],
}


@pytest.fixture(autouse=True)
def memory_is_given_back():
    """At full size a decoder and its copies take gigabytes."""
    yield
    keras.backend.clear_session()
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_shapes_are_the_published_ones(name):
    model = DECODERS[name]()
    assert model.name == name
    found = [
        (
            layer.input.shape[1],
            layer.input.shape[-1],
            layer.filters,
            *layer.kernel_size[:1],
            *layer.strides[:1],
        )
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert found == PUBLISHED[name]


def assert_crosses(crossing):
    assert crossing.swapped == len(PUBLISHED[crossing.name])
    assert crossing.integers == 0
    assert set(example.FORMS) == crossing.differences.keys()
    assert crossing.holds, crossing.differences
    assert all(np.isfinite(crossing.losses))
    assert crossing.losses[-1] < crossing.losses[0]


@pytest.mark.slow
@pytest.mark.peers("ai_edge_litert", "onnxruntime", "tf2onnx")
@pytest.mark.parametrize("name", DECODERS)
def test_small(name, tmp_path):
    options = dict(SMALL[name])
    levels = 5 if name == "pix2pix" else None  # A picture of 32 x 32 halves five times.
    crossing = example.cross(name, options.pop("width"), 6, tmp_path, **options)
    if levels:
        assert crossing.swapped == levels
        crossing = example.Crossing(**{**vars(crossing), "swapped": len(PUBLISHED[name])})
    assert_crosses(crossing)


@pytest.mark.slow
@pytest.mark.peers("ai_edge_litert", "onnxruntime", "tf2onnx")
@pytest.mark.parametrize("name", DECODERS)
def test_full_size(name, tmp_path):
    crossing = example.cross(name, 1.0, 3, tmp_path)
    assert_crosses(crossing)


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_the_exchanged_decoder_trains_alike(name):
    """The same losses and weights, step by step, within the rounding of other sums."""
    keras.utils.set_random_seed(0)
    options = dict(SMALL[name])
    native = DECODERS[name](**options)
    ours = tf_tconv.convert_model(native, verify=False)
    losses = [example.train(each, 4) for each in (native, ours)]
    # Adam divides by the gradient's size, so that where that is near 0 rounding grows to a step.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_a_difference_is_found():
    near = example.Crossing("dcgan", [1.0, 0.5], 0.0, {"ours": 1e-6}, 4)
    assert near.holds
    assert not example.Crossing("dcgan", [1.0, 0.5], 1.0, {"ours": 1e-6}, 4).holds
    assert not example.Crossing("dcgan", [1.0, 0.5], 0.0, {"ours": 1e-3}, 4).holds


def test_crops_are_of_the_photographs():
    found = example.crops(48, 3)
    assert found.shape == (3, 48, 48, 3)
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[0].std() > 0.05
    assert not np.array_equal(found[0], found[2])
    assert example.crops(512, 1).shape == (1, 512, 512, 3)  # Taller than the photographs.


def test_unknown_decoder():
    result = CliRunner().invoke(example.app, ["--decoder", "vae"])
    assert result.exit_code == 2
    assert "vae" in result.output
