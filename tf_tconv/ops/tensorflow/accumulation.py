"""Half precision: what is computed in float32 because this machine would sum it in half.

A sum of hundreds of products that is rounded to float16 or bfloat16 at every step loses a digit or
more. With oneDNN, TensorFlow sums them in float32 on processors that have instructions for the
type, and rounds once. On others it falls back, op by op, to code that sums in half, or to one that
refuses; and it does so by the processor, so nothing that is written down here could say where. So
the machine is asked: each primitive once a process and type, by a sum whose result tells.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

HALVES = (tf.float16, tf.bfloat16)
"""The types whose sums are too coarse."""

ROUNDED_ONCE = 0.75
"""Units of the last place that a sum in float32 which is rounded once stays below.

Rounding to the nearest costs half a unit, and the sum itself, of a thousand terms or fewer, a
hundredth. Sums in half are several units off, and a sum that is cut off and not rounded nearly one.
"""

ISA_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""The environment variables that limit the instructions that oneDNN uses."""

SIGNIFICANT_BITS: Mapping[str, int] = MappingProxyType({"float16": 11, "bfloat16": 8})


def accumulator(dtype: tf.DType) -> tf.DType:
    """The type to add up products in: float32 for the halves, else `dtype` itself.

    A convolution rounds once, at its end; a sum of several products must not round more often.
    """
    return tf.float32 if dtype in HALVES else dtype


def channel_sums(y: tf.Tensor) -> tf.Tensor:
    """The sum of each channel of `[batch, *cells, channels]`: the gradient of a bias."""
    return tf.reduce_sum(y, list(range(y.shape.rank - 1)))


def summed_once(primitive: str, compute: Callable[..., Any], *operands: tf.Tensor) -> tf.Tensor:
    """What a primitive gives for its operands, its sums kept in float32 at least.

    Args:
        primitive: a name of `PRIMITIVES`.
        compute: the primitive's op, a function of the operands.
        *operands: tensors of one type.

    Returns:
        `compute(*operands)`, in the operands' type.
    """
    dtype = operands[0].dtype
    if dtype not in HALVES or sums_in_float32(primitive, dtype.name):
        return compute(*operands)
    wide = accumulator(dtype)
    return tf.cast(compute(*(tf.cast(each, wide) for each in operands)), dtype)


@functools.cache
def sums_in_float32(primitive: str, dtype: str) -> bool:
    """Whether this machine sums a primitive in float32 or better and rounds to the nearest.

    Args:
        primitive: a name of `PRIMITIVES`.
        dtype: "float16" or "bfloat16".

    Returns:
        False also where it refuses the type, and where oneDNN is kept from using what TensorFlow
        knows the processor to have: there TensorFlow 2.21 refuses bfloat16, or crashes.
    """
    if any(os.environ.get(name, "ALL") not in ("ALL", "DEFAULT") for name in ISA_LIMITS):
        return False
    # In a thread of its own: there no graph is being built, no tape records and no scope holds.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_ask, primitive, dtype).result()


def _ask(primitive: str, dtype: str) -> bool:
    if not tf.executing_eagerly():
        return False  # TensorFlow 1's mode, where nothing can be asked before a session runs.
    compute, *shapes = PRIMITIVES[primitive]
    random = np.random.default_rng(0)
    operands = [tf.cast(random.uniform(0.1, 1.0, shape), dtype) for shape in shapes]
    try:
        found = compute(*operands)
    except (tf.errors.OpError, NotImplementedError):
        return False
    truth = compute(*(tf.cast(each, tf.float64) for each in operands)).numpy()
    _, exponent = np.frexp(np.abs(truth).max())
    unit = 2.0 ** (int(exponent) - SIGNIFICANT_BITS[dtype])
    error = np.abs(tf.cast(found, tf.float64).numpy() - truth).max()
    return bool(error < ROUNDED_ONCE * unit)


def _filter_gradient(x: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x,
        filter_sizes=[3, 2, x.shape[3], gradient.shape[3]],
        out_backprop=gradient,
        strides=[1, 1, 1, 1],
        padding="VALID",
    )


PRIMITIVES: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "convolution": (
            lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"),
            (2, 8, 9, 24),
            (3, 2, 24, 16),
        ),
        "product": (tf.matmul, (20, 400), (400, 30)),
        # TensorFlow 2.21 sums float16 in float16 here on every processor.
        "sum": (channel_sums, (3, 40, 40, 8)),
        "filter_gradient": (_filter_gradient, (3, 12, 13, 24), (3, 10, 12, 16)),
    }
)
"""The primitives that sum, each with the shapes of operands whose result tells how it does."""
