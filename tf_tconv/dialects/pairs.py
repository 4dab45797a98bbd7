"""Arguments of two axes, in the forms that frameworks take them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_tconv.geometry import brief, check_integer

Pair = tuple[int, int]
"""One number an axis: (height, width)."""

Sides = tuple[int, int]
"""Two numbers of one axis: (before, after)."""


def check_pair(argument: str, value: Any, lowest: int = 1) -> Pair:
    """(height, width), from two integers or from one for both.

    Args:
        argument: its name, for messages.
        value: what was given.
        lowest: the smallest legal integer.

    Raises:
        TypeError: an entry is no integer.
        ValueError: an entry out of range, or another number of entries.
    """
    if not is_sequence(value):
        cells = check_integer(argument, value, lowest)
        return cells, cells
    entries = list(value)
    if len(entries) == 1:
        entries *= 2
    if len(entries) != 2:
        raise ValueError(
            f"{argument}={brief(value)} has {len(entries)} entries; it must be an integer or 2 "
            "integers, (height, width)."
        )
    height, width = (
        check_integer(f"{argument}[{axis}]", entry, lowest) for axis, entry in enumerate(entries)
    )
    return height, width


def check_optional_pair(argument: str, value: Any, lowest: int = 1) -> Pair | None:
    """As `check_pair`, or `None` where nothing is given."""
    return None if value is None else check_pair(argument, value, lowest)


def check_input_size(value: Any) -> Pair | None:
    """(height, width) of images, or `None` where unknown.

    An axis of no cells is legal: Keras, `tf.nn`, JAX and ONNX Runtime answer such images with the
    bias, and only torch refuses to run them.
    """
    return check_optional_pair("input_size", value, 0)


def is_sequence(value: Any) -> bool:
    """Whether `value` has entries; a string has none here."""
    if isinstance(value, (tuple, list)):
        return True
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def axis_name(axis: int) -> str:
    """What the cells of an axis are called in messages."""
    return ("rows", "columns")[axis]
