"""A case in the words of `tf.nn.conv2d_transpose`, for every subject that has its signature."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, cast

import numpy as np

from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case, DataFormat
from compat_tests.cases.illegal import IllegalCase, Special
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.subject import Answer, Inexpressible, Script

Function = Callable[..., Any]

XLA_SAMPLE = 100
"""Legal cases for a subject that XLA compiles, which takes about half a second a case."""


def keyword_arguments(case: Case) -> dict[str, Any]:
    """Everything but the input and the filters, by its name in `tf.nn.conv2d_transpose`.

    Args:
        case: a legal call.

    Returns:
        `output_shape`, `strides`, `padding`, `data_format` and `dilations`, with the entries of
        `output_shape` and of explicit padding in the order of the case's layout.
    """
    batch, height, width, channels = case.output_shape
    sides: list[list[int]] = []
    if not isinstance(case.padding, str):
        sides = [list(pair) for pair in case.padding]
    if case.data_format == "NHWC":
        output_shape = [batch, height, width, channels]
        explicit = [[0, 0], *sides, [0, 0]]
    else:
        output_shape = [batch, channels, height, width]
        explicit = [[0, 0], [0, 0], *sides]
    return {
        "output_shape": output_shape,
        "strides": list(case.strides),
        "padding": case.padding if isinstance(case.padding, str) else explicit,
        "data_format": case.data_format,
        "dilations": list(case.dilations),
    }


def to_layout(image: Array, data_format: DataFormat) -> Array:
    """`[batch, height, width, channels]` to the layout named."""
    return image if data_format == "NHWC" else np.ascontiguousarray(np.moveaxis(image, 3, 1))


def from_layout(image: Array, data_format: DataFormat) -> Array:
    """From the layout named to `[batch, height, width, channels]`; other ranks stay as they are."""
    if data_format == "NHWC" or image.ndim != 4:
        return image
    return np.moveaxis(image, 1, 3)


def compute_in_tensorflow(function: Function, case: Case, inputs: Inputs) -> Answer:
    """Calls a function of tensors, and asks gradient tapes for the gradients.

    Args:
        function: takes the input and the filters by position and `keyword_arguments` by name.
        case: a legal call.
        inputs: what to call it on, channels last.

    Returns:
        An array for each of `case.parts`; an output of the wrong shape comes alone.

    Raises:
        LookupError: if a tape finds no gradient.
    """
    arguments = keyword_arguments(case)
    at_run_time = {}
    if "output_shape" in case.unknown:
        at_run_time["output_shape"] = arguments.pop("output_shape")
    return differentiate(
        lambda x, w, **values: function(x, w, **arguments, **values), case, inputs, at_run_time
    )


def differentiate(
    function: Function,
    case: Case,
    inputs: Inputs,
    at_run_time: Mapping[str, Any] | None = None,
) -> Answer:
    """Calls a function of tensors that has all but input and filters filled in, with gradients.

    Where the case has unknowns, what is called is traced for them first.

    Args:
        function: takes the input in the case's layout and the filters, by position.
        case: a legal call.
        inputs: what to call it on, channels last.
        at_run_time: integers to pass to it by name, as tensors.

    Returns:
        An array for each of `case.parts`; an output of the wrong shape comes alone.

    Raises:
        LookupError: if a tape finds no gradient.
    """
    tf = tensorflow()

    def image(array: Array) -> Any:
        return tf.cast(tf.constant(to_layout(array, case.data_format)), case.dtype)

    x, w = image(inputs.x), tf.cast(tf.constant(inputs.w), case.dtype)
    values = {name: tf.constant(value, tf.int32) for name, value in (at_run_time or {}).items()}

    g, u, v = image(inputs.g), image(inputs.u), tf.cast(tf.constant(inputs.v), case.dtype)
    call = _traced(lambda x, w, values: function(x, w, **values), case, x, w, values)
    sources = {"input": x, "filters": w}
    second_order = case.gradients == SECOND_ORDER
    # Without need an outer tape would cost as much again: it has gradients' gradients traced.
    with tf.GradientTape() if second_order else nullcontext() as outer:
        if outer is not None:
            outer.watch([g, x, w])
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = call(x, w, values)
        answer: Answer = {"y": from_layout(np.asarray(y), case.data_format)}
        if not case.gradients or answer["y"].shape != case.output_shape:
            return answer
        first = pullback(tape, y, sources, g)
    found = dict(zip(FIRST_ORDER, first, strict=True))
    if second_order:
        second = pullback(outer, first, {"upstream gradient": g, **sources}, [u, v])
        found |= dict(zip(SECOND_ORDER[2:], second, strict=True))
    for part in case.gradients:
        array = np.asarray(found[part])
        answer[part] = array if part in ("dw", "ddw") else from_layout(array, case.data_format)
    return answer


def pullback(tape: Any, y: Any, sources: dict[str, Any], g: Any) -> list[Any]:
    """Asks a gradient tape for `g`'s pullback to each source.

    Args:
        tape: a `tf.GradientTape` that saw `y` computed.
        y: the output, or several.
        sources: what to differentiate with respect to, by a name for the reader.
        g: the upstream gradient, shaped as `y`.

    Returns:
        One tensor a source, shaped as the source.

    Raises:
        LookupError: if the tape finds no gradient.
    """
    found = [None] * len(sources)
    if all(tensorflow().is_tensor(output) for output in (y if isinstance(y, list) else [y])):
        found = tape.gradient(y, list(sources.values()), output_gradients=g)
    for name, gradient in zip(sources, found, strict=True):
        if gradient is None:
            raise LookupError(f"the tape finds no gradient for the {name}")
    return found


def _traced(function: Function, case: Case, x: Any, w: Any, values: Any) -> Function:
    """The function as it is, or traced without what the case says is unknown."""
    if not case.unknown:
        return function
    tf = tensorflow()
    axes = ("batch", "height", "width", "channels")
    if case.data_format == "NCHW":
        axes = ("batch", "channels", "height", "width")
    shape = [None if axis in case.unknown else n for axis, n in zip(axes, x.shape, strict=True)]
    signature = (
        tf.TensorSpec(shape, x.dtype),
        tf.TensorSpec(w.shape, w.dtype),
        {name: tf.TensorSpec(value.shape, value.dtype) for name, value in values.items()},
    )
    return cast(Function, tf.function(function, input_signature=signature))


def tensorflow_script(
    name: str, imports: str, arguments: Mapping[str, Any], case: Case, compiled: bool = False
) -> Script | None:
    """The call of a case as source text, for a function with the signature of the native op.

    Args:
        name: how the text calls the function.
        imports: statements on one line that make the name known, and `tf`.
        arguments: what to call it with beside input and filters.
        case: a legal call.
        compiled: whether XLA compiles it.

    Returns:
        The script; None for second order and for unknowns, which take more than one line.
    """
    if case.unknown or case.gradients == SECOND_ORDER:
        return None
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    if case.data_format == "NHWC":
        call = f"{name}(x, w, {given})"
    else:
        first = f"{name}(tf.transpose(x, [0, 3, 1, 2]), w, {given})"
        call = f"tf.transpose({first}, [0, 2, 3, 1])"
    if compiled:
        call = f"tf.function(lambda x, w: {call}, jit_compile=True)(x, w)"
    return Script(
        imports=imports,
        call=call,
        tensor="tf.constant({})",
        array="{}.numpy()",
        gradients="tf.function(lambda x, w: tf.gradients(f(x, w), [x, w], g))(x, w)",
    )


def compiled_by_xla(function: Function) -> Function:
    """The function, each call of it compiled by XLA with all but input and filters constant.

    Args:
        function: takes the input and the filters by position, the rest by name.

    Returns:
        A function that is called in the same way.
    """
    tf = tensorflow()

    def compiled(x: Any, w: Any, **arguments: Any) -> Any:
        @tf.function(jit_compile=True)
        def call(x: Any, w: Any) -> Any:
            return function(x, w, **arguments)

        return call(x, w)

    return compiled


def refuse_run_time_shape(case: Case) -> None:
    """Refuses, for XLA, a size known only at run time: every size is part of what it compiles.

    Raises:
        Inexpressible: if the case's output_shape is known only at run time.
    """
    if "output_shape" in case.unknown:
        raise Inexpressible("XLA compiles for known sizes; this one is known only at run time")


def illegal_compiled_by_xla(function: Function) -> Function:
    """The function compiled by XLA with every argument constant, as some may be no tensors at all.

    Args:
        function: takes everything by name.

    Returns:
        A function that is called in the same way.
    """
    tf = tensorflow()

    def compiled(**arguments: Any) -> Any:
        @tf.function(jit_compile=True)
        def call() -> Any:
            return function(**arguments)

        return call()

    return compiled


def call_illegal(function: Function, illegal: IllegalCase) -> object:
    """Makes an illegal call, with the objects that the row's markers stand for.

    Args:
        function: has the signature of `tf.nn.conv2d_transpose`.
        illegal: what to call it with.

    Returns:
        What the function returned, if it accepted.
    """
    tf = tensorflow()
    arguments = illegal.arguments
    kinds = {value.kind for value in arguments.values() if isinstance(value, Special)}
    if "unknown_rank" not in kinds:
        return function(**{name: _real(value) for name, value in arguments.items()})
    with tf.Graph().as_default():
        return function(**{name: _real(value) for name, value in arguments.items()})


def tensorflow() -> Any:
    """The TensorFlow module, loaded when first asked for."""
    return importlib.import_module("tensorflow")


def onednn() -> str:
    """Whether this process's TensorFlow computes with oneDNN: "on" or "off"."""
    try:
        port = importlib.import_module("tensorflow.python.util._pywrap_util_port")
        enabled = bool(port.IsMklEnabled())
    except (ImportError, AttributeError):
        # What decides in the builds that have it: x86 ones by default.
        asked = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
        enabled = asked != "0" if asked else platform.machine() in ("x86_64", "AMD64")
    return "on" if enabled else "off"


def _real(value: object) -> object:
    """The object that a marker stands for; anything else is what it is."""
    if not isinstance(value, Special):
        return value
    tf = tensorflow()
    if value.kind == "ragged":
        return tf.RaggedTensor.from_tensor(tf.ones([2, 5, 5, 4]), ragged_rank=3)
    if value.kind == "sparse":
        return tf.sparse.from_dense(tf.ones([2, 5, 5, 4]))
    if value.kind == "string_tensor":
        return tf.fill([2, 5, 5, 4], "a")
    if value.kind == "keras_tensor":
        return importlib.import_module("keras").KerasTensor((2, 5, 5, 4), dtype="float32")
    return tf.compat.v1.placeholder(tf.float32, shape=None)
