"""Padding by hand, and by the name TensorFlow's ops have for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisGeometry, Size, lowest_surplus, split_padding
from tf_tconv.ops.arithmetic import times
from tf_tconv.ops.signed import padded_and_cropped
from tf_tconv.ops.tensorflow.sizes import maximum, reshape, sizes

MOST_AXES = 6
"""That `tf.pad` knows on CPUs (TensorFlow 2.21)."""


def pad(x: tf.Tensor, amounts: Sequence[tuple[Size, Size]]) -> tf.Tensor:
    """`x` with zeros (before, after) each axis, none of them negative."""
    if len(amounts) <= MOST_AXES:
        return tf.pad(x, [list(pair) for pair in amounts])
    # The first axes, with those behind as one; then those, with the first as one.
    cut = MOST_AXES - 1
    behind = sizes(x)[cut:]
    x = pad(reshape(x, [*sizes(x)[:cut], times(*behind)]), [*amounts[:cut], (0, 0)])
    front = sizes(x)[:-1]
    x = pad(reshape(x, [times(*front), *behind]), [(0, 0), *amounts[cut:]])
    return reshape(x, [*front, *sizes(x)[1:]])


def crop(x: tf.Tensor, amounts: Sequence[tuple[Size, Size]]) -> tf.Tensor:
    """`x` without cells (before, after) of each axis; of an axis that has fewer, nothing."""
    lengths = sizes(x)
    return x[
        tuple(
            slice(None) if _is_nothing(pair) else _without(length, *pair)
            for length, pair in zip(lengths, amounts, strict=True)
        )
    ]


def _without(length: Size, before: Size, after: Size) -> slice:
    if isinstance(length, int) or not isinstance(after, int):
        return slice(before, maximum(length - after, 0))
    # Counted from the end, which takes no operation.
    return slice(before, -after if after else None)


def _is_nothing(pair: tuple[Size, Size]) -> bool:
    return all(isinstance(amount, int) and amount == 0 for amount in pair)


def pad_or_crop(x: tf.Tensor, amounts: Sequence[tuple[Size, Size]]) -> tf.Tensor:
    """`x` with zeros before and after each axis; a negative amount crops instead."""
    more, less = padded_and_cropped(amounts, maximum)
    if more:
        x = pad(x, more)
    if less:
        x = crop(x, less)
    return x


def grow(x: tf.Tensor, least: Sequence[Size]) -> tf.Tensor:
    """`x` with zeros behind where a spatial axis is below `least`."""
    _, *cells, _ = sizes(x)
    more = [maximum(size - have, 0) for size, have in zip(least, cells, strict=True)]
    return tf.pad(x, [[0, 0], *([0, each] for each in more), [0, 0]])


def padding_name(axes: Sequence[AxisGeometry]) -> str | None:
    """The name, "VALID" or "SAME", that means the forward convolution's padding, if one does."""
    return next(
        (name for name in ("VALID", "SAME") if all(_is_padded(axis, name) for axis in axes)), None
    )


def _is_padded(axis: Any, name: str) -> bool:
    if tf.is_tensor(axis.pad_before):
        return name == "SAME"  # No other padding depends on a size known only at run time.
    if tf.is_tensor(axis.surplus):
        return name == "VALID" and (axis.pad_before, axis.pad_after) == (0, 0)
    # Of an output size that the name does not reach, the forward op makes another input size.
    over = axis.surplus - lowest_surplus(axis.effective_kernel, name)
    pads = split_padding(axis.effective_kernel, axis.surplus, name)
    return 0 <= over < axis.stride and pads == (axis.pad_before, axis.pad_after)
