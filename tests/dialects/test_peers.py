"""Frameworks that run what the dialects write, against the scatter definition, to the last bit."""

import dataclasses
import importlib
from ast import literal_eval

import numpy as np
import pytest
from argument_sets import keras_arguments, operations
from integers import ramp
from keras.layers import Conv2DTranspose
from peers import (
    expected,
    infer,
    run_jax,
    run_keras,
    run_onnx,
    run_tf_nn,
    run_torch,
)

from tf_tconv.dialects import TransposedConvolution, jax, keras, onnx, torch
from tf_tconv.geometry import lowest_surplus

# Of the grids, those that run in a few seconds: JAX compiles every shape anew.
OF_KERAS = [keras.from_arguments(**each, input_size=(4, 3)) for each in keras_arguments(20)]
ANY = operations()[::13]

pytestmark = pytest.mark.peers("torch", "onnx", "onnxruntime", "jax")

RUNS = {
    "torch": run_torch,
    "onnx": run_onnx,
    "jax": run_jax("conv_transpose", transpose_kernel=True),
    "jax_flipped": run_jax("conv_transpose", transpose_kernel=False),
    "jax_general": run_jax("conv_general_dilated", transpose_kernel=False),
    "keras": run_keras("keras"),
    "tf_tconv": run_keras("tf_tconv"),
    "tf_nn": run_tf_nn("tf"),
    "tf_nn_ours": run_tf_nn("tf_tconv"),
}


def takes_zero():
    """Whether this Keras takes `output_padding=0` at all; Keras 3.0 does not."""
    try:
        return bool(Conv2DTranspose(1, 3, strides=2, output_padding=0))
    except ValueError:
        return False


KERAS_TAKES_ZERO = takes_zero()


def assert_runs(name, operation):
    """The framework, told the operation in its own words, gives what the definition gives."""
    groups = operation.groups
    height, width = operation.input_size
    x = ramp(2, height, width, operation.in_channels, seed=1).astype(np.float32)
    w = ramp(*operation.kernel_size, operation.out_channels // groups, operation.in_channels)
    b = ramp(operation.out_channels, seed=2).astype(np.float32)
    y = RUNS[name](operation, x, w.astype(np.float32), b)
    np.testing.assert_array_equal(y, expected(operation, x, w, b), str(operation))


@pytest.mark.parametrize("name", RUNS)
def test_layers_of_keras(name):
    for operation in OF_KERAS[:: 3 if name.startswith("jax") else 1]:
        operation = dataclasses.replace(operation, data_format="NHWC", use_bias=True)
        if name == "keras" and not KERAS_TAKES_ZERO:
            kept = keras.to_arguments(operation).arguments["output_padding"]
            if kept is not None and 0 in kept:
                continue
        assert_runs(name, operation)


@pytest.fixture
def hasty_jax():
    """JAX compiles every shape anew, and takes three times as long to optimise it as without."""
    config = importlib.import_module("jax").config
    before = config.read("jax_disable_most_optimizations")
    config.update("jax_disable_most_optimizations", True)
    yield
    config.update("jax_disable_most_optimizations", before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "onnx", "jax"])
def test_every_layer_of_keras(name, request):
    """The whole grid of the round trips, each set of arguments run in the framework."""
    if name == "jax":
        request.getfixturevalue("hasty_jax")
    grid = keras_arguments()
    assert len(grid) >= 2000
    for arguments in grid:
        operation = keras.from_arguments(**arguments, input_size=(3, 2))
        assert_runs(name, dataclasses.replace(operation, data_format="NHWC", use_bias=True))


@pytest.mark.parametrize("name", ["torch", "onnx", "jax_general", "tf_tconv", "tf_nn_ours"])
def test_any_operation(name):
    tried = 0
    for operation in ANY[:: 3 if name.startswith("jax") else 1]:
        if name == "onnx" and not onnx.to_arguments(operation).exact:
            continue  # A second node follows: see test_onnx_nodes_after_the_node.
        assert_runs(name, operation)
        tried += 1
    assert tried >= 30


def test_onnx_nodes_after_the_node():
    library = importlib.import_module("onnx")
    operation = TransposedConvolution(
        kernel_size=3, strides=2, crops=((-1, 1), (2, -2)), in_channels=2, out_channels=3
    )
    translation = onnx.to_arguments(operation)
    assert translation.crop == ((-1, 0), (0, -1))
    nodes = [eval(line, {"onnx": library}) for line in translation.text.splitlines()]
    assert [node.op_type for node in nodes] == ["ConvTranspose", "Pad", "Add"]
    zeros = literal_eval(translation.after[0].partition("# zeros: the int64 tensor ")[2])
    x, w, b = ramp(1, 4, 3, 2), ramp(3, 3, 3, 2), ramp(3, seed=2)
    inputs = {"X": x.transpose(0, 3, 1, 2), "W": onnx.to_weights(w), "bias": b[:, None, None]}
    inputs = {name: array.astype(np.float32) for name, array in inputs.items()}
    (y,) = infer(nodes, {**inputs, "zeros": np.array(zeros)})
    np.testing.assert_array_equal(y.transpose(0, 2, 3, 1), expected(operation, x, w, b))


