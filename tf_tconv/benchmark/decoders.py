"""Decoders of published models, whole, to be timed as Keras runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tf_tconv.benchmark.models import dcgan_generator, fcn8s_head, fsrcnn, pix2pix_unet
from tf_tconv.benchmark.rows import ROUNDS, Row, row_of
from tf_tconv.conversion import convert_model
from tf_tconv.functional.plan import plan
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.timing import interleave

SEED = 11
BATCHES = 2
"""Batches of one `fit`."""


def pix2pix_decoder() -> Any:
    """The right half of the U-Net, of all that the left half hands over."""
    whole = pix2pix_unet()
    ups = [x for x in whole.layers if isinstance(x, keras.layers.Conv2DTranspose)]
    skips = [x.input[1] for x in whole.layers if isinstance(x, keras.layers.Concatenate)]
    deepest = ups[0].input  # After the innermost activation.
    return keras.Model([deepest, *skips], whole.output)


@dataclass(frozen=True)
class Decoder:
    """A model and the batch it is usually run on.

    Args:
        title: how it is called in tables.
        build: makes it of Keras' layers.
        batch: images.
    """

    title: str
    build: Callable[[], Any]
    batch: int


DECODERS = (
    Decoder("DCGAN generator", dcgan_generator, 16),
    Decoder("pix2pix U-Net decoder", pix2pix_decoder, 1),
    Decoder("FCN-8s head", fcn8s_head, 1),
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
    keras.utils.set_random_seed(SEED)
    built = decoder.build()
    models = {"native": built, "ours": convert_model(built, verify=False)}
    for model in models.values():
        model.compile(optimizer=keras.optimizers.SGD(1e-4), loss="mse")
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
