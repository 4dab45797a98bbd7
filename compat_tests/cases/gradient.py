"""Each gradient asked for alone, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compat_tests.cases.case import SECOND_ORDER, Case, Part
from compat_tests.cases.pairwise import covering_rows

ASKED: tuple[tuple[Part, ...], ...] = (("dx",), ("dw",), SECOND_ORDER)
"""What every call is asked for in turn."""


def cases() -> tuple[Case, ...]:
    """A pairwise covering of calls on unequal axes, each asked for every entry of `ASKED`."""
    return tuple(replace(call, gradients=asked) for call in _calls() for asked in ASKED)


def _calls() -> Iterator[Case]:
    rows = covering_rows(
        {
            "kernel": ((1, 3), (2, 1), (1, 2), (2, 3), (3, 2), (4, 2), (2, 5), (5, 3), (3, 4)),
            "strides": ((1, 1), (1, 2), (2, 1), (2, 3), (3, 2), (4, 3), (1, 4), (3, 5), (4, 2)),
            "dilations": ((1, 1), (1, 2), (3, 1), (2, 3)),
            "padding": ("SAME", "VALID", ((1, 0), (0, 2)), ((2, 1), (1, 0)), ((0, 2), (3, 0))),
            "input": ((3, 4), (4, 5), (3, 6)),
            "channels": ((1, 1, 1), (3, 2, 1), (4, 2, 2), (2, 6, 2), (3, 3, 3)),
            "ends": ((0, -1), (-1, 0), None),
            "batch": (1, 2),
        }
    )
    for row in rows:
        in_channels, out_channels, groups = row["channels"]
        call = Case(
            "gradient",
            batch=row["batch"],
            input=row["input"],
            kernel=row["kernel"],
            strides=row["strides"],
            dilations=row["dilations"],
            padding=row["padding"],
            in_channels=in_channels,
            out_channels=out_channels,
            groups=groups,
        )
        if row["ends"] or not isinstance(call.padding, str):
            height, width = row["ends"] or (-1, -1)
            output = (call.legal_output_sizes(0)[height], call.legal_output_sizes(1)[width])
            call = replace(call, output=output)
        yield call