@pytest.mark.parametrize("output_padding", [0, 1])
@pytest.mark.parametrize("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
def test_onnx_runtime_reads_the_attributes_as_we_do(auto_pad, output_padding):
    """Where it answers at all: it wants every output size to be one that a stride explains."""
    library = importlib.import_module("onnx")
    runtime = importlib.import_module("onnxruntime")
    tried = 0
    for kernel, stride, dilation, extra in [
        (k, s, d, e) for k in (2, 3, 4) for s in (1, 2, 3) for d in (1, 2) for e in (None, 0, 1)
    ]:
        if output_padding >= stride:
            continue
        effective = (kernel - 1) * dilation + 1
        arguments = {
            "kernel_shape": [kernel, 2],
            "strides": [stride, 1],
            "dilations": [dilation, 1],
            "output_padding": [output_padding, 0],
        }
        if extra is not None:
            arguments["output_shape"] = [3 * stride + max(effective - 2, 1) + extra, 4]
        if auto_pad.startswith("SAME") and extra is None and effective + output_padding < stride:
            continue  # ONNX Runtime leaves the zeros out that the specification's size asks for.
        node = library.helper.make_node(
            "ConvTranspose", ["X", "W"], ["Y"], auto_pad=auto_pad, **arguments
        )
        x, w = ramp(1, 4, 4, 2), ramp(kernel, 2, 3, 2)
        inputs = {"X": x.transpose(0, 3, 1, 2), "W": onnx.to_weights(w)}
        try:
            (y,) = infer([node], {name: array.astype(np.float32) for name, array in inputs.items()})
        except runtime.capi.onnxruntime_pybind11_state.InvalidArgument:
            continue
        operation = onnx.from_node(node, weights_shape=inputs["W"].shape, input_size=(4, 4))
        assert not operation.use_bias
        np.testing.assert_array_equal(
            y.transpose(0, 2, 3, 1), expected(operation, x, w, 0), str(operation)
        )
        tried += 1
    assert tried >= 15


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 2), (0, 3)), ((-1, 2), (3, -2))])
def test_jax_reads_its_arguments_as_we_do(padding, consistent):
    lax = importlib.import_module("jax").lax
    for kernel, strides, dilation in [((3, 5), (2, 3), (1, 1)), ((2, 4), (3, 1), (2, 1))]:
        x = ramp(1, 4, 5, 2).astype(np.float32)
        w = ramp(*kernel, 3, 2).astype(np.float32)
        arguments = {
            "strides": strides,
            "padding": padding,
            "rhs_dilation": dilation,
            "transpose_kernel": True,
            "use_consistent_padding": consistent,
        }
        operation = jax.from_arguments(kernel_size=kernel, **arguments)
        y = np.asarray(lax.conv_transpose(x, w, **arguments))
        np.testing.assert_array_equal(y, expected(operation, x, w, 0), str(operation))


@pytest.mark.parametrize("output_size", [None, (8, 12), (7, 13)])
def test_torch_reads_its_arguments_as_we_do(output_size):
    library = importlib.import_module("torch")
    layer = library.nn.ConvTranspose2d(
        4, 6, (3, 5), stride=(2, 3), padding=(1, 2), dilation=(1, 2), groups=2, bias=False
    )
    x, w = ramp(2, 4, 3, 4), ramp(3, 5, 3, 4)
    with library.no_grad():
        layer.weight.copy_(library.tensor(torch.to_weights(w, groups=2).copy()))
        y = layer(library.tensor(x.transpose(0, 3, 1, 2)).float(), output_size)
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "output_padding")
    operation = torch.from_arguments(
        **{name: getattr(layer, name) for name in names},
        input_size=(4, 3),
        output_size=output_size,
    )
    if output_size is None:
        from_module = torch.from_module(layer, input_size=(4, 3))
        assert from_module == dataclasses.replace(
            operation, in_channels=4, out_channels=6, use_bias=False
        )
    np.testing.assert_array_equal(
        y.numpy().transpose(0, 2, 3, 1), expected(operation, x, w, 0), str(operation)
    )


def test_grids_reach_what_matters():
    for operations_ in (OF_KERAS, ANY):
        assert any(o.crops[0] != o.crops[1] for o in operations_)
        assert any(o.kernel_size[0] != o.kernel_size[1] for o in operations_)
        assert any(before < after for o in operations_ for before, after in o.crops)
    assert any(o.groups > 1 for o in ANY)
    assert any(
        axis.surplus > lowest_surplus(axis.effective_kernel, "VALID")
        for o in OF_KERAS
        for axis in o.axes
    )
