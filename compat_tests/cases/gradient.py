"""Each gradient asked for alone, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compat_tests.cases.case import SECOND_ORDER, Case, Part
from compat_tests.cases.covering import covering_calls

ASKED: tuple[tuple[Part, ...], ...] = (("dx",), ("dw",), SECOND_ORDER)
"""What every call is asked for in turn."""


def cases() -> tuple[Case, ...]:
    """A pairwise covering of calls on unequal axes, each asked for every entry of `ASKED`."""
    return tuple(replace(call, gradients=asked) for call in _calls() for asked in ASKED)


def _calls() -> Iterator[Case]:
    return covering_calls(
        "gradient",
        {
            "kernel": ((1, 3), (2, 1), (1, 2), (2, 3), (3, 2), (4, 2), (2, 5), (5, 3), (3, 4)),
            "strides": ((1, 1), (1, 2), (2, 1), (2, 3), (3, 2), (4, 3), (1, 4), (3, 5), (4, 2)),
            "dilations": ((1, 1), (1, 2), (3, 1), (2, 3)),
            "padding": ("SAME", "VALID", ((1, 0), (0, 2)), ((2, 1), (1, 0)), ((0, 2), (3, 0))),
            "input": ((3, 4), (4, 5), (3, 6)),
            "channels": (
                # in, out, groups, layout
                (1, 1, 1, "NHWC"),
                (3, 2, 1, "NHWC"),
                (4, 2, 2, "NHWC"),
                (2, 6, 2, "NHWC"),
                (3, 3, 3, "NHWC"),
            ),
            "ends": ((0, -1), (-1, 0), None),
            "batch": (1, 2),
        },
    )
