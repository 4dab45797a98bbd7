"""Transposed convolution as one small convolution a phase: no zero is inserted or multiplied by.

Output cells that are a stride apart, a *phase*, meet the same taps of the kernel. Each phase is a
convolution of the input at stride 1 with every `stride`-th tap, reversed; the phases are then
interleaved. That is as many convolutions as the product of the strides, which together multiply
exactly what the definition does, and a pass over the output for each axis.
"""

from __future__ import annotations

from tf_tconv.lowerings.parts.gathering import gather
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops


def lower(
    ops: Ops, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    return gather(ops, x, w, operation, bias, joined=[False] * operation.rank)
