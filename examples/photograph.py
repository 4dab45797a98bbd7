"""A photograph through an autoencoder, decoded by TensorFlow's layers and by tf_tconv's.

    python examples/photograph.py --output build/photograph.png --steps 300 --size 511

The photograph is Grace Hopper's, which ships with matplotlib. Three strided convolutions encode it,
three transposed convolutions decode it:

    kernel 5, stride 2, "same"
    kernel 4, stride 2, "same", to an odd size: that of the encoder's input, given as `output_size`
    kernel 3, stride 1, dilation 2, "same"

The autoencoder is trained for a few steps on crops of the photograph, with TensorFlow's layers. For
the odd size, which `keras.layers.Conv2DTranspose` cannot be asked for, a layer of a few lines is
put around `tf.nn.conv2d_transpose`. Then `set_weights` copies the weights into tf_tconv's layers,
and both decode the same code of the whole photograph.

Both add the same products, in another order, so they may differ by rounding. By how much is known:
whatever the order, a sum of n terms is off by at most n * 2**-24 times the sum of the terms'
magnitudes. The program fails where the two are further apart than twice that. Then it decodes once
more, with integers for weights and code. There nothing has to be rounded, and it fails unless all
cells are equal.

Where TensorFlow refuses one of its own layers (the dilated one, on CPUs where it runs without
oneDNN), the program says so and puts the definition in its place: a scatter written in NumPy, with
the same weights. It has no gradient, so tf_tconv's layers are trained then.

Exit status: 0 if all that holds, 1 if not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
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

Array = NDArray[Any]
"""An image, `[batch, height, width, channels]`, float32."""

HOLDS, FAILS = 0, 1
ROUNDING = 2.0**-24  # By what float32 rounds at most, relative to the result.
SEED = 3
BATCH, CROP = 8, 95
INTEGER_BITS = 4  # Of the integers that go into each layer, so that its sums stay below 2**24.

app = typer.Typer(add_completion=False)


class NativeTransposeToSize(keras.layers.Layer):
    """`tf.nn.conv2d_transpose` with "same" padding, to the size of another tensor.

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
        sizes = tf.shape(output_size)
        shape = [tf.shape(inputs)[0], sizes[1], sizes[2], self.filters]
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        outputs = tf.nn.conv2d_transpose(inputs, kernel, shape, self.strides)
        return self.activation(tf.nn.bias_add(outputs, bias))

    def compute_output_spec(self, inputs: Any, output_size: Any) -> keras.KerasTensor:
        """The symbolic output."""
        shape = (inputs.shape[0], *output_size.shape[1:3], self.filters)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)


class Scattered(keras.layers.Layer):
    """The definition in NumPy, for a layer that TensorFlow refuses: each input adds to its outputs.

    Args:
        layer: whose place it takes; its weights, settings and activation are used.
    """

    def __init__(self, layer: keras.layers.Layer) -> None:
        super().__init__()
        self.layer = layer

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights of the layer it stands for."""
        self.layer.build(input_shape)
        self.built = True

    def call(self, inputs: Any, output_size: Any = None) -> Any:
        """Scatters the inputs, "same" padding, and cuts to the size asked for, or the default."""
        kernel, bias = self.get_weights()
        strides, dilations = (
            np.broadcast_to(getattr(self.layer, name, 1), 2)
            for name in ("strides", "dilation_rate")
        )
        sizes = np.shape(inputs)[1:3]
        wanted = np.multiply(sizes, strides) if output_size is None else np.shape(output_size)[1:3]
        outputs = scatter(np.asarray(inputs), kernel, wanted, strides, dilations) + bias
        return self.layer.activation(tf.constant(outputs, tf.float32))


def scatter(image: Array, kernel: Array, size: Any, strides: Any, dilations: Any) -> Array:
    """A transposed convolution with "same" padding by its definition, in float64.

    Args:
        image: `[batch, height, width, channels]`.
        kernel: `[taps, taps, filters, channels]`.
        size: height and width of the output.
        strides: cells from one input's outputs to the next one's, both ways.
        dilations: cells from one tap to the next, both ways.

    Returns:
        `[batch, height, width, filters]`.
    """
    batch, *cells, _ = image.shape
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilations, strict=False)]
    spans = [(n - 1) * s + r for n, s, r in zip(cells, strides, reach, strict=True)]
    whole = np.zeros((batch, *np.maximum(spans, size), kernel.shape[2]))
    for row, column in np.ndindex(kernel.shape[:2]):
        places = tuple(
            slice(tap * d, tap * d + (n - 1) * s + 1, s)
            for tap, d, n, s in zip((row, column), dilations, cells, strides, strict=True)
        )
        whole[(slice(None), *places)] += image.astype(np.float64) @ kernel[row, column].T
    # The convolution that this is the adjoint of pads by what is left over, one less before than
    # after where that is odd.
    top, left = (max(span - n, 0) // 2 for span, n in zip(spans, size, strict=True))
    return whole[:, top : top + size[0], left : left + size[1]]


def native_layers() -> list[keras.layers.Layer]:
    """The decoder in TensorFlow's layers."""
    layer = keras.layers.Conv2DTranspose
    return [
        layer(24, 5, strides=2, padding="same", activation="relu"),
        NativeTransposeToSize(16, 4, strides=2, activation="relu"),
        layer(3, 3, dilation_rate=2, padding="same"),
    ]


