"""Measures lowerings on random layers and fits the coefficients of `tf_tconv/planning/costs.json`.

    python benchmarks/fit_costs.py measure    writes benchmarks/costs/BACKEND.json; half an hour
    python benchmarks/fit_costs.py fit        writes tf_tconv/planning/costs.json from them
    python benchmarks/fit_costs.py check      what the choice loses on published layers, unseen

A cost is linear in the counts of `tf_tconv.planning.costs`, times a factor a lowering. The fit
starts from non-negative least squares of relative errors and goes on to where the choice loses
least; see `fit`. Published layers are measured too, and never fitted on.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tf_tconv.benchmark.layers import Layer, published
from tf_tconv.benchmark.modes import MODES as modes
from tf_tconv.benchmark.modes import Data, Mode, native, ours, ready
from tf_tconv.benchmark.rows import geometric_mean
from tf_tconv.functional.differentiation import Faces
from tf_tconv.limits import LARGEST
from tf_tconv.lowerings import NAMES, REGISTRY
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.counting import Convolution, Work
from tf_tconv.planning import by_product, candidates, costs
from tf_tconv.planning.load import Load, gradient_work, work
from tf_tconv.planning.processor import processor
from tf_tconv.timing import interleave

HERE = Path(__file__).parent
MEASURED = HERE / "costs"
RESULT = HERE.parent / "tf_tconv" / "planning" / "costs.json"
MODES = {"onednn": "graph", "plain": "plain", "xla": "xla"}
LAYERS = {"onednn": 110, "plain": 90, "xla": 44}
HEAVY = {"onednn": 50, "plain": 30, "xla": 0}
HEAVY_FLOPS = 3e8
"""Of further layers, so that those count that take the time of a model."""
SECONDS = 0.35
SLOWEST = 0.25
SEED = 20

SHARPNESS = 32
"""Estimates that differ by 3 per cent share a choice as 1 to e."""

ACCURACY = {"onednn": 0.3, "plain": 0.1, "xla": 0.1}
"""How much a squared logarithmic error counts beside what the choice loses.

Of 0.1, 0.3 and 1.0 what loses least on the published layers, which are never fitted on.
"""

FACTORS = 0.002
"""How much a squared logarithm of a lowering's factor counts."""


GRADIENTS = ("input", "filters")


def load_of(layer: Layer) -> Load:
    """The layer as the planner sees it."""
    return Load(operation_of(layer).trimmed(), layer.batch)


def operation_of(layer: Layer) -> TransposedConvolution:
    """What the layer computes."""
    channels = {"in_channels": layer.in_channels, "out_channels": layer.out_channels}
    return TransposedConvolution(layer.axes, **channels, use_bias=False)


def random_layers(count: int, least: float = 1e5, name: str = "") -> list[Layer]:
    """Layers as decoders have them, of so many FLOPs, none of which is a published one."""
    draw = random.Random(f"{SEED}{name}" if name else SEED)
    known = {layer.shape for layer in published()}
    found: list[Layer] = []
    while len(found) < count:
        stride = draw.choice([1, 2, 2, 2, 2, 2, 3, 4, 4, 8])
        kernel = draw.choice([stride, 2, 3, 3, 4, 4, 5, 5, 7, 9, 2 * stride])
        size = draw.choice([4, 4, 7, 8, 8, 13, 16, 16, 24, 32, 32, 48, 64, 64, 96, 128])
        layer = Layer(
            "random",
            f"{name}{len(found)}",
            draw.choice([1, 1, 1, 2, 4, 8, 16, 32]),
            size,
            size,
            draw.choice([1, 3, 8, 16, 21, 32, 56, 64, 64, 128, 128, 256, 512, 1024]),
            draw.choice([1, 1, 2, 3, 3, 8, 16, 21, 32, 64, 64, 128, 256, 512]),
            kernel,
            stride,
            draw.choice(["SAME", "SAME", "VALID"]),
        )
        load = load_of(layer)
        if layer.shape in known or not least < layer.flops < 1.2e10 or load.outputs > 3e7:
            continue
        # What zero insertion would pad to, which is refused beyond.
        if layer.batch * (size * stride + kernel) ** 2 * layer.in_channels > LARGEST:
            continue
        found.append(layer)
    return found


