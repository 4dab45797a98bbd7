"""A Keras model in the three formats that it is deployed in, and what runs each.

SavedModel and ONNX come from `keras.Model.export`, LiteRT from TensorFlow's converter. None of them
knows of tf_tconv: all that reaches them is ordinary ops. A model that should hold the fused op is
made by `tf_tconv.convert_model(model, lowering="native")`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Array = NDArray[Any]

KINDS = ("float", "float16", "dynamic", "int8")
"""How LiteRT may store and compute: as it is, weights of 16 bits, of 8, or all in 8 bits."""


def to_litert(model: Any, kind: str = "float", samples: Iterable[list[Array]] = ()) -> bytes:
    """A Keras model as a LiteRT flatbuffer.

    Args:
        model: a functional or sequential model; the batch of its inputs becomes 1.
        kind: one of `KINDS`.
        samples: for "int8": lists of inputs, a batch of 1 each, from which ranges are learned.

    Returns:
        The flatbuffer. Inputs and outputs are floats whatever the kind.
    """
    signature = [tf.TensorSpec([1, *each.shape[1:]], each.dtype) for each in model.inputs]
    with tempfile.TemporaryDirectory() as folder:
        arguments = [signature] if len(signature) > 1 else signature
        model.export(folder, verbose=False, input_signature=arguments)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return _converted(converter, kind, list(samples))


def _converted(converter: Any, kind: str, samples: list[list[Array]]) -> bytes:
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = lambda: iter(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        # It says so of float inputs, which are kept on purpose: the caller has floats.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        flatbuffer: bytes = converter.convert()
    return flatbuffer


class LiteRt:
    """A LiteRT flatbuffer that can be called.

    Args:
        flatbuffer: as `to_litert` makes it.
    """

    def __init__(self, flatbuffer: bytes) -> None:
        library = importlib.import_module("ai_edge_litert.interpreter")
        # Without the delegate every operator is listed by its own name.
        plain = library.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = library.Interpreter(
            model_content=flatbuffer, experimental_op_resolver_type=plain
        )
        self._interpreter.allocate_tensors()

    def __call__(self, *inputs: Array) -> Array:
        """The first output for inputs in the model's order, each a batch of 1."""
        places = self._interpreter.get_input_details()
        for place, array in zip(_in_order(places), inputs, strict=True):
            self._interpreter.set_tensor(place["index"], array)
        self._interpreter.invoke()
        result: Array = self._interpreter.get_tensor(
            self._interpreter.get_output_details()[0]["index"]
        )
        return result

    @property
    def operators(self) -> set[str]:
        """The names of the operators in it."""
        return {each["op_name"] for each in self._interpreter._get_ops_details()} - {"DELEGATE"}

    @property
    def ranks(self) -> set[int]:
        """How many axes its tensors have."""
        return {len(each["shape"]) for each in self._interpreter.get_tensor_details()}


def _in_order(places: list[Any]) -> list[Any]:
    """Inputs by the number in their names: the flatbuffer has them in any order."""
    return sorted(places, key=lambda place: place["name"])


def to_onnx(model: Any, path: Path, batch: int | None = None) -> set[str]:
    """Writes a Keras model as ONNX.

    Args:
        model: a functional or sequential model.
        path: of the file to write.
        batch: the batch that it takes; `None` leaves it open.

    Returns:
        The types of the nodes in it.
    """
    zeros = [np.zeros([1, *each.shape[1:]], each.dtype) for each in model.inputs]
    model(zeros if len(zeros) > 1 else zeros[0])  # Keras exports what has been called once.
    with warnings.catch_warnings(), copies_collected_soon():
        # Keras looks there for a name that NumPy has to warn of.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        signature = [tf.TensorSpec([batch, *each.shape[1:]], each.dtype) for each in model.inputs]
        arguments = [signature] if len(signature) > 1 else signature
        model.export(str(path), format="onnx", verbose=False, input_signature=arguments)
    graph = importlib.import_module("onnx").load(str(path)).graph
    return {node.op_type for node in graph.node}


@contextlib.contextmanager
def copies_collected_soon() -> Iterator[None]:
    """Has Python look often for objects that hold each other, but not among those of before.

    Each of tf2onnx's two dozen passes works on a copy of the graph, weights included, and leaves it
    behind in such circles. Python looks for those when there are a quarter as many new objects as
    old ones. TensorFlow alone has so many that all copies pile up: 3.5 GB of DCGAN's 75 MB.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.collect()  # With the old ones set aside it finds none, so that there are few to compare to.
    gc.set_threshold(1000, 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.collect()


def run_onnx(path: Path, *inputs: Array) -> Array:
    """The first output that ONNX Runtime computes for inputs in the model's order."""
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(path), options)
    names = [each.name for each in session.get_inputs()]
    result: Array = session.run(None, dict(zip(names, inputs, strict=True)))[0]
    return result


def serve(folder: Path, *inputs: Array) -> Array:
    """The output of a SavedModel that `keras.Model.export` wrote."""
    loaded = tf.saved_model.load(str(folder))
    return np.asarray(tf.nest.flatten(loaded.serve(*inputs))[0])


def operations(function: Any) -> set[str]:
    """The types of the ops in a traced function and in those that it calls, gradients apart."""
    definition = function.graph.as_graph_def()
    bodies = {each.signature.name: each.node_def for each in definition.library.function}
    waiting, seen, found = [definition.node], set(), set()
    while waiting:
        for node in waiting.pop():
            found.add(node.op)
            for value in node.attr.values():
                for name in (value.func.name, *(each.name for each in value.list.func)):
                    if name in bodies and name not in seen:
                        seen.add(name)
                        waiting.append(bodies[name])
    return found
