"""Two axes that differ in everything, mixed so that every two choices meet."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from compat_tests.cases.case import Case
from compat_tests.cases.pairwise import covering_rows
from compat_tests.oracle import Pair


def _unequal(*sizes: int) -> tuple[Pair, ...]:
    """All ordered pairs of two different sizes."""
    return tuple(permutations(sizes, 2))


def cases() -> tuple[Case, ...]:
    """A pairwise covering of sizes, kernels, strides, dilations, padding, output and channels."""
    rows = covering_rows(
        {
            "kernel": _unequal(1, 2, 3, 4, 5),
            "input": _unequal(2, 3, 5, 6),
            "strides": _unequal(1, 2, 3, 4),
            "dilations": _unequal(1, 2, 3),
            "padding": ("SAME", "VALID", ((0, 1), (2, 0)), ((2, 0), (1, 1)), ((1, 1), (0, 1))),
            "output": (("first", "last"), ("last", "first"), ("middle", "middle"), "default"),
            "channels": ((1, 3), (3, 2), (4, 1), (2, 5)),
            "batch": (1, 2),
        }
    )
    found: dict[str, Case] = {}
    for row in rows:
        in_channels, out_channels = row["channels"]
        case = Case(
            "plane",
            batch=row["batch"],
            input=row["input"],
            kernel=row["kernel"],
            strides=row["strides"],
            dilations=row["dilations"],
            padding=row["padding"],
            in_channels=in_channels,
            out_channels=out_channels,
        )
        wanted = row["output"]
        if wanted != "default" or not isinstance(case.padding, str):
            ends = ("last", "first") if wanted == "default" else wanted
            output = (_choose(case, 0, ends[0]), _choose(case, 1, ends[1]))
            case = replace(case, output=output)
        found[case.id] = case
    return tuple(found.values())


def _choose(case: Case, axis: int, which: str) -> int:
    """One of the legal output sizes of an axis: the first, the middle or the last."""
    sizes = case.legal_output_sizes(axis)
    return sizes[{"first": 0, "middle": len(sizes) // 2, "last": -1}[which]]
