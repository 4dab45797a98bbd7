"""ONNX Runtime on its CPU provider."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.subjects import onnx_node
from compat_tests.subjects.subject import Absent, Answer, Script, Subject

PROVIDERS = ["CPUExecutionProvider"]

FATAL_ONLY = 4
"""The log's severity at which a model that is refused, which raises, isn't logged beside."""


class OnnxRuntime(Subject):
    """A session of ONNX Runtime for each case.

    Attributes:
        variant: a key of `onnx_node.WORDS`, "pads" being the default.
    """

    def __init__(self, variant: str = "pads") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        onnx_node.check_variant("onnxruntime", variant)
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "onnxruntime" if self.variant == "pads" else f"onnxruntime:{self.variant}"

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        return {
            "implementation": "onnxruntime.InferenceSession of ConvTranspose",
            "onnxruntime": str(_onnxruntime().__version__),
            "onnx": str(onnx_node.onnx_module("onnx").__version__),
            "numpy": np.__version__,
            "words": self.variant,
            "opset": str(onnx_node.OPSET),
            "provider": ", ".join(PROVIDERS),
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case, the output alone."""
        model = onnx_node.model(case, inputs, self.variant)
        (y,) = session(model.SerializeToString()).run(None, {"x": onnx_node.image(case, inputs)})
        return {"y": np.moveaxis(y, 1, 3)}

    def script(self, case: Case) -> Script | None:
        """The model as text, and its run."""
        return onnx_node.script(
            case,
            self.variant,
            "import onnx.parser, onnxruntime",
            f"onnxruntime.InferenceSession({{model}}.SerializeToString(), providers={PROVIDERS})",
        )


def session(model: bytes) -> Any:
    """A session of one thread that logs nothing."""
    options = _onnxruntime().SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    return _onnxruntime().InferenceSession(model, options, providers=PROVIDERS)


def _onnxruntime() -> Any:
    """The package, loaded when first asked for."""
    try:
        return importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise Absent("onnxruntime is not installed") from error
