"""A row of the benchmark: one layer or decoder in one mode, ours and native in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from tf_tconv.benchmark.layers import Layer
from tf_tconv.benchmark.modes import Data, Mode, native, ours, ready
from tf_tconv.benchmark.peers import peers
from tf_tconv.functional.plan import plan
from tf_tconv.planning.engine import engine
from tf_tconv.timing import Samples, interleave, ratios

ROUNDS = (7, 60)
"""The fewest and the most turns of a row."""

ROUNDING_TOLERANCE = 1e-3
"""The largest difference to native, of the largest output, that may be rounding.

Other summation orders of up to 13,000 float32 products differ by some 1e-5; a pixel off, by 1.
"""


@dataclass(frozen=True)
class Row:
    """What was measured of one layer in one mode.

    Args:
        mode: the mode's name.
        title: model and layer.
        shape: the layer's numbers, in short.
        lowering: what "auto" chose.
        native: seconds of TensorFlow's op, the median.
        ours: seconds of ours, the median.
        ratio: native over ours, the median of the rounds' quotients: above 1, ours is faster.
        low: their lower quartile.
        high: their upper quartile.
        flops: multiplications and additions of the definition; of a training step three times.
        bytes: of input, filters and output; of a training step three times.
        others: seconds of what else took turns: "zero_insertion", other frameworks.
    """

    mode: str
    title: str
    shape: str
    lowering: str
    native: float
    ours: float
    ratio: float
    low: float
    high: float
    flops: int
    bytes: int
    others: dict[str, float] = field(default_factory=dict)

    @property
    def best_peer(self) -> str | None:
        """The fastest of the other frameworks."""
        found = [name for name in self.others if name != "zero_insertion"]
        return min(found, key=lambda name: self.others[name]) if found else None


def measure_layer(layer: Layer, mode: Mode, seconds: float, with_peers: bool = False) -> Row:
    """Times one layer, ours and native and what else is asked for in turn.

    Args:
        layer: what to compute.
        mode: how to run it.
        seconds: for all of the row's turns together.
        with_peers: also time the other frameworks that are installed.

    Raises:
        ArithmeticError: what was timed gave another result than the native op.
    """
    data = Data.of(layer)
    reference = np.asarray(native(layer)(data.x, data.w))
    _check_equal("tf_tconv", reference, np.asarray(ours(layer)(data.x, data.w)), layer)
    calls: dict[str, Callable[[], object]] = {
        "native": ready(native(layer), mode, data),
        "ours": ready(ours(layer), mode, data),
    }
    if mode.compared:
        calls["zero_insertion"] = ready(ours(layer, "zero_insertion"), mode, data)
        if with_peers:
            for name, (call, to_array) in peers(layer, data).items():
                _check_equal(name, reference, to_array(call()), layer)
                calls[name] = call
    found = interleave(calls, seconds, ROUNDS)
    return row_of(
        mode.name,
        layer.title,
        layer.shape,
        plan(
            layer.input_shape,
            layer.filters_shape,
            layer.output_shape,
            layer.stride,
            layer.padding,
            backend="xla" if mode.jit else engine(),
        ).lowering,
        found,
        (3 if mode.training else 1) * layer.flops,
        (3 if mode.training else 1) * layer.bytes,
    )


def row_of(
    mode: str,
    title: str,
    shape: str,
    lowering: str,
    found: dict[str, Samples],
    flops: int,
    moved: int,
) -> Row:
    """The row of samples, "native" and "ours" among them."""
    middle, low, high = ratios(found["native"], found["ours"])
    others = {n: s.median for n, s in found.items() if n not in ("native", "ours")}
    return Row(
        mode,
        title,
        shape,
        lowering,
        found["native"].median,
        found["ours"].median,
        middle,
        low,
        high,
        flops,
        moved,
        others,
    )


def geometric_mean(values: Iterable[float]) -> float:
    """The mean that a ratio and its inverse agree on."""
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


def _check_equal(name: str, expected: np.ndarray, found: np.ndarray, layer: Layer) -> None:
    if expected.shape != found.shape:
        raise ArithmeticError(
            f"{name} gave {found.shape}, not {expected.shape}, for {layer.shape}."
        )
    difference = float(np.abs(expected - found).max() / np.abs(expected).max())
    if not difference < ROUNDING_TOLERANCE:
        raise ArithmeticError(f"{name} differs by {difference:.2g} from native for {layer.shape}.")
