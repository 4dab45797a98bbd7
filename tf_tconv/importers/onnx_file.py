"""The `ConvTranspose` nodes of an ONNX model as layers of ours."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from tf_tconv.dialects import onnx as dialect
from tf_tconv.geometry import brief, check_name
from tf_tconv.importers.built_layer import DTYPES, built_layer
from tf_tconv.importers.comparison import difference
from tf_tconv.importers.onnx_graph import Found, alone, find
from tf_tconv.importers.onnx_runs import NodeRun
from tf_tconv.layers import Conv2DTranspose


def from_onnx(
    source: Any,
    *,
    node: str | None = None,
    initializers: Mapping[str, Any] | None = None,
    input_size: Any = None,
    data_format: str = "channels_last",
    lowering: str = "auto",
    name: str | None = None,
    verify: bool = True,
) -> Conv2DTranspose:
    """A `ConvTranspose` node of ONNX as a layer of ours, built and with its weights.

    The node may lie in the body of an If, Loop or Scan, or in a function of the model. Its weights
    may be stored, or follow from what is stored by any operators, as those of quantized files do.

    Args:
        source: a file's path, an `onnx.ModelProto`, or an `onnx.NodeProto` with `initializers`.
        node: the name of the node, or of its output; needed where there are several.
        initializers: arrays by name, for a node that comes without its model, or in place of what
            the model stores.
        input_size: (height, width) of the node's input, for a node with `output_shape` in a model
            that does not say it.
        data_format: "channels_last" or "channels_first", the layer's layout.
        lowering: the layer's: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        name: the layer's; `None` lets Keras choose.
        verify: whether to run node and layer on the same images, of two sizes, and to raise where
            they differ by more than rounding explains. The node runs in ONNX Runtime, or in the
            reference evaluator of the package onnx where that is not installed or refuses it; if
            neither takes the node, a warning says so.

    Returns:
        The layer, of the dtype of the weights.

    Raises:
        TypeError: `source` is another object.
        ValueError: not one such node, one whose weights do not follow from what the model stores,
            or one that a runtime computes otherwise than the operator's specification says.
        OSError: the file, or one with external data that the node needs, is missing.
        ImportError: the package onnx is missing.

    Example:
        >>> import onnx, numpy as np  # doctest: +SKIP
        >>> node = onnx.helper.make_node(
        ...     "ConvTranspose", ["X", "W"], ["Y"], strides=[2, 2]
        ... )  # doctest: +SKIP
        >>> layer = from_onnx(
        ...     node, initializers={"W": np.ones([4, 6, 3, 3], "float32")}
        ... )  # doctest: +SKIP
        >>> tuple(layer.kernel.shape)  # doctest: +SKIP
        (3, 3, 6, 4)
    """
    nodes = _nodes(source, initializers)
    if not nodes:
        raise ValueError(f"source={_shown(source)} holds no ConvTranspose node.")
    if node is not None:
        found = _named(nodes, node)
    elif len(nodes) == 1:
        (found,) = nodes.values()
    else:
        raise ValueError(
            f"source={_shown(source)} holds {len(nodes)} ConvTranspose nodes; node must name one "
            f"of them: {', '.join(nodes)}. tf_tconv.from_onnx_all takes them all."
        )
    return _layer(
        found, input_size, verify=verify, data_format=data_format, lowering=lowering, name=name
    )


def from_onnx_all(
    source: Any,
    *,
    initializers: Mapping[str, Any] | None = None,
    data_format: str = "channels_last",
    lowering: str = "auto",
    verify: bool = True,
) -> dict[str, Conv2DTranspose]:
    """Every `ConvTranspose` node of an ONNX model as a layer of ours.

    Nodes in the bodies of If, Loop and Scan, and in functions of the model, are among them. Those
    that can't be read are left out, and a warning says which, and why.

    Args:
        source: a file's path, an `onnx.ModelProto`, or an `onnx.NodeProto` with `initializers`.
        initializers: arrays by name, in place of what the model stores.
        data_format: "channels_last" or "channels_first", the layers' layout.
        lowering: the layers': "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        verify: whether to compare each node and its layer, as `from_onnx` does.

    Returns:
        The layers by the nodes' names, in the order of the file; by their outputs' where they have
        no name, or share it; and where the outputs' is shared, too, as by the branches of an If, by
        the path that leads to it.

    Raises:
        TypeError: `source` is another object.
        ValueError: there are such nodes, and none can be read; or another argument is out of range.
        OSError: the file is missing.
        ImportError: the package onnx is missing.

    Example:
        >>> layers = from_onnx_all("decoder.onnx")  # doctest: +SKIP
    """
    data_format = check_name("data_format", data_format, ("channels_last", "channels_first"))
    layers, left = {}, []
    nodes = _nodes(source, initializers)
    for key, found in nodes.items():
        try:
            layers[key] = _layer(
                found, None, verify=verify, data_format=data_format, lowering=lowering, name=None
            )
        except (ValueError, TypeError, OSError) as error:
            left.append(f"{key}: {error}")
    if left:
        message = (
            f"source={_shown(source)} holds {len(nodes)} ConvTranspose nodes, of which "
            f"{len(left)} can't be read:\n  " + "\n  ".join(left)
        )
        if not layers:
            raise ValueError(message)
        warnings.warn(message, stacklevel=2)
    return layers


def _named(nodes: Mapping[str, Found], name: str) -> Found:
    """The node of a key, or else the only one of a name or of an output."""
    if name in nodes:
        return nodes[name]
    keys = [key for key, each in nodes.items() if name in (each.node.name, *each.node.output)]
    if len(keys) > 1:
        raise ValueError(
            f'node="{name}" is the name of {len(keys)} nodes; it must be one of {", ".join(keys)}.'
        )
    return nodes[keys[0] if keys else check_name("node", name, nodes)]


def _layer(found: Found, input_size: Any, *, verify: bool, **layer: Any) -> Conv2DTranspose:
    node = found.node
    arrays = [found.array(tensor) if tensor else None for tensor in node.input[1:3]]
    weights, bias = [*arrays, None, None][:2]
    if weights is None:
        raise ValueError(f'node "{found.label}" has no weights; it must have the inputs X and W.')
    size = found.scope.size(node.input[0]) if input_size is None else input_size
    operation = dialect.from_node(node, weights_shape=weights.shape, input_size=size)
    if weights.dtype.name not in DTYPES:
        raise ValueError(
            f'node "{found.label}" has weights of dtype {weights.dtype.name}; they must be '
            f"{', '.join(DTYPES)}."
        )
    built = built_layer(
        operation,
        dialect.from_weights(weights, groups=operation.groups),
        bias,
        dtype=weights.dtype.name,
        **layer,
    )
    if verify:
        _compare(found, built, NodeRun(node, operation, weights, bias, operation.input_size))
    return built


def _compare(found: Found, layer: Conv2DTranspose, run: NodeRun) -> None:
    try:
        differs = difference(layer, run.operation, run, spacing=run.spacing)
    except ValueError as error:
        warnings.warn(
            f'node "{found.label}" and its layer were not compared: {error}', stacklevel=4
        )
        return
    if differs:
        padding = ""
        if any(each.name == "auto_pad" for each in found.node.attribute):
            padding = " Runtimes differ in auto_pad where the kernel is smaller than the stride."
        raise ValueError(
            f'node "{found.label}", as {run.runner} computes it, and the layer made of it by the '
            f"specification of ConvTranspose differ: {differs}.{padding} verify=False takes the "
            "specification's."
        )


def _nodes(source: Any, initializers: Mapping[str, Any] | None) -> dict[str, Found]:
    """The ConvTranspose nodes by name."""
    given = initializers or {}
    if type(source).__name__ == "NodeProto":
        return {source.name or source.output[0]: alone(source, given)}
    model, folder = _model(source)
    return find(model, folder, given)


def _model(source: Any) -> tuple[Any, str | None]:
    """A model, and the folder where its external data lie."""
    if type(source).__name__ == "ModelProto":
        return source, None
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"source={brief(source)} is of type {type(source).__name__}; it must be a path, an "
            "onnx.ModelProto or an onnx.NodeProto."
        )
    try:
        import onnx
    except ImportError:
        raise ImportError("reading an ONNX file needs the package onnx: pip install onnx") from None
    path = os.fspath(source)
    try:
        # External data are read where a node needs them.
        model = onnx.load(path, load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # Protobuf's own error class differs between its versions.
        raise ValueError(
            f"source={_shown(source)} is not an ONNX model: {brief(str(error), 200)}"
        ) from None
    if not model.graph.node:
        raise ValueError(f"source={_shown(source)} is not an ONNX model: it holds no graph.")
    return model, os.path.dirname(os.path.abspath(path))


def _shown(source: Any) -> str:
    return repr(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else "ModelProto"
