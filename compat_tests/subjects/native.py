"""`tf.nn.conv2d_transpose` itself: with oneDNN, without it, and compiled by XLA."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.subjects.calling import (
    XLA_SAMPLE,
    call_illegal,
    compiled_by_xla,
    compute_in_tensorflow,
    illegal_compiled_by_xla,
    keyword_arguments,
    onednn,
    refuse_run_time_shape,
    tensorflow,
    tensorflow_script,
)
from compat_tests.subjects.subject import Answer, Script, Subject

VARIANTS = ("onednn", "plain", "xla")


class Native(Subject):
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

    @property
    def sample(self) -> int | None:
        """XLA compiles every case."""
        return XLA_SAMPLE if self.variant == "xla" else None

    def environment(self) -> Mapping[str, str]:
        """Switches oneDNN, which TensorFlow reads once, when it is loaded."""
        return {"TF_ENABLE_ONEDNN_OPTS": "0" if self.variant == "plain" else "1"}

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        return {
            "implementation": "tf.nn.conv2d_transpose",
            "tensorflow": tensorflow().__version__,
            "numpy": np.__version__,
            "oneDNN": onednn(),
            "compiled": "XLA" if self.variant == "xla" else "no",
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case; gradients by a gradient tape."""
        function = tensorflow().nn.conv2d_transpose
        if self.variant == "xla":
            refuse_run_time_shape(case)
            function = compiled_by_xla(function)
        return compute_in_tensorflow(function, case, inputs)

    def script(self, case: Case) -> Script | None:
        """The call as source text."""
        imports = "import tensorflow as tf"
        if self.variant == "plain":
            imports = f"import os; os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'; {imports}"
        return tensorflow_script(
            "tf.nn.conv2d_transpose",
            imports,
            keyword_arguments(case),
            case,
            compiled=self.variant == "xla",
        )

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused."""
        function = tensorflow().nn.conv2d_transpose
        if self.variant == "xla":
            function = illegal_compiled_by_xla(function)
        return call_illegal(function, illegal)
