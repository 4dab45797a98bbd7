"""Published decoders, trained a little, exchanged for tf_tconv's layers, and exported.

    python examples/export_decoders.py --width 0.25 --steps 5
    python examples/export_decoders.py --decoder pix2pix --width 1

Each decoder of `tf_tconv.benchmark.models` is built with Keras' layers and trained for a few steps
on the photographs that ship with scikit-learn. Then its transposed convolutions are exchanged for
ours, and back, and the new model is exported as SavedModel, LiteRT and ONNX and run in each. The
program prints how far each is from the trained model, relative to its largest output.

Exit status: 0 if the exchange changes no bit on integer weights, and every format stays below the
bound; 1 if not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import typer
from exporting import LiteRt, run_onnx, serve, to_litert, to_onnx
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images

import tf_tconv
from tf_tconv.benchmark.models import DECODERS
from tf_tconv.conversion import convert

Array = NDArray[Any]

FORMS = ("ours", "back", "SavedModel", "LiteRT", "ONNX")
"""What the trained model is compared with: exchanged, exchanged back, and exported."""

BOUND = 1e-5
"""The largest difference relative to the largest output; sums in another order make up to 1e-6."""

CLASSES = 21

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Crossing:
    """What became of one decoder.

    Args:
        name: the decoder's.
        losses: before each step of training.
        integers: the largest difference after the exchange, there and back, on integer weights.
        differences: by what was done with it, relative to the largest output, on trained weights.
        swapped: how many layers were exchanged.
    """

    name: str
    losses: list[float]
    integers: float
    differences: dict[str, float]
    swapped: int

    @property
    def holds(self) -> bool:
        """Whether all that the program promises holds."""
        return self.integers == 0 and max(self.differences.values()) <= BOUND


def crops(size: int, count: int, seed: int = 0) -> Array:
    """Windows of the photographs, `[count, size, size, 3]` in 0..1."""
    random = np.random.default_rng(seed)
    pictures = load_sample_images().images
    found = []
    for index in range(count):
        picture = pictures[index % len(pictures)]
        times = -(
            -size // min(picture.shape[:2])
        )  # Larger than the photograph: its pixels doubled.
        picture = picture.repeat(times, 0).repeat(times, 1)
        top, left = (int(random.integers(cells - size + 1)) for cells in picture.shape[:2])
        found.append(picture[top : top + size, left : left + size])
    return np.stack(found).astype(np.float32) / 255


def shrunk(pictures: Array, factor: int) -> Array:
    """The means of squares of pixels."""
    batch, height, width, channels = pictures.shape
    shape = (batch, height // factor, factor, width // factor, factor, channels)
    return pictures.reshape(shape).mean((2, 4))


def task(model: Any, count: int, seed: int = 0) -> tuple[Any, Array]:
    """Inputs and targets for one of the decoders, from the photographs.

    - "dcgan": a code of random numbers for each crop, which it shall draw.
    - "pix2pix": a grey crop, and the crop in colour.
    - "fcn8s": features that mix colours at three scales, and every pixel's brightness as a class.
    - "fsrcnn": a shrunk grey crop, and the crop.
    """
    random = np.random.default_rng(seed)
    pictures = crops(model.output_shape[1], count, seed)
    grey = pictures.mean(-1, keepdims=True)
    if model.name == "dcgan":
        return random.standard_normal((count, 100)).astype(np.float32), pictures * 2 - 1
    if model.name == "pix2pix":
        return grey.repeat(3, -1) * 2 - 1, pictures * 2 - 1
    if model.name == "fsrcnn":
        return shrunk(grey, model.output_shape[1] // model.input_shape[1]), grey
    features = [
        (shrunk(pictures, pictures.shape[1] // cells) @ random.standard_normal((3, channels)))
        for _, cells, _, channels in model.input_shape
    ]
    return [each.astype(np.float32) for each in features], (grey[..., 0] * (CLASSES - 1)).round()


def train(model: Any, steps: int, count: int = 2) -> list[float]:
    """The losses before each step, and after the last."""
    inputs, targets = task(model, count)
    classes = model.name == "fcn8s"
    loss = (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if classes
        else keras.losses.MeanSquaredError()
    )
    model.compile(keras.optimizers.Adam(1e-3), loss)
    losses = [float(model.train_on_batch(inputs, targets)) for _ in range(steps)]
    model.reset_metrics()
    return losses


def largest_difference(a: Any, b: Any) -> float:
    """Relative to the largest magnitude of `a`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.abs(a - b).max() / np.abs(a).max())


class Skipped(keras.layers.Layer):
    """What a normalisation is replaced by: it is called alike, and does nothing."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The input."""
        return inputs


