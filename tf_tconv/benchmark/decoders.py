"""Decoders of published models, whole, to be timed as Keras runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tf_tconv.benchmark.rows import ROUNDS, Row, row_of
from tf_tconv.call_plan import plan
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.timing import interleave

Layer = Callable[..., Any]

SEED = 11
BATCHES = 2
"""Batches of one `fit`."""


def dcgan_generator(transpose: Layer) -> Any:
    """Radford et al., https://arxiv.org/abs/1511.06434, figure 1."""
    noise = keras.Input((100,))
    x = keras.layers.Dense(4 * 4 * 1024, use_bias=False)(noise)
    x = keras.layers.Reshape((4, 4, 1024))(x)
    for channels in (512, 256, 128):
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        x = transpose(channels, 5, strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(noise, transpose(3, 5, strides=2, padding="same", activation="tanh")(x))


def pix2pix_decoder(transpose: Layer) -> Any:
    """The right half of the U-Net of Isola et al., https://arxiv.org/abs/1611.07004."""
    x = deepest = keras.Input((1, 1, 512))
    inputs = [deepest]
    size = 1
    for channels, skip in zip(
        (512, 512, 512, 512, 256, 128, 64), (512, 512, 512, 512, 256, 128, 64), strict=True
    ):
        size *= 2
        x = transpose(channels, 4, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        inputs.append(keras.Input((size, size, skip)))
        x = keras.layers.Concatenate()([x, inputs[-1]])
    return keras.Model(inputs, transpose(3, 4, strides=2, padding="same", activation="tanh")(x))


def fcn8_head(transpose: Layer) -> Any:
    """Long et al., https://arxiv.org/abs/1411.4038, on the features of a 416 x 608 image."""
    inputs = [keras.Input(shape) for shape in ((13, 19, 4096), (26, 38, 512), (52, 76, 256))]
    scores = [keras.layers.Conv2D(21, 1)(x) for x in inputs]
    x = scores[0]
    for finer in scores[1:]:
        x = transpose(21, 4, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.Add()([x, finer])
    return keras.Model(inputs, transpose(21, 16, strides=8, padding="same", use_bias=False)(x))


def fsrcnn(transpose: Layer) -> Any:
    """FSRCNN(56, 12, 4) of Dong et al., https://arxiv.org/abs/1608.00367, 64 x 64 three times."""
    image = keras.Input((64, 64, 1))
    x = image
    for channels, kernel in ((56, 5), (12, 1), *[(12, 3)] * 4, (56, 1)):
        x = keras.layers.Conv2D(channels, kernel, padding="same")(x)
        x = keras.layers.PReLU(shared_axes=(1, 2))(x)
    return keras.Model(image, transpose(1, 9, strides=3, padding="same")(x))


@dataclass(frozen=True)
class Decoder:
    """A model and the batch it is usually run on.

    Args:
        title: how it is called in tables.
        build: makes it of a layer class for the transposed convolutions.
        batch: images.
    """

    title: str
    build: Callable[[Layer], Any]
    batch: int


DECODERS = (
    Decoder("DCGAN generator", dcgan_generator, 16),
    Decoder("pix2pix U-Net decoder", pix2pix_decoder, 1),
    Decoder("FCN-8s head", fcn8_head, 1),
    Decoder("FSRCNN", fsrcnn, 1),
)


def measure_decoder(decoder: Decoder, seconds: float) -> list[Row]:
    """Times `predict` and `fit` of one decoder, with our layer and with Keras' own.

    Args:
        decoder: which.
        seconds: for all turns of each of the two.

    Raises:
        ArithmeticError: the two models' predictions differ.
    """
    models = {}
    for name, layer in (("native", keras.layers.Conv2DTranspose), ("ours", Conv2DTranspose)):
        keras.utils.set_random_seed(SEED)
        models[name] = decoder.build(layer)
        models[name].compile(optimizer=keras.optimizers.SGD(1e-4), loss="mse")
    models["ours"].set_weights(models["native"].get_weights())
    inputs, target = _data(models["native"], decoder.batch * BATCHES)
    expected, found = (m.predict(inputs, decoder.batch, verbose=0) for m in models.values())
    if not np.allclose(expected, found, rtol=1e-3, atol=1e-4):  # float32 over several layers
        raise ArithmeticError(f"{decoder.title}: the models' predictions differ.")

    def predict(model: Any) -> Callable[[], object]:
        return lambda: model.predict(inputs, decoder.batch, verbose=0)

    def fit(model: Any) -> Callable[[], object]:
        return lambda: model.fit(inputs, target, decoder.batch, shuffle=False, verbose=0)

    chosen = _chosen(models["ours"], decoder.batch)
    rows = []
    for mode, what in (("predict", predict), ("fit", fit)):
        calls = {name: what(model) for name, model in models.items()}
        samples = interleave(calls, seconds, ROUNDS)
        shape = f"batch {decoder.batch}"
        rows.append(row_of(mode, decoder.title, shape, chosen, samples, 0, 0))
    return rows


def _chosen(model: Any, batch: int) -> str:
    """What "auto" chooses for the layers of a model, in order, each name once."""
    names = [
        plan(
            (batch, *layer.input.shape[1:]),
            layer.kernel.shape,
            strides=layer.strides,
            padding=layer.padding,
        ).lowering
        for layer in model.layers
        if isinstance(layer, Conv2DTranspose)
    ]
    return ", ".join(dict.fromkeys(names))


def _data(model: Any, count: int) -> tuple[Any, Any]:
    """Normally distributed inputs and targets of a model."""
    random = np.random.default_rng(SEED)
    inputs = [
        random.standard_normal((count, *tensor.shape[1:])).astype(np.float32)
        for tensor in model.inputs
    ]
    target = random.standard_normal((count, *model.output_shape[1:])).astype(np.float32)
    return inputs if len(inputs) > 1 else inputs[0], target
