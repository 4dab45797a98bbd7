"""Sizes that become known only when the traced call runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from compat_tests.cases.case import Case, Unknown
from compat_tests.cases.covering import covering_calls
from compat_tests.oracle import Padding

UNKNOWN: tuple[tuple[Unknown, ...], ...] = (
    ("batch",),
    ("height", "width"),
    ("batch", "height", "width"),
    ("output_shape",),
    ("batch", "height", "width", "output_shape"),
)
"""What every call is traced without in turn."""

EMPTY = ((0, 3, 4), (2, 0, 3), (2, 3, 0))
"""Batch, height and width of inputs that show to hold nothing only when the call runs."""


def cases() -> tuple[Case, ...]:
    """A pairwise covering of calls and a few empty ones, each without every entry of `UNKNOWN`."""
    calls = (*_calls(), *_empty_calls())
    return tuple(replace(call, unknown=unknown) for call in calls for unknown in UNKNOWN)


def _calls() -> Iterator[Case]:
    return covering_calls(
        "dynamic",
        {
            "kernel": ((1, 1), (1, 2), (3, 3), (3, 2), (4, 2), (2, 4), (5, 3)),
            "strides": ((1, 1), (2, 2), (1, 2), (2, 1), (2, 3), (3, 1), (4, 5)),
            "dilations": ((1, 1), (2, 2), (1, 3)),
            "padding": ("SAME", "VALID", ((1, 0), (0, 2)), ((1, 1), (2, 0)), ((3, 0), (0, 2))),
            "input": ((4, 3), (5, 4), (4, 6)),
            "channels": (
                # in, out, groups, layout
                (3, 2, 1, "NHWC"),
                (4, 6, 2, "NHWC"),
                (3, 3, 3, "NHWC"),
                (2, 3, 1, "NCHW"),
                (6, 4, 2, "NCHW"),
            ),
            "ends": ((0, -1), (-1, 0), None),
            "batch": (1, 2),
        },
    )


def _empty_calls() -> Iterator[Case]:
    paddings: tuple[Padding, ...] = ("SAME", "VALID")
    for (batch, height, width), padding in product(EMPTY, paddings):
        yield Case(
            "dynamic",
            batch=batch,
            input=(height, width),
            kernel=(3, 2),
            strides=(2, 3),
            padding=padding,
            in_channels=3,
            out_channels=2,
        )
