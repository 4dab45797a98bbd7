"""Measures lowerings on random layers and fits the coefficients of `tf_tconv/costs.json`.

    python benchmarks/fit_costs.py measure    writes benchmarks/costs/BACKEND.json, a quiet half hour
    python benchmarks/fit_costs.py fit        writes tf_tconv/costs.json from them
    python benchmarks/fit_costs.py check      what the choice loses on published layers, unseen

A cost is linear in the counts of `tf_tconv.costs`; the fit is by non-negative least squares of
relative errors, so that a small layer weighs as much as a large one.
"""

from __future__ import annotations

import json
import math
import os
import platform
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from tf_tconv import costs
from tf_tconv.benchmark.layers import Layer, published
from tf_tconv.geometry import transpose_geometry
from tf_tconv.lowerings import NAMES, REGISTRY
from tf_tconv.lowerings.work import Sizes
from tf_tconv.planning import candidates

HERE = Path(__file__).parent
MEASURED = HERE / "costs"
RESULT = HERE.parent / "tf_tconv" / "costs.json"
MODES = {"onednn": "graph", "plain": "plain", "xla": "xla"}
LAYERS = {"onednn": 110, "plain": 80, "xla": 60}
SECONDS = 0.35
SLOWEST = 0.25
SEED = 20


def sizes_of(layer: Layer) -> Sizes:
    """The layer as the planner sees it."""
    rows, columns = (
        transpose_geometry(size, layer.kernel, layer.stride, padding=layer.padding)
        for size in (layer.height, layer.width)
    )
    return Sizes(
        layer.batch,
        rows,
        columns,
        layer.height,
        layer.width,
        layer.in_channels,
        layer.out_channels,
    )


def random_layers(count: int) -> list[Layer]:
    """Layers as decoders have them, none of which is a published one."""
    draw = random.Random(SEED)
    known = {layer.shape for layer in published()}
    found: list[Layer] = []
    while len(found) < count:
        stride = draw.choice([1, 2, 2, 2, 2, 2, 3, 4, 4, 8])
        kernel = draw.choice([stride, 2, 3, 3, 4, 4, 5, 5, 7, 9, 2 * stride])
        size = draw.choice([1, 4, 7, 8, 8, 13, 16, 16, 24, 32, 32, 48, 64, 64, 96, 128])
        layer = Layer(
            "random",
            str(len(found)),
            draw.choice([1, 1, 1, 2, 4, 8, 16, 32]),
            size,
            size,
            draw.choice([1, 3, 8, 16, 21, 32, 56, 64, 64, 128, 128, 256, 512, 1024]),
            draw.choice([1, 1, 2, 3, 3, 8, 16, 21, 32, 64, 64, 128, 256, 512]),
            kernel,
            stride,
            draw.choice(["SAME", "SAME", "VALID"]),
        )
        sizes = sizes_of(layer)
        if layer.shape in known or not 1e5 < layer.flops < 1.2e10 or sizes.outputs > 3e7:
            continue
        found.append(layer)
    return found


def measure_here(backend: str) -> None:
    """Times every lowering on the random layers and the published ones, in this process."""
    from tf_tconv.benchmark.modes import MODES as modes
    from tf_tconv.benchmark.modes import Data, native, ours, ready
    from tf_tconv.timing import interleave

    mode = modes[MODES[backend]]
    rows = []
    for layer in (*published(), *random_layers(LAYERS[backend])):
        sizes, data = sizes_of(layer), Data.of(layer)
        calls = {"native": ready(native(layer), mode, data)} if layer.model != "random" else {}
        for name in NAMES:
            work = REGISTRY[name].work
            assert work is not None
            if work(sizes).flops < 12 * max(sizes.flops, 1):
                calls[name] = ready(ours(layer, name), mode, data)
        found = interleave(calls, SECONDS, (5, 40))
        times = {name: samples.median for name, samples in found.items()}
        rows.append({"layer": vars(layer), "seconds": times})
        best = min(times, key=lambda name: times[name])
        print(f"{layer.shape:36} {best:15} {times[best] * 1e3:8.3f} ms", flush=True)
        # After each layer, so that a run that is cut off leaves what it has.
        MEASURED.mkdir(exist_ok=True)
        text = json.dumps({"processor": platform.processor(), "rows": rows}, indent=1)
        (MEASURED / f"{backend}.json").write_text(text + "\n", encoding="utf-8")


