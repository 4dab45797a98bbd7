"""NumPy's arrays: every lowering without TensorFlow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_tconv.geometry import effective_kernel_size
from tf_tconv.ops.signed import padded_and_cropped

Array = Any

HALVES = ("float16", "bfloat16")


def sizes(x: Array) -> list[int]:
    """The dimensions of `x`."""
    return list(x.shape)


def maximum(a: int, b: int) -> int:
    """The larger of two sizes."""
    return max(a, b)


def quotient(a: int, b: int, least: int = 0) -> int:
    """The integer part of a size over another, rounded down."""
    return a // b


def reshape(x: Array, shape: Sequence[int]) -> Array:
    """`x` in another shape."""
    return x.reshape(tuple(shape))


def transpose(x: Array, order: Sequence[int]) -> Array:
    """The axes of `x` in another order."""
    return x.transpose(tuple(order))


def pad(x: Array, amounts: Sequence[tuple[int, int]]) -> Array:
    """`x` with zeros (before, after) each axis."""
    # Several times faster on small arrays than `np.pad`.
    y = np.zeros([sum(pair, size) for size, pair in zip(x.shape, amounts, strict=True)], x.dtype)
    y[
        tuple(
            slice(before, before + size) for size, (before, _) in zip(x.shape, amounts, strict=True)
        )
    ] = x
    return y


def crop(x: Array, amounts: Sequence[tuple[int, int]]) -> Array:
    """`x` without cells (before, after) of each axis."""
    return x[
        tuple(
            slice(before, max(size - after, before))
            for size, (before, after) in zip(x.shape, amounts, strict=True)
        )
    ]


def concat(parts: Sequence[Array], axis: int) -> Array:
    """The parts one after the other along an axis."""
    return np.concatenate(list(parts), axis)


def take(x: Array, indices: Sequence[int]) -> Array:
    """The entries of the first axis with the given indices."""
    return x[np.asarray(indices, np.int64)]


def tile(x: Array, multiples: Sequence[int]) -> Array:
    """`x` so many times along each axis."""
    return np.tile(x, tuple(multiples))


def reverse(x: Array, axis: int) -> Array:
    """`x` with the order along an axis reversed."""
    return np.flip(x, axis)


def widen(x: Array) -> Array:
    """`x` in the type to add up products in."""
    return x.astype(np.float32) if x.itemsize == 2 and x.dtype.name in HALVES else x


def like(y: Array, x: Array) -> Array:
    """`y` in the type of `x`."""
    return y.astype(x.dtype, copy=False)


def add(parts: Sequence[Array]) -> Array:
    """The sum of arrays of one shape."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def add_bias(y: Array, bias: Array, *, loose: bool = False) -> Array:
    """`y` plus an entry a channel."""
    return y + bias


def matmul(a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False) -> Array:
    """The product of batches of matrices."""
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    return like(np.matmul(widen(a), widen(b)), a)


def grown(y: Array, x: Array, least: Sequence[int]) -> tuple[Array, Array]:
    """Both as they are: their sizes are known."""
    return y, x


def conv(
    x: Array,
    w: Array,
    pads: Sequence[tuple[int, int]],
    *,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    loose: bool = False,
) -> Array:
    """The convolution: for each tap one product of matrices, added up."""
    rank = len(pads)
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    *kernel, per_group, out = w.shape
    groups = x.shape[-1] // per_group
    more, less = padded_and_cropped([(0, 0), *pads, (0, 0)], max)
    x = pad(x, more) if more else x
    x = crop(x, less) if less else x
    windows = [
        max((size - effective_kernel_size(k, d) + s) // s, 0)
        for size, k, s, d in zip(x.shape[1:-1], kernel, strides, dilations, strict=True)
    ]
    wide = widen(x)
    # [*kernel, groups, in / groups, out / groups]
    taps = widen(w).reshape(*kernel, per_group, groups, out // groups).swapaxes(-3, -2)
    y = np.zeros((x.shape[0], *windows, groups, out // groups), np.result_type(wide, taps))
    for tap in itertools.product(*map(range, kernel)):
        cells = tuple(
            slice(place * d, place * d + (count - 1) * s + 1 if count else 0, s)
            for place, count, s, d in zip(tap, windows, strides, dilations, strict=True)
        )
        seen = wide[(slice(None), *cells)]
        seen = seen.reshape(*seen.shape[:-1], groups, 1, per_group)
        y += np.matmul(seen, taps[tap])[..., 0, :]
    return like(y.reshape(*y.shape[:-2], out), x)
