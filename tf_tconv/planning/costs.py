"""What a step of a lowering costs, by coefficients fitted on measurements.

A cost is a sum of counts, each times a coefficient of the machine's way to compute: TensorFlow with
oneDNN, without it, or XLA. `benchmarks/fit_costs.py` measures layers and writes `costs.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from tf_tconv.ops.counting import Convolution, Copy, Product, Step, Work

VECTOR = 16
"""Numbers of float32 in the widest registers of x86; what is left over of them idles."""

BACKENDS = ("onednn", "plain", "xla")
"""The ways to compute that have coefficients of their own."""


def features(step: Step, itemsize: int = 4) -> dict[str, float]:
    """The counts that a step's cost is a sum of, by name.

    Args:
        step: of a lowering's work.
        itemsize: bytes of a number.

    Returns:
        Counts in units that make their coefficients nanoseconds, each of at least zero.
    """
    scale = itemsize / 4
    if isinstance(step, Convolution):
        windows = step.windows * step.taps
        return {
            "convolution.calls": 1,
            "convolution.flops": windows * step.depth * _whole(step.channels) * scale,
            "convolution.padded": 0
            if step.padded == step.windows
            else (step.padded - step.windows) * step.taps * step.depth * _whole(step.channels),
            "convolution.narrow": windows * _whole(step.depth) * scale,
            "convolution.windows": windows * scale,
            "convolution.read": step.read * scale,
            "convolution.weights": step.taps * step.depth * step.channels * scale,
            "convolution.written": step.windows * step.channels * scale,
        }
    if isinstance(step, Product):
        return {
            "product.calls": 1,
            "product.matrices": step.batch,
            "product.flops": step.flops / 2 * scale,
            "product.left": step.batch * step.rows * step.depth * scale,
            "product.right": step.right * step.columns * step.depth * scale,
            "product.written": step.batch * step.rows * step.columns * scale,
        }
    assert isinstance(step, Copy)
    return {
        "copy.calls": 1,
        "copy.read": step.read * scale,
        "copy.written": step.written * scale,
        "copy.runs": step.written / max(step.run, 1),
    }


def _whole(channels: int) -> int:
    """Channels as registers hold them."""
    return -(-channels // VECTOR) * VECTOR


def counts(work: Work, itemsize: int = 4) -> dict[str, float]:
    """The features of all steps, added up."""
    total: dict[str, float] = {}
    for step in work.steps:
        for name, count in features(step, itemsize).items():
            total[name] = total.get(name, 0.0) + count
    return total


@cache
def _fitted() -> dict[str, dict[str, dict[str, float]]]:
    """What `benchmarks/fit_costs.py` wrote."""
    text = resources.files("tf_tconv.planning").joinpath("costs.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, float]]] = json.loads(text)
    return found


def seconds(work: Work, backend: str, itemsize: int = 4, lowering: str = "") -> float:
    """What the work is estimated to take.

    Args:
        work: of a lowering.
        backend: one of `BACKENDS`.
        itemsize: bytes of a number.
        lowering: whose work it is; some go faster or slower by a factor than their counts tell, as
            XLA fuses copies of the one and not of the other.

    Returns:
        Seconds on the machine that the coefficients were fitted on.
    """
    table = _fitted()["nanoseconds"][backend]
    total = counts(work, itemsize)
    factor = _fitted()["factors"][backend].get(lowering, 1.0)
    return 1e-9 * factor * sum(table.get(name, 0.0) * count for name, count in total.items())
