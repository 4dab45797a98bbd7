"""Where the `ConvTranspose` nodes of an ONNX model lie, and what their weights follow from.

Nodes lie in the graph, in the bodies of If, Loop and Scan, and in functions of the model, which are
put in place of their calls first. A body sees the names of the graphs around it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.dialects.pairs import Pair
from tf_tconv.importers.onnx_runs import Unrunnable, evaluate

RANDOM = frozenset(
    {
        *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike"),
        *("RandomUniform", "RandomUniformLike"),
    }
)
"""Operators whose outputs follow from nothing."""

GRAPH, GRAPHS = 5, 10  # AttributeProto.AttributeType, part of ONNX' file format.


@dataclass
class Scope:
    """The names that the nodes of one graph see.

    Args:
        model: the model that the graph is of, or `None`.
        folder: where the model's external data lie, or `None` for a model that came without file.
        stored: what it stores, by name: `TensorProto`, `SparseTensorProto` or an array.
        producers: its nodes, by the names of their outputs.
        inputs: its inputs, by name.
        sizes: (height, width) of its images, by name, where the model says them.
        around: the graph that it is a body in, or `None`.
        path: what leads to it from the model's graph, for names.
    """

    model: Any = None
    folder: str | None = None
    stored: dict[str, Any] = field(default_factory=dict)
    producers: dict[str, Any] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    sizes: dict[str, Pair] = field(default_factory=dict)
    around: Scope | None = None
    path: str = ""

    def where(self, name: str) -> Scope | None:
        """The innermost of the graphs around that knows a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.stored or name in scope.producers or name in scope.inputs:
                return scope
            scope = scope.around
        return None

    def size(self, name: str) -> Pair | None:
        """(height, width) of an image, where the model says it."""
        scope = self.where(name)
        return None if scope is None else scope.sizes.get(name)


@dataclass(frozen=True)
class Found:
    """A node and the graph that it lies in."""

    node: Any
    scope: Scope

    @property
    def label(self) -> str:
        """What the node is called in messages."""
        return str(self.node.name or self.node.output[0])

    def array(self, tensor: str) -> NDArray[Any]:
        """The value of one of the node's inputs.

        Args:
            tensor: its name.

        Raises:
            ValueError: it does not follow from what the model stores, or can't be evaluated.
            FileNotFoundError: it lies in a file that is missing.
        """
        home = self.scope.where(tensor)
        if home is not None and tensor in home.stored:
            return _array(home.stored[tensor], home.folder)
        nodes, stored = _leading_to(self, tensor)
        try:
            return evaluate(tensor, nodes, stored, self.scope.model)
        except Unrunnable as error:
            operators = ", ".join(dict.fromkeys(node.op_type for node in nodes))
            raise ValueError(
                f'the input "{tensor}" of node "{self.label}" follows from constants by {operators}'
                f", which nothing installed evaluates: {error}"
            ) from error


def find(model: Any, folder: str | None, given: Mapping[str, Any]) -> dict[str, Found]:
    """The transposed convolutions of a model.

    Args:
        model: an `onnx.ModelProto`.
        folder: where its external data lie, or `None`.
        given: arrays by name, in place of what the model stores.

    Returns:
        The nodes by their names; by their outputs' where they have none, or share it; and by the
        path to the body that they lie in where that is shared, too.
    """
    if model.functions:
        from onnx import inliner

        try:
            model = inliner.inline_local_functions(model)
        except Exception as error:  # Of several kinds, the checker's among them.
            raise ValueError(f"the model's functions can't be put in place: {error}") from error
    if any(_gives_output_shape(node) for node in _all_nodes(model.graph)):
        model = _with_sizes(model)
    found = list(_walk(model.graph, Scope(model, folder), dict(given), ""))
    names = [
        [
            name
            for name in (
                each.node.name,
                each.node.output[0],
                f"{each.scope.path}{each.node.output[0]}",
                f"{each.scope.path}{each.node.output[0]}#{index}",
            )
            if name
        ]
        for index, each in enumerate(found)
    ]
    while True:
        shared = Counter(options[0] for options in names)
        ambiguous = [options for options in names if shared[options[0]] > 1 and len(options) > 1]
        if not ambiguous:
            return {options[0]: each for options, each in zip(names, found, strict=True)}
        for options in ambiguous:
            del options[0]


def alone(node: Any, given: Mapping[str, Any]) -> Found:
    """A node that comes without its model, with arrays by name."""
    return Found(node, Scope(stored=dict(given)))


