"""The reference evaluator of the `onnx` package, which runs its specification in NumPy."""

from __future__ import annotations

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.subjects import onnx_node
from compat_tests.subjects.subject import Answer, Script, Subject

SAMPLE = 1000
"""Legal cases: with so many, one of the layers of models is among them."""


class OnnxReference(Subject):
    """A reference evaluator for each case.

    Attributes:
        variant: a key of `onnx_node.WORDS`, "pads" being the default.
    """

    def __init__(self, variant: str = "pads") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        onnx_node.check_variant("onnx", variant)
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "onnx" if self.variant == "pads" else f"onnx:{self.variant}"

    @property
    def sample(self) -> int | None:
        """Its loops are Python's, which takes a minute for some of the layers of models."""
        return SAMPLE

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        return {
            "implementation": "onnx.reference.ReferenceEvaluator of ConvTranspose",
            "onnx": str(onnx_node.onnx_module("onnx").__version__),
            "numpy": np.__version__,
            "words": self.variant,
            "opset": str(onnx_node.OPSET),
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case, the output alone."""
        model = onnx_node.model(case, inputs, self.variant)
        evaluator = onnx_node.onnx_module("onnx.reference").ReferenceEvaluator(model)
        (y,) = evaluator.run(None, {"x": onnx_node.image(case, inputs)})
        return {"y": np.moveaxis(y, 1, 3)}

    def script(self, case: Case) -> Script | None:
        """The model as text, and its run."""
        return onnx_node.script(
            case,
            self.variant,
            "import onnx.parser, onnx.reference",
            "onnx.reference.ReferenceEvaluator({model})",
        )
