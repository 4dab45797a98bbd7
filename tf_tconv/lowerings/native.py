"""The backend's own transposed convolution, for comparison and for exporters that want it fused.

"auto" never chooses it. What the op refuses, this refuses, with the op's own message.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array


def lower(
    ops: Any, x: Array, w: Array, operation: TransposedConvolution, bias: Array | None = None
) -> Array:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    return ops.native(x, w, operation)