def measure_here(backend: str) -> None:
    """Times every lowering on the random layers and the published ones, in this process."""
    mode = modes[MODES[backend]]
    rows = []
    layers = (
        *random_layers(LAYERS[backend]),
        *random_layers(HEAVY[backend], HEAVY_FLOPS, "heavy "),
        *published(),
    )
    if (MEASURED / f"{backend}.json").exists():  # Goes on where an earlier run was cut off.
        rows = _rows(backend)
    known = {Layer(**row["layer"]).shape for row in rows}
    for layer in layers:
        if layer.shape in known:
            continue
        load, data = load_of(layer), Data.of(layer)
        calls = {"native": ready(native(layer), mode, data)}
        for name in NAMES:
            if _multiplied(name, load) < 12 * load.flops:
                calls[name] = ready(ours(layer, name), mode, data)
        if backend == "xla":
            calls.update(_gradients(layer, mode, data))
        slow = {name: time for name, call in calls.items() if (time := _once(call)) > SLOWEST}
        quick = {name: call for name, call in calls.items() if name not in slow}
        found = interleave(quick, SECONDS, (5, 40), warm=1)
        times = slow | {name: samples.median for name, samples in found.items()}
        rows.append({"layer": vars(layer), "seconds": times})
        best = min(NAMES, key=lambda name: times.get(name, math.inf))
        print(f"{layer.shape:36} {best:15} {times[best] * 1e3:8.3f} ms", flush=True)
        # After each layer, so that a run that is cut off leaves what it has.
        MEASURED.mkdir(exist_ok=True)
        text = json.dumps({"processor": processor(), "rows": rows}, indent=1)
        (MEASURED / f"{backend}.json").write_text(text + "\n", encoding="utf-8")


def _once(call: Callable[[], None]) -> float:
    """Seconds of the second call; the first one compiles."""
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _multiplied(name: str, load: Load) -> int:
    """FLOPs of a lowering if padding is multiplied by, too, as XLA does."""
    counted = work(load, name)
    assert counted is not None
    return sum(
        step.flops // step.windows * max(step.windows, step.padded)
        if isinstance(step, Convolution)
        else step.flops
        for step in counted.steps
    )


def _gradients(layer: Layer, mode: Mode, data: Data) -> dict[str, Callable[[], None]]:
    """Calls of both gradients, each by convolution and by a matrix product."""
    calls = {}
    for way, product in (("convolution", False), ("product", True)):
        faces = Faces(operation_of(layer), REGISTRY["native"], (product, product))
        calls[f"input {way}"] = ready(faces.forward, mode, Data(data.g, data.w, data.g))
        calls[f"filters {way}"] = ready(faces.filter_gradient, mode, Data(data.g, data.x, data.g))
    return calls


def fit(backend: str) -> tuple[dict[str, float], dict[str, float]]:
    """The coefficients, in nanoseconds, and the lowerings' factors.

    They start as the non-negative least squares of relative errors. From there they move to where
    the choice loses least: the mean logarithm, over layers, of what is chosen against the best,
    with a choice that is the softer the closer two estimates are; and to where the estimates'
    logarithms are least wrong, which keeps them seconds.
    """
    import scipy.optimize

    layers = [
        [
            (name, costs.counts(counted), seconds * 1e9)
            for name, seconds in row["seconds"].items()
            if (counted := _work(name, load_of(Layer(**row["layer"])))) is not None
        ]
        for row in _rows(backend)
        if row["layer"]["model"] == "random"
    ]
    choices = [
        [each for each in layer if each[0].partition(" ")[0] == kind]
        for layer in layers
        for kind in GRADIENTS
        if any(name.startswith(kind) for name, *_ in layer)
    ] + [[each for each in layer if each[0] in NAMES] for layer in layers]
    rows = [each for choice in choices for each in choice]
    features = sorted(set().union(*(counts for _, counts, _ in rows)))
    names = sorted({name for name, *_ in rows})
    matrix = np.array([[counts.get(name, 0.0) for name in features] for _, counts, _ in rows])
    times = np.array([time for *_, time in rows])
    scale = np.maximum(np.median(matrix / times[:, None], axis=0), 1e-12)
    which = np.array([names.index(name) for name, *_ in rows])
    ends = np.cumsum([len(choice) for choice in choices])[:-1]

    first, _ = scipy.optimize.nnls(matrix / scale / times[:, None], np.ones(len(rows)))
    start = np.concatenate([np.log(np.maximum(first, 1e-3)), np.zeros(len(names))])

    def split(values: Any) -> tuple[Any, Any]:
        return values[: len(features)], values[len(features) :]

    def logarithms(values: Any) -> Any:
        coefficients, factors = split(values)
        return np.log(matrix / scale @ np.exp(coefficients)) + factors[which]

    def loss(values: Any) -> tuple[float, Any]:
        coefficients, factors = split(values)
        parts = matrix / scale * np.exp(coefficients)
        total = parts.sum(axis=1)
        found = np.log(total) + factors[which]
        error = found - np.log(times)
        slope = 2 * ACCURACY[backend] * error / len(rows)
        value = ACCURACY[backend] * np.mean(error**2) + FACTORS * np.sum(factors**2)
        for part in np.split(np.arange(len(rows)), ends):
            lost = np.log(times[part] / times[part].min())
            share = scipy.special.softmax(-SHARPNESS * found[part])
            mean = share @ lost
            value += mean / len(choices)
            slope[part] -= SHARPNESS * share * (lost - mean) / len(choices)
        into_factors = np.bincount(which, slope, len(names)) + 2 * FACTORS * factors
        return value, np.concatenate([(slope / total) @ parts, into_factors])

    # The valley has several grounds: from what was fitted before it may come to a deeper one.
    before = _fitted(backend)
    again = np.array(
        [
            max(before["nanoseconds"].get(name, 0.0) * scale[i], 1e-3)
            for i, name in enumerate(features)
        ]
        + [before["factors"].get(name, 1.0) for name in names]
    )
    solved = min(
        (
            scipy.optimize.minimize(loss, each, jac=True, method="L-BFGS-B")
            for each in (start, np.log(again))
        ),
        key=lambda found: float(found.fun),
    ).x
    error = np.abs(logarithms(solved) - np.log(times))
    print(f"{backend}: {len(rows)} times, median factor off {math.exp(np.median(error)):.2f}")
    coefficients, factors = split(solved)
    coefficients = np.exp(coefficients) / scale
    seen = coefficients * matrix.max(axis=0) > 1  # Of less than a nanosecond, at its most.
    return (
        {features[i]: float(f"{coefficients[i]:.4g}") for i in np.flatnonzero(seen)},
        {name: float(f"{math.exp(f):.3f}") for name, f in zip(names, factors, strict=True)},
    )