def refusals() -> dict[int, str]:
    """Which of TensorFlow's layers it refuses here, and why; asked with a small image."""
    image, found = np.zeros((1, 8, 8, 1), np.float32), {}
    for index, layer in enumerate(native_layers()):
        x = tf.zeros((1, 4, 4, 2))
        try:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = apply([layer] * (index + 1), index, x, image)
            tape.gradient(y, [x, *layer.trainable_variables])
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            found[index] = reason(error.message)
    return found


def reason(message: str) -> str:
    """The line of TensorFlow's message that says why."""
    text = re.sub(r"\x1b\[\d*m|\[\[.*?\]\]|\{\{.*?\}\}", "", message)  # colours, names of nodes
    text = text.partition("\n\nArguments received by ")[0]
    # It comes after the places it was reached through.
    return [line.strip() for line in text.splitlines() if line.strip()][-1]


def reference_layers(refused: Container[int]) -> list[keras.layers.Layer]:
    """TensorFlow's layers, and the definition for those that it refuses."""
    return [
        Scattered(layer) if index in refused else layer
        for index, layer in enumerate(native_layers())
    ]


def our_layers() -> list[keras.layers.Layer]:
    """The decoder in tf_tconv's layers."""
    layer = tf_tconv.Conv2DTranspose
    return [
        layer(24, 5, strides=2, padding="same", activation="relu"),
        layer(16, 4, strides=2, padding="same", activation="relu"),
        layer(3, 3, dilation_rate=2, padding="same"),
    ]


NAMES = ("k5 s2", "k4 s2 odd size", "k3 s1 d2")
SIZED = 1  # Which of the layers is asked for a size.


def apply(layers: Sequence[keras.layers.Layer], index: int, inputs: Any, image: Any) -> Any:
    """The output of one layer of a decoder; the size of `image` is what `SIZED` has to match."""
    return layers[index](inputs, **({"output_size": image} if index == SIZED else {}))


def decode(
    layers: Sequence[keras.layers.Layer],
    code: Any,
    image: Any,
    between: Callable[[Any], Any] = lambda outputs: outputs,
) -> list[Any]:
    """What each layer of a decoder makes of the one before.

    Args:
        layers: the three layers.
        code: `[batch, code height, code width, 32]`.
        image: `[batch, height, width, any]`, whose size to match.
        between: what is done to each output before it becomes the next layer's input.

    Returns:
        The three outputs.
    """
    outputs = [apply(layers, 0, code, image)]
    for index in (1, 2):
        outputs.append(apply(layers, index, between(outputs[-1]), image))
    return outputs


