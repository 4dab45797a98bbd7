"""Other frameworks, called with the very text that a dialect writes, on NumPy arrays in NHWC."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests import oracle
from tf_tconv.dialects import (
    Translation,
    TransposedConvolution,
    jax,
    keras,
    onnx,
    tf_nn,
    torch,
)


def run_torch(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
    library = importlib.import_module("torch")
    translation = torch.to_arguments(operation)
    layer = eval(translation.call, {"torch": library})
    with library.no_grad():
        layer.weight.copy_(library.tensor(torch.to_weights(w, groups=operation.groups).copy()))
        if layer.bias is not None:
            layer.bias.copy_(library.tensor(b))
        y = layer(library.tensor(x.transpose(0, 3, 1, 2).copy()))
        y = after(translation, y=y, bias=library.tensor(b), torch=library)
    return y.numpy().transpose(0, 2, 3, 1)


def run_onnx(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
    library, _ = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
    translation = onnx.to_arguments(operation)
    assert translation.exact, translation.text
    node = eval(translation.call, {"onnx": library})
    weights = onnx.to_weights(w, groups=operation.groups)
    (y,) = infer([node], {"X": x.transpose(0, 3, 1, 2), "W": weights, "B": b})
    return y.transpose(0, 2, 3, 1)


def infer(nodes: list[Any], inputs: dict[str, Any]) -> list[Any]:
    """What ONNX Runtime makes of a chain of nodes, whose inputs are all given."""
    library, runtime = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
    helper = library.helper
    values = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in inputs.items()
    ]
    result = helper.make_tensor_value_info(nodes[-1].output[0], library.TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph(nodes, "graph", values, [result]),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {name: np.ascontiguousarray(a) for name, a in inputs.items()})


def run_jax(function: str, transpose_kernel: bool) -> Callable[..., Any]:
    def run(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
        library = importlib.import_module("jax")
        translation = jax.to_arguments(
            operation, function=function, transpose_kernel=transpose_kernel
        )
        weights = jax.to_weights(w, groups=operation.groups, transpose_kernel=transpose_kernel)
        return np.asarray(eval(translation.call, {"jax": library, "x": x, "w": weights})) + b

    return run


def run_keras(name: str) -> Callable[..., Any]:
    def run(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
        library = importlib.import_module("keras")
        ours = importlib.import_module("tf_tconv")
        translation = keras.to_arguments(operation, layer=name)
        layer = eval(translation.call, {"keras": library, "tf_tconv": ours})
        layer.build(x.shape)
        weights = [keras.to_weights(w, groups=operation.groups), b]
        layer.set_weights(weights if layer.use_bias else weights[:1])
        return np.asarray(after(translation, y=layer(x), bias=b, keras=library))

    return run


def run_tf_nn(name: str) -> Callable[..., Any]:
    def run(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
        library = importlib.import_module("tensorflow")
        translation = tf_nn.to_arguments(operation)
        call = translation.call
        if name == "tf_tconv":
            call = call.replace("tf.nn.", "tf_tconv.")
        ours = importlib.import_module("tf_tconv")
        y = eval(call, {"tf": library, "tf_tconv": ours, "x": x, "w": tf_nn.to_weights(w)})
        return np.asarray(after(translation, y=y, tf=library)) + b

    return run


def after(translation: Translation, **names: Any) -> Any:
    """The result y, after the lines that follow the call."""
    for line in translation.after:
        exec(line, names)
    return names["y"]


def expected(operation: TransposedConvolution, x: Any, w: Any, b: Any) -> Any:
    """The scatter definition's result."""
    return b + oracle.conv2d_transpose(
        x,
        w,
        (
            operation.axes[0].surplus + (x.shape[1] - 1) * operation.strides[0],
            operation.axes[1].surplus + (x.shape[2] - 1) * operation.strides[1],
        ),
        operation.strides,
        operation.crops,
        operation.dilations,
        operation.groups,
    )