def _fitted(backend: str) -> dict[str, dict[str, float]]:
    """What the file holds for a backend."""
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    return {part: found[part].get(backend, {}) for part in ("nanoseconds", "factors")}


def _work(name: str, load: Load) -> Work | None:
    """The work of what was measured under a name."""
    gradient, _, way = name.partition(" ")
    return gradient_work(load, gradient, way) if way else work(load, name)


def check(backend: str) -> None:
    """What the planner's choice takes, against the best lowering and the native op."""
    for unseen in (False, True):
        against: dict[str, list[float]] = {}
        for row in _rows(backend):
            layer, seconds = Layer(**row["layer"]), row["seconds"]
            if (layer.model != "random") != unseen:
                continue
            load = load_of(layer)
            ours = {name: seconds[name] for name in NAMES if name in seconds}
            ranked = [c.lowering for c in candidates(load, backend) if not c.excluded]
            chosen = next(name for name in ranked if name in ours)
            quickest = min(ours.values())
            found = {
                "the best": quickest / ours[chosen],
                "native": seconds["native"] / ours[chosen],
                "native, by a perfect choice": seconds["native"] / quickest,
            }
            for name in GRADIENTS if backend == "xla" else ():
                chosen_way = ("convolution", "product")[by_product(load, name)]
                ways = [seconds[f"{name} {way}"] for way in ("convolution", "product")]
                found[f"the best gradient of {name}"] = min(ways) / seconds[f"{name} {chosen_way}"]
                found[f"the convolution for the gradient of {name}"] = (
                    ways[0] / seconds[f"{name} {chosen_way}"]
                )
            for name, ratio in found.items():
                against.setdefault(name, []).append(ratio)
            each = " ".join(f"{n[:9]} {seconds['native'] / t:.2f}" for n, t in ours.items())
            print(f"{layer.shape:30} {chosen:14} {found['native']:6.2f}  ({each})")
        for name, values in against.items():
            print(
                f"{backend}, {'unseen' if unseen else 'fitted'} layers, against {name}: "
                f"geometric mean {geometric_mean(values):.3f}, worst {min(values):.3f}"
            )


def _rows(backend: str) -> list[dict]:
    return json.loads((MEASURED / f"{backend}.json").read_text(encoding="utf-8"))["rows"]


def main() -> None:
    """Does what the first argument says, for all backends or those named after it."""
    what, *backends = sys.argv[1:] or ["help"]
    backends = backends or list(MODES)
    if what == "measure":
        for backend in backends:
            setting = modes[MODES[backend]].environment
            command = [sys.executable, __file__, "measure-here", backend]
            subprocess.run(command, env={**os.environ, **setting}, check=True)
    elif what == "measure-here":
        measure_here(*backends)
    elif what == "fit":
        found = json.loads(RESULT.read_text(encoding="utf-8"))
        for backend in backends:
            found["nanoseconds"][backend], found["factors"][backend] = fit(backend)
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    elif what == "check":
        for backend in backends:
            check(backend)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
