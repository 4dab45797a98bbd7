"""Transposed convolution as one convolution a row phase, with the column phases in its channels.

The phases of the last axis that stand side by side in the channels of a step are in memory where
the output has them, so columns need no interleaving; whole lines are interleaved in one pass. The
price is the zeros in the kernel where one column phase has a tap and another has none.
"""

from __future__ import annotations

from tf_tconv.lowerings.parts.gathering import gather
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    joined = [axis == operation.rank - 1 for axis in range(operation.rank)]
    return gather(ops, x, w, operation, bias, joined)
