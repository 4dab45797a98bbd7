"""Explicit padding, each side of one axis on its own, and then the two axes change places.

The channels change places with them, so that no case is its own counterpart.

Padding wider than the kernel reaches makes the convolution's own padding negative: the transposed
one has to crop. Padding in both axes at once, with two pairs that differ, comes in the second part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from compat_tests.cases.case import Case

SIDES = range(0, 5)
INPUTS = (1, 4)
KERNELS_AND_DILATIONS = ((1, 1), (2, 1), (3, 1), (5, 1), (3, 2))
STRIDES = (1, 2, 3)


def cases() -> tuple[Case, ...]:
    """Every pair of paddings 0 to 4 on a grid of the rest, every legal output size."""
    return tuple(_one_axis()) + tuple(_both_axes())


def _one_axis() -> Iterator[Case]:
    grid = product(KERNELS_AND_DILATIONS, STRIDES, INPUTS, SIDES, SIDES)
    for (kernel, dilation), stride, size, before, after in grid:
        line = Case(
            "explicit",
            input=(size, 1),
            kernel=(kernel, 1),
            strides=(stride, 1),
            dilations=(dilation, 1),
            padding=((before, after), (0, 0)),
            in_channels=2,
            out_channels=3,
        )
        for output in line.legal_output_sizes(0):
            upright = replace(line, output=(output, 1))
            yield upright
            yield replace(upright.with_axes_exchanged(), in_channels=3, out_channels=2)


def _both_axes() -> Iterator[Case]:
    for top, bottom, left, right in ((0, 1, 2, 3), (3, 0, 1, 2), (2, 3, 0, 1), (1, 2, 3, 0)):
        for strides, dilations in (((1, 2), (2, 1)), ((3, 2), (1, 2)), ((2, 3), (1, 1))):
            plane = Case(
                "explicit",
                batch=2,
                input=(5, 4),
                kernel=(3, 4),
                strides=strides,
                dilations=dilations,
                padding=((top, bottom), (left, right)),
                in_channels=3,
                out_channels=2,
            )
            heights, widths = plane.legal_output_sizes(0), plane.legal_output_sizes(1)
            for output in product(heights, widths):
                yield replace(plane, output=output)
