"""Computes a training step by each lowering with settings from the command line; prints digests.

A program of its own, as numbers of threads are fixed before anything else is done.
"""

import hashlib
import json
import sys

import numpy as np
import tensorflow as tf

import tf_tconv

THREADS, DETERMINISTIC = int(sys.argv[1]), sys.argv[2] == "1"
REPEATS = 4


def digest(tensor):
    """Of the bits."""
    return hashlib.sha256(np.asarray(tensor).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    if DETERMINISTIC:
        tf.keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(0)
    x = tf.constant(random.standard_normal((4, 17, 19, 32)), tf.float32)
    w = tf.constant(random.standard_normal((5, 5, 16, 32)), tf.float32)

    def runs(lowering):
        """The digests of output and gradients, a row for each repetition."""

        @tf.function
        def step(x, w):
            with tf.GradientTape() as tape:
                tape.watch([x, w])
                y = tf_tconv.conv2d_transpose(x, w, None, 2, lowering=lowering)
                loss = tf.reduce_sum(y * y)
            return (y, *tape.gradient(loss, [x, w]))

        return [[digest(each) for each in step(x, w)] for _ in range(REPEATS)]

    print(json.dumps({name: runs(name) for name in tf_tconv.lowerings.NAMES}))
