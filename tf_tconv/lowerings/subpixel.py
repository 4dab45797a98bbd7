"""Transposed convolution as one convolution to all phases' channels, then depth to space.

The sub-pixel convolution of Shi et al. (https://arxiv.org/abs/1609.05158, and for its equality with
transposed convolution https://arxiv.org/abs/1609.07009). All phases read one common window of the
input; where a phase has no tap the kernel is zero. With few output channels the convolution becomes
efficient only by as many more as there are phases.
"""

from __future__ import annotations

from tf_tconv.lowerings.parts.gathering import gather
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    return gather(ops, x, w, operation, bias, joined=[True] * operation.rank)
