"""Our function as exporters take it: traced for a case, with its filters constant.

A variant of the subjects `onnx`, `openvino` and `litert` is "ours", "ours:LOWERING", "ours:open" or
"ours:LOWERING:open". Open is every size but the channels, the output's too, whatever the case says;
else what the case says is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from compat_tests.cases.case import Case, DataFormat, Unknown
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.calling import keyword_arguments, tensorflow, to_layout
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.ours import AUTO, Ours

OURS = "ours"
OPEN = "open"

EVERYTHING: tuple[Unknown, ...] = get_args(Unknown)


@dataclass(frozen=True)
class Export:
    """How our function is traced.

    Attributes:
        lowering: what to pass as `lowering`; whether there is such a one shows when it is used.
        open: whether all sizes but the channels are unknown in every case.
    """

    lowering: str = AUTO
    open: bool = False

    @property
    def variant(self) -> str:
        """What it is called behind the subject's colon."""
        named = [self.lowering] if self.lowering != AUTO else []
        return ":".join([OURS, *named, *([OPEN] if self.open else [])])

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        ours = Ours(self.lowering).describe()
        described = {name: ours[name] for name in ("tf_tconv", "tensorflow", "lowering")}
        return {**described, "sizes": "all open" if self.open else "as the case says"}

    def case(self, case: Case) -> Case:
        """The case with what is unknown of it here."""
        return replace(case, unknown=EVERYTHING) if self.open else case

    def trace(self, case: Case, inputs: Inputs) -> tuple[Any, list[Any]]:
        """A case as a `tf.function` of the image, and of the output's shape if that is unknown.

        Args:
            case: a legal call.
            inputs: of which the filters become constants.

        Returns:
            The function and its input signature.
        """
        case = self.case(case)
        tf = tensorflow()
        arguments = keyword_arguments(case)
        axes = ("batch", "height", "width", "channels")
        known = zip(axes, case.input_shape, strict=True)
        shape = in_layout([None if axis in case.unknown else n for axis, n in known], case)
        signature = [tf.TensorSpec(shape, case.dtype, name="x")]
        if "output_shape" in case.unknown:
            del arguments["output_shape"]
            signature.append(tf.TensorSpec([4], tf.int32, name="output_shape"))

        # AutoGraph would find nothing to rewrite here, but warn that it can't rewrite an import.
        @tf.function(input_signature=signature, autograph=False)
        def call(x: Any, *output_shape: Any) -> Any:
            at_run_time: dict[str, Any] = {}
            if output_shape:  # and with it what the groups would be inferred from
                at_run_time = {"output_shape": output_shape[0], "groups": case.groups}
            # Made in here, as what a graph captures is to tf2onnx one more input.
            w = tf.cast(tf.constant(inputs.w), case.dtype)
            return Ours(self.lowering).function(x, w, **arguments, **at_run_time)

        return call, signature

    def feed(self, case: Case, inputs: Inputs) -> list[Array]:
        """What to call the exported function with."""
        case = self.case(case)
        values = [to_layout(inputs.x, case.data_format).astype(numpy_dtype(case.dtype))]
        if "output_shape" in case.unknown:
            values.append(np.array(in_layout(case.output_shape, case), np.int32))
        return values


def export(variant: str, subject: str) -> Export:
    """The export of that name.

    Raises:
        ValueError: if a part of it has no meaning; names the subject.
    """
    ours, *rest = variant.split(":")
    is_open = rest[-1:] == [OPEN]
    named = rest[:-1] if is_open else rest
    if ours != OURS or len(named) > 1:
        raise ValueError(
            f"{subject} has no variant {variant!r}; there are {OURS}[:LOWERING][:{OPEN}]"
        )
    return Export(named[0] if named else AUTO, is_open)


def in_layout(shape: Sequence[Any], case: Case) -> list[Any]:
    """A shape, channels last, in the order of the case's layout."""
    batch, height, width, channels = shape
    layout: DataFormat = case.data_format
    return (
        [batch, height, width, channels] if layout == "NHWC" else [batch, channels, height, width]
    )
