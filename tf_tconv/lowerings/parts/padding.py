"""Padding and cropping by signed amounts."""

from __future__ import annotations

from collections.abc import Sequence

from tf_tconv.geometry import Size
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.signed import padded_and_cropped


def pad_or_crop(ops: Ops, x: Array, amounts: Sequence[tuple[Size, Size]]) -> Array:
    """`x` with zeros before and after each axis; a negative amount crops instead.

    Args:
        ops: what an array is.
        x: of any rank.
        amounts: (before, after) for each axis.

    Returns:
        `x`, each axis longer or shorter by its amounts, but never below zero entries.
    """
    more, less = padded_and_cropped(amounts, ops.maximum)
    if more:
        x = ops.pad(x, more)
    if less:
        x = ops.crop(x, less)
    return x
