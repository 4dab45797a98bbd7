"""Our function as tf2onnx writes it, computed by ONNX Runtime or by OpenVINO."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects import onnx_runtime, open_vino
from compat_tests.subjects.calling import from_layout
from compat_tests.subjects.exported import Export, export
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Subject

SAMPLE = 200
"""Legal cases, as writing a graph takes half a second, and seconds where its sizes are open."""

Run = Callable[[bytes, list[Array]], Array]


def _run_by_onnx_runtime(model: bytes, feed: list[Array]) -> Array:
    session = onnx_runtime.session(model)
    names = [each.name for each in session.get_inputs()]
    (y,) = session.run(None, dict(zip(names, feed, strict=True)))
    array: Array = y
    return array


def _run_by_openvino(model: bytes, feed: list[Array]) -> Array:
    core = open_vino.openvino().Core()
    compiled = core.compile_model(core.read_model(model), "CPU", open_vino.SETTINGS)
    request = compiled.create_infer_request()
    if compiled.output(0).partial_shape.is_static and request.get_output_tensor(0).size:
        request.get_output_tensor(0).data.view(np.uint8)[...] = open_vino.UNWRITTEN
    array: Array = np.array(request.infer(feed)[0])
    return array


ENGINES: dict[str, tuple[str, Run]] = {
    "onnx": ("onnxruntime", _run_by_onnx_runtime),
    "openvino": ("openvino", _run_by_openvino),
}
"""By the part of a subject's name before the colon: the package that computes, and how."""


class OnnxOurs(Subject):
    """A file for each case; where all sizes are open, for all cases that differ in sizes alone.

    Attributes:
        export: how our function is traced.
    """

    def __init__(self, variant: str, prefix: str = "onnx") -> None:
        """Takes the variant, and a key of `ENGINES`.

        Raises:
            ValueError: if there is no such variant.
        """
        self.export = export(variant, prefix)
        self._prefix = prefix
        self._package, self._run = ENGINES[prefix]

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return f"{self._prefix}:{self.export.variant}"

    @property
    def sample(self) -> int | None:
        """Writes a file for every case."""
        return SAMPLE

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        for package in (self._package, "tf2onnx"):
            _need(package)
        return {
            "implementation": f"tf_tconv.conv2d_transpose by tf2onnx, in {self._package}",
            self._package: version(self._package),
            "tf2onnx": version("tf2onnx"),
            "numpy": np.__version__,
            **self.export.describe(),
        }

    def model(self, case: Case, inputs: Inputs) -> bytes:
        """A case as an ONNX file: the image is its input, with the output's shape if unknown.

        Raises:
            Exception: whatever tf2onnx raises when it refuses.
        """
        if not self.export.open:
            return _written(self.export, case, inputs)
        alike = replace(case, family="", batch=1, input=(1, 1), output=(1, 1), unknown=())
        return _remembered(self.export, alike, _Filters(inputs))

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case, the output alone."""
        if case.dtype == "bfloat16":
            raise Inexpressible("of bfloat16 tf2onnx makes float16 where it folds constants")
        y = self._run(self.model(case, inputs), self.export.feed(case, inputs))
        return {"y": from_layout(y, case.data_format)}


class _Filters:
    """Inputs whose filters alone decide whether they are equal."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self._key = inputs.w.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Filters) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.lru_cache(maxsize=16)  # Cases that differ in sizes alone stand near each other.
def _remembered(how: Export, case: Case, filters: _Filters) -> bytes:
    return _written(how, case, filters.inputs)


def _written(how: Export, case: Case, inputs: Inputs) -> bytes:
    os.environ.setdefault("TF2ONNX_LOG_LEVEL", "ERROR")
    function, signature = how.trace(case, inputs)
    with warnings.catch_warnings():
        # tf2onnx looks for names that NumPy has to warn of.
        warnings.simplefilter("ignore", FutureWarning)
        convert = _need("tf2onnx").convert
        model, _ = convert.from_function(function, input_signature=signature)
    written: bytes = model.SerializeToString()
    return written


def _need(package: str) -> Any:
    """A package, loaded when first asked for.

    Raises:
        Absent: if it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise Absent(f"{package} is not installed") from error
