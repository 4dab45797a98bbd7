"""Arguments with an entry an axis: the one parser of "a number for all axes, or one each"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_tconv.geometry import brief, check_integer, entry_count

AXES_SAID = {1: "(width,)", 2: "(height, width)", 3: "(depth, height, width)"}
"""By the number of spatial axes, what an entry stands for."""


def is_sequence(value: Any) -> bool:
    """Whether `value` has entries; a string, and an array of no axis, has none here."""
    if isinstance(value, (tuple, list)):
        return True
    if hasattr(value, "ndim") and hasattr(value, "__len__"):
        return bool(value.ndim)
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def check_entries(
    argument: str,
    value: Any,
    rank: int,
    lowest: int = 1,
    highest: int | None = None,
    *,
    one_for_all: bool = True,
) -> tuple[int, ...]:
    """An entry an axis, from an int for all, a sequence of one for all, or one each.

    Args:
        argument: its name, for messages.
        value: what was given.
        rank: the number of axes.
        lowest: the smallest legal int.
        highest: the largest, if there is one.
        one_for_all: whether a sequence of one entry is legal; for Keras' layers it is not.

    Raises:
        TypeError: an entry that is not an int.
        ValueError: an entry out of range, or another number of entries.

    Example:
        >>> check_entries("strides", 2, rank=3)
        (2, 2, 2)
        >>> check_entries("strides", [1, 2], rank=3)
        Traceback (most recent call last):
        ...
        ValueError: strides=[1, 2] has 2 entries; it must be an integer or 3 integers, \
(depth, height, width).
    """
    if not is_sequence(value):
        return (check_integer(argument, value, lowest, highest),) * rank
    entries = list(value)
    if len(entries) == 1 and one_for_all:
        entries *= rank
    if len(entries) != rank:
        raise ValueError(
            f"{argument}={brief(value)} has {entry_count(entries)}; it must be an integer or "
            f"{rank} integer{'s' * (rank > 1)}, {AXES_SAID[rank]}."
        )
    return tuple(
        check_integer(f"{argument}[{axis}]", entry, lowest, highest)
        for axis, entry in enumerate(entries)
    )
