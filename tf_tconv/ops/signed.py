"""Signed amounts around an axis: what is to be padded, and what to be cropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tf_tconv.geometry import Size

Amounts = list[tuple[Size, Size]]


def padded_and_cropped(
    amounts: Sequence[tuple[Size, Size]], maximum: Callable[[Size, Size], Size]
) -> tuple[Amounts | None, Amounts | None]:
    """The amounts to pad and those to crop, (before, after) each axis; `None` if all are 0.

    Args:
        amounts: (before, after) each axis; a negative one crops.
        maximum: of two sizes.

    Example:
        >>> padded_and_cropped([(1, -2), (0, 0)], max)
        ([(1, 0), (0, 0)], [(0, 2), (0, 0)])
    """
    more = [(maximum(before, 0), maximum(after, 0)) for before, after in amounts]
    less = [(maximum(-before, 0), maximum(-after, 0)) for before, after in amounts]
    return more if _is_needed(more) else None, less if _is_needed(less) else None


def _is_needed(amounts: Amounts) -> bool:
    return not all(isinstance(amount, int) and amount == 0 for pair in amounts for amount in pair)
