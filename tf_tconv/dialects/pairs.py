"""Arguments of two axes, in the forms that frameworks take them in."""

from __future__ import annotations

from typing import Any

from tf_tconv.entries import check_entries, is_sequence
from tf_tconv.layouts import AXIS_UNITS

__all__ = ["Pair", "Sides", "axis_name", "check_input_size", "check_optional_pair", "check_pair"]
__all__ += ["is_sequence"]

Pair = tuple[int, ...]
"""One number an axis, as (height, width)."""

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
    height, width = check_entries(argument, value, 2, lowest)
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


def axis_name(axis: int) -> str:
    """What the cells of an axis are called in messages."""
    return AXIS_UNITS[2][axis]
