"""Sizes of tensors, known when the graph is traced or only when it runs."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
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


def plus(a: Any, b: Any) -> Any:
    """The sum of two sizes, without an op where one is known to be 0.

    Of a sum with 0, or a product with 1, TensorFlow's optimizer may make a broadcast to no axis,
    which OpenVINO takes for one to an axis.
    """
    if isinstance(a, int) and a == 0:
        return b
    return a if isinstance(b, int) and b == 0 else a + b


def times(*factors: Any) -> Any:
    """The product of sizes, without an op for those known to be 1, or where one is 0; see `plus`.

    Every product of a lowering with a size that only the run knows is this one.
    """
    if any(isinstance(factor, int) and factor == 0 for factor in factors):
        return 0
    others = [factor for factor in factors if not is_one(factor)]
    return functools.reduce(operator.mul, others) if others else 1


def is_one(size: Any) -> bool:
    """Whether a size is known, and known to be 1."""
    return isinstance(size, int) and size == 1


def quotient(a: Any, b: Any, least: int = 0) -> Any:
    """The integer part of a size over another, rounded down: an integer where both are.

    Every division of a lowering is this one. ONNX rounds a negative quotient up (TensorFlow's
    converter makes the division that rounds down into it), so a graph divides no negative number:
    what may be one is lifted by whole divisors first. The division is one of int32, as LiteRT has
    no other; no axis of a tensor is longer.

    Args:
        a: an integer of any sign, or a scalar tensor.
        b: at least 1; an integer where `least` is negative.
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


def reshape(x: Any, shape: Sequence[Any]) -> Any:
    """`x` in another shape, whose one size that only the run knows is left to the op to find.

    So a graph whose batch is open has the reshapes of a fixed one, and nothing that computes sizes.

    Args:
        x: a tensor.
        shape: integers and scalar tensors.

    Returns:
        `x`, reshaped. Beside a size of zero the op could find none: there, and where several sizes
        are unknown, it is told them.
    """
    known = [size for size in shape if isinstance(size, int)]
    if len(known) == len(shape) - 1 and all(size > 0 for size in known):
        shape = [size if isinstance(size, int) else -1 for size in shape]
    return tf.reshape(x, shape)
