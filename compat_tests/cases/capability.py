"""The full product of what implementations tend to lack, each combination on one small call."""

from __future__ import annotations

from itertools import product

from compat_tests.cases.case import DTYPES, FIRST_ORDER, Case, DataFormat, Part
from compat_tests.oracle import Pair

DILATIONS: tuple[Pair, ...] = ((1, 1), (2, 2))
STRIDES: tuple[Pair, ...] = ((1, 1), (2, 2))
GROUPS = (1, 2, 4)
LAYOUTS: tuple[DataFormat, ...] = ("NHWC", "NCHW")
GRADIENTS: tuple[tuple[Part, ...], ...] = ((), FIRST_ORDER)


def cases() -> tuple[Case, ...]:
    """Type by dilation, stride, groups up to depthwise, layout, forward alone and with gradients.

    Integers come without gradients, as they have none.
    """
    return tuple(
        Case(
            "capability",
            batch=2,
            input=(3, 4),
            kernel=(3, 2),
            strides=strides,
            dilations=dilations,
            padding="SAME",
            in_channels=4,
            out_channels=4,
            groups=groups,
            dtype=dtype,
            data_format=layout,
            gradients=gradients,
        )
        for dtype, dilations, strides, groups, layout, gradients in product(
            DTYPES, DILATIONS, STRIDES, GROUPS, LAYOUTS, GRADIENTS
        )
        if dtype != "int32" or not gradients
    )