def fit(backend: str) -> dict[str, float]:
    """The coefficients, in nanoseconds, that fit the random layers' times best."""
    from scipy.optimize import nnls

    counts, times = [], []
    for row in _rows(backend):
        layer = Layer(**row["layer"])
        if layer.model != "random":
            continue
        for name, seconds in row["seconds"].items():
            work = REGISTRY[name].work
            assert work is not None
            counts.append(costs.counts(work(sizes_of(layer))))
            times.append(seconds * 1e9)
    names = sorted(set().union(*counts))
    matrix = np.array([[each.get(name, 0.0) for name in names] for each in counts])
    weights = 1 / np.array(times)
    scale = matrix.max(axis=0)
    scale[scale == 0] = 1
    # Reweighted a few times towards the error of logarithms, which is what a choice depends on.
    for _ in range(8):
        solved, _ = nnls(matrix / scale * weights[:, None], np.array(times) * weights)
        predicted = np.maximum(matrix / scale @ solved, 1)
        weights = 1 / np.sqrt(predicted * np.array(times))
    error = np.abs(np.log(predicted / np.array(times)))
    print(f"{backend}: {len(times)} times, median factor off {math.exp(np.median(error)):.2f}")
    return {n: float(f"{v:.4g}") for n, v in zip(names, solved / scale, strict=True) if v > 0}


def check(backend: str) -> None:
    """What the planner's choice takes, against the best lowering and the native op."""
    against: dict[str, list[float]] = {"best": [], "native": [], "best/native": []}
    for row in _rows(backend):
        layer, seconds = Layer(**row["layer"]), row["seconds"]
        chosen = next(
            c.lowering
            for c in candidates(sizes_of(layer), backend)
            if c.lowering in seconds and not c.excluded
        )
        ours = {name: time for name, time in seconds.items() if name != "native"}
        best = min(ours, key=lambda name: ours[name])
        if layer.model == "random":
            continue
        against["best"].append(ours[best] / seconds[chosen])
        if "native" in seconds:
            against["native"].append(seconds["native"] / seconds[chosen])
            against["best/native"].append(seconds["native"] / ours[best])
            ratios = " ".join(f"{n[:9]} {seconds['native'] / t:.2f}" for n, t in ours.items())
            print(
                f"{layer.title[:30]:30} {layer.shape:30} {chosen:14} "
                f"{against['native'][-1]:5.2f}  ({ratios})"
            )
    for name, values in against.items():
        mean = math.exp(sum(map(math.log, values)) / len(values))
        print(f"{backend} against {name}: geometric mean {mean:.3f}, worst {min(values):.3f}")


def _rows(backend: str) -> list[dict]:
    return json.loads((MEASURED / f"{backend}.json").read_text(encoding="utf-8"))["rows"]


def main() -> None:
    """Does what the first argument says, for all backends or those named after it."""
    what, *backends = sys.argv[1:] or ["help"]
    backends = backends or list(MODES)
    if what == "measure":
        for backend in backends:
            setting = {"TF_ENABLE_ONEDNN_OPTS": "0" if backend == "plain" else "1"}
            command = [sys.executable, __file__, "measure-here", backend]
            subprocess.run(command, env={**os.environ, **setting}, check=True)
    elif what == "measure-here":
        measure_here(*backends)
    elif what == "fit":
        before = json.loads(RESULT.read_text(encoding="utf-8"))["nanoseconds"]
        after = {**before, **{backend: fit(backend) for backend in backends}}
        RESULT.write_text(json.dumps({"nanoseconds": after}, indent=1) + "\n", encoding="utf-8")
    elif what == "check":
        for backend in backends:
            check(backend)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
