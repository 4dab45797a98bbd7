"""A photograph through an autoencoder, decoded by TensorFlow's layers and by tf_tconv's.

    python examples/photograph.py --output build/photograph.png --steps 200 --size 511

The photograph is Grace Hopper's, which ships with matplotlib. Three strided convolutions encode it,
three transposed convolutions decode it:

    kernel 5, stride 2, "same"
    kernel 4, stride 2, "same", to an odd size: that of the encoder's input, given as `output_size`
    kernel 3, stride 1, dilation 2, "same"

The autoencoder is trained for a few steps on crops of the photograph, with TensorFlow's layers; for
the odd size, which `keras.layers.Conv2DTranspose` cannot be asked for, a layer of a few lines stands
around `tf.nn.conv2d_transpose`. Then its weights are copied into tf_tconv's layers by `set_weights`,
and both decode the same code of the whole photograph.

Both add the same products, in another order, so they may differ by rounding. How much they may is
known: a sum of n terms in floating point is off by at most n * 2**-24 times the sum of the terms'
magnitudes, whatever the order. The program fails where the two are further apart than twice that. It
then decodes once more with integers for weights and code. There nothing has to be rounded, and it
fails unless all cells are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import keras
import matplotlib.cbook
import matplotlib.figure
import matplotlib.image
import numpy as np
import tensorflow as tf
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

import tf_tconv

Image = NDArray[np.float32]
"""`[batch, height, width, channels]`."""

ROUNDING = 2.0**-24  # What float32 rounds by at most, relative to the result.
SEED = 7
BATCH, CROP = 8, 95
INTEGER_BITS = 4  # Of the integers that go into each layer; sums then stay far below 2**24.

app = typer.Typer(add_completion=False)


class NativeTransposeToSize(keras.layers.Layer):
    """`tf.nn.conv2d_transpose` with "same" padding to the size of another tensor.

    Args:
        filters: output channels.
        kernel_size: taps, both ways.
        strides: cells from one input's outputs to the next one's, both ways.
        activation: a Keras activation.
        **kwargs: as for every Keras layer.
    """

    def __init__(
        self, filters: int, kernel_size: int, strides: int, activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights that `keras.layers.Conv2DTranspose` has."""
        taps = (self.kernel_size, self.kernel_size)
        self.kernel = self.add_weight(shape=(*taps, self.filters, input_shape[-1]), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: Any, output_size: Any) -> Any:
        """Transposes to the height and width of `output_size`, a tensor of rank 4."""
        height, width = tf.shape(output_size)[1], tf.shape(output_size)[2]
        outputs = tf.nn.conv2d_transpose(
            inputs,
            tf.convert_to_tensor(self.kernel),
            [tf.shape(inputs)[0], height, width, self.filters],
            self.strides,
        )
        return self.activation(tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias)))

    def compute_output_spec(self, inputs: Any, output_size: Any) -> keras.KerasTensor:
        """The symbolic output."""
        shape = (inputs.shape[0], *output_size.shape[1:3], self.filters)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)


def native_layers() -> list[keras.layers.Layer]:
    """The decoder of TensorFlow's layers."""
    layer = keras.layers.Conv2DTranspose
    return [
        layer(24, 5, strides=2, padding="same", activation="relu"),
        NativeTransposeToSize(16, 4, strides=2, activation="relu"),
        layer(3, 3, dilation_rate=2, padding="same"),
    ]


def our_layers() -> list[keras.layers.Layer]:
    """The decoder of tf_tconv's layers."""
    layer = tf_tconv.Conv2DTranspose
    return [
        layer(24, 5, strides=2, padding="same", activation="relu"),
        layer(16, 4, strides=2, padding="same", activation="relu"),
        layer(3, 3, dilation_rate=2, padding="same"),
    ]


NAMES = ("k5 s2", "k4 s2 to the input's size", "k3 s1 d2")


