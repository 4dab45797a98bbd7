"""Every lowering in the formats of deployment: the same numbers, and no transposed convolution."""

import functools
import importlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from exporting import KINDS, LiteRt, operations, run_onnx, serve, to_litert, to_onnx
from integers import ramp

import tf_tconv

SHAPE = (1, 5, 6, 16)
CALLS = {
    "same": {"kernel_size": (5, 4), "strides": (2, 3), "padding": "same"},
    "valid": {"kernel_size": 3, "strides": 2, "padding": "valid"},
    "dilated": {"kernel_size": 3, "strides": 2, "padding": "same", "dilation_rate": 2},
    "grouped": {"kernel_size": 4, "strides": 2, "padding": "same", "groups": 2},
    "odd_size": {"kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1},
}
NATIVE_TOO = ("same", "valid")
SCATTERING = ("overlap_add", "block_matmul")
"""Lowerings that add up products which LiteRT has rounded to 8 bits each."""

peers = pytest.mark.peers("ai_edge_litert", "onnxruntime", "tf2onnx")


def model_of(lowering, call="same", weights="integers", bias=True):
    """A model of one layer, and its input."""
    layer = tf_tconv.Conv2DTranspose(8, **CALLS[call], use_bias=bias, lowering=lowering, name="up")
    model = keras.Sequential([keras.Input(SHAPE[1:]), layer])
    random = np.random.default_rng(0)
    if weights == "integers":
        model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
        return model, ramp(*SHAPE, seed=3).astype(np.float32)
    # The bias as large as the sums: what rounds it once more than native does will show.
    kernel, *rest = model.get_weights()
    rest = [random.standard_normal(w.shape) for w in rest]
    model.set_weights([random.standard_normal(kernel.shape) / 8, *rest])
    return model, random.standard_normal(SHAPE).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_saved_model(lowering, call, tmp_path):
    model, x = model_of(lowering, call)
    model.export(str(tmp_path), verbose=False)
    np.testing.assert_array_equal(serve(tmp_path, x), model(x))
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert "Conv2DBackpropInput" not in operations(served)


@pytest.mark.slow
def test_native_keeps_the_fused_op(tmp_path):
    model, _ = model_of("native")
    model.export(str(tmp_path), verbose=False)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert "Conv2DBackpropInput" in operations(served)


STRANGER = """
import sys
sys.modules["tf_tconv"] = None  # As where it is not installed: importing it fails.
import numpy as np, tensorflow as tf
folder = sys.argv[1]
loaded = tf.saved_model.load(folder)
x = np.load(folder + "/x.npy")
y = loaded.serve(x)
np.testing.assert_array_equal(y, np.load(folder + "/y.npy"))
for cells in ((3, 4), (7, 2)):  # Sizes that it was not tried on.
    zeros = np.zeros((2, *cells, 16), "float32")
    assert loaded.serve(zeros).shape == (2, *(2 * n for n in cells), 8)
try:
    import tf_tconv
except ImportError:
    print("served")
"""


@pytest.mark.slow
def test_it_serves_where_tf_tconv_is_not_installed(tmp_path):
    layer = tf_tconv.Conv2DTranspose(8, 4, strides=2, padding="same")
    model = keras.Sequential([keras.Input((None, None, 16)), layer])
    model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.export(str(tmp_path), verbose=False)
    x = ramp(*SHAPE).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", model(x))
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "served"), done.stderr


@peers
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_litert_of_integers(lowering, call):
    """Converted as it is, no bit changes: sums of integers are exact in any order."""
    model, x = model_of(lowering, call)
    converted = LiteRt(to_litert(model))
    np.testing.assert_array_equal(converted(x), model(x))
    assert "TRANSPOSE_CONV" not in converted.operators


def error(kind, lowering, call="same", bias=True):
    """Of a converted model of random weights: operators, and the relative root mean square error.

    All are held against one model: the exact values of two differ in the last bits.
    """
    exact, _ = model_of("native", call, "random", bias)
    model, _ = model_of(lowering, call, "random", bias)
    random = np.random.default_rng(1)
    samples = [[random.standard_normal(SHAPE).astype(np.float32)] for _ in range(32)]
    converted = LiteRt(to_litert(model, kind, samples))
    right = np.stack([np.asarray(exact(x), np.float64) for (x,) in samples])
    found = np.stack([converted(x) for (x,) in samples])
    return converted.operators, float(np.sqrt(np.mean((found - right) ** 2) / np.mean(right**2)))


@functools.cache
def native_error(call, bias):
    """What 8 bits cost TensorFlow's own op."""
    return error("int8", "native", call, bias)[1]


@peers
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_litert_of_fewer_bits(lowering, kind):
    operators, ours = error(kind, lowering)
    assert "TRANSPOSE_CONV" not in operators
    # float32 rounds by 2**-24, 16 bits of weights by 2**-11, 8 bits by 2**-8 of the largest.
    assert ours < {"float": 2e-6, "float16": 1e-3, "dynamic": 2e-2, "int8": 4e-2}[kind]


@peers
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("call", NATIVE_TOO)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_eight_bits_cost_no_more_than_they_cost_native(lowering, call, bias):
    _, ours = error("int8", lowering, call, bias)
    native = native_error(call, bias)
    if lowering in SCATTERING:
        # Each product is rounded to 8 bits before the sum, where others round the sum alone.
        assert native < ours < 2 * native
    else:
        # Of a sum in the middle between two steps of 8 bits, each rounds to its own side.
        assert ours <= native * 1.001


@peers
@pytest.mark.parametrize("call", NATIVE_TOO)
def test_litert_of_native_is_fused(call):
    model, x = model_of("native", call)
    converted = LiteRt(to_litert(model))
    np.testing.assert_array_equal(converted(x), model(x))
    assert "TRANSPOSE_CONV" in converted.operators


@peers
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_litert_of_sizes_known_at_run_time(lowering, asked, dilation):
    """Batch, height and width, and with `asked` the output's too."""
    w = ramp(3, 2, 3, 4).astype(np.float32)
    options = {"strides": (2, 3), "dilations": dilation, "lowering": lowering}
    signature = [tf.TensorSpec([None, None, None, 4]), tf.TensorSpec([4], tf.int32)]

    @tf.function(input_signature=signature[: 1 + asked])
    def call(x, size=None):
        return tf_tconv.conv2d_transpose(x, w, size, **options)

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [call.get_concrete_function()], call
    )
    library = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = library.Interpreter(model_content=converter.convert())
    image, *shape = interpreter.get_input_details()
    for cells, size in (((2, 4, 5), (7, 13)), ((1, 2, 3), (4, 9)), ((3, 1, 1), (1, 3))):
        x = ramp(*cells, 4).astype(np.float32)
        interpreter.resize_tensor_input(image["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], x)
        if asked:
            interpreter.set_tensor(shape[0]["index"], np.array([cells[0], *size, 3], np.int32))
        interpreter.invoke()
        y = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        right = tf_tconv.conv2d_transpose(x, w, size if asked else None, **options)
        np.testing.assert_array_equal(y, right)


@peers
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_onnx(lowering, call, tmp_path):
    model, x = model_of(lowering, call)
    path = tmp_path / "model.onnx"
    assert "ConvTranspose" not in to_onnx(model, path)
    np.testing.assert_array_equal(run_onnx(path, x), model(x))


@peers
def test_onnx_of_native_is_fused(tmp_path):
    model, x = model_of("native")
    path = tmp_path / "model.onnx"
    assert "ConvTranspose" in to_onnx(model, path)
    np.testing.assert_array_equal(run_onnx(path, x), model(x))
