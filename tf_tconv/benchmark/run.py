"""A benchmark in processes of its own, one a mode: oneDNN is switched once, when one starts.

    python -m tf_tconv.benchmark.run '{"mode": "graph", "seconds": 1.0, ...}'

prints one JSON object a line, which is what `measure` reads.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tf_tconv.benchmark.decoders import DECODERS, measure_decoder
from tf_tconv.benchmark.layers import published
from tf_tconv.benchmark.modes import MODES
from tf_tconv.benchmark.rows import Row, measure_layer
from tf_tconv.benchmark.scaling import FAMILIES

MARK = "\x1e"
"""Before each line that is meant; TensorFlow and Keras print lines of their own."""

DECODERS_MODE = "decoders"
"""Whole models by Keras' `predict` and `fit`, beside the modes of single layers."""

ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    # Threads of other frameworks that wait for work by turning round slow down who comes next.
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
}
"""Of every process that measures, beside what its mode needs."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What one process is to measure.

    Args:
        mode: a name of `tf_tconv.benchmark.modes.MODES`, or "decoders".
        layers: which rows of the table, by number; of the decoders, likewise.
        seconds: for the turns of one row.
        peers: also time the other frameworks.
        scaling: the name of a family of `tf_tconv.benchmark.scaling`, in place of the table.
    """

    mode: str
    layers: tuple[int, ...]
    seconds: float
    peers: bool = False
    scaling: str | None = None


def measure(request: Request) -> Iterator[Row]:
    """Measures in a fresh process, and yields each row when it is there.

    Raises:
        RuntimeError: the process failed; its last words are the message.
    """
    mode = MODES.get(request.mode, MODES["graph"])  # Keras runs the decoders in graphs.
    # A file, as a pipe that nobody reads meanwhile stops who writes to it when it is full.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(dataclasses.asdict(request))],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, **ENVIRONMENT, **mode.environment},
        )
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(MARK):
                    yield Row(**json.loads(line[len(MARK) :]))
        said.seek(0)
        words = cause(said.read())
    if process.returncode:
        raise RuntimeError(
            f"the process that measured {request.mode} ended with {process.returncode}"
            f"{': ' + words if words else ''}"
        )


def cause(said: str) -> str:
    """The error that a process ended with, of all that it said: all lines of it, if it is Python's.

    Args:
        said: on the error stream.
    """
    lines = said.strip().splitlines()
    errors = [
        number
        for number, line in enumerate(lines)
        if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)\b", line)
    ]
    return " ".join(lines[errors[-1] :] if errors else lines[-1:])


def _rows(request: Request) -> Iterator[Row]:
    """What the process of a request measures."""
    if request.mode == DECODERS_MODE:
        for number in request.layers:
            yield from measure_decoder(DECODERS[number], request.seconds)
        return
    families = {family.name: tuple(family.layers()) for family in FAMILIES}
    layers = families[request.scaling] if request.scaling else published()
    for number in request.layers:
        if MODES[request.mode].breaks(layers[number]):
            continue
        yield measure_layer(layers[number], MODES[request.mode], request.seconds, request.peers)


def main(text: str) -> None:
    """Measures what a request in JSON asks for."""
    fields: dict[str, Any] = json.loads(text)
    for row in _rows(Request(**fields)):
        print(MARK + json.dumps(dataclasses.asdict(row)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
