"""What this machine can do at best: the rates that a layer's speed is a share of."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tf_tconv.planning.processor import cpus_allowed, processor
from tf_tconv.timing import interleave

SIDE = 1536
"""Of the square matrices multiplied: large beside caches of a core, small beside a minute."""

COPIED = 2**24
"""Numbers copied, 64 MB, which no core's own cache holds."""


@dataclass(frozen=True)
class Machine:
    """Where a benchmark ran.

    Args:
        processor: its name.
        cores: how many of them this process may use.
        tensorflow: the version.
        keras: the version.
        multiplied: FLOP/s of a product of large square matrices, float32.
        copied: bytes/s of a copy of a large tensor, read and written each counted.
    """

    processor: str
    cores: int
    tensorflow: str
    keras: str
    multiplied: float
    copied: float


def measure() -> Machine:
    """This machine, its rates measured now."""
    matrix = tf.random.normal([SIDE, SIDE])
    vector = tf.zeros([COPIED])
    multiply = tf.function(lambda m: tf.matmul(m, m), autograph=False)
    # A sum with a number is one pass that reads and writes; an identity would copy nothing.
    copy = tf.function(lambda v: v + 1.0, autograph=False)
    calls = {"multiply": lambda: multiply(matrix), "copy": lambda: copy(vector)}
    found = interleave(calls, 1.0, (7, 60))
    return Machine(
        processor(),
        cpus_allowed(),
        tf.__version__,
        keras.__version__,
        2 * SIDE**3 / found["multiply"].median,
        2 * COPIED * np.dtype(np.float32).itemsize / found["copy"].median,
    )
