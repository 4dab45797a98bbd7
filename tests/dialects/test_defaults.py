"""What a dialect writes and reads with nothing but its defaults belongs together."""

import dataclasses
import importlib
import inspect

import numpy as np
import pytest
from integers import ramp
from peers import after, expected, infer

from compat_tests.checking import need_installed
from tf_tconv import dialects
from tf_tconv.dialects import TransposedConvolution

OPERATIONS = [
    TransposedConvolution(
        kernel_size=(3, 5),
        strides=(2, 3),
        crops=crops,
        groups=groups,
        in_channels=4,
        out_channels=6,
        use_bias=False,
        input_size=(4, 3),
    )
    for crops in (((0, 1), (1, 1)), ((1, 0), (2, 1)))
    for groups in (1, 2)
]


def run_keras(translation, x, w):
    keras, ours = importlib.import_module("keras"), importlib.import_module("tf_tconv")
    layer = eval(translation.call, {"keras": keras, "tf_tconv": ours})
    layer.build(x.shape)
    layer.set_weights([w])
    return np.asarray(after(translation, y=layer(x), keras=keras))


def run_torch(translation, x, w):
    torch = importlib.import_module("torch")
    layer = eval(translation.call, {"torch": torch})
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(w.copy()))
        y = layer(torch.tensor(x.transpose(0, 3, 1, 2).copy()))
        return after(translation, y=y, torch=torch).numpy().transpose(0, 2, 3, 1)


def run_onnx(translation, x, w):
    onnx = importlib.import_module("onnx")
    node = eval(translation.call, {"onnx": onnx})
    (y,) = infer([node], {"X": x.transpose(0, 3, 1, 2), "W": w})
    return y.transpose(0, 2, 3, 1)


def run_jax(translation, x, w):
    jax = importlib.import_module("jax")
    y = eval(translation.call, {"jax": jax, "x": x, "w": w})
    return np.asarray(after(translation, y=y))


def run_tf_nn(translation, x, w):
    tf, ours = importlib.import_module("tensorflow"), importlib.import_module("tf_tconv")
    y = eval(translation.call, {"tf": tf, "tf_tconv": ours, "x": x, "w": w})
    return np.asarray(after(translation, y=y, tf=tf))


