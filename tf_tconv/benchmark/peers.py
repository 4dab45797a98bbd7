"""The same transposed convolution in other frameworks, each in its fastest common form.

A framework that is not installed has no entry. Data is put in each one's memory layout before the
clock starts, as a whole model would have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tf_tconv.benchmark.layers import Layer
from tf_tconv.benchmark.modes import Data
from tf_tconv.geometry import AxisGeometry

Call = Callable[[], Any]


def peers(layer: Layer, data: Data) -> dict[str, tuple[Call, Callable[[Any], Any]]]:
    """Calls of the other frameworks, by name.

    Args:
        layer: what to compute.
        data: its tensors.

    Returns:
        For each, a call that returns when its result is there, and a function that makes the result
        an array `[batch, height, width, out]`.
    """
    found: dict[str, tuple[Call, Callable[[Any], Any]]] = {}
    x, w = np.asarray(data.x), np.asarray(data.w)
    for source in (_torch, _jax, _onnxruntime, _openvino):
        try:
            found.update(source(layer, x, w))
        except ImportError:
            continue
    return found


def _beyond(axis: AxisGeometry) -> int:
    """Cells of the output behind the last product; negative: cells that the products reach more."""
    return axis.surplus + axis.pad_before - axis.effective_kernel


def _channels_last(y: Any) -> Any:
    return np.moveaxis(np.asarray(y), 1, 3)


def _torch(layer: Layer, x: Any, w: Any) -> Iterator[tuple[str, tuple[Call, Any]]]:
    import torch

    axes = rows, columns = layer.axes
    # torch pads both ends alike: the front as asked, and what is too much behind is sliced away.
    padding = (rows.pad_before, columns.pad_before)
    more = [max(_beyond(axis) + axis.pad_before, 0) for axis in axes]
    height, width = rows.output_size, columns.output_size
    images = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, 3, 1)))
    filters = torch.from_numpy(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))
    forms = {"torch": torch.contiguous_format, "torch channels_last": torch.channels_last}
    for name, form in forms.items():
        image, kernel = (t.contiguous(memory_format=form) for t in (images, filters))

        def call(image: Any = image, kernel: Any = kernel) -> Any:
            with torch.inference_mode():
                y = torch.nn.functional.conv_transpose2d(
                    image, kernel, stride=layer.stride, padding=padding, output_padding=more
                )
            return y[:, :, :height, :width]

        yield name, (call, _channels_last)


def _jax(layer: Layer, x: Any, w: Any) -> Iterator[tuple[str, tuple[Call, Any]]]:
    import jax

    pads = [(axis.lead, axis.trail) for axis in layer.axes]

    @jax.jit
    def function(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x,
            w[::-1, ::-1],
            (1, 1),
            pads,
            lhs_dilation=(layer.stride, layer.stride),
            dimension_numbers=("NHWC", "HWOI", "NHWC"),
        )

    image, kernel = jax.device_put(x), jax.device_put(w)
    yield "JAX", (lambda: function(image, kernel).block_until_ready(), np.asarray)


def _onnx_model(layer: Layer, w: Any) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    axes = layer.axes
    beyond = [_beyond(axis) for axis in axes]
    node = helper.make_node(
        "ConvTranspose",
        ["x", "w"],
        ["y"],
        strides=[layer.stride] * 2,
        pads=[axis.pad_before for axis in axes] + [max(-cells, 0) for cells in beyond],
        output_padding=[max(cells, 0) for cells in beyond],
    )
    shape = [layer.batch, layer.in_channels, layer.height, layer.width]
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(w.transpose(3, 2, 0, 1)), "w")],
    )
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    return model


def _onnxruntime(layer: Layer, x: Any, w: Any) -> Iterator[tuple[str, tuple[Call, Any]]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Threads that wait by turning round would slow down who takes the next turn.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        _onnx_model(layer, w), options, providers=["CPUExecutionProvider"]
    )
    feed = {"x": np.ascontiguousarray(np.moveaxis(x, 3, 1))}
    yield "ONNX Runtime", (lambda: session.run(None, feed)[0], _channels_last)


def _openvino(layer: Layer, x: Any, w: Any) -> Iterator[tuple[str, tuple[Call, Any]]]:
    import openvino

    core = openvino.Core()
    # Its default on some processors is bfloat16, which the others don't compute in.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    model = core.compile_model(core.read_model(_onnx_model(layer, w)), "CPU", settings)
    request = model.create_infer_request()
    feed = np.ascontiguousarray(np.moveaxis(x, 3, 1))

    def call() -> Any:
        return request.infer([feed], share_inputs=True, share_outputs=True)[0]

    yield "OpenVINO", (call, _channels_last)
