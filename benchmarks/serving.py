"""Requests a second of a SavedModel with our layers, and of the same with Keras' own.

    python benchmarks/serving.py --threads 1 --threads 8

A small decoder of fully convolutional layers is exported twice, once exchanged for tf_tconv's
layers, and served to threads that ask for images of changing sizes. Rounds of the two alternate, so
that a busy machine is no one's advantage; the ratio is that of the medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf
import typer
from rich.console import Console
from rich.table import Table

import tf_tconv

SIZES = ((16, 16), (24, 20), (32, 32), (9, 31))
CHANNELS = 64

app = typer.Typer(add_completion=False)


def decoder() -> Any:
    """Two transposed convolutions of Keras, with kernels 5 and 4 and stride 2."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((None, None, CHANNELS)),
            keras.layers.Conv2DTranspose(32, 5, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same"),
        ]
    )


def served(model: Any, folder: str) -> Any:
    """A model that was exported and loaded; its variables live as long as it does."""
    model.export(folder, verbose=False)
    return tf.saved_model.load(folder)


def requests_a_second(serve: Any, images: list[Any], threads: int, calls: int) -> float:
    """How many calls a second are answered when so many threads ask."""
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        for result in pool.map(serve, (images[number % len(images)] for number in range(calls))):
            result.numpy()
        return calls / (time.perf_counter() - start)


@app.command()
def main(
    threads: Annotated[list[int] | None, typer.Option(min=1, help="That ask at once.")] = None,
    calls: Annotated[int, typer.Option(min=1, help="In a round.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Of each of the two.")] = 5,
    lowering: Annotated[str, typer.Option(help="Of our layers.")] = "auto",
) -> None:
    """Measures the throughput of a SavedModel under load."""
    random = np.random.default_rng(0)
    images = [
        tf.constant(random.standard_normal((1, *size, CHANNELS)), tf.float32) for size in SIZES
    ]
    native = decoder()
    table = Table(title=f"Requests a second, images of {len(SIZES)} sizes, lowering {lowering}")
    for heading in ("threads", "ours", "native", "ours / native"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        both = (
            served(tf_tconv.convert_model(native, lowering=lowering), ours),
            served(native, theirs),
        )
        for count in threads or (1, 8):
            for each in both:  # The first calls are slower.
                requests_a_second(each.serve, images, count, len(images))
            measured: list[list[float]] = [[], []]
            for _ in range(rounds):
                for figures, each in zip(measured, both, strict=True):
                    figures.append(requests_a_second(each.serve, images, count, calls))
            fast, slow = map(statistics.median, measured)
            table.add_row(str(count), f"{fast:.0f}", f"{slow:.0f}", f"{fast / slow:.2f}")
    Console().print(table)


if __name__ == "__main__":
    app()
