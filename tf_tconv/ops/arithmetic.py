"""Sizes multiplied and added without an operation where there is nothing to compute.

Of a sum with 0, or a product with 1, TensorFlow's optimizer may make a broadcast to no axis, which
OpenVINO takes for one to an axis.
"""

from __future__ import annotations

import functools
import operator

from tf_tconv.geometry import Size


def plus(a: Size, b: Size) -> Size:
    """The sum of two sizes, without an operation where one is known to be 0."""
    if isinstance(a, int) and a == 0:
        return b
    return a if isinstance(b, int) and b == 0 else a + b


def times(*factors: Size) -> Size:
    """The product of sizes, without an operation for those known to be 1, or where one is 0.

    Every product of a lowering with a size known only at run time is this one.
    """
    if any(isinstance(factor, int) and factor == 0 for factor in factors):
        return 0
    others = [factor for factor in factors if not is_one(factor)]
    return functools.reduce(operator.mul, others) if others else 1


def is_one(size: Size) -> bool:
    """Whether a size is known, and known to be 1."""
    return isinstance(size, int) and size == 1
