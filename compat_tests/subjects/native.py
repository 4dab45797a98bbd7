"""`tf.nn.conv2d_transpose` itself: with oneDNN, without it, and compiled by XLA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.subjects.calling import (
    Function,
    call_illegal,
    compute_in_tensorflow,
    tensorflow,
)
from compat_tests.subjects.subject import Answer

VARIANTS = ("onednn", "plain", "xla")


class Native:
    """The native op.

    Attributes:
        variant: "onednn", TensorFlow's default on x86; "plain", its own kernels; "xla", compiled.
    """

    def __init__(self, variant: str = "onednn") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"native has no variant {variant!r}; there are {', '.join(VARIANTS)}")
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "native" if self.variant == "onednn" else f"native:{self.variant}"

    @property
    def faces_illegal_calls(self) -> bool:
        """Yes: it takes any call."""
        return True

    def environment(self) -> Mapping[str, str]:
        """Switches oneDNN, which TensorFlow reads once, when it is loaded."""
        return {"TF_ENABLE_ONEDNN_OPTS": "0" if self.variant == "plain" else "1"}

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        return {
            "implementation": "tf.nn.conv2d_transpose",
            "tensorflow": tensorflow().__version__,
            "numpy": np.__version__,
            "oneDNN": "off" if self.variant == "plain" else "on",
            "compiled": "XLA" if self.variant == "xla" else "no",
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case; gradients by a gradient tape."""
        return compute_in_tensorflow(self._function(), case, inputs)

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused."""
        if self.variant == "xla":
            return call_illegal(self._compiled_with_constants, illegal)
        return call_illegal(tensorflow().nn.conv2d_transpose, illegal)

    def _function(self) -> Function:
        """The op as a function of input and filters, compiled if the variant says so."""
        tf = tensorflow()
        if self.variant != "xla":
            function: Function = tf.nn.conv2d_transpose
            return function

        def compiled(x: Any, w: Any, **arguments: Any) -> Any:
            @tf.function(jit_compile=True)
            def call(x: Any, w: Any) -> Any:
                return tf.nn.conv2d_transpose(x, w, **arguments)

            return call(x, w)

        return compiled

    def _compiled_with_constants(self, **arguments: Any) -> Any:
        """The op compiled, with arguments of which some may be no tensors at all."""
        tf = tensorflow()

        @tf.function(jit_compile=True)
        def call() -> Any:
            return tf.nn.conv2d_transpose(**arguments)

        return call()
