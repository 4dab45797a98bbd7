"""Any function from outside that has the signature of `tf.nn.conv2d_transpose`.

It may take and return tensors or NumPy arrays. Which of the two it gets is decided by trying: a
function that returns NumPy arrays is asked for the forward pass alone.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.calling import (
    Function,
    call_illegal,
    compute_in_tensorflow,
    from_layout,
    keyword_arguments,
    to_layout,
)
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Answer, Script, Subject


class External(Subject):
    """A function named `package.module:function`."""

    def __init__(self, path: str) -> None:
        """Takes the path, and imports nothing yet.

        Raises:
            ValueError: if the path is not of the form `package.module:function`.
        """
        module, colon, function = path.partition(":")
        if not (colon and module and function):
            raise ValueError(f"subject {path!r} is not of the form package.module:function")
        self._path, self._module, self._attributes = path, module, function.split(".")
        self._takes_tensors: bool | None = None

    @property
    def name(self) -> str:
        """The path."""
        return self._path

    def describe(self) -> dict[str, str]:
        """Imports the function, and names the versions of what came with it."""
        self._function()
        settings = {"implementation": self._path, "numpy": np.__version__}
        package = self._module.partition(".")[0]
        for name in dict.fromkeys((package, "tensorflow", "keras", "torch", "jax")):
            version = getattr(sys.modules.get(name), "__version__", None)
            if version is not None:
                settings[name] = str(version)
        return settings

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case: gradients too if the function returns TensorFlow's tensors."""
        function = self._function()
        if self._takes_tensors is None:
            self._takes_tensors = _takes_tensors(function, case, inputs)
        if self._takes_tensors:
            return compute_in_tensorflow(function, case, inputs)
        return {"y": _call_with_arrays(function, case, inputs)}

    def script(self, case: Case) -> Script | None:
        """The call as source text, for arrays, which functions of tensors take too."""
        if case.unknown:
            return None
        name = f"{self._module}.{'.'.join(self._attributes)}"
        given = ", ".join(f"{key}={value!r}" for key, value in keyword_arguments(case).items())
        call = f"{name}(x, w, {given})"
        if case.data_format == "NCHW":
            call = f"np.moveaxis({name}(np.moveaxis(x, 3, 1), w, {given}), 1, 3)"
        return Script(f"import {self._module}", call, array="np.asarray({})")

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused."""
        return call_illegal(self._function(), illegal)

    def _function(self) -> Function:
        """The function itself."""
        found: Any = importlib.import_module(self._module)
        for attribute in self._attributes:
            found = getattr(found, attribute)
        function: Function = found
        return function


def _takes_tensors(function: Function, case: Case, inputs: Inputs) -> bool:
    """Whether the function returns tensors, or can't do with NumPy arrays."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return False
    try:
        result = function(*_arrays(case, inputs), **keyword_arguments(case))
    except Exception:
        return True
    return bool(tensorflow.is_tensor(result))


def _call_with_arrays(function: Function, case: Case, inputs: Inputs) -> Array:
    """The result of a NumPy function, which may have computed in a wider type than the case's."""
    x, w = _arrays(case, inputs)
    y = np.asarray(function(x, w, **keyword_arguments(case)))
    return from_layout(y.astype(x.dtype), case.data_format)


def _arrays(case: Case, inputs: Inputs) -> tuple[Array, Array]:
    """Input, in the case's layout, and filters in the case's type."""
    dtype = numpy_dtype(case.dtype)
    return to_layout(inputs.x, case.data_format).astype(dtype), inputs.w.astype(dtype)
