"""TensorFlow's tensors, with every repair of a TensorFlow op.

Each repair stands in one of these files with its reason: `convolution` (empty tensors, explicit
padding), `accumulation` (halves that a machine sums in half), `sizes` (those known only at run
time), `padding`, `native`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf

from tf_tconv.geometry import Size
from tf_tconv.ops.arithmetic import times
from tf_tconv.ops.tensorflow.accumulation import accumulator, summed_once
from tf_tconv.ops.tensorflow.convolution import conv
from tf_tconv.ops.tensorflow.native import native
from tf_tconv.ops.tensorflow.padding import crop, grow, pad
from tf_tconv.ops.tensorflow.sizes import maximum, quotient, reshape, sizes

__all__ = [
    "add",
    "add_bias",
    "concat",
    "conv",
    "crop",
    "grown",
    "like",
    "matmul",
    "maximum",
    "native",
    "pad",
    "quotient",
    "reshape",
    "reverse",
    "sizes",
    "take",
    "tile",
    "transpose",
    "widen",
]


def transpose(x: tf.Tensor, order: Sequence[int]) -> tf.Tensor:
    """The axes of `x` in another order."""
    return tf.transpose(x, list(order))


def concat(parts: Sequence[tf.Tensor], axis: int) -> tf.Tensor:
    """The parts one after the other along an axis."""
    return tf.concat(list(parts), axis)


def take(x: tf.Tensor, indices: Sequence[int]) -> tf.Tensor:
    """The entries of the first axis with the given indices, in that order."""
    return tf.gather(x, list(indices))


def tile(x: tf.Tensor, multiples: Sequence[int]) -> tf.Tensor:
    """`x` so many times along each axis."""
    return tf.tile(x, list(multiples))


def reverse(x: tf.Tensor, axis: int) -> tf.Tensor:
    """`x` with the order along an axis reversed."""
    return tf.reverse(x, [axis])


def widen(x: tf.Tensor) -> tf.Tensor:
    """`x` in the type to add up products in: float32 for the halves, else its own."""
    return tf.cast(x, accumulator(x.dtype))


def like(y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """`y` in the type of `x`."""
    return tf.cast(y, x.dtype)


def add(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The sum of tensors of one shape."""
    return tf.add_n(list(parts))


def add_bias(y: tf.Tensor, bias: tf.Tensor, *, loose: bool = False) -> tf.Tensor:
    """`y` plus an entry a channel, its last axis; see `tf_tconv.ops.Ops.add_bias`."""
    if loose and y.shape[0] is None:
        y = reshape(y, [-1, sizes(y)[-1]])
    return tf.nn.bias_add(y, bias)


def matmul(
    a: tf.Tensor, b: tf.Tensor, *, transpose_a: bool = False, transpose_b: bool = False
) -> tf.Tensor:
    """The product of batches of matrices, each transposed if asked for.

    A batch of matrices times a single one is multiplied as one matrix: of a batch of one, oneDNN
    writes beyond the result, to a crash (TensorFlow 2.21).
    """
    if not transpose_a and a.shape.rank > 2 and b.shape[:-2].num_elements() == 1:
        *leading, rows, depth = sizes(a)
        a = reshape(a, [times(*leading, rows), depth])
        y = matmul(a, reshape(b, sizes(b)[-2:]), transpose_b=transpose_b)
        return reshape(y, [*leading, rows, sizes(y)[-1]])
    multiply = functools.partial(tf.matmul, transpose_a=transpose_a, transpose_b=transpose_b)
    return summed_once("product", multiply, a, b)


def grown(y: tf.Tensor, x: tf.Tensor, least: Sequence[Size]) -> tuple[tf.Tensor, tf.Tensor]:
    """Both with zeros behind where a size known only at run time is too small to convolve."""
    batch, *cells, _ = sizes(x)
    if not all(isinstance(size, int) for size in cells):
        y, x = grow(y, least), grow(x, [1] * len(cells))
    if not isinstance(batch, int):
        # The batch becomes input channels, and of those a convolution needs at least one.
        more = [[0, maximum(1 - batch, 0)], *([0, 0] for _ in range(x.shape.rank - 1))]
        y, x = tf.pad(y, more), tf.pad(x, more)
    return y, x
