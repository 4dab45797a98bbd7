"""What it costs to put four phases in place, by every way that TensorFlow has.

    python benchmarks/interleaving.py [BATCH HEIGHT WIDTH IN OUT]

Kernel 3 at stride 2 is four small convolutions, whose results alternate in the output, down and
across. Prints the times of the convolutions alone, with the way that `polyphase` takes, of the
native op, and of each way alone.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import tensorflow as tf

from tf_tconv.timing import interleave

USUAL = (32, 48, 48, 56, 64)


def main(batch: int, height: int, width: int, channels: int, out: int) -> None:
    """Measures for one layer."""

    def random(*shape: int) -> Any:
        return tf.random.stateless_normal(shape, seed=[1, 2])

    def in_place(y: Any) -> Any:
        return tf.reshape(y, [batch, 2 * height, 2 * width, out])

    def concatenate(*phases: Any) -> Any:
        lines = [
            tf.reshape(tf.concat(pair, 3), [batch * height, 1, 2 * width * out])
            for pair in (phases[:2], phases[2:])
        ]
        return in_place(tf.concat(lines, 1))

    def transpose(*phases: Any) -> Any:
        stacked = tf.reshape(tf.stack(phases), [2, 2, batch * height, width, out])
        return in_place(tf.transpose(stacked, [2, 0, 3, 1, 4]))

    def depth_to_space(*phases: Any) -> Any:
        return tf.nn.depth_to_space(tf.concat(phases, 3), 2)

    def batch_to_space(*phases: Any) -> Any:
        return tf.raw_ops.BatchToSpace(
            input=tf.concat(phases, 0), crops=[[0, 0], [0, 0]], block_size=2
        )

    order = np.arange(4 * batch * height * width).reshape(batch, height, 2, width, 2)
    places = order.transpose(2, 4, 0, 1, 3).reshape(4, -1)

    def gather(*phases: Any) -> Any:
        rows = tf.reshape(tf.stack(phases), [-1, out])
        return in_place(tf.gather(rows, np.argsort(places.ravel())))

    def dynamic_stitch(*phases: Any) -> Any:
        data = [tf.reshape(phase, [-1, out]) for phase in phases]
        indices = [tf.constant(each.astype(np.int32)) for each in places]
        return in_place(tf.raw_ops.ParallelDynamicStitch(indices=indices, data=data))

    def convolve(x: Any, *kernels: Any) -> Any:
        return [tf.identity(tf.nn.conv2d(x, kernel, 1, "SAME")) for kernel in kernels]

    def polyphase(x: Any, *kernels: Any) -> Any:
        return concatenate(*convolve(x, *kernels))

    def native(x: Any, w: Any) -> Any:
        shape = [batch, 2 * height, 2 * width, out]
        return tf.nn.conv2d_transpose(x, w, shape, 2, "SAME")

    x, phases = random(batch, height, width, channels), [random(batch, height, width, out)] * 4
    kernels = [random(down, across, channels, out) for down in (1, 2) for across in (1, 2)]
    ways = [concatenate, transpose, depth_to_space, batch_to_space, gather, dynamic_stitch]
    for way in ways[1:]:
        tf.debugging.assert_equal(way(*phases), concatenate(*phases))
    calls = {}
    for function, arguments in (
        (native, (x, random(3, 3, out, channels))),
        (convolve, (x, *kernels)),
        (polyphase, (x, *kernels)),
        *((way, phases) for way in ways),
    ):
        traced = tf.function(function, autograph=False).get_concrete_function(*arguments)
        calls[function.__name__] = lambda traced=traced, given=arguments: traced(*given)
    for name, samples in interleave(calls, 2.0, (7, 40)).items():
        print(f"{name:16}{samples.median * 1e3:8.2f} ms")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if len(sys.argv) > 1 else USUAL))