def decode(
    layers: Sequence[keras.layers.Layer],
    code: Any,
    image: Any,
    between: Callable[[Any], Any] = lambda outputs: outputs,
) -> list[Any]:
    """What each layer of a decoder makes of the one before.

    Args:
        layers: three layers.
        code: `[batch, code height, code width, 32]`.
        image: `[batch, height, width, any]`, whose size to match.
        between: what is done to each output before it becomes the next layer's input.

    Returns:
        The three outputs.
    """
    first, second, third = layers
    outputs = [first(code)]
    outputs.append(second(between(outputs[0]), output_size=image))
    outputs.append(third(between(outputs[1])))
    return outputs


def autoencoder(layers: Sequence[keras.layers.Layer]) -> tuple[keras.Model, keras.Model]:
    """The encoder, and encoder and decoder together."""
    image = keras.Input((None, None, 3))
    code = image
    # Strided by 4 both ways in all, but never by as much down as across until the last.
    for filters, strides in ((16, (2, 1)), (24, (1, 2)), (32, (2, 2))):
        down = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")
        code = down(code)
    return keras.Model(image, code), keras.Model(image, decode(layers, code, image)[-1])


def photograph(size: int) -> Image:
    """Grace Hopper in numbers from 0 to 1.

    Args:
        size: height; the width is five sixths of it. Both are rounded down to one less than a
            multiple of 4: odd, and halved to even sizes, so that the first layer of the decoder gets
            back by its default size, and only the second has to be told.

    Returns:
        `[1, height, width, 3]`.
    """
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        pixels = matplotlib.image.imread(file, format="jpg")
    height, width = ((cells + 1) // 4 * 4 - 1 for cells in (size, size * 5 // 6))
    top, left = 0, (pixels.shape[1] - width) // 2
    return np.float32(pixels[None, top : top + height, left : left + width] / 255)


def crops(image: Image, steps: int) -> Iterator[Image]:
    """Batches of random crops.

    Args:
        image: `[1, height, width, 3]`.
        steps: how many batches.

    Yields:
        `[BATCH, CROP or less, CROP or less, 3]`.
    """
    random = np.random.default_rng(SEED)
    _, height, width, _ = image.shape
    rows, columns = min(CROP, height), min(CROP, width)
    for _ in range(steps):
        tops = random.integers(height - rows + 1, size=BATCH)
        lefts = random.integers(width - columns + 1, size=BATCH)
        yield np.stack(
            [image[0, y : y + rows, x : x + columns] for y, x in zip(tops, lefts, strict=True)]
        )


def train(model: keras.Model, image: Image, steps: int, console: Console) -> None:
    """Trains an autoencoder on crops of one image."""
    rate = keras.optimizers.schedules.CosineDecay(4e-3, steps, alpha=0.05)
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    for batch in track(crops(image, steps), "training", total=steps, console=console):
        model.train_on_batch(batch, batch)


@dataclass(frozen=True)
class Comparison:
    """What two layers, or two chains of them, made of the same input.

    Args:
        name: of the layer.
        native: output of TensorFlow's, `[1, height, width, channels]`.
        ours: output of tf_tconv's.
        scale: the sum of the magnitudes of all terms that make a cell; of the output's shape.
        allowed: the largest difference that rounding explains, cell by cell; of the output's shape.
    """

    name: str
    native: Image
    ours: Image
    scale: Image
    allowed: Image

    @property
    def difference(self) -> Image:
        """Magnitude of the difference, cell by cell."""
        return np.abs(self.native.astype(np.float64) - self.ours).astype(np.float32)

    @property
    def units(self) -> float:
        """The largest difference in units of the last place that a cell's `scale` has in float32."""
        return float(np.max(self.difference / np.spacing(np.maximum(self.scale, 2.0**-126))))

    @property
    def equal(self) -> float:
        """The share of cells that are equal to the last bit."""
        same = self.native.view(np.uint32) == self.ours.view(np.uint32)
        return float(np.mean(same | (self.difference == 0)))

    @property
    def holds(self) -> bool:
        """Whether rounding explains the difference."""
        return self.native.shape == self.ours.shape and bool(
            np.all(self.difference <= self.allowed)
        )


def magnitudes(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer like this one, with the magnitudes of its weights, and no activation."""
    copy = type(layer).from_config({**layer.get_config(), "activation": None})
    copy.build((None, None, None, layer.kernel.shape[3]))
    copy.set_weights([np.abs(weight) for weight in layer.get_weights()])
    return copy


def compare(
    native: Sequence[keras.layers.Layer],
    ours: Sequence[keras.layers.Layer],
    code: Image,
    image: Image,
    between: Callable[[Any], Any] = lambda outputs: outputs,
) -> list[Comparison]:
    """Compares layer by layer, each pair on the same input, and the two decoders as a whole.

    Args:
        native: TensorFlow's layers.
        ours: tf_tconv's layers with the same weights.
        code: `[1, code height, code width, 32]`.
        image: `[1, height, width, 3]`, whose size to match.
        between: what is done to each output before it becomes the next layer's input; it must not
            move two numbers further apart.

    Returns:
        A comparison for each layer and one for all of them.
    """
    outputs = decode(native, code, image, between)
    inputs = [code, *map(between, outputs[:-1])]
    comparisons = []
    drift = np.zeros_like(code)  # How far apart the two decoders may be by now.
    for index, name in enumerate(NAMES):
        sized = {"output_size": image} if index == 1 else {}
        alone = np.asarray(ours[index](inputs[index], **sized))
        bound = magnitudes(ours[index])
        scale = np.asarray(bound(np.abs(inputs[index]), **sized))
        height, width, _, channels = bound.kernel.shape
        # Each of the two rounds once a product and once a sum; the bias is one term more.
        rounding = 2 * (height * width * channels + 1) * ROUNDING
        comparisons.append(
            Comparison(name, np.asarray(outputs[index]), alone, scale, rounding * scale)
        )
        # Ours starts from numbers that may be off already, and so may be its terms.
        bound.set_weights([bound.get_weights()[0], 0 * bound.get_weights()[1]])
        grown = np.asarray(bound(drift, **sized))
        drift = grown + rounding * (scale + grown)
    whole = np.asarray(decode(ours, code, image, between)[-1])
    comparisons.append(Comparison("whole decoder", comparisons[-1].native, whole, scale, drift))
    return comparisons


def few_bits(outputs: Any) -> Any:
    """Integers shifted right, each tensor as a whole, until the largest has `INTEGER_BITS`."""
    largest = float(np.max(np.abs(outputs)))
    shift = max(int(np.floor(np.log2(max(largest, 1)))) + 1 - INTEGER_BITS, 0)
    return np.floor(np.asarray(outputs) / np.float32(2**shift))


def rounded(weights: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Weights as integers, the largest of each with `INTEGER_BITS`."""
    return [
        np.rint(weight / max(np.max(np.abs(weight)), 1e-9) * (2**INTEGER_BITS - 1))
        for weight in weights
    ]


def as_table(title: str, comparisons: Sequence[Comparison]) -> Table:
    """The comparisons in figures."""
    table = Table(title=title, title_justify="left")
    table.add_column("layer")
    table.add_column("output")
    for column in ("largest difference", "in ulp", "equal cells"):
        table.add_column(column, justify="right")
    table.add_column("bit-equal")
    table.add_column("within bound")
    for row in comparisons:
        if row is comparisons[-1]:
            table.add_section()
        table.add_row(
            row.name,
            " x ".join(map(str, row.ours.shape[1:])),
            f"{row.difference.max():.3g}",
            f"{row.units:.3g}",
            f"{100 * row.equal:.4g} %",
            "yes" if row.equal == 1 else "no",
            "[green]yes" if row.holds else "[bold red]no",
        )
    return table


def draw(path: Path, image: Image, whole: Comparison) -> None:
    """Writes photograph, both decodings and their difference, side by side.

    Args:
        path: of the picture.
        image: the photograph, `[1, height, width, 3]`.
        whole: the comparison of the two decoders.
    """
    _, height, width, _ = image.shape
    difference = whole.difference[0].max(axis=-1)
    largest = float(difference.max())
    figure = matplotlib.figure.Figure(figsize=(16, 16 / 4.25 * height / width + 1), dpi=120)
    figure.set_layout_engine("constrained", wspace=0.02)
    axes = figure.subplots(1, 4)
    error = np.sqrt(np.mean((whole.native - image) ** 2))
    panels = (
        ("Photograph", f"{height} x {width} pixels", image[0]),
        (
            "TensorFlow's layers",
            f"off the photograph by {error:.3f} (root mean square)",
            whole.native[0],
        ),
        (
            "tf_tconv's layers, same weights",
            f"{100 * whole.equal:.1f} % of the cells bit-equal",
            whole.ours[0],
        ),
    )
    for axis, (title, note, pixels) in zip(axes, panels, strict=False):
        axis.imshow(np.clip(pixels, 0, 1), interpolation="nearest")
        axis.set_title(title, fontsize=13, fontweight="bold")
        axis.set_xlabel(note, fontsize=11)
    heat = axes[3].imshow(
        difference, cmap="magma", vmin=0, vmax=largest or 1, interpolation="nearest"
    )
    times = f"amplified {1 / largest:,.0f} times" if largest else "there is none"
    axes[3].set_title("Their difference", fontsize=13, fontweight="bold")
    axes[3].set_xlabel(times, fontsize=11)
    bar = figure.colorbar(heat, ax=axes[3], shrink=0.75, pad=0.02)
    bar.ax.tick_params(labelsize=9)
    bar.formatter.set_powerlimits((0, 0))
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


@app.command(help=(__doc__ or "").partition("\n")[0])
def main(
    output: Annotated[Path, typer.Option(help="The picture to write.", dir_okay=False)] = Path(
        "build/photograph.png"
    ),
    steps: Annotated[int, typer.Option(help="Training steps; 0 for none.", min=0)] = 200,
    size: Annotated[
        int, typer.Option(help="Height of the crop; its width is 5/6 of it.", min=31, max=600)
    ] = 511,
) -> None:
    """Runs the comparison; exits with 1 if the two decoders differ by more than rounding."""
    console = Console()
    keras.utils.set_random_seed(SEED)
    image = photograph(size)
    native, ours = native_layers(), our_layers()
    encoder, model = autoencoder(native)
    train(model, image, steps, console)
    code = encoder(image).numpy()
    decode(ours, code, image)  # Builds the layers.
    for layer, source in zip(ours, native, strict=True):
        layer.set_weights(source.get_weights())
    in_floats = compare(native, ours, code, image)
    draw(output, image, in_floats[-1])

    for layer, source in zip(ours, native, strict=True):
        source.set_weights(rounded(source.get_weights()))
        layer.set_weights(source.get_weights())
    in_integers = compare(native, ours, rounded([code])[0], image, between=few_bits)

    console.print(as_table("The trained decoder, float32", in_floats))
    console.print(as_table("Weights and code rounded to integers", in_integers))
    console.print(
        "Each layer gets the same input in both; the whole decoder its own outputs. An ulp is the "
        "spacing of float32 at the sum of the magnitudes of the terms that make a cell.",
        style="dim",
    )
    console.print(f"Picture: {output}", soft_wrap=True)
    if not all(row.holds for row in in_floats):
        console.print("[bold red]The two differ by more than rounding explains.")
        raise typer.Exit(1)
    if not all(row.equal == 1 for row in in_integers):
        console.print("[bold red]The two differ on integers, where nothing is rounded.")
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
