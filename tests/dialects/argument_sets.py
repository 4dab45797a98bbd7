"""Arguments of transposed convolutions, enumerated: Keras' words and operations of every kind."""

import itertools
from collections.abc import Iterator
from typing import Any

from tf_tconv.dialects import TransposedConvolution

KERNELS = range(1, 7)
STRIDES = range(1, 5)
DILATIONS = range(1, 4)


def keras_axes(padding: str, default: bool) -> Iterator[tuple[int, int, int, int | None]]:
    """Kernel, stride, dilation and output padding of one axis, as `keras.layers` allows them."""
    for kernel, stride, dilation in itertools.product(KERNELS, STRIDES, DILATIONS):
        if stride > 1 and dilation > 1:
            continue
        if default:
            yield kernel, stride, dilation, None
            continue
        effective = (kernel - 1) * dilation + 1
        for kept in range(stride):
            if padding == "valid" or effective % 2 + kept > 0:  # Keras fails on the others.
                yield kernel, stride, dilation, kept


def keras_arguments(each: int = 520) -> list[dict[str, Any]]:
    """Pairs of such axes, so many of each padding with and without output padding."""
    sets = []
    for padding, default in itertools.product(("same", "valid"), (True, False)):
        pairs = [
            (rows, columns)
            for rows, columns in itertools.product(list(keras_axes(padding, default)), repeat=2)
            if max(rows[1], columns[1]) == 1 or max(rows[2], columns[2]) == 1
        ]
        for index in range(each):
            rows, columns = pairs[index * len(pairs) // each]
            sets.append(
                {
                    "kernel_size": (rows[0], columns[0]),
                    "strides": (rows[1], columns[1]),
                    "dilation_rate": (rows[2], columns[2]),
                    "padding": padding,
                    "output_padding": None if default else (rows[3], columns[3]),
                    "data_format": ("channels_last", "channels_first")[index % 2],
                    "filters": 4,
                    "in_channels": 6,
                    "use_bias": index % 3 > 0,
                }
            )
    return sets


def operations() -> list[TransposedConvolution]:
    """Operations with every crop from three cells off to three zeros added, groups among them."""
    axes = list(itertools.product((1, 2, 3, 5), (1, 2, 3), (1, 2), range(-3, 4), range(-3, 4)))
    found = []
    for index, rows in enumerate(axes):
        columns = axes[(index * 7 + 5) % len(axes)]
        found.append(
            TransposedConvolution(
                kernel_size=(rows[0], columns[0]),
                strides=(rows[1], columns[1]),
                dilations=(rows[2], columns[2]),
                crops=(rows[3:], columns[3:]),
                groups=1 + index % 2,
                in_channels=4,
                out_channels=6,
                input_size=(7, 9),
            )
        )
    return found
