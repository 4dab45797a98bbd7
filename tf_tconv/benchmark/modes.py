"""What is timed: a forward pass or a training step, in a graph, compiled or eager."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_tconv.benchmark.layers import Layer
from tf_tconv.functional.conv2d import conv2d_transpose

Function = Callable[[Any, Any], Any]

SEED = 7
"""Of the random images and filters, whose values no implementation's time depends on."""


@dataclass(frozen=True)
class Mode:
    """A way to run a layer.

    Args:
        name: how it is asked for.
        title: how it is called in tables.
        training: forward and both gradients, not forward alone.
        jit: compiled by XLA.
        eager: no graph at all.
        onednn: the setting of `TF_ENABLE_ONEDNN_OPTS` it needs, which a process reads once.
        compared: also with our zero insertion, and with other frameworks if asked for.
    """

    name: str
    title: str
    training: bool = False
    jit: bool = False
    eager: bool = False
    onednn: bool = True
    compared: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What a process must find in its environment to run it."""
        return {"TF_ENABLE_ONEDNN_OPTS": "1" if self.onednn else "0"}

    @property
    def runs_here(self) -> bool:
        """Whether this process can run it."""
        return (os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0") == self.onednn

    def breaks(self, layer: Layer) -> bool:
        """Whether the native op's gradient would write past its buffer, to a crash sooner or later.

        With oneDNN `Conv2DBackpropFilter` does for a single tap and a stride (TensorFlow 2.21).
        """
        one_tap = layer.kernel == 1 and layer.stride > 1
        return one_tap and self.training and self.onednn and not self.jit


MODES = {
    mode.name: mode
    for mode in (
        Mode("graph", "graph, forward", compared=True),
        Mode("train", "graph, training step", training=True),
        Mode("xla", "XLA, forward", jit=True),
        Mode("xla-train", "XLA, training step", training=True, jit=True),
        Mode("eager", "eager, forward", eager=True),
        Mode("plain", "graph, forward, oneDNN off", onednn=False),
    )
}


@dataclass(frozen=True)
class Data:
    """Random tensors of a layer's shapes: input, filters, and the output's gradient."""

    x: Any
    w: Any
    g: Any

    @classmethod
    def of(cls, layer: Layer) -> Data:
        """Normally distributed, in float32."""
        random = np.random.default_rng(SEED)
        shapes = layer.input_shape, layer.filters_shape, layer.output_shape
        return cls(*(tf.constant(random.standard_normal(s, np.float32)) for s in shapes))


def native(layer: Layer) -> Function:
    """`tf.nn.conv2d_transpose` with all but tensors filled in."""
    shape, stride, padding = layer.output_shape, layer.stride, layer.padding
    return lambda x, w: tf.nn.conv2d_transpose(x, w, shape, stride, padding)


def ours(layer: Layer, lowering: str = "auto") -> Function:
    """`tf_tconv.conv2d_transpose` with all but tensors filled in."""
    shape, stride, padding = layer.output_shape, layer.stride, layer.padding
    return lambda x, w: conv2d_transpose(x, w, shape, stride, padding, lowering=lowering)


def ready(function: Function, mode: Mode, data: Data) -> Callable[[], None]:
    """A call without arguments that returns when the result is there.

    Args:
        function: of input and filters.
        mode: how to run it.
        data: what to call it with.

    Returns:
        What `tf_tconv.timing.interleave` takes.
    """

    def step(x: Any, w: Any, g: Any) -> Any:
        if not mode.training:
            return (function(x, w),)
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = function(x, w)
        return y, *tape.gradient(y, [x, w], output_gradients=g)

    if not mode.eager:
        traced = tf.function(step, jit_compile=mode.jit, autograph=False)
        step = traced.get_concrete_function(data.x, data.w, data.g)

    def call() -> None:
        # On CPUs an array of TensorFlow is there when the call returns; XLA's and eager's too.
        step(data.x, data.w, data.g)

    return call
