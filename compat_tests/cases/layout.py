"""Both layouts with every kind of stride, dilation, groups and padding."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from compat_tests.cases.case import Case, DataFormat
from compat_tests.oracle import Padding, Pair

LAYOUTS: tuple[DataFormat, ...] = ("NHWC", "NCHW")
STRIDES: tuple[Pair, ...] = ((1, 1), (2, 2), (3, 2))
DILATIONS: tuple[Pair, ...] = ((1, 1), (2, 2), (2, 1))
CHANNELS_AND_GROUPS = ((2, 3, 1), (4, 6, 2), (3, 3, 3))
PADDINGS: tuple[Padding, ...] = ("SAME", "VALID", ((1, 2), (0, 3)), ((4, 0), (1, 1)))


def cases() -> tuple[Case, ...]:
    """The full product, the smallest legal height with the largest legal width."""
    found = []
    for layout, strides, dilations, (inner, outer, groups), padding in product(
        LAYOUTS, STRIDES, DILATIONS, CHANNELS_AND_GROUPS, PADDINGS
    ):
        case = Case(
            "layout",
            batch=2,
            input=(3, 5),
            kernel=(4, 3),
            strides=strides,
            dilations=dilations,
            padding=padding,
            in_channels=inner,
            out_channels=outer,
            groups=groups,
            data_format=layout,
        )
        output = (case.legal_output_sizes(0)[0], case.legal_output_sizes(1)[-1])
        found.append(replace(case, output=output))
    return tuple(found)
