"""A case as an ONNX model of one ConvTranspose node, for every engine that runs such models.

The node works on `[batch, channels, height, width]`, so the layout of a case makes no difference to
it; its filters are `[in, out / groups, kernel_height, kernel_width]`. It can be told where the
output lies in three ways, which `WORDS` names by the attribute that decides.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.calling import to_layout
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Absent, Inexpressible, Script

IR_VERSION = 10
OPSET = 22
"""That of the latest ConvTranspose; the version of the format is the oldest that came with it."""

_ELEMENTS = {"half": "float16", "float32": "float", "float64": "double"}
"""ONNX's names of types; the others are called as in TensorFlow."""


def text(case: Case, words: str) -> str:
    """The model as `onnx.parser` reads it, with the image "x" and the filters "w" as its inputs.

    Args:
        case: a legal call; sizes that it says are unknown get a name instead of a number.
        words: one of `WORDS`.

    Returns:
        One line; it leaves the shape of the output "y" to the engine.

    Raises:
        Inexpressible: if these words can't say it.
    """
    # ONNX writes integers, lists of them and strings as JSON does.
    node = ", ".join(f"{key} = {json.dumps(value)}" for key, value in _attributes(case, words))
    element = _ELEMENTS.get(case.dtype, case.dtype)
    axes = {"batch": case.batch, "channels": case.in_channels}
    axes |= dict(zip(("height", "width"), case.input, strict=True))
    image = ", ".join(axis if axis in case.unknown else str(size) for axis, size in axes.items())
    kernel_height, kernel_width, group_out, inner = case.filters_shape
    kernel = f"{inner}, {group_out}, {kernel_height}, {kernel_width}"
    return (
        f'<ir_version: {IR_VERSION}, opset_import: ["": {OPSET}]> transposed_convolution '
        f"({element}[{image}] x, {element}[{kernel}] w) => ({element}[] y) "
        f"{{ y = ConvTranspose<{node}>(x, w) }}"
    )


def model(case: Case, inputs: Inputs, words: str) -> Any:
    """The same model with the filters as constants, as a trained one has them.

    Args:
        case: a legal call.
        inputs: what to compute it on.
        words: one of `WORDS`.

    Returns:
        A `ModelProto` with the one input "x".

    Raises:
        Inexpressible: if these words can't say it.
    """
    read = onnx_module("onnx.parser").parse_model(text(case, words))
    filters = np.ascontiguousarray(inputs.w.transpose(3, 2, 0, 1).astype(numpy_dtype(case.dtype)))
    del read.graph.input[1]
    read.graph.initializer.append(onnx_module("onnx.numpy_helper").from_array(filters, "w"))
    return read


def image(case: Case, inputs: Inputs) -> Array:
    """The input, `[batch, in_channels, height, width]`, in the type of the case."""
    return to_layout(inputs.x, "NCHW").astype(numpy_dtype(case.dtype))


def script(case: Case, words: str, imports: str, engine: str) -> Script | None:
    """The run of a case's model as source text.

    Args:
        case: a legal call.
        words: one of `WORDS`.
        imports: statements on one line.
        engine: an expression of the model, for which "{model}" stands, that has a method `run`.

    Returns:
        The script; None if these words can't say it.
    """
    try:
        model = f"onnx.parser.parse_model({text(case, words)!r})"
    except Inexpressible:
        return None
    feed = '{"x": np.moveaxis(x, 3, 1), "w": w.transpose(3, 2, 0, 1)}'
    run = f"{engine.format(model=model)}.run(None, {feed})[0]"
    return Script(f"import numpy as np; {imports}", f"np.moveaxis({run}, 1, 3)")


def check_variant(prefix: str, variant: str) -> None:
    """Refuses a variant that is none of `WORDS`.

    Raises:
        ValueError: names the subject's prefix and what there is.
    """
    if variant not in WORDS:
        raise ValueError(f"{prefix} has no variant {variant!r}; there are {', '.join(WORDS)}")


def onnx_module(name: str) -> Any:
    """A module of the `onnx` package, loaded when first asked for.

    Raises:
        Absent: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise Absent("onnx is not installed") from error


def _attributes(case: Case, words: str) -> list[tuple[str, Any]]:
    """Names and values of the node's attributes."""
    if "output_shape" in case.unknown:
        raise Inexpressible("the sizes in ConvTranspose are attributes, which a model holds fixed")
    given = {
        "strides": list(case.strides),
        "dilations": list(case.dilations),
        "group": case.groups,
        **WORDS[words](case),
    }
    return list(given.items())


def _by_pads(case: Case) -> dict[str, Any]:
    """The padding in numbers."""
    (top, bottom), (left, right) = case.pads(0), case.pads(1)
    return {"pads": [top, left, max(bottom, 0), max(right, 0)], **_output_padding(case)}


def _by_auto_pad(case: Case) -> dict[str, Any]:
    """The padding by its name; SAME_UPPER alone says that the output is `i*s`."""
    if not isinstance(case.padding, str):
        raise Inexpressible("auto_pad knows SAME_UPPER, SAME_LOWER and VALID, but no numbers")
    if case.padding == "VALID":
        return {"auto_pad": "VALID", **_output_padding(case)}
    if any(o != i * s for o, i, s in zip(case.output_size, case.input, case.strides, strict=True)):
        raise Inexpressible("auto_pad=SAME_UPPER makes no size but the input's times the stride")
    return {"auto_pad": "SAME_UPPER"}


def _by_output_shape(case: Case) -> dict[str, Any]:
    """The size of the output, from which the engine works out the padding.

    The equations for that make the padding negative where some of the output is reached by no tap,
    and that of VALID too, unless the output padding is given as well.
    """
    if not isinstance(case.padding, str):
        raise Inexpressible("beside output_shape, ConvTranspose ignores padding in numbers")
    return {
        "auto_pad": "SAME_UPPER" if case.padding == "SAME" else "VALID",
        **_output_padding(case),
        "output_shape": list(case.output_size),
    }


def _output_padding(case: Case) -> dict[str, Any]:
    """The cells behind the last one that a tap reaches."""
    return {"output_padding": [max(-case.pads(axis)[1], 0) for axis in (0, 1)]}


WORDS: dict[str, Callable[[Case], dict[str, Any]]] = {
    "pads": _by_pads,
    "auto_pad": _by_auto_pad,
    "output_shape": _by_output_shape,
}
"""By the attribute that decides where the output lies."""
