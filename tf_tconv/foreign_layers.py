"""Layers made from the transposed convolutions of other frameworks, weights included."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tf_tconv.dialects import keras as keras_dialect
from tf_tconv.dialects import onnx as onnx_dialect
from tf_tconv.dialects import torch as torch_dialect
from tf_tconv.dialects.operation import TransposedConvolution
from tf_tconv.geometry import brief, check_name
from tf_tconv.layers import Conv2DTranspose


def from_torch(
    module: Any,
    *,
    data_format: str = "channels_last",
    lowering: str = "auto",
    name: str | None = None,
) -> Conv2DTranspose:
    """A `torch.nn.ConvTranspose2d` as a layer of ours, built and with its weights.

    What torch computes of images `[batch, channels, height, width]`, the layer computes of the same
    images in its own layout. Cells that torch cuts off unevenly are the layer's explicit padding.

    Args:
        module: the module, on any device.
        data_format: "channels_last" or "channels_first", the layer's layout.
        lowering: the layer's: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        name: the layer's; `None` lets Keras choose.

    Returns:
        The layer, of the dtype of the weights.

    Raises:
        TypeError: `module` is another object.
        ValueError: another argument is out of range.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> module = torch.nn.ConvTranspose2d(4, 6, 3, stride=2)  # doctest: +SKIP
        >>> layer = from_torch(module)  # doctest: +SKIP
        >>> tuple(layer.kernel.shape)  # doctest: +SKIP
        (3, 3, 6, 4)
    """
    operation = torch_dialect.from_module(module)
    kernel, dtype = _torch_array(module.weight)
    bias = None if module.bias is None else _torch_array(module.bias)[0]
    return _built_layer(
        operation,
        torch_dialect.from_weights(kernel, groups=operation.groups),
        bias,
        data_format=data_format,
        lowering=lowering,
        name=name,
        dtype=dtype,
    )


def from_onnx(
    source: Any,
    *,
    node: str | None = None,
    initializers: Mapping[str, Any] | None = None,
    input_size: Any = None,
    data_format: str = "channels_last",
    lowering: str = "auto",
    name: str | None = None,
) -> Conv2DTranspose:
    """A `ConvTranspose` node of ONNX as a layer of ours, built and with its weights.

    Args:
        source: a file's path, an `onnx.ModelProto`, or an `onnx.NodeProto` with `initializers`.
        node: the name of the node, or of its output; needed where there are several.
        initializers: arrays by name, for a node that comes without its model.
        input_size: (height, width) of the node's input, for a node with `output_shape` in a model
            that does not say it.
        data_format: "channels_last" or "channels_first", the layer's layout.
        lowering: the layer's: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        name: the layer's; `None` lets Keras choose.

    Returns:
        The layer, of the dtype of the weights.

    Raises:
        TypeError: `source` is another object.
        ValueError: not one such node, or one whose weights are not stored in the model.
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
    nodes = dict(_onnx_nodes(source, initializers))
    if node is None and len(nodes) == 1:
        (found,) = nodes.values()
    elif not nodes:
        raise ValueError(f"source={_shown(source)} holds no ConvTranspose node.")
    elif node is None:
        raise ValueError(
            f"source={_shown(source)} holds {len(nodes)} ConvTranspose nodes; node must name one "
            f"of them: {', '.join(nodes)}. from_onnx_all takes them all."
        )
    else:
        found = nodes[check_name("node", node, nodes)]
    return _onnx_layer(found, input_size, data_format=data_format, lowering=lowering, name=name)


def from_onnx_all(
    source: Any, *, data_format: str = "channels_last", lowering: str = "auto"
) -> dict[str, Conv2DTranspose]:
    """Every `ConvTranspose` node of an ONNX model as a layer of ours.

    Args:
        source: a file's path or an `onnx.ModelProto`.
        data_format: "channels_last" or "channels_first", the layers' layout.
        lowering: the layers': "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".

    Returns:
        The layers by the nodes' names, or by their outputs' where they have none.

    Raises:
        TypeError: `source` is another object.
        ValueError: a node whose weights are not stored in the model.
        ImportError: the package onnx is missing.

    Example:
        >>> layers = from_onnx_all("decoder.onnx")  # doctest: +SKIP
    """
    return {
        key: _onnx_layer(found, None, data_format=data_format, lowering=lowering, name=None)
        for key, found in _onnx_nodes(source, None)
    }


