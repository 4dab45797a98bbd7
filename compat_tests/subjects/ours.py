"""`tf_tconv`: its function with each lowering, and its layer.

The only file of the suite that imports it.
"""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.subjects.calling import (
    XLA_SAMPLE,
    call_illegal,
    compiled_by_xla,
    compute_in_tensorflow,
    differentiate,
    illegal_compiled_by_xla,
    keyword_arguments,
    onednn,
    refuse_run_time_shape,
    tensorflow,
    tensorflow_script,
    to_layout,
)
from compat_tests.subjects.subject import Answer, Inexpressible, Script, Subject

AUTO = "auto"
LAYER = "layer"
XLA = "xla"


def lowering_names() -> tuple[str, ...]:
    """The names of all lowerings, "auto" first; loads `tf_tconv`."""
    lowerings = importlib.import_module("tf_tconv.lowerings")
    return (AUTO, *lowerings.NAMES)


def installed_lowerings() -> tuple[str, ...]:
    """The names of all lowerings, without "auto", found without loading anything here.

    Returns:
        The names; none if `tf_tconv` is not installed.
    """
    command = "import tf_tconv.lowerings as known; print(*known.NAMES)"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    return tuple(done.stdout.split())


class Ours(Subject):
    """`tf_tconv.conv2d_transpose`, or the layer on top of it.

    Attributes:
        variant: the name of a lowering, "auto", "xla" for "auto" compiled by XLA, or "layer" for
            `tf_tconv.Conv2DTranspose`.
    """

    def __init__(self, variant: str = AUTO) -> None:
        """Takes the variant; whether there is such a lowering shows when it is first used."""
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "ours" if self.variant == AUTO else f"ours:{self.variant}"

    @property
    def faces_illegal_calls(self) -> bool:
        """All but the layer, as the rows are calls of a function."""
        return self.variant != LAYER

    @property
    def sample(self) -> int | None:
        """XLA compiles every case."""
        return XLA_SAMPLE if self.variant == XLA else None

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        names = (*lowering_names(), XLA, LAYER)
        if self.variant not in names:
            raise ValueError(f"ours has no variant {self.variant!r}; there are {', '.join(names)}")
        function = "Conv2DTranspose" if self.variant == LAYER else "conv2d_transpose"
        return {
            "implementation": f"tf_tconv.{function}",
            "tf_tconv": str(getattr(_tf_tconv(), "__version__", "unknown")),
            "tensorflow": tensorflow().__version__,
            "numpy": np.__version__,
            "lowering": self._lowering,
            "oneDNN": onednn(),
            "compiled": "XLA" if self.variant == XLA else "no",
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case; gradients by a gradient tape."""
        if self.variant == LAYER:
            return _compute_by_layer(case, inputs)
        function = self.function
        if "output_shape" in case.unknown and self._lowering != "auto":
            # Without the groups another lowering would compute: few find them at run time.
            function = functools.partial(function, groups=case.groups)
        if self.variant == XLA:
            refuse_run_time_shape(case)
            function = compiled_by_xla(function)
        return compute_in_tensorflow(function, case, inputs)

    def script(self, case: Case) -> Script | None:
        """The call as source text; the layer's has weights to set, which takes more lines."""
        if self.variant == LAYER:
            return None
        return tensorflow_script(
            "tf_tconv.conv2d_transpose",
            "import tensorflow as tf, tf_tconv",
            {**keyword_arguments(case), "lowering": self._lowering},
            case,
            compiled=self.variant == XLA,
        )

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused."""
        if self.variant == LAYER:
            raise Inexpressible("the rows are calls of a function; a layer takes them apart")
        if self.variant == XLA:
            return call_illegal(illegal_compiled_by_xla(self.function), illegal)
        return call_illegal(self.function, illegal)

    @property
    def _lowering(self) -> str:
        """What to pass as `lowering`."""
        return AUTO if self.variant in (LAYER, XLA) else self.variant

    def function(self, *inputs: Any, **arguments: Any) -> Any:
        """The function with the lowering filled in, unless the call names another."""
        arguments.setdefault("lowering", self._lowering)
        return _tf_tconv().conv2d_transpose(*inputs, **arguments)


def _compute_by_layer(case: Case, inputs: Inputs) -> Answer:
    """Makes a layer for the case, gives it the filters as weights, and calls it."""
    if case.dtype == "int32":
        raise Inexpressible("a layer has no integer weights")
    layer = _tf_tconv().Conv2DTranspose(
        case.out_channels,
        case.kernel,
        strides=case.strides,
        padding=case.padding.lower() if isinstance(case.padding, str) else case.padding,
        data_format="channels_last" if case.data_format == "NHWC" else "channels_first",
        dilation_rate=case.dilations,
        groups=case.groups,
        use_bias=False,
        dtype="float16" if case.dtype == "half" else case.dtype,
    )
    layer.build((*to_layout(np.empty(case.input_shape), case.data_format).shape,))
    sizes = dict(zip(("height", "width"), case.output, strict=True)) if case.output else {}

    def call(x: Any, w: Any, **at_run_time: Any) -> Any:
        output_size = tuple({**sizes, **at_run_time}.values()) or None
        return layer.stateless_call([w], [], x, output_size=output_size)[0]

    return differentiate(call, case, inputs, sizes if "output_shape" in case.unknown else {})


def _tf_tconv() -> Any:
    """The package, loaded when first asked for."""
    return importlib.import_module("tf_tconv")
