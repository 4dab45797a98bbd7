"""OpenVINO's ConvolutionBackpropData, and GroupConvolutionBackpropData, on the CPU.

Both work on `[batch, channels, height, width]`, so the layout of a case makes no difference to
them. Filters are `[in, out, kernel_height, kernel_width]`, with the groups split off in front where
there are several.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.calling import to_layout
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Script, Subject

VARIANTS = ("pads", "auto_pad")

OPSET = "openvino.opset13"

SAMPLE = 1500
"""Legal cases, as every one is compiled, which takes about a twentieth of a second."""

SETTINGS: dict[str, Any] = {
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "INFERENCE_NUM_THREADS": 1,
}
"""Otherwise the CPU computes in bfloat16 or float16 where it can."""

UNWRITTEN = 0x7B
"""Four bytes of it are not a sum of products of `make_inputs` in any type."""

_ELEMENTS = {"half": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64", "int32": "i32"}


class OpenVino(Subject):
    """A compiled model for each case.

    Attributes:
        variant: "pads", the default, gives the padding in numbers; "auto_pad" gives it by name,
            and the size of the output as an input of the node.
    """

    def __init__(self, variant: str = "pads") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(
                f"openvino has no variant {variant!r}; there are {', '.join(VARIANTS)}"
            )
        self.variant = variant
        self._core: Any = None

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "openvino" if self.variant == "pads" else f"openvino:{self.variant}"

    @property
    def sample(self) -> int | None:
        """Compiles every case."""
        return SAMPLE

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        openvino()
        return {
            "implementation": "openvino ConvolutionBackpropData on the CPU",
            "openvino": version("openvino"),
            "numpy": np.__version__,
            "words": self.variant,
            "opset": OPSET.rpartition(".")[2],
            "precision": SETTINGS["INFERENCE_PRECISION_HINT"],
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case, the output alone."""
        ov, op = openvino(), importlib.import_module(OPSET)
        arguments = _arguments(case, self.variant)
        element = getattr(ov.Type, _ELEMENTS[case.dtype])
        x = _stored(to_layout(inputs.x, "NCHW"), case)
        w = _stored(inputs.w.transpose(3, 2, 0, 1).reshape(_filters_shape(case)), case)
        image = op.parameter(_input_shape(case), element)
        parameters, feed = [image], [ov.Tensor(x, x.shape, element)]
        size = np.array(case.output_size, np.int64)
        if "output_shape" in case.unknown:
            arguments["output_shape"] = op.parameter([2], ov.Type.i64)
            parameters.append(arguments["output_shape"])
            feed.append(ov.Tensor(size))
        elif self.variant == "auto_pad":
            arguments["output_shape"] = op.constant(size)
        node = getattr(op, _function(case))(
            image, op.constant(ov.Tensor(w, w.shape, element)), **arguments
        )
        if self._core is None:
            self._core = ov.Core()
        compiled = self._core.compile_model(ov.Model([node], parameters, ""), "CPU", SETTINGS)
        request = compiled.create_infer_request()
        if compiled.output(0).partial_shape.is_static:
            # What the engine leaves unwritten has to show, and not to hold an answer by chance.
            request.get_output_tensor(0).data.view(np.uint8)[...] = UNWRITTEN
        y = request.infer(feed)[0].view(numpy_dtype(case.dtype))
        return {"y": np.moveaxis(y, 1, 3)}

    def script(self, case: Case) -> Script | None:
        """The model, and its run; bfloat16 needs more lines, as OpenVINO takes no such arrays."""
        if case.unknown or case.dtype == "bfloat16":
            return None
        try:
            arguments = _arguments(case, self.variant)
        except Inexpressible:
            return None
        if self.variant == "auto_pad":
            arguments["output_shape"] = list(case.output_size)
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        image = f"op.parameter({_input_shape(case)}, ov.Type.{_ELEMENTS[case.dtype]})"
        filters = f"w.transpose(3, 2, 0, 1).reshape({_filters_shape(case)})"
        node = f"op.{_function(case)}(p := {image}, {filters}, {given})"
        compiled = f'ov.compile_model(ov.Model([{node}], [p], ""), "CPU", {SETTINGS})'
        return Script(
            f"import numpy as np, openvino as ov, {OPSET} as op",
            f"np.moveaxis({compiled}(np.moveaxis(x, 3, 1))[0], 1, 3)",
        )


def _arguments(case: Case, variant: str) -> dict[str, Any]:
    """Everything but the image, the filters and the size of the output."""
    given: dict[str, Any] = {"strides": list(case.strides), "dilations": list(case.dilations)}
    if variant == "auto_pad":
        if not isinstance(case.padding, str):
            raise Inexpressible("beside the size of the output, padding in numbers is ignored")
        return {**given, "auto_pad": "same_upper" if case.padding == "SAME" else "valid"}
    if "output_shape" in case.unknown:
        raise Inexpressible("padding in numbers makes the size, and a model holds it fixed")
    (top, bottom), (left, right) = case.pads(0), case.pads(1)
    return {
        **given,
        "auto_pad": "explicit",
        "pads_begin": [top, left],
        "pads_end": [max(bottom, 0), max(right, 0)],
        "output_padding": [max(-bottom, 0), max(-right, 0)],
    }


def _function(case: Case) -> str:
    """The name of the function that makes the node."""
    return "convolution_backprop_data" if case.groups == 1 else "group_convolution_backprop_data"


def _input_shape(case: Case) -> list[int]:
    """Shape of the node's image, -1 for what is unknown."""
    axes = {"batch": case.batch, "channels": case.in_channels}
    axes |= dict(zip(("height", "width"), case.input, strict=True))
    return [-1 if axis in case.unknown else size for axis, size in axes.items()]


def _filters_shape(case: Case) -> list[int]:
    """Shape of the node's filters."""
    kernel_height, kernel_width, group_out, inner = case.filters_shape
    if case.groups == 1:
        return [inner, group_out, kernel_height, kernel_width]
    return [case.groups, inner // case.groups, group_out, kernel_height, kernel_width]


def _stored(array: Array, case: Case) -> Array:
    """The numbers as the type of the case has them in memory; for bfloat16 as integers."""
    stored = np.ascontiguousarray(array.astype(numpy_dtype(case.dtype)))
    return stored.view(np.int16) if case.dtype == "bfloat16" else stored


def openvino() -> Any:
    """The package, loaded when first asked for."""
    try:
        return importlib.import_module("openvino")
    except ModuleNotFoundError as error:
        raise Absent("openvino is not installed") from error