_Found = tuple[Any, Mapping[str, Any], Any]
"""A node, the arrays that its model stores, and the size of its images where the model says it."""


def _onnx_layer(found: _Found, input_size: Any, **layer: Any) -> Conv2DTranspose:
    node, stored, size = found
    label = node.name or node.output[0]
    arrays = []
    for tensor in node.input[1:]:
        if tensor and tensor not in stored:
            raise ValueError(
                f'the input "{tensor}" of node "{label}" is not stored in the model; weights must '
                "be initializers or constants."
            )
        arrays.append(np.asarray(stored[tensor]) if tensor else None)
    kernel, bias = [*arrays, None, None][:2]
    if kernel is None:
        raise ValueError(f'node "{label}" has no weights; it must have the inputs X and W.')
    operation = onnx_dialect.from_node(
        node, weights_shape=kernel.shape, input_size=input_size if input_size else size
    )
    kernel = onnx_dialect.from_weights(kernel, groups=operation.groups)
    return _built_layer(operation, kernel, bias, dtype=kernel.dtype.name, **layer)


def _built_layer(
    operation: TransposedConvolution,
    kernel: Any,
    bias: Any,
    *,
    data_format: str,
    lowering: str,
    name: str | None,
    dtype: str,
) -> Conv2DTranspose:
    """The layer that performs an operation.

    Args:
        operation: what it is to do.
        kernel: `[height, width, out/groups, in]`.
        bias: `[out]`, or `None`.
        data_format: its layout.
        lowering: its lowering.
        name: its name.
        dtype: its dtype.
    """
    translation = keras_dialect.to_arguments(
        operation, layer="tf_tconv", data_format=data_format, strict=True
    )
    layer = Conv2DTranspose(**translation.arguments, lowering=lowering, name=name, dtype=dtype)
    channels = operation.in_channels
    last = layer.data_format == "channels_last"
    layer.build((None, None, None, channels) if last else (None, channels, None, None))
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return layer


def _torch_array(tensor: Any) -> tuple[Any, str]:
    """A tensor of torch as an array, and the name of its dtype."""
    name = str(tensor.dtype).removeprefix("torch.")
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16 of its own; float32 holds all its values.
    return (tensor.float() if name == "bfloat16" else tensor).numpy(), name


def _onnx_nodes(
    source: Any, initializers: Mapping[str, Any] | None
) -> Iterator[tuple[str, _Found]]:
    """The ConvTranspose nodes by name."""
    if type(source).__name__ == "NodeProto":
        yield source.name or source.output[0], (source, dict(initializers or {}), None)
        return
    model = _onnx_model(source)
    from onnx import numpy_helper

    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    stored[node.output[0]] = numpy_helper.to_array(attribute.t)
    stored.update(initializers or {})
    sizes = _onnx_sizes(model)
    for node in model.graph.node:
        if node.op_type == "ConvTranspose":
            yield node.name or node.output[0], (node, stored, sizes.get(node.input[0]))


def _onnx_model(source: Any) -> Any:
    if type(source).__name__ == "ModelProto":
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"source={brief(source)} is a {type(source).__name__}; it must be a path, an "
            "onnx.ModelProto or an onnx.NodeProto."
        )
    try:
        import onnx
    except ImportError:
        raise ImportError("reading an ONNX file needs the package onnx: pip install onnx") from None
    try:
        return onnx.load(os.fspath(source))
    except OSError:
        raise
    except Exception as error:  # Protobuf's own error class differs between its versions.
        raise ValueError(
            f"source={_shown(source)} is no ONNX model: {brief(str(error), 200)}"
        ) from None


def _onnx_sizes(model: Any) -> dict[str, tuple[int, int]]:
    """(height, width) of every image whose size the model says, or that follows from it."""
    if any(each.name == "output_shape" for node in model.graph.node for each in node.attribute):
        from onnx import shape_inference

        model = shape_inference.infer_shapes(model)
    graph = model.graph
    sizes = {}
    for value in (*graph.input, *graph.value_info):
        dimensions = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        if len(dimensions) == 4 and min(dimensions[2:]) > 0:
            sizes[value.name] = (dimensions[2], dimensions[3])
    return sizes


def _shown(source: Any) -> str:
    return repr(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else "ModelProto"
