"""Every type with every kind of stride, dilation, groups and padding."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from compat_tests.cases.case import DTYPES, FIRST_ORDER, Case
from compat_tests.oracle import Padding, Pair

STRIDES: tuple[Pair, ...] = ((1, 1), (2, 2), (2, 3))
DILATIONS: tuple[Pair, ...] = ((1, 1), (2, 2), (1, 2))
GROUPS = (1, 2, 4)
PADDINGS: tuple[Padding, ...] = ("SAME", "VALID", ((1, 0), (0, 2)))


def cases() -> tuple[Case, ...]:
    """The full product, the largest legal height with the smallest legal width.

    Integers come without gradients, as they have none.
    """
    found = []
    for dtype, strides, dilations, groups, padding in product(
        DTYPES, STRIDES, DILATIONS, GROUPS, PADDINGS
    ):
        case = Case(
            "dtype",
            batch=2,
            input=(3, 4),
            kernel=(3, 2),
            strides=strides,
            dilations=dilations,
            padding=padding,
            in_channels=4,
            out_channels=4,
            groups=groups,
            dtype=dtype,
            gradients=() if dtype == "int32" else FIRST_ORDER,
        )
        output = (case.legal_output_sizes(0)[-1], case.legal_output_sizes(1)[0])
        found.append(replace(case, output=output))
    return tuple(found)
