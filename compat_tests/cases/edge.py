"""The ends of the range: nothing at all, a single pixel, strides and kernels out of proportion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from compat_tests.cases.case import Case
from compat_tests.oracle import Padding, Pair

INPUTS: tuple[Pair, ...] = ((0, 0), (0, 3), (3, 0), (1, 1), (1, 3), (2, 1))
BATCHES = (0, 2)
PADDINGS: tuple[Padding, ...] = ("SAME", "VALID")

SHAPES: tuple[tuple[Pair, Pair, Pair], ...] = (
    # kernel, strides, dilations
    ((1, 1), (1, 1), (1, 1)),
    ((1, 1), (3, 2), (1, 1)),
    ((1, 1), (2, 4), (3, 2)),  # dilation of a kernel with nothing to dilate
    ((3, 3), (2, 2), (1, 1)),
    ((2, 1), (5, 4), (1, 1)),  # strides larger than the kernel leave holes
    ((2, 2), (3, 3), (2, 3)),
    ((9, 7), (1, 1), (1, 1)),  # kernels larger than the output
    ((9, 7), (2, 3), (1, 1)),
    ((4, 5), (1, 2), (4, 3)),
)


def cases() -> tuple[Case, ...]:
    """Every input, batch, shape and padding, with the smallest, largest and default output."""
    found = {case.id: case for case in _cases()}
    return tuple(found.values())


def _cases() -> Iterator[Case]:
    grid = product(INPUTS, BATCHES, SHAPES, PADDINGS)
    for size, batch, (kernel, strides, dilations), padding in grid:
        case = Case(
            "edge",
            batch=batch,
            input=size,
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            padding=padding,
            in_channels=2,
            out_channels=3,
        )
        heights, widths = case.legal_output_sizes(0), case.legal_output_sizes(1)
        yield replace(case, output=(heights[0], widths[0]))
        yield replace(case, output=(heights[-1], widths[-1]))
        yield case
