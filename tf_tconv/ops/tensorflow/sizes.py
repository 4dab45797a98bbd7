"""Sizes of tensors, known when the graph is traced or only when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import Size


def sizes(x: tf.Tensor) -> list[Size]:
    """The dimensions of `x`: an int where known, a scalar int64 tensor where not."""
    static: list[Any] = x.shape.as_list()
    if None not in static:
        return static
    # Unstacked at once: indexing would take four operations a size. As int32, LiteRT knows how to.
    dynamic = tf.unstack(tf.shape(x))
    return [
        tf.cast(here, tf.int64) if size is None else size
        for here, size in zip(dynamic, static, strict=True)
    ]


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes: an int where both are, else an int64 tensor."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return tf.maximum(tf.cast(a, tf.int64), tf.cast(b, tf.int64))


def quotient(a: Size, b: Size, least: int = 0) -> Size:
    """The integer part of a size over another, rounded down: an int where both are.

    Every division of a lowering is this one. ONNX rounds a negative quotient up (TensorFlow's
    converter makes the division that rounds down into it), so a graph divides no negative number:
    what may be one is lifted by whole divisors first. The division is one of int32, as LiteRT has
    no other; no axis of a tensor is longer.

    Args:
        a: an int of any sign, or a scalar tensor.
        b: at least 1; an int where `least` is negative.
        least: what a tensor `a` is at least.

    Returns:
        The quotient.
    """
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    lifted = -(least // b) if least < 0 else 0
    if lifted:
        a = a + lifted * b
    divided = tf.cast(tf.cast(a, tf.int32) // tf.cast(b, tf.int32), tf.int64)
    return divided - lifted if lifted else divided


def reshape(x: tf.Tensor, shape: Sequence[Size]) -> tf.Tensor:
    """`x` in another shape, whose one size known only at run time is left to the op to find.

    So a graph whose batch is open has the reshapes of a fixed one, and nothing that computes sizes.

    Args:
        x: a tensor.
        shape: ints and scalar tensors.

    Returns:
        `x`, reshaped. Beside a size of zero the op could find none: there, and where several sizes
        are unknown, it is told them.
    """
    known = [size for size in shape if isinstance(size, int)]
    if len(known) == len(shape) - 1 and all(size > 0 for size in known):
        shape = [size if isinstance(size, int) else -1 for size in shape]
    return tf.reshape(x, shape)
