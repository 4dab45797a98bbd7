"""Batches, channels and groups: unequal counts, depthwise, depth multipliers."""

from __future__ import annotations

from itertools import product

from compat_tests.cases.case import Case
from compat_tests.oracle import Padding, Pair

BATCHES = (0, 1, 3)

CHANNELS: tuple[tuple[int, int, int], ...] = (
    # in, out, groups
    (1, 1, 1),
    (1, 5, 1),
    (4, 1, 1),
    (3, 2, 1),
    (2, 2, 2),  # depthwise
    (2, 6, 2),  # depthwise, three outputs a channel
    (6, 2, 2),  # three inputs share an output
    (4, 6, 2),
    (3, 3, 3),  # depthwise
    (3, 6, 3),  # depthwise, two outputs a channel
    (6, 3, 3),
    (6, 9, 3),
    (5, 5, 5),  # depthwise
)

GEOMETRIES: tuple[tuple[Pair, Pair, Pair, Padding], ...] = (
    # kernel, strides, dilations, padding
    ((1, 1), (1, 1), (1, 1), "VALID"),
    ((3, 2), (1, 1), (1, 1), "SAME"),
    ((3, 3), (2, 2), (1, 1), "SAME"),
    ((2, 4), (2, 3), (1, 1), "VALID"),
    ((3, 2), (1, 1), (2, 3), "SAME"),
    ((2, 3), (3, 2), (2, 1), "VALID"),
)


def cases() -> tuple[Case, ...]:
    """Every batch, every entry of `CHANNELS` and every geometry."""
    return tuple(
        Case(
            "channels",
            batch=batch,
            input=(3, 4),
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            padding=padding,
            in_channels=in_channels,
            out_channels=out_channels,
            groups=groups,
        )
        for (in_channels, out_channels, groups), batch, (kernel, strides, dilations, padding) in (
            product(CHANNELS, BATCHES, GEOMETRIES)
        )
    )
