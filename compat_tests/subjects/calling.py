"""A case in the words of `tf.nn.conv2d_transpose`, for every subject that has its signature."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests.cases.case import Case, DataFormat
from compat_tests.cases.illegal import IllegalCase, Special
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array
from compat_tests.subjects.subject import Answer

Function = Callable[..., Any]


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
    """Calls a function of tensors, and asks a gradient tape for the gradients.

    Args:
        function: takes the input and the filters by position and `keyword_arguments` by name.
        case: a legal call.
        inputs: what to call it on, channels last.

    Returns:
        "y" and, where the case has gradients, "dx" and "dw"; images channels last. An output of the
        wrong shape comes alone, as there is no upstream gradient for it.

    Raises:
        LookupError: if the tape finds no gradient.
    """
    tf = tensorflow()
    x = tf.cast(tf.constant(to_layout(inputs.x, case.data_format)), case.dtype)
    w = tf.cast(tf.constant(inputs.w), case.dtype)
    if not case.gradients:
        y = function(x, w, **keyword_arguments(case))
        return {"y": from_layout(np.asarray(y), case.data_format)}
    g = tf.cast(tf.constant(to_layout(inputs.g, case.data_format)), case.dtype)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = function(x, w, **keyword_arguments(case))
    answer = {"y": from_layout(np.asarray(y), case.data_format)}
    if answer["y"].shape != case.output_shape:
        return answer
    answer["dx"], answer["dw"] = gradients(tape, y, {"input": x, "filters": w}, g)
    answer["dx"] = from_layout(answer["dx"], case.data_format)
    return answer


def gradients(tape: Any, y: Any, sources: dict[str, Any], g: Any) -> list[Array]:
    """Asks a gradient tape for `g`'s pullback to each source.

    Args:
        tape: a `tf.GradientTape` that saw `y` computed.
        y: the output.
        sources: what to differentiate with respect to, by a name for the reader.
        g: the upstream gradient, shaped as `y`.

    Returns:
        One array a source, shaped as the source.

    Raises:
        LookupError: if the tape finds no gradient.
    """
    found = [None] * len(sources)
    if tensorflow().is_tensor(y):
        found = tape.gradient(y, list(sources.values()), output_gradients=g)
    for name, gradient in zip(sources, found, strict=True):
        if gradient is None:
            raise LookupError(f"the tape finds no gradient for the {name}")
    return [np.asarray(gradient) for gradient in found]


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
