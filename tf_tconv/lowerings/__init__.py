"""Algorithms that compute a transposed convolution, one file each, behind one registry.

The contract: ``lower(x, w, rows, columns) -> y``, or ``lower(x, w, rows, columns, bias)``.

* `x`: `[batch, input height, input width, in]`, no static dimension zero;
* `w`: `[kernel height, kernel width, out, in]`, of `x`'s dtype. With channel groups, `in` is what
  one output channel sees, and the outputs of a group stand together, so that `tf.nn.conv2d` infers
  the groups from the shapes. A lowering registered with ``grouped=False`` gets one group a call;
* `rows`, `columns`: the geometry of height and width, `tf_tconv.geometry.AxisGeometry` or its
  run-time twin; `pad_before` may be negative and outputs may lie beyond every product;
* `bias`: `[out]` or `None`, for those registered with ``biased=True``, which add it to what their
  convolutions give and not to the cells put in place: a convolution of 8 bits then rounds once, as
  the fused op does. To the others' results the caller adds it, and wherever a phase has no tap;
* `y`: `[batch, output height, output width, out]`.

Layout and groups are the caller's business, and so are gradients: none is taken through a
lowering. No lowering but "native" reaches the op `Conv2DBackpropInput`; a test walks the graphs.

Two kinds of algorithm share their parts: those that *gather* compute output phases by convolutions
(`windows`, `kernels`), those that *scatter* add up shifted products (`blocks`). What the phases are
says `AxisRelations.phase_grid`; `interleaving` puts them in place.

Beside `lower`, a file has `work`, which counts what `lower` does. To add one: write its file, add a
line to `_REGISTRY`, fit the costs anew (`benchmarks/fit_costs.py`).
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
from tf_tconv.lowerings.work import Sizes, Work


@dataclass(frozen=True)
class Lowering:
    """A registered algorithm.

    Args:
        lower: the function, see the module's contract.
        work: counts what it does for given sizes, if it is TensorFlow's primitives.
        grouped: whether it takes several channel groups in one call.
        trimmed: whether inputs and taps that reach no output are cut off before the call.
        known_kernel: whether the kernel's height and width must be integers, known when the call is
            traced. Where they are not, "zero_insertion" computes in its place.
        known_groups: whether the number of channel groups must be an integer, known when the call
            is traced. Where it is not, and the kernel is known, "overlap_add" computes in its
            place: of any number of groups it makes one product, where LiteRT and ONNX have no
            convolution. "native" then gets filters in TensorFlow's layout, and the number.
        biased: whether it takes a bias.
    """

    lower: Callable[..., Any]
    work: Callable[[Sizes], Work] | None
    grouped: bool = True
    trimmed: bool = True
    known_kernel: bool = True
    known_groups: bool = True
    biased: bool = False


_REGISTRY = {
    "zero_insertion": Lowering(zero_insertion.lower, zero_insertion.work, known_kernel=False),
    "polyphase": Lowering(polyphase.lower, polyphase.work, biased=True),
    "row_polyphase": Lowering(row_polyphase.lower, row_polyphase.work, biased=True),
    "line_batch": Lowering(line_batch.lower, line_batch.work, biased=True),
    "subpixel": Lowering(subpixel.lower, subpixel.work, biased=True),
    "im2col": Lowering(im2col.lower, im2col.work, biased=True),
    "overlap_add": Lowering(overlap_add.lower, overlap_add.work, known_groups=False),
    "block_matmul": Lowering(block_matmul.lower, block_matmul.work),
    "native": Lowering(
        native.lower, None, grouped=False, trimmed=False, known_kernel=False, known_groups=False
    ),
}

REGISTRY = MappingProxyType(_REGISTRY)

NAMES = tuple(name for name in REGISTRY if name != "native")
