"""One axis, exhaustively: the other is kept trivial, and then the two change places.

The channels change places with them, so that no case is its own counterpart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from compat_tests.cases.case import Case
from compat_tests.oracle import Padding

INPUTS = range(1, 7)
KERNELS = range(1, 8)
STRIDES = range(1, 6)
DILATIONS = range(1, 4)
PADDINGS: tuple[Padding, ...] = ("SAME", "VALID")


def cases() -> tuple[Case, ...]:
    """Every input, kernel, stride, dilation, SAME and VALID, and every legal output size."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    values = product(KERNELS, STRIDES, INPUTS, DILATIONS, PADDINGS)
    for kernel, stride, size, dilation, padding in values:
        line = Case(
            "axis",
            input=(size, 1),
            kernel=(kernel, 1),
            strides=(stride, 1),
            dilations=(dilation, 1),
            padding=padding,
            in_channels=2,
            out_channels=3,
        )
        for output in line.legal_output_sizes(0):
            upright = replace(line, output=(output, 1))
            yield upright
            yield replace(upright.with_axes_exchanged(), in_channels=3, out_channels=2)
