"""Algorithms that compute a transposed convolution, one file each, behind one registry.

The contract: ``lower(ops, x, w, operation, bias=None) -> y``.

* `ops`: what an array is, `tf_tconv.ops.Ops`: all that a lowering may do with one;
* `x`: `[batch, *input cells, in]`, no known dimension zero;
* `w`: `[*kernel, out, in / groups]`, of `x`'s dtype. With channel groups, the outputs of a group
  stand together, as the convolution has them;
* `operation`: a `tf_tconv.operation.TransposedConvolution` of any number of axes, in which scalars
  of the run stand for what is known then only; `pad_before` may be negative and outputs may lie
  beyond every product;
* `bias`: `[out]` or `None`, for those registered with ``biased=True``, which add it to what their
  convolutions give and not to the cells put in place: a convolution of 8 bits then rounds once, as
  the fused op does. To the others' results the caller adds it, and wherever a phase has no tap;
* `y`: `[batch, *output cells, out]`.

Layout is the caller's business, and so are gradients: none is taken through a lowering in
TensorFlow. No lowering but "native" reaches a framework's transposed convolution; a test walks the
graphs.

Two algorithms, in `parts`, make most of them: `gathering` computes output phases by convolutions,
with windows of one phase (`polyphase`), of all phases (`subpixel`, and `im2col` as products) or of
all phases of the last axis (`row_polyphase`); `scattering` adds up shifted products, with the
phases behind the steps (`overlap_add`) or in place (`block_matmul`). What the phases are says
`tf_tconv.phases`; `parts.interleaving` puts them in place.

What a lowering does is counted by running it on shapes, `tf_tconv.ops.counting`. To add one: write
its file, add a line to `_REGISTRY`, fit the costs anew (`benchmarks/fit_costs.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tf_tconv.lowerings import (
    block_matmul,
    im2col,
    line_batch,
    native,
    overlap_add,
    polyphase,
    row_polyphase,
    subpixel,
    zero_insertion,
)


@dataclass(frozen=True)
class Lowering:
    """A registered algorithm.

    Args:
        lower: the function, see the module's contract.
        grouped: whether it takes several channel groups in one call, their filters as above. Else
            it gets them in TensorFlow's layout, `[*kernel, out / groups, in]`.
        primitive: whether it consists of primitives, which can be counted, and whether inputs and
            taps that reach no output are cut off before.
        known_kernel: whether the kernel's sizes must be ints, known when the call is traced. Where
            they are not, "zero_insertion" computes in its place.
        known_groups: whether the number of channel groups must be an int, known when the call is
            traced. Where it is not, and the kernel is known, "overlap_add" computes in its place:
            of any number of groups it makes one product, where LiteRT and ONNX have no
            convolution.
        biased: whether it takes a bias.
    """

    lower: Callable[..., Any]
    grouped: bool = True
    primitive: bool = True
    known_kernel: bool = True
    known_groups: bool = True
    biased: bool = False


_REGISTRY = {
    "zero_insertion": Lowering(zero_insertion.lower, known_kernel=False),
    "polyphase": Lowering(polyphase.lower, biased=True),
    "row_polyphase": Lowering(row_polyphase.lower, biased=True),
    "line_batch": Lowering(line_batch.lower, biased=True),
    "subpixel": Lowering(subpixel.lower, biased=True),
    "im2col": Lowering(im2col.lower, biased=True),
    "overlap_add": Lowering(overlap_add.lower, known_groups=False),
    "block_matmul": Lowering(block_matmul.lower),
    "native": Lowering(
        native.lower, grouped=False, primitive=False, known_kernel=False, known_groups=False
    ),
}

REGISTRY = MappingProxyType(_REGISTRY)

NAMES = tuple(name for name, registered in REGISTRY.items() if registered.primitive)
