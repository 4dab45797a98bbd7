"""Transposed convolution as one matrix product of gathered windows, then depth to space.

What `subpixel` leaves to the convolution, written out: each step's window of the input becomes a
row of a matrix. That is worth its memory where the convolution is slow for its few input channels,
and costs nothing where the kernel is no larger than the stride: there a window is a pixel.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

from tf_tconv.geometry import Size
from tf_tconv.lowerings.parts.gathering import gather
from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one, times


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    joined = [True] * operation.rank
    if not is_one(operation.groups):
        # Of several groups each would be a product of its own.
        return gather(ops, x, w, operation, bias, joined)
    return gather(ops, x, w, operation, bias, joined, functools.partial(_multiply, ops))


def _multiply(
    ops: Ops,
    x: Array,
    w: Array,
    pads: Sequence[tuple[Size, Size]],
    *,
    dilations: Sequence[int],
    loose: bool,
) -> Array:
    """What `Ops.conv` gives for these arguments, at stride 1 and for one group."""
    *kernel, _, out = ops.sizes(w)
    x = pad_or_crop(ops, x, [(0, 0), *pads, (0, 0)])
    batch, *cells, channels = ops.sizes(x)
    spans = [(taps - 1) * dilation for taps, dilation in zip(kernel, dilations, strict=True)]
    windows = [ops.maximum(size - span, 0) for size, span in zip(cells, spans, strict=True)]
    shifted = []
    for tap in itertools.product(*map(range, kernel)):
        starts = [place * dilation for place, dilation in zip(tap, dilations, strict=True)]
        around = [(start, span - start) for start, span in zip(starts, spans, strict=True)]
        shifted.append(ops.crop(x, [(0, 0), *around, (0, 0)]) if any(spans) else x)
    gathered = shifted[0] if len(shifted) == 1 else ops.concat(shifted, len(cells) + 1)
    del shifted
    depth = math.prod(kernel) * channels
    gathered = ops.reshape(gathered, [times(batch, *windows), depth])
    y = ops.matmul(gathered, ops.reshape(w, [depth, out]))
    return y if loose else ops.reshape(y, [batch, *windows, out])
