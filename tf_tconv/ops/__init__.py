"""What an array is: the functions that every lowering is written with, and nothing else.

A lowering is ``lower(ops, x, w, operation, bias=None) -> y``. What `ops` is decides what comes out:

* `tf_tconv.ops.tensorflow`: tensors; every repair of a TensorFlow op lives there;
* `tf_tconv.ops.numpy`: NumPy's arrays, without TensorFlow;
* `tf_tconv.ops.counting`: the work of a lowering, in convolutions, products and copies.

A backend is one file that has these functions. *Sizes* are ints wherever they are known, and
scalars of the backend where they are known only at run time; both have Python's operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tf_tconv.geometry import Size

Array = Any
"""An array of the backend."""


class Ops(Protocol):
    """The functions of a backend."""

    def sizes(self, x: Array) -> list[Size]:
        """The dimensions of `x`."""

    def maximum(self, a: Size, b: Size) -> Size:
        """The larger of two sizes."""

    def quotient(self, a: Size, b: Size, least: int = 0) -> Size:
        """The integer part of a size over another, rounded down.

        Args:
            a: a size of any sign.
            b: at least 1; an int where `least` is negative.
            least: what a scalar `a` is at least.
        """

    def reshape(self, x: Array, shape: Sequence[Size]) -> Array:
        """`x` in another shape of as many numbers."""

    def transpose(self, x: Array, order: Sequence[int]) -> Array:
        """The axes of `x` in another order."""

    def pad(self, x: Array, amounts: Sequence[tuple[Size, Size]]) -> Array:
        """`x` with zeros (before, after) each axis, none of them negative."""

    def crop(self, x: Array, amounts: Sequence[tuple[Size, Size]]) -> Array:
        """`x` without cells (before, after) of each axis; of an axis that has fewer, nothing."""

    def concat(self, parts: Sequence[Array], axis: int) -> Array:
        """The parts one after the other along an axis."""

    def take(self, x: Array, indices: Sequence[int]) -> Array:
        """The entries of the first axis with the given indices, in that order."""

    def tile(self, x: Array, multiples: Sequence[int]) -> Array:
        """`x` so many times along each axis."""

    def reverse(self, x: Array, axis: int) -> Array:
        """`x` with the order along an axis reversed."""

    def widen(self, x: Array) -> Array:
        """`x` in the type to add up products in: float32 for the halves, else its own."""

    def like(self, y: Array, x: Array) -> Array:
        """`y` in the type of `x`."""

    def add(self, parts: Sequence[Array]) -> Array:
        """The sum of arrays of one shape."""

    def add_bias(self, y: Array, bias: Array, *, loose: bool = False) -> Array:
        """`y` plus an entry a channel, its last axis.

        Args:
            y: `[..., channels]`; as `conv` leaves it if `loose`.
            bias: `[channels]`.
            loose: whether the caller reshapes the result, as for `conv`.
        """

    def matmul(
        self, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False
    ) -> Array:
        """The product of batches of matrices, each transposed if asked for.

        Args:
            a: `[..., rows, depth]`, or `[..., depth, rows]` to be transposed.
            b: `[..., depth, columns]`, or `[..., columns, depth]` to be transposed; leading axes
                are broadcast as NumPy's.
            transpose_a: whether the matrices of `a` are given transposed.
            transpose_b: whether those of `b` are.

        Returns:
            `[..., rows, columns]`.
        """

    def grown(self, y: Array, x: Array, least: Sequence[Size]) -> tuple[Array, Array]:
        """Both with zeros behind where a size known only at run time is too small to convolve.

        Args:
            y: `[batch, *cells, channels]`, to have at least one image and `least` cells.
            x: `[batch, *cells, channels]`, to have at least one image and one cell an axis.
            least: cells, an entry an axis.

        Returns:
            Both; unchanged where all sizes are known.
        """

    def conv(
        self,
        x: Array,
        w: Array,
        pads: Sequence[tuple[Size, Size]],
        *,
        strides: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        loose: bool = False,
    ) -> Array:
        """The convolution, as deep learning has it: the kernel is not reversed.

        Args:
            x: `[batch, *spatial, in]`.
            w: `[*kernel, in / groups, out]`, which says the number of groups.
            pads: zeros (before, after) each spatial axis; negative: cells to crop.
            strides: cells from one window to the next, an entry an axis; 1 if not given.
            dilations: cells from one tap to the next, likewise.
            loose: whether the caller reshapes the result to sizes of its own. Then that of a batch
                known only at run time may have another shape of as many numbers.

        Returns:
            `[batch, *windows, out]`.
        """
