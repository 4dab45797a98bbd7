"""Sizes of tensors, known when the graph is traced or only when it runs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def sizes(x: Any) -> list[Any]:
    """The dimensions of `x`: an integer where known, a scalar int64 tensor where not."""
    static: list[Any] = x.shape.as_list()
    if None not in static:
        return static
    dynamic = tf.shape(x, out_type=tf.int64)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]


def maximum(a: Any, b: Any) -> Any:
    """The larger of two sizes: an integer where both are, else an int64 tensor."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return tf.maximum(tf.cast(a, tf.int64), tf.cast(b, tf.int64))


def pad_or_crop(x: Any, rows: tuple[Any, Any], columns: tuple[Any, Any]) -> Any:
    """`x` with zeros before and after each spatial axis; a negative amount crops instead.

    Args:
        x: `[batch, height, width, channels]`.
        rows: cells (before, after) the height; integers or scalar tensors.
        columns: likewise for the width.

    Returns:
        `x`, `rows` taller and `columns` wider, but never below zero cells.
    """
    axes = (rows, columns)
    if any(not _is_zero(maximum(amount, 0)) for axis in axes for amount in axis):
        pads = [[maximum(before, 0), maximum(after, 0)] for before, after in axes]
        x = tf.pad(x, [[0, 0], *pads, [0, 0]])
    if any(not _is_zero(maximum(-amount, 0)) for axis in axes for amount in axis):
        _, height, width, _ = sizes(x)
        top, left = (maximum(-before, 0) for before, _ in axes)
        bottom, right = (
            maximum(size - maximum(-after, 0), 0)
            for size, (_, after) in zip((height, width), axes, strict=True)
        )
        x = x[:, top:bottom, left:right, :]
    return x


def _is_zero(amount: Any) -> bool:
    return isinstance(amount, int) and amount == 0
