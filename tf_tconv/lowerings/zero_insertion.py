"""Transposed convolution as the textbook draws it: zeros inserted, padded, convolved at stride 1.

Step 5 of the derivation in `tf_tconv.geometry`: `stride - 1` zeros between the inputs, `lead` and
`trail` zeros around them (or a crop), then a stride-1 convolution with the reversed kernel. It
multiplies by all the zeros it inserts, so its cost grows with the product of the strides.
"""

from __future__ import annotations

from collections.abc import Sequence

from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import times


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    rank = operation.rank
    for axis in range(rank):  # One at a time: OpenVINO reads no reversal of two.
        w = ops.reverse(w, axis)
    return ops.conv(
        _insert_zeros(ops, x, operation.strides),
        ops.transpose(w, [*range(rank), rank + 1, rank]),
        # Every input brought stride - 1 zeros along, the last one too.
        [(axis.lead, axis.trail - (axis.stride - 1)) for axis in operation.axes],
        dilations=operation.dilations,
    )


def _insert_zeros(ops: Ops, x: Array, strides: Sequence[int]) -> Array:
    """Every cell of `x` followed by `stride - 1` zeros along each axis.

    Pads at rank 4, an axis at a time: converters to mobile formats know no higher-rank pad.
    """
    shape = ops.sizes(x)
    for axis in reversed(range(1, len(shape) - 1)):
        stride = strides[axis - 1]
        if stride > 1:
            before, after = times(*shape[:axis]), times(*shape[axis + 1 :])
            x = ops.reshape(x, [before, shape[axis], 1, after])
            x = ops.pad(x, [(0, 0), (0, 0), (0, stride - 1), (0, 0)])
            shape = [*shape[:axis], shape[axis] * stride, *shape[axis + 1 :]]
            x = ops.reshape(x, shape)
    return x
