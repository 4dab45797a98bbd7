"""What float32 sums cost in half precision, primitive by primitive.

    python benchmarks/half_precision.py

For each primitive and type: how this machine sums it by itself, how far off that is, and the time
of TensorFlow's own op over the time of the same through float32, rounds of the two in turn. Above
1, float32 is the faster way. The library takes it only where the machine does not sum in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import tensorflow as tf
import typer
from rich.console import Console
from rich.table import Table

from tf_tconv.ops.tensorflow.accumulation import (
    HALVES,
    SIGNIFICANT_BITS,
    accumulator,
    channel_sums,
    sums_in_float32,
)
from tf_tconv.planning.processor import processor
from tf_tconv.timing import interleave, ratios

app = typer.Typer(add_completion=False)


def filter_gradient(x: Any, gradient: Any) -> Any:
    """The sum over an image of 64x64 for a kernel of 3x3."""
    sizes = [3, 3, x.shape[3], gradient.shape[3]]
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=sizes, out_backprop=gradient, strides=[1] * 4, padding="SAME"
    )


IMAGE = (4, 64, 64, 64)
OPS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "convolution": (lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), (IMAGE, (3, 3, 64, 64))),
    "product": (tf.matmul, ((4096, 576), (576, 256))),
    "filter_gradient": (filter_gradient, (IMAGE, IMAGE)),
    "sum": (channel_sums, (IMAGE,)),
}


def through_float32(op: Callable[..., Any]) -> Callable[..., Any]:
    """`op` on operands cast to float32, its result cast back."""

    def compute(*operands: Any) -> Any:
        dtype = operands[0].dtype
        return tf.cast(op(*(tf.cast(each, accumulator(dtype)) for each in operands)), dtype)

    return compute


def units_off(op: Callable[..., Any], operands: list[Any]) -> str:
    """The largest error of `op`, in units of the last place of the largest value."""
    try:
        found = tf.cast(op(*operands), tf.float64).numpy()
    except tf.errors.OpError as error:
        return type(error).__name__
    right = op(*(tf.cast(each, tf.float64) for each in operands)).numpy()
    _, exponent = np.frexp(np.abs(right).max())
    unit = 2.0 ** (int(exponent) - SIGNIFICANT_BITS[operands[0].dtype.name])
    return f"{np.abs(found - right).max() / unit:.1f}"


def compared(op: Callable[..., Any], operands: list[Any], seconds: float) -> str:
    """The time of `op` over that of the same through float32: median and quartiles."""
    ways = {"own": op, "float32": through_float32(op)}

    def ready(way: Callable[..., Any]) -> Callable[[], Any]:
        traced = tf.function(way, autograph=False).get_concrete_function(*operands)
        return lambda: traced(*operands).numpy()

    timed = interleave({name: ready(way) for name, way in ways.items()}, seconds)
    middle, low, high = ratios(timed["own"], timed["float32"])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


@app.command()
def main(
    seconds: Annotated[float, typer.Option(min=0.1, help="For each row.")] = 3.0,
) -> None:
    """Measures each primitive both ways, in turn."""
    table = Table(title=f"{processor()}, TensorFlow {tf.__version__}")
    for heading in ("primitive", "type", "own sums", "units off", "own time / through float32"):
        table.add_column(heading, justify="left" if heading in ("primitive", "type") else "right")
    random = np.random.default_rng(0)
    for name, (op, shapes) in OPS.items():
        for dtype in HALVES:
            operands = [tf.cast(random.uniform(0.1, 1.0, shape), dtype) for shape in shapes]
            kept = "float32" if sums_in_float32(name, dtype.name) else "not kept"
            off = units_off(op, operands)
            ratio = "-" if off.endswith("Error") else compared(op, operands, seconds)
            table.add_row(name, dtype.name, kept, off, ratio)
    Console().print(table)


if __name__ == "__main__":
    app()