def _walk(graph: Any, around: Scope, given: dict[str, Any], path: str) -> Iterator[Found]:
    stored: dict[str, Any] = {each.name: each for each in graph.initializer}
    stored.update((each.values.name, each) for each in graph.sparse_initializer)
    producers: dict[str, Any] = {}
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                stored[node.output[0]] = attribute.t
            elif attribute.name == "sparse_value":
                stored[node.output[0]] = attribute.sparse_tensor
        producers.update((output, node) for output in node.output if output)
    scope = Scope(
        around.model,
        around.folder,
        {**stored, **given},
        producers,
        frozenset(each.name for each in graph.input),
        _sizes(graph),
        around if around.producers or around.stored or around.inputs else None,
        path,
    )
    for node in graph.node:
        if "ConvTranspose" in node.op_type:
            yield Found(node, scope)
        label = node.name or next(iter(node.output), node.op_type)
        for name, body in _bodies(node):
            yield from _walk(body, scope, {}, f"{path}{label}/{name}/")


def _bodies(node: Any) -> Iterator[tuple[str, Any]]:
    for attribute in node.attribute:
        if attribute.type == GRAPH:
            yield attribute.name, attribute.g
        elif attribute.type == GRAPHS:
            for index, graph in enumerate(attribute.graphs):
                yield f"{attribute.name}[{index}]", graph


def _all_nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for _, body in _bodies(node):
            yield from _all_nodes(body)


def _gives_output_shape(node: Any) -> bool:
    return node.op_type == "ConvTranspose" and any(
        each.name == "output_shape" for each in node.attribute
    )


def _with_sizes(model: Any) -> Any:
    from onnx import shape_inference

    try:
        return shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # Of several kinds: then only what the model itself says is known.
        return model


def _sizes(graph: Any) -> dict[str, Pair]:
    """(height, width) of every image whose size the graph says."""
    sizes: dict[str, Pair] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dimensions = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        if len(dimensions) == 4 and min(dimensions[2:]) > 0:
            sizes[value.name] = (dimensions[2], dimensions[3])
    return sizes


def _leading_to(found: Found, tensor: str) -> tuple[list[Any], dict[str, Any]]:
    """The nodes that make a tensor of stored ones, in order, and these.

    Raises:
        ValueError: there is an input, or a random number, among what it is made of.
    """
    nodes: dict[int, Any] = {}
    stored: dict[str, NDArray[Any]] = {}
    order: list[Any] = []
    waiting = [(tensor, False)]
    while waiting:
        name, made = waiting.pop()
        home = found.scope.where(name)
        cause = None
        if home is None:
            cause = f'"{name}", which is not defined'
        elif name in home.stored:
            stored[name] = _array(home.stored[name], home.folder)
            continue
        elif name not in home.producers:
            cause = f'"{name}", an input of the graph'
        elif home.producers[name].op_type in RANDOM:
            cause = f'"{name}", which is random'
        if cause or home is None:
            depends = f"it depends on {cause}" if name != tensor else f"it is {cause}"
            raise ValueError(
                f'the input "{tensor}" of node "{found.label}" is not stored in the model: '
                f"{depends}; weights must follow from initializers and constants alone."
            )
        node = home.producers[name]
        if made:
            order.append(node)
        elif id(node) not in nodes:
            nodes[id(node)] = node
            waiting.append((name, True))
            waiting.extend((each, False) for each in _needs(node))
    return order, stored


def _needs(node: Any) -> list[str]:
    """The names that a node takes from the graph, those that its bodies take included."""
    names = [name for name in node.input if name]
    for _, body in _bodies(node):
        own = {each.name for each in (*body.input, *body.initializer)}
        own |= {each.values.name for each in body.sparse_initializer}
        own |= {output for each in body.node for output in each.output}
        wanted = [name for each in body.node for name in _needs(each)]
        wanted += [each.name for each in body.output]
        names += [name for name in wanted if name not in own]
    return list(dict.fromkeys(names))


def _array(value: Any, folder: str | None) -> NDArray[Any]:
    """The array of a stored tensor.

    Raises:
        FileNotFoundError: it lies in a file that is missing.
        ValueError: it can't be read.
    """
    kind = type(value).__name__
    if kind == "SparseTensorProto":
        return _dense(value, folder)
    if kind != "TensorProto":
        return np.asarray(value)
    from onnx import numpy_helper

    place = {each.key: each.value for each in value.external_data}.get("location")
    if value.data_location == value.EXTERNAL and place is not None:
        if folder is None:
            raise ValueError(
                f'tensor "{value.name}" lies in the external file "{place}", which was not loaded '
                "with the model; give the model's path, or load it with onnx.load."
            )
        path = os.path.join(folder, place)
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'tensor "{value.name}" of the model lies in the external file "{path}", which is '
                "missing; it belongs beside the model."
            )
    try:
        return np.asarray(numpy_helper.to_array(value, folder or ""))
    except Exception as error:  # Of several kinds, protobuf's and onnx' own among them.
        where = f', which lies in the external file "{place}",' if place else ""
        raise ValueError(f'tensor "{value.name}"{where} can\'t be read: {error}') from error


def _dense(value: Any, folder: str | None) -> NDArray[Any]:
    values, indices = _array(value.values, folder), _array(value.indices, folder)
    dense = np.zeros(list(value.dims), values.dtype)
    if indices.ndim == 1:
        dense.reshape(-1)[indices] = values
    else:
        dense[tuple(indices.T)] = values
    return dense