def autoencoder(layers: Sequence[keras.layers.Layer]) -> tuple[keras.Model, keras.Model]:
    """The encoder, and encoder and decoder together."""
    image = keras.Input((None, None, 3))
    code = image
    # Strides of 4 both ways in all, but one way at a time to begin with.
    for filters, strides in ((16, (2, 1)), (24, (1, 2)), (32, (2, 2))):
        down = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")
        code = down(code)
    return keras.Model(image, code), keras.Model(image, decode(layers, code, image)[-1])


def photograph(size: int) -> Array:
    """Grace Hopper, in numbers from 0 to 1.

    Args:
        size: height; the width is five sixths of it. Both are rounded down to one less than a
            multiple of 4. So they are odd, but their halves, rounded up, are even, and the decoder
            gets those back by its first layer's default size: only the second has to be told.

    Returns:
        `[1, height, width, 3]`.
    """
    pixels = matplotlib.image.imread(
        str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    )
    height, width = ((cells + 1) // 4 * 4 - 1 for cells in (size, size * 5 // 6))
    left = (pixels.shape[1] - width) // 2
    return (pixels[None, :height, left : left + width] / 255).astype(np.float32)


def crops(image: Array, steps: int) -> Iterator[Array]:
    """Batches of crops at random places.

    Args:
        image: `[1, height, width, 3]`.
        steps: how many batches.

    Yields:
        `[BATCH, rows, columns, 3]`, rows and columns `CROP` or what the image has.
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


def train(model: keras.Model, image: Array, steps: int, console: Console) -> None:
    """Trains an autoencoder on crops of one image."""
    warm_up = steps // 10
    rate = keras.optimizers.schedules.CosineDecay(
        6e-4, max(steps - warm_up, 1), alpha=0.02, warmup_target=6e-3, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    for batch in track(crops(image, steps), "Training", total=steps, console=console):
        model.train_on_batch(batch, batch)


@dataclass(frozen=True)
class Comparison:
    """What two layers, or two whole decoders, made of one input.

    Args:
        name: of the layer.
        native: output of TensorFlow's, `[1, height, width, channels]`.
        ours: output of tf_tconv's, of the same shape.
        scale: the sum of the magnitudes of the terms that make each cell.
        allowed: the largest difference that may be, cell by cell.
    """

    name: str
    native: Array
    ours: Array
    scale: Array
    allowed: Array

    @property
    def difference(self) -> Array:
        """Magnitude of the difference, cell by cell."""
        return np.abs(self.native.astype(np.float64) - self.ours)

    @property
    def allowed_there(self) -> float:
        """What is allowed in the cell with the largest difference."""
        return float(self.allowed.flat[self.difference.argmax()])

    @property
    def units(self) -> float:
        """The largest difference in units of the last place, counted at the cell's `scale`."""
        smallest = np.finfo(np.float32).tiny
        return float(np.max(self.difference / np.spacing(np.maximum(self.scale, smallest))))

    @property
    def equal(self) -> float:
        """The share of cells that are equal to the last bit."""
        return float(np.mean(self.native.view(np.uint32) == self.ours.view(np.uint32)))

    @property
    def holds(self) -> bool:
        """Whether no cell differs by more than it may."""
        return bool(np.all(self.difference <= self.allowed))


def compare(
    native: Sequence[keras.layers.Layer],
    ours: Sequence[keras.layers.Layer],
    code: Array,
    image: Array,
    refused: Container[int] = (),
    between: Callable[[Any], Any] | None = None,
) -> list[Comparison]:
    """Compares layer by layer, each pair on the same input, and the decoders as a whole.

    Args:
        native: TensorFlow's layers.
        ours: tf_tconv's layers with the same weights.
        code: `[1, code height, code width, 32]`.
        image: `[1, height, width, 3]`, whose size to match.
        refused: which of TensorFlow's layers are the definition instead.
        between: keeps integers small from layer to layer; where it is given, weights and code are
            integers, and no difference is allowed.

    Returns:
        A comparison for each layer and one for the whole.
    """
    exact, between = between is not None, between or (lambda outputs: outputs)
    outputs = [np.asarray(output) for output in decode(native, code, image, between)]
    inputs = [code, *map(between, outputs)]
    # With nothing negative in them, these layers sum magnitudes, and "relu" changes nothing.
    bounds = reference_layers(refused)
    decode(bounds, code, image)
    comparisons = []
    drift = np.zeros_like(code)  # By how much the inputs of two whole decoders may differ.
    for index, name in enumerate(NAMES):
        kernel, bias = map(np.abs, native[index].get_weights())
        bounds[index].set_weights([kernel, bias])
        scale = np.asarray(apply(bounds, index, np.abs(inputs[index]), image))
        bounds[index].set_weights([kernel, 0 * bias])
        grown = np.asarray(apply(bounds, index, drift, image))
        terms = kernel[:, :, 0].size + 1
        # Either may be off by that much; the hundredth is for the rounding of the bound itself.
        rounding = 0.0 if exact else 2 * terms * ROUNDING * 1.01
        drift = (grown + rounding * (scale + grown)).astype(np.float32)
        alone = np.asarray(apply(ours, index, inputs[index], image))
        comparisons.append(Comparison(name, outputs[index], alone, scale, rounding * scale))
    whole = np.asarray(decode(ours, code, image, between)[-1])
    return [*comparisons, Comparison("whole decoder", outputs[-1], whole, scale, drift)]


def as_integers(values: Array) -> Array:
    """Integers in proportion to the values, the largest of `INTEGER_BITS`."""
    largest = max(float(np.max(np.abs(values))), np.finfo(np.float32).tiny)
    return np.rint(values / largest * (2**INTEGER_BITS - 1)).astype(np.float32)


def shifted(outputs: Any) -> Array:
    """Integers of at most `INTEGER_BITS`: all shifted right by as much as the largest needs."""
    outputs = np.asarray(outputs)
    bits = int(np.max(np.abs(outputs))).bit_length()
    return np.floor(outputs / np.float32(2 ** max(bits - INTEGER_BITS, 0)))


def as_table(title: str, comparisons: Sequence[Comparison]) -> Table:
    """The comparisons in figures."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("layer")
    for column in ("output", "difference", "allowed there", "ulp", "bit-equal"):
        table.add_column(column, justify="right")
    for row in comparisons:
        if row is comparisons[-1]:
            table.add_section()
        table.add_row(
            row.name,
            "×".join(map(str, row.ours.shape[1:])),
            f"{row.difference.max():.3g}",
            f"{row.allowed_there:.3g}",
            f"{row.units:.2g}",
            "yes" if row.equal == 1 else f"{100 * row.equal:.1f} %",
            style="" if row.holds else "bold red",
        )
    return table


def draw(path: Path, image: Array, whole: Comparison, refused: Iterable[int] = ()) -> None:
    """Writes the photograph, both decodings and their difference, side by side.

    Args:
        path: of the picture.
        image: the photograph, `[1, height, width, 3]`.
        whole: the comparison of the decoders.
        refused: which of TensorFlow's layers are the definition instead.
    """
    _, height, width, _ = image.shape
    error = np.sqrt(np.mean((whole.native - image) ** 2))
    note = f"root mean square error {error:.3f}"
    if names := [NAMES[index] for index in refused]:
        note += f"\n{', '.join(names)} refused: NumPy's instead"
    panels = (
        ("Photograph", f"{height} × {width} pixels", image),
        ("TensorFlow's layers", note, whole.native),
        ("tf_tconv's layers", f"same weights; {100 * whole.equal:.0f} % bit-equal", whole.ours),
    )
    figure = matplotlib.figure.Figure(
        figsize=(16, 15 / 4 * height / width + 0.8), dpi=120, layout="constrained"
    )
    axes = figure.subplots(1, 4)
    for axis, (title, note, pixels) in zip(axes, panels, strict=False):
        axis.imshow(np.clip(pixels[0], 0, 1), interpolation="nearest")
        axis.set_title(title, fontsize=14)
        axis.set_xlabel(note, fontsize=12)
    difference = whole.difference[0].max(axis=-1)
    # One cell in a thousand may be off the scale, lest a few bright ones darken all others.
    brightest = float(np.quantile(difference, 0.999)) or float(difference.max())
    heat = axes[3].imshow(
        difference, cmap="magma", vmin=0, vmax=brightest or 1, interpolation="nearest"
    )
    axes[3].set_title("Difference of the two", fontsize=14)
    axes[3].set_xlabel(
        f"full scale {brightest:.1e}: amplified {1 / brightest:,.0f} times"
        if brightest
        else "none, in any cell",
        fontsize=12,
    )
    bar = figure.colorbar(heat, ax=axes[3], shrink=0.7, pad=0.02, extend="max")
    bar.ax.tick_params(labelsize=10)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def run(
    image: Array, steps: int, console: Console, refused: Container[int] = ()
) -> tuple[list[Comparison], list[Comparison]]:
    """Trains, copies the weights and compares.

    Args:
        image: the photograph, `[1, height, width, 3]`.
        steps: of training.
        console: shows the progress.
        refused: which of TensorFlow's layers to put the definition in place of.

    Returns:
        The comparisons of the trained decoders, and of those with integers.
    """
    keras.utils.set_random_seed(SEED)
    native, ours = reference_layers(refused), our_layers()
    scattered = any(isinstance(layer, Scattered) for layer in native)  # which has no gradient
    trained, others = (ours, native) if scattered else (native, ours)
    encoder, model = autoencoder(trained)
    train(model, image, steps, console)
    code = encoder(image).numpy()
    decode(others, code, image)  # Builds the layers.
    for source, copy in zip(trained, others, strict=True):
        copy.set_weights(source.get_weights())
    rounded = compare(native, ours, code, image, refused)
    for theirs, own in zip(native, ours, strict=True):
        theirs.set_weights([as_integers(weight) for weight in theirs.get_weights()])
        own.set_weights(theirs.get_weights())
    return rounded, compare(native, ours, as_integers(code), image, refused, between=shifted)


@app.command(help=(__doc__ or "").partition("\n")[0])
def main(
    output: Annotated[Path, typer.Option(help="The picture to write, PNG.", dir_okay=False)] = Path(
        "build/photograph.png"
    ),
    steps: Annotated[int, typer.Option(help="Training steps.", min=0)] = 300,
    size: Annotated[
        int, typer.Option(help="Height of the crop; its width is 5/6 of it.", min=31, max=600)
    ] = 511,
) -> None:
    """Runs it all; see the module for the exit status."""
    console = Console()
    image = photograph(size)
    refused = refusals()
    for index, why in refused.items():
        told = f"TensorFlow refuses {NAMES[index]}: {why}. NumPy scatters in its place."
        console.print(told, markup=False, highlight=False)
    trained, integers = run(image, steps, console, refused)
    console.print(as_table("Trained weights", trained))
    console.print(as_table("Weights and code rounded to integers", integers))
    largest = max(float(row.scale.max()) for row in integers)
    console.print(
        "Differences are the largest of any cell. Each layer alone gets the same input from both "
        "sides; the whole decoder goes on with its own outputs. One ulp is the spacing of float32 "
        "at the sum of magnitudes of the terms that make a cell. Of the integers that sum is at "
        f"most {largest:,.0f}; from 2**24 = 16,777,216 on, float32 would round.",
        style="dim",
        highlight=False,
    )
    draw(output, image, trained[-1], refused)
    console.print(f"Picture: {output}", soft_wrap=True, highlight=False)
    failed = [row.name for row in (*trained, *integers) if not row.holds]
    if largest >= 2**24:
        console.print("[bold red]The integers grew too large to be exact.")
        raise typer.Exit(FAILS)
    if failed:
        console.print(f"[bold red]Further apart than allowed: {', '.join(failed)}.")
        raise typer.Exit(FAILS)


if __name__ == "__main__":
    app()
