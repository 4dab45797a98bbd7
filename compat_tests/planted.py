"""Implementations with a known fault each, and one without, to judge the judge by.

All take and return NumPy arrays, with the signature of `tf.nn.conv2d_transpose`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from compat_tests import oracle
from compat_tests.oracle import Array, Padding

PID_FILE = "COMPAT_TESTS_PLANTED_PID_FILE"
"""Environment variable naming the file that `slow` writes its process id to."""


def right(
    input: Array,
    filters: Array,
    output_shape: Sequence[int],
    strides: Sequence[int],
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1),
    name: str | None = None,
) -> Array:
    """The definition itself, in whichever layout.

    Args:
        input: `[batch, height, width, in_channels]`, or channels second for NCHW.
        filters: `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        output_shape: four entries, in the order of the layout.
        strides: two entries.
        padding: "SAME", "VALID" or four pairs in the order of the layout.
        data_format: "NHWC" or "NCHW".
        dilations: two entries.
        name: has no effect.

    Returns:
        Array of `output_shape`.
    """
    first = 1 if data_format == "NHWC" else 2
    sides: Padding = padding
    if not isinstance(padding, str):
        top, left = padding[first : first + 2]
        sides = ((top[0], top[1]), (left[0], left[1]))
    x = input if data_format == "NHWC" else np.moveaxis(input, 1, 3)
    y = oracle.conv2d_transpose(
        x,
        filters,
        (output_shape[first], output_shape[first + 1]),
        (strides[0], strides[1]),
        sides,
        (dilations[0], dilations[1]),
        groups=output_shape[3 if data_format == "NHWC" else 1] // filters.shape[2],
    )
    return y if data_format == "NHWC" else np.moveaxis(y, 3, 1)


def shifted(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Off by one pixel in both directions."""
    axes = (1, 2) if kwargs["data_format"] == "NHWC" else (2, 3)
    return np.roll(right(input, filters, *args, **kwargs), 1, axes)


def unreversed(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Computes with the kernel the wrong way round."""
    return right(input, filters[::-1, ::-1], *args, **kwargs)


def truncated(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Loses the last row."""
    y = right(input, filters, *args, **kwargs)
    return y[:, :-1] if kwargs["data_format"] == "NHWC" else y[:, :, :-1]


def not_a_number(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right but for one element, which is not a number."""
    y = right(input, filters, *args, **kwargs).astype(np.float64)
    y.flat[-1:] = np.nan
    return y


def imprecise(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right but for the last bit of a float32."""
    y = right(input, filters, *args, **kwargs).astype(np.float32)
    return y * np.float32(1 + 2**-23)


def chatty(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right, and prints, also past Python."""
    print("computing", flush=True)
    os.write(1, b"\x00\x00 computed \xff\n")
    return right(input, filters, *args, **kwargs)


def raising(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Refuses stride 3."""
    if 3 in kwargs["strides"]:
        raise NotImplementedError("a stride of 3 is beyond me")
    return right(input, filters, *args, **kwargs)


def aborting(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Takes the process with it on stride 3."""
    if 3 in kwargs["strides"]:
        os.abort()
    return right(input, filters, *args, **kwargs)


def hanging(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Never returns on stride 3."""
    while 3 in kwargs["strides"]:
        time.sleep(1)
    return right(input, filters, *args, **kwargs)


def slow(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right, but takes its time, and says which process it runs in."""
    if PID_FILE in os.environ:
        with open(os.environ[PID_FILE], "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    time.sleep(0.05)
    return right(input, filters, *args, **kwargs)
