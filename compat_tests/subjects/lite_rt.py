"""LiteRT, once TensorFlow Lite: its operator TRANSPOSE_CONV, and our function converted for it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from compat_tests.cases.case import Case, Unknown
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.calling import from_layout, tensorflow
from compat_tests.subjects.exported import OURS, export
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Subject

OPERATOR = "transpose_conv"

SAMPLE = 400
"""Legal cases for what TensorFlow has to convert first, at about a seventh of a second a case."""

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"


class LiteRt(Subject):
    """A model for each case.

    Attributes:
        variant: "transpose_conv", the default, is a model of this one operator; those of `exported`
            are `tf_tconv.conv2d_transpose` as TensorFlow converts it.
        export: how our function is traced, if it is.
    """

    def __init__(self, variant: str = OPERATOR) -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant != OPERATOR and variant.partition(":")[0] != OURS:
            raise ValueError(f"litert has no variant {variant!r}; there are {OPERATOR}, {OURS}")
        self.variant = variant
        self.export = None if variant == OPERATOR else export(variant, "litert")

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "litert" if self.variant == OPERATOR else f"litert:{self.variant}"

    @property
    def sample(self) -> int | None:
        """All cases of the operator; of what is converted for each case, a sample."""
        return SAMPLE if self.export else None

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        _litert("interpreter")
        settings = {
            "implementation": "TRANSPOSE_CONV",
            "ai-edge-litert": version("ai-edge-litert"),
            "numpy": np.__version__,
            "delegate": "XNNPACK",
        }
        if self.export:
            settings |= self.export.describe()
            settings["implementation"] = "tf_tconv.conv2d_transpose, converted"
        return settings

    def model(self, case: Case, inputs: Inputs) -> bytes:
        """A case as a model: the image is its input, with the output's shape if that is unknown.

        Args:
            case: a legal call.
            inputs: what to compute it on; the filters become constants.

        Returns:
            The flatbuffer.

        Raises:
            Inexpressible: if the operator has no words for it.
            Exception: whatever TensorFlow's converter raises when it refuses.
        """
        if self.export is None:
            return _operator(case, inputs)
        function, _ = self.export.trace(case, inputs)
        traced = function.get_concrete_function()
        lite = tensorflow().lite
        model: bytes = lite.TFLiteConverter.from_concrete_functions([traced], function).convert()
        return model

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case, the output alone."""
        model = self.model(case, inputs)
        interpreter = _litert("interpreter").Interpreter(model_content=model, num_threads=1)
        if self.export:
            case = self.export.case(case)
            values = self.export.feed(case, inputs)
        else:
            values = [inputs.x.astype(numpy_dtype(case.dtype))]
            if "output_shape" in case.unknown:
                values.append(np.array(case.output_shape, np.int32))
        places = [details["index"] for details in interpreter.get_input_details()]
        if case.unknown:
            interpreter.resize_tensor_input(places[0], values[0].shape, strict=True)
        interpreter.allocate_tensors()
        for place, value in zip(places, values, strict=True):
            interpreter.set_tensor(place, value)
        interpreter.invoke()
        (output,) = interpreter.get_output_details()
        # The operator has its channels last, whatever the case says.
        layout = case.data_format if self.export else "NHWC"
        return {"y": from_layout(interpreter.get_tensor(output["index"]), layout)}


def _operator(case: Case, inputs: Inputs) -> bytes:
    """A model of one TRANSPOSE_CONV; its filters are `[out, kernel_height, kernel_width, in]`."""
    if not isinstance(case.padding, str):
        raise Inexpressible("TRANSPOSE_CONV knows SAME and VALID, but no padding in numbers")
    if any(d > 1 and k > 1 for d, k in zip(case.dilations, case.kernel, strict=True)):
        raise Inexpressible("TRANSPOSE_CONV has no dilations")
    if case.groups > 1:
        raise Inexpressible("TRANSPOSE_CONV has no groups")
    tables = _litert("schema_py_generated")
    element = getattr(tables.TensorType, {"half": "FLOAT16"}.get(case.dtype, case.dtype.upper()))
    w = np.ascontiguousarray(inputs.w.transpose(2, 0, 1, 3).astype(numpy_dtype(case.dtype)))
    output_shape = np.array(case.output_shape, np.int32)
    size_unknown = "output_shape" in case.unknown
    unknown = ("batch", "height", "width") if size_unknown else case.unknown
    # Buffer 0 is that of all tensors without constant values.
    tensors = [
        tables.TensorT(
            name="output_shape",
            shape=[4],
            type=tables.TensorType.INT32,
            buffer=0 if size_unknown else 1,
        ),
        tables.TensorT(name="filters", shape=list(w.shape), type=element, buffer=2),
        tables.TensorT(
            name="x",
            shape=_sizes(case.input_shape, case.unknown, 1),
            shapeSignature=_sizes(case.input_shape, case.unknown, -1),
            type=element,
        ),
        tables.TensorT(
            name="y",
            shape=_sizes(case.output_shape, unknown, 1),
            shapeSignature=_sizes(case.output_shape, unknown, -1),
            type=element,
        ),
    ]
    node = tables.OperatorT(
        inputs=[0, 1, 2],
        outputs=[3],
        builtinOptionsType=tables.BuiltinOptions.TransposeConvOptions,
        builtinOptions=tables.TransposeConvOptionsT(
            padding=getattr(tables.Padding, case.padding),
            strideH=case.strides[0],
            strideW=case.strides[1],
        ),
    )
    graph = tables.SubGraphT(
        tensors=tensors, inputs=[2, 0] if size_unknown else [2], outputs=[3], operators=[node]
    )
    code = tables.BuiltinOperator.TRANSPOSE_CONV
    model = tables.ModelT(
        version=SCHEMA_VERSION,
        operatorCodes=[tables.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code)],
        subgraphs=[graph],
        buffers=[tables.BufferT(), _buffer(tables, output_shape), _buffer(tables, w)],
    )
    builder = importlib.import_module("flatbuffers").Builder()
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _buffer(tables: Any, array: Array) -> Any:
    """The bytes of an array as the schema keeps them."""
    return tables.BufferT(data=np.frombuffer(array.tobytes(), np.uint8))


def _sizes(shape: Sequence[int], unknown: Sequence[Unknown], stand_in: int | None) -> list[Any]:
    """A shape, channels last, with something else for every size that is unknown."""
    axes = ("batch", "height", "width", "channels")
    return [stand_in if axis in unknown else n for axis, n in zip(axes, shape, strict=True)]


def _litert(module: str) -> Any:
    """A module of the package, loaded when first asked for.

    Raises:
        Absent: if it is not installed.
    """
    try:
        return importlib.import_module(f"ai_edge_litert.{module}")
    except ModuleNotFoundError as error:
        raise Absent("ai-edge-litert is not installed") from error
