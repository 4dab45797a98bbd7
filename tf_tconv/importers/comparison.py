"""Whether an imported layer computes what its source computes, on images that show a shift.

Each batch holds one image of random numbers, and images of a single cell in a single channel, which
lie in the corners and inside. What a transposed convolution makes of the latter is its kernel, put
in a place: no output is more than one product and the bias, so that rounding explains next to
nothing there, in any dtype. Batches of two sizes tell what depends on the size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tf_tconv.dialects.pairs import Pair
from tf_tconv.importers.built_layer import built_layer
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.operation import TransposedConvolution
from tf_tconv.verification import SPACING

Array = NDArray[Any]

MOST_NUMBERS = 2**28
"""Of inputs or outputs of one batch: what is larger is not compared, as it may not fit."""


def difference(
    layer: Conv2DTranspose,
    operation: TransposedConvolution,
    run_source: Callable[[Array], Array],
    *,
    spacing: float = 0.0,
) -> str | None:
    """How a layer differs from its source.

    Args:
        layer: the layer, built, with its weights.
        operation: what it performs; its input channels are known.
        run_source: what makes the source's outputs of images, float64, all
            `[batch, channels, height, width]`.
        spacing: of the numbers that the source computes in, if they are coarser than the layer's.

    Returns:
        What to say of it, the source's numbers first; `None` where they agree.

    Raises:
        ValueError: the batches would be too large.
        Exception: whatever `run_source` raises.
    """
    spacing = max(spacing, SPACING[layer.compute_dtype])
    bias = np.zeros(1) if layer.bias is None else _wide(layer.bias)
    for size in probe_sizes(operation):
        _check_numbers(operation, size)
        images = probe_images(operation.in_channels or 1, size)
        expected = run_source(images)
        found = _run_layer(layer, operation, images)
        where = f"on images of shape {images.shape}"
        if expected.shape != found.shape:
            return f"{where} the results' shapes are {expected.shape} and {found.shape}"
        allowed = _allowed(expected, bias, spacing)
        with np.errstate(invalid="ignore"):
            apart = np.abs(expected - found)
        # Where weights are not finite, neither is the tolerance, and the cell tells nothing.
        wrong = ~((expected == found) | (apart <= allowed) | ~np.isfinite(allowed))
        if wrong.any():
            index = np.unravel_index(np.argmax(np.where(wrong, apart, -1)), wrong.shape)
            return (
                f"{where} {int(wrong.sum())} of {wrong.size} outputs differ, by up to "
                f"{apart[index]:.3g}: {expected[index]:.6g} and {found[index]:.6g} at "
                f"{tuple(map(int, index))}, where rounding explains {allowed[index]:.1g}"
            )
    return None


def probe_sizes(operation: TransposedConvolution) -> Iterator[Pair]:
    """Two sizes of images, of other parities, whose outputs are not empty."""
    rows, columns = (max(1, 1 + -((axis.surplus - 1) // axis.stride)) for axis in operation.axes)
    yield rows + 2, columns + 3
    yield rows + 5, columns + 2


def probe_images(channels: int, size: Pair) -> Array:
    """The batch of one size, `[batch, channels, height, width]`, exact in every dtype."""
    height, width = size
    random = np.random.default_rng(0)
    dense = random.integers(-64, 65, (channels, height, width)) / 64  # seven bits, as bfloat16 has
    places = [
        (0, 0),
        (0, width - 1),
        (height - 1, 0),
        (height - 1, width - 1),
        (height // 2, width // 3),
    ]
    images = np.zeros((1 + len(places), channels, height, width))
    images[0] = dense
    for number, (row, column) in enumerate(places):
        # Powers of two, so that products are exact; of both signs, so that no activation hides.
        amplitude = (-1) ** number * 2.0 ** (number % 3 - 1)
        images[1 + number, number * channels // len(places), row, column] = amplitude
    return images


def _allowed(expected: Array, bias: Array, spacing: float) -> Array:
    """What rounding explains, for every output."""
    # One product and the bias: each side rounds product, bias and sum once at most.
    single = 2 * spacing * (np.abs(expected) + 2 * np.abs(bias).reshape(-1, 1, 1))
    # Half the digits of a sum: rounding in another order takes the last few, a shift the first.
    magnitude = np.abs(expected[:1]).max(initial=0.0)
    # Numbers too small for full precision may be flushed to zero.
    tiny = 2.0**-14 if spacing == SPACING["float16"] else 2.0**-126
    allowed: Array = np.maximum(single, tiny)
    allowed[:1] = np.maximum(allowed[:1], math.sqrt(spacing) * magnitude)
    return allowed


def _check_numbers(operation: TransposedConvolution, size: Pair) -> None:
    images = 6
    cells = math.prod(size) * (operation.in_channels or 1)
    outputs = math.prod(
        (n - 1) * axis.stride + axis.surplus for n, axis in zip(size, operation.axes, strict=True)
    ) * (operation.out_channels or 1)
    if images * max(cells, outputs) > MOST_NUMBERS:
        raise ValueError(
            f"a comparison would take {images * max(cells, outputs):,} numbers, more than "
            f"{MOST_NUMBERS:,}"
        )


def _run_layer(layer: Conv2DTranspose, operation: TransposedConvolution, images: Array) -> Array:
    try:
        return _outputs(layer, images)
    except (tf.errors.OpError, ValueError):
        if layer.lowering != "native":
            raise
        # The native op refuses on one processor what it does on another; the weights are the same.
        kernel, *bias = layer.get_weights()
        twin = built_layer(
            operation,
            kernel,
            bias[0] if bias else None,
            data_format="channels_last",
            lowering="auto",
            name=None,
            dtype=layer.compute_dtype,
        )
        return _outputs(twin, images)


def _outputs(layer: Conv2DTranspose, images: Array) -> Array:
    last = layer.data_format == "channels_last"
    # The processor computes in the dtype that it is told; others may round products as they like.
    with tf.device("CPU"):
        x = tf.cast(images.transpose(0, 2, 3, 1) if last else images, layer.compute_dtype)
        y = _wide(layer(x))
    return y.transpose(0, 3, 1, 2) if last else y


def _wide(tensor: Any) -> Array:
    array: Array = tf.cast(tf.convert_to_tensor(tensor), tf.float64).numpy()
    return array