def with_integers(model: Any) -> Any:
    """A copy of a model in which nothing is rounded if its inputs are integers, not negative.

    Every tap of a transposed convolution takes one channel, times 1 or -1, and every channel of a
    convolution one number, so that no sum reaches 2**24. Normalisation is left out: it divides.
    """

    def clone(layer: Any) -> Any:
        if isinstance(layer, keras.layers.BatchNormalization):
            return Skipped(name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.layers[-1].activation = keras.activations.linear  # tanh makes 1 of all that is large.
    random = np.random.default_rng(4)
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            kernel, *bias = layer.get_weights()
            taken = random.integers(kernel.shape[3], size=kernel.shape[:3])
            signs = random.choice([-1, 1], kernel.shape)
            layer.set_weights([(np.arange(kernel.shape[3]) == taken[..., None]) * signs, *bias])
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            kernel, *bias = layer.get_weights()
            rows = kernel.reshape(-1, kernel.shape[-1])
            taken = random.integers(len(rows), size=kernel.shape[-1])
            chosen = (np.arange(len(rows))[:, None] == taken).reshape(kernel.shape)
            layer.set_weights([chosen, *(0 * each for each in bias)])
        elif isinstance(layer, keras.layers.PReLU):
            layer.set_weights([np.full_like(each, 2) for each in layer.get_weights()])
    return copy


def integer_inputs(model: Any) -> Any:
    """Integers for every input, as `with_integers` wants them."""
    random = np.random.default_rng(5)
    arrays = [random.integers(0, 4, (1, *x.shape[1:])).astype(np.float32) for x in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def change_on_integers(model: Any) -> float:
    """How far the exchange, there and back, changes a model whose weights are integers.

    Raises:
        RuntimeError: something was rounded.
    """
    integers = with_integers(model)
    numbers = integer_inputs(integers)
    exchanged = tf_tconv.convert_model(integers, inputs=numbers)
    returned = tf_tconv.convert_model(exchanged, to="keras", inputs=numbers)
    exact = integers(numbers)
    if not np.array_equal(exact, np.rint(exact)):
        raise RuntimeError(f"{model.name} has to round, though its weights are integers.")
    return max(largest_difference(exact, each(numbers)) for each in (exchanged, returned))


def exported(model: Any, inputs: Any, folder: Path) -> dict[str, Array]:
    """What the three formats compute of the same inputs.

    Args:
        model: to export.
        inputs: a batch of 1.
        folder: to export into.

    Raises:
        RuntimeError: there is a transposed convolution in one of them.
    """
    arrays = inputs if isinstance(inputs, list) else [inputs]
    saved, graph = folder / model.name, folder / f"{model.name}.onnx"
    results = {}
    nodes = to_onnx(model, graph)  # It takes the most memory, so it goes first.
    results["ONNX"] = run_onnx(graph, *arrays)
    model.export(str(saved), verbose=False)
    results["SavedModel"] = serve(saved, inputs)
    litert = LiteRt(to_litert(model))
    results["LiteRT"] = litert(*arrays)
    if "ConvTranspose" in nodes or "TRANSPOSE_CONV" in litert.operators:
        raise RuntimeError(f"{model.name} was exported with a transposed convolution in it.")
    return results


def cross(name: str, width: float, steps: int, folder: Path, **options: Any) -> Crossing:
    """Trains, exchanges and exports one decoder.

    Args:
        name: of `DECODERS`.
        width: as its builder takes it.
        steps: of training.
        folder: to export into.
        options: for its builder.
    """
    keras.utils.set_random_seed(0)
    model = DECODERS[name](width=width, **options)
    losses = train(model, steps)
    inputs = task(model, 1, seed=2)[0]
    there = convert(model, inputs=inputs)
    expected = np.asarray(model(inputs))
    results = exported(there.model, inputs, folder)
    results["ours"] = there.model(inputs)
    results["back"] = tf_tconv.convert_model(there.model, to="keras", inputs=inputs)(inputs)
    differences = {what: largest_difference(expected, results[what]) for what in FORMS}
    return Crossing(name, losses, change_on_integers(model), differences, len(there.swapped))


def chosen(decoder: str | None) -> Iterator[str]:
    """The names asked for."""
    if decoder is not None and decoder not in DECODERS:
        raise typer.BadParameter(f'"{decoder}" is none of {", ".join(DECODERS)}.')
    yield from DECODERS if decoder is None else (decoder,)


@app.command()
def main(
    decoder: Annotated[str | None, typer.Option(help="One of them; else all.")] = None,
    width: Annotated[float, typer.Option(min=0, help="Of the papers' channels, how many.")] = 1.0,
    steps: Annotated[int, typer.Option(min=1, help="Of training.")] = 5,
) -> None:
    """Trains, exchanges and exports published decoders."""
    console = Console()
    table = Table(title=f"Largest differences, relative to the largest output (width {width:g})")
    for heading in ("decoder", "exchanged", "loss", "integers", *FORMS):
        table.add_column(heading, justify="left" if heading == "decoder" else "right")
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen(decoder):
            crossing = cross(name, width, steps, Path(folder))
            holds &= crossing.holds
            table.add_row(
                name,
                str(crossing.swapped),
                f"{crossing.losses[0]:.3f} → {crossing.losses[-1]:.3f}",
                f"{crossing.integers:g}",
                *(f"{each:.1e}" for each in crossing.differences.values()),
            )
    console.print(table)
    raise typer.Exit(0 if holds else 1)


if __name__ == "__main__":
    app()
