"""Layers of published models, in the sizes that they have there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from compat_tests.cases.case import Case
from compat_tests.oracle import Padding

TABLE = Path(__file__).with_name("model_layers.csv")
"""One row a layer, with its source; comments start with "#"."""

PADDINGS: dict[str, Padding] = {"SAME": "SAME", "VALID": "VALID"}


def cases() -> tuple[Case, ...]:
    """The layers in the order of the table, those of equal sizes once; the default output."""
    return tuple(dict.fromkeys(case for _, case in _layers()))


def names() -> dict[str, str]:
    """Which layers a case stands for, by its id: "FSRCNN x4 deconv", several joined by commas."""
    found: dict[str, list[str]] = {}
    for name, case in _layers():
        found.setdefault(case.id, []).append(name)
    return {case: ", ".join(layers) for case, layers in found.items()}


def _layers() -> Iterator[tuple[str, Case]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        kernel, stride = int(row["kernel"]), int(row["stride"])
        case = Case(
            "models",
            batch=int(row["batch"]),
            input=(int(row["height"]), int(row["width"])),
            kernel=(kernel, kernel),
            strides=(stride, stride),
            padding=PADDINGS[row["padding"]],
            in_channels=int(row["in_channels"]),
            out_channels=int(row["out_channels"]),
        )
        yield f"{row['model']} {row['layer']}", case
