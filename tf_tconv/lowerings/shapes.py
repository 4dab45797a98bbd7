"""Sizes of tensors, known when the graph is traced or only when it runs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

LARGEST = 2**31 - 1  # What TensorFlow's kernels count cells, and elements of a tensor, with.


def sizes(x: Any) -> list[Any]:
    """The dimensions of `x`: an integer where known, a scalar int64 tensor where not."""
    static: list[Any] = x.shape.as_list()
    if None not in static:
        return static
    # Unstacked at once: indexing would take four operations a size. As int32, LiteRT knows how to.
    dynamic = tf.unstack(tf.shape(x))
    return [
        tf.cast(here, tf.int64) if size is None else size
        for here, size in zip(dynamic, static, strict=True)
    ]


def maximum(a: Any, b: Any) -> Any:
    """The larger of two sizes: an integer where both are, else an int64 tensor."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return tf.maximum(tf.cast(a, tf.int64), tf.cast(b, tf.int64))


def is_one(size: Any) -> bool:
    """Whether a size is known, and known to be 1."""
    return isinstance(size, int) and size == 1


def quotient(a: Any, b: Any) -> Any:
    """The integer part of a size over another, rounded down: an integer where both are.

    The division is one of int32, as LiteRT has no other; no axis of a tensor is longer.
    """
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    return tf.cast(tf.cast(a, tf.int32) // tf.cast(b, tf.int32), tf.int64)
