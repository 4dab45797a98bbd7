"""The order of `conv2d_transpose`, for a function that had another one first."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")


def formerly_strides_first(function: Callable[P, T]) -> Callable[P, T]:
    """Has a function take by position also the order strides, padding, output_shape.

    The two can be told apart. Of three arguments by position the third is the strides, unless the
    call names them. Of more, the fourth is a name or pairs where it is the padding, and an integer
    or integers where it is the strides.

    Args:
        function: takes input_shape, filters, output_shape, strides, padding and more.
    """

    @functools.wraps(function)
    def reorder(*args: Any, **named: Any) -> Any:
        if len(args) == 3 and "strides" not in named:
            *args_, named["strides"] = args
            return function(*args_, **named)
        if len(args) > 3 and _is_padding(args[3]):
            data, filters, strides, padding, *rest = args
            size = rest[0] if rest else named.pop("output_shape", None)
            args = (data, filters, size, strides, padding, *rest[1:])
        return function(*args, **named)

    return reorder


def _is_padding(value: Any) -> bool:
    """Whether it is a name or pairs, as no strides are."""
    if isinstance(value, str):
        return True
    return np.iterable(value) and any(np.iterable(entry) for entry in value)