RUNS = {
    "keras": (run_keras, ()),
    "torch": (run_torch, ("torch",)),
    "onnx": (run_onnx, ("onnx", "onnxruntime")),
    "jax": (run_jax, ("jax",)),
    "tf_nn": (run_tf_nn, ()),
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
@pytest.mark.parametrize("name", RUNS)
def test_call_and_weights_of_all_defaults_are_the_definition(name, operation):
    run, packages = RUNS[name]
    need_installed(*packages)
    dialect = getattr(dialects, name)
    try:
        translation = dialect.to_arguments(operation)
    except ValueError:
        assert (name, operation.groups) == ("keras", 2)  # Keras' layer has no groups.
        return
    if name == "tf_nn" and operation.groups > 1:
        # TensorFlow refuses groups on some processors; our function takes the same call.
        call = translation.call.replace("tf.nn.", "tf_tconv.")
        translation = dataclasses.replace(translation, call=call)
    x, w = ramp(2, 4, 3, 4), ramp(3, 5, 6 // operation.groups, 4, seed=1)
    weights = dialect.to_weights(w.astype(np.float32), groups=operation.groups)
    y = run(translation, x.astype(np.float32), weights)
    np.testing.assert_array_equal(y, expected(operation, x, w, 0))
    np.testing.assert_array_equal(dialect.from_weights(weights, groups=operation.groups), w)


@pytest.mark.parametrize("name", RUNS)
def test_an_argument_has_one_default_in_a_dialect(name):
    """Those of the same name, in what reads and in what writes, in calls and in weights."""
    found = {}
    for function, value in vars(getattr(dialects, name)).items():
        if inspect.isfunction(value) and function.startswith(("from_", "to_")):
            for parameter in inspect.signature(value).parameters.values():
                if parameter.default is not parameter.empty:
                    found.setdefault(parameter.name, set()).add(parameter.default)
    layouts = {"data_format"}  # What reads has the framework's, what writes the operation's.
    assert {key: values for key, values in found.items() if len(values) > 1}.keys() <= layouts


@pytest.mark.peers("jax")
@pytest.mark.parametrize("groups", [1, 2])
def test_weights_of_jax_with_its_own_defaults(groups):
    """A call that leaves `dimension_numbers` to JAX: NHWC and HWIO, or NCHW and OIHW."""
    jax = importlib.import_module("jax")
    x = ramp(1, 4, 5, 3).astype(np.float32)
    padding = ((2, 1), (0, 3))
    weights = ramp(6, 4 // groups, 3, 2).astype(np.float32)
    y = jax.lax.conv_general_dilated(
        x, weights, (1, 1), padding, (2, 3), feature_group_count=groups
    )
    operation = dialects.jax.from_general_arguments(
        kernel_size=(3, 2), padding=padding, lhs_dilation=(2, 3), feature_group_count=groups
    )
    kernel = dialects.jax.from_general_weights(weights, groups=groups)
    want = expected(operation, x.transpose(0, 2, 3, 1), kernel, 0)
    np.testing.assert_array_equal(np.asarray(y).transpose(0, 2, 3, 1), want)
    if groups == 1:
        weights = weights.transpose(2, 3, 1, 0)
        y = jax.lax.conv_transpose(x.transpose(0, 2, 3, 1), weights, (2, 3), padding)
        operation = dialects.jax.from_arguments(kernel_size=(3, 2), strides=(2, 3), padding=padding)
        kernel = dialects.jax.from_weights(weights)
        np.testing.assert_array_equal(y, expected(operation, x.transpose(0, 2, 3, 1), kernel, 0))


@pytest.mark.peers("jax")
@pytest.mark.parametrize("order", ["HWIO", "OIHW", "HWOI", "IOHW"])
@pytest.mark.parametrize("transpose_kernel", [False, True])
def test_the_axes_of_a_kernel_of_jax_in_any_order(order, transpose_kernel):
    jax = importlib.import_module("jax")
    x, sizes = ramp(1, 4, 5, 3).astype(np.float32), {"H": 3, "W": 2, "I": 3, "O": 5}
    if transpose_kernel:
        sizes |= {"I": 5, "O": 3}
    weights = ramp(*(sizes[axis] for axis in order)).astype(np.float32)
    arguments = {
        "strides": (2, 3),
        "padding": "SAME",
        "dimension_numbers": ("NHWC", order, "NHWC"),
        "transpose_kernel": transpose_kernel,
    }
    y = jax.lax.conv_transpose(x, weights, **arguments)
    operation = dialects.jax.from_arguments(kernel_size=(3, 2), **arguments)
    kernel = dialects.jax.from_weights(
        weights, transpose_kernel=transpose_kernel, dimension_numbers=("NHWC", order, "NHWC")
    )
    np.testing.assert_array_equal(y, expected(operation, x, kernel, 0))


def test_what_does_not_go_together_is_refused():
    operation = TransposedConvolution(kernel_size=3)
    for arguments in (
        {"function": "conv_general_dilated", "transpose_kernel": True},
        {"transpose_kernel": True},
    ):
        grouped = TransposedConvolution(kernel_size=3, groups=2)
        with pytest.raises(ValueError, match="transpose_kernel=True is not an argument of jax"):
            dialects.jax.to_arguments(grouped, **arguments)
    with pytest.raises(ValueError, match=r"dimension_numbers\[1\]=.* must be the letters H, W, I"):
        dialects.jax.from_weights(
            np.zeros((3, 3, 2, 2)), dimension_numbers=("NHWC", "HWOO", "NHWC")
        )
    assert dialects.jax.to_arguments(operation, transpose_kernel=True).exact


EMPTY = {
    "keras": {"padding": "same"},
    "torch": {"padding": 1, "output_padding": 1},
    "onnx": {"pads": [0, 0, 1, 1]},
    "jax": {"padding": ((2, 2), (2, 1))},
    "tf_nn": {"padding": "SAME"},
}
NAMES = {"torch": ("kernel_size", "stride"), "onnx": ("kernel_shape", "strides")}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("size", [(0, 3), (3, 0), (0, 0), 0])
def test_an_axis_may_have_no_cells(name, size):
    kernel, stride = NAMES.get(name, ("kernel_size", "strides"))
    read = getattr(dialects, name).from_arguments
    operation = read(**{kernel: 3, stride: 2, "input_size": size}, **EMPTY[name])
    assert operation.input_size == (size if isinstance(size, tuple) else (size, size))
    for argument in (-1, (3, -1)):
        with pytest.raises(ValueError, match=r"input_size.*=-1 .* at least 0"):
            read(**{kernel: 3, stride: 2, "input_size": argument}, **EMPTY[name])


@pytest.mark.parametrize("name", ["keras", "onnx", "jax", "tf_nn"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(0, 3), (3, 0)])
def test_frameworks_answer_an_axis_without_cells(name, size, stride):
    """All but torch, which refuses to run one."""
    run, packages = RUNS[name]
    need_installed(*packages)
    operation = TransposedConvolution(
        kernel_size=4,
        strides=stride,
        in_channels=2,
        out_channels=3,
        use_bias=False,
        input_size=size,
    )
    dialect = getattr(dialects, name)
    translation = dialect.to_arguments(operation)
    assert translation.exact or (name == "jax" and stride > 1)
    x, w = ramp(1, *size, 2), ramp(4, 4, 3, 2, seed=1)
    y = run(translation, x.astype(np.float32), dialect.to_weights(w.astype(np.float32)))
    assert y.shape == (1, *operation.output_size, 3)
    np.testing.assert_array_equal(y, 0)


@pytest.mark.peers("jax")
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((2, 3), (1, 4))])
def test_jax_reads_an_axis_without_cells_as_it_runs_one(padding):
    jax = importlib.import_module("jax")
    arguments = {"strides": (3, 2), "padding": padding}
    operation = dialects.jax.from_arguments(kernel_size=(4, 3), **arguments, input_size=(0, 5))
    x, w = np.zeros((1, 0, 5, 2), np.float32), ramp(4, 3, 2, 3).astype(np.float32)
    y = jax.lax.conv_transpose(x, w, **arguments)
    assert y.shape == (1, *operation.output_size, 3)
