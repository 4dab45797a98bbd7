"""`keras.layers.Conv2DTranspose` on each of its backends."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from compat_tests.cases.case import SECOND_ORDER, Case
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Pair
from compat_tests.subjects import calling, jax_lax, pytorch
from compat_tests.subjects.jax_lax import JAX_ENVIRONMENT, JAX_SAMPLE
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Script, Subject

VARIANTS = ("tensorflow", "jax", "torch")

_DIFFERENTIATE = {
    "tensorflow": calling.differentiate,
    "jax": jax_lax.differentiate,
    "torch": pytorch.differentiate,
}


class Keras(Subject):
    """Keras's layer, its filters passed to it as those of a stateless call.

    Attributes:
        variant: the backend.
    """

    def __init__(self, variant: str = "tensorflow") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"keras has no variant {variant!r}; there are {', '.join(VARIANTS)}")
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return f"keras:{self.variant}"

    @property
    def sample(self) -> int | None:
        """JAX compiles every case."""
        return JAX_SAMPLE if self.variant == "jax" else None

    def environment(self) -> Mapping[str, str]:
        """The backend, which Keras chooses once, when it is loaded, and what JAX needs."""
        return {"KERAS_BACKEND": self.variant, **(JAX_ENVIRONMENT if self.variant == "jax" else {})}

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        keras = self._keras()
        return {
            "implementation": "keras.layers.Conv2DTranspose",
            "keras": str(keras.__version__),
            "backend": str(keras.config.backend()),
            self.variant: str(importlib.import_module(self.variant).__version__),
            "numpy": np.__version__,
            **({"oneDNN": calling.onednn()} if self.variant == "tensorflow" else {}),
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Makes a layer for the case and calls it; gradients as the backend finds them."""
        # Random filters would be compiled for every shape by JAX, and are not used anyway.
        layer = self._keras().layers.Conv2DTranspose(**_arguments(case), kernel_initializer="zeros")
        layer.build(_built_for(case))

        def call(x: Any, w: Any) -> Any:
            return layer.stateless_call([w], [], x)[0]

        return _DIFFERENTIATE[self.variant](call, case, inputs)

    def script(self, case: Case) -> Script | None:
        """The layer's making, building and call as source text."""
        if case.gradients == SECOND_ORDER or case.unknown:
            return None
        try:
            arguments = _arguments(case)
        except Inexpressible:
            return None
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        image, last = "x", "{}"
        if case.data_format == "NCHW":
            image, last = "keras.ops.moveaxis(x, 3, 1)", "keras.ops.moveaxis({}, 1, 3)"
        call = last.format(f"layer.stateless_call([w], [], {image})[0]")
        # Made beside the imports: a `tf.function` may not make variables.
        keras = f"import os; os.environ['KERAS_BACKEND'] = {self.variant!r}; import keras"
        layer = f"; layer = keras.layers.Conv2DTranspose({given}); layer.build({_built_for(case)})"
        if self.variant == "torch":
            return pytorch.torch_script(f"{keras}, torch{layer}", call, case)
        if self.variant == "jax":
            return jax_lax.jax_script(f"{keras}, jax, jax.numpy as jnp{layer}", call, case)
        return Script(
            imports=f"{keras}, tensorflow as tf{layer}",
            call=call,
            tensor="tf.constant({})",
            array="{}.numpy()",
            gradients="tf.function(lambda x, w: tf.gradients(f(x, w), [x, w], g))(x, w)",
        )

    def _keras(self) -> Any:
        """The keras module, loaded when first asked for.

        Raises:
            Absent: if it or the backend is not installed.
            RuntimeError: if it was loaded before with another backend.
        """
        try:
            keras = importlib.import_module("keras")
            importlib.import_module(self.variant)
        except ModuleNotFoundError as error:
            raise Absent(f"{error.name} is not installed") from error
        if keras.config.backend() != self.variant:
            raise RuntimeError(f"this process has loaded Keras with {keras.config.backend()}")
        return keras


def _arguments(case: Case) -> dict[str, Any]:
    """What to make the layer with.

    Raises:
        Inexpressible: if Keras has no words for the case.
    """
    if case.dtype == "int32":
        raise Inexpressible("a layer has no integer weights")
    if not isinstance(case.padding, str):
        raise Inexpressible("Keras pads by name only, not by numbers")
    if case.groups != 1:
        raise Inexpressible("Keras's layer has no groups")
    if "output_shape" in case.unknown:
        raise Inexpressible("Keras's layer takes no size when it is called")
    return {
        "filters": case.out_channels,
        "kernel_size": case.kernel,
        "strides": case.strides,
        "padding": case.padding.lower(),
        "output_padding": _output_padding(case),
        "data_format": "channels_last" if case.data_format == "NHWC" else "channels_first",
        "dilation_rate": case.dilations,
        "use_bias": False,
        "dtype": "float16" if case.dtype == "half" else case.dtype,
    }


def _output_padding(case: Case) -> Pair | None:
    """The output padding that stands for the case's output size, by Keras's documented rule.

    Raises:
        Inexpressible: if there is none of at least 0 and less than the stride on both axes.
    """
    if case.output_size == replace(case, output=None).output_size:
        return None
    sizes = []
    for axis in (0, 1):
        effective = (case.kernel[axis] - 1) * case.dilations[axis] + 1
        kept = effective if case.padding == "VALID" else effective % 2
        sizes.append(case.output_size[axis] - (case.input[axis] - 1) * case.strides[axis] - kept)
    if any(not 0 <= size < stride for size, stride in zip(sizes, case.strides, strict=True)):
        raise Inexpressible("no output padding from 0 to less than the stride gives this size")
    return sizes[0], sizes[1]


def _built_for(case: Case) -> tuple[int, ...]:
    """The input's shape in the case's layout."""
    batch, height, width, channels = case.input_shape
    if case.data_format == "NHWC":
        return (batch, height, width, channels)
    return (batch, channels, height, width)
