"""Padding of the two spatial axes: done by hand, or by the name TensorFlow's ops have for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import lowest_surplus, split_padding
from tf_tconv.lowerings.shapes import maximum, sizes


def pad_or_crop(x: Any, rows: tuple[Any, Any], columns: tuple[Any, Any]) -> Any:
    """`x` with zeros before and after each spatial axis; a negative amount crops instead.

    Args:
        x: `[batch, height, width, channels]`.
        rows: cells (before, after) the height; integers or scalar tensors.
        columns: likewise for the width.

    Returns:
        `x`, `rows` taller and `columns` wider, but never below zero cells.
    """
    return pad_or_crop_axes(x, [(0, 0), rows, columns, (0, 0)])


def pad_or_crop_axes(x: Any, amounts: Sequence[tuple[Any, Any]]) -> Any:
    """`x` with zeros before and after each axis; a negative amount crops instead.

    Args:
        x: of any rank.
        amounts: entries (before, after) each axis; integers or scalar tensors.

    Returns:
        `x`, each axis longer or shorter by its amounts, but never below zero entries.
    """
    if any(not _is_zero(maximum(amount, 0)) for pair in amounts for amount in pair):
        x = tf.pad(x, [[maximum(before, 0), maximum(after, 0)] for before, after in amounts])
    if any(not _is_zero(maximum(-amount, 0)) for pair in amounts for amount in pair):
        x = x[
            tuple(
                slice(maximum(-before, 0), maximum(size - maximum(-after, 0), 0))
                if not (_is_zero(before) and _is_zero(after))
                else slice(None)
                for size, (before, after) in zip(sizes(x), amounts, strict=True)
            )
        ]
    return x


def grow(x: Any, least: Sequence[Any]) -> Any:
    """`x` with zeros behind where its height or width is below `least`."""
    _, *cells, _ = sizes(x)
    more = [maximum(size - have, 0) for size, have in zip(least, cells, strict=True)]
    return tf.pad(x, [[0, 0], [0, more[0]], [0, more[1]], [0, 0]])


def padding_name(rows: Any, columns: Any) -> str | None:
    """The name, "VALID" or "SAME", that means the forward convolution's padding, if one does."""
    return next(
        (
            name
            for name in ("VALID", "SAME")
            if _is_padded(rows, name) and _is_padded(columns, name)
        ),
        None,
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


def _is_zero(amount: Any) -> bool:
    return isinstance(amount, int) and amount == 0
