"""Sizes known only at run time, exported: the same numbers, whatever follows.

No division of negative numbers, which ONNX rounds to the other side.
"""

import importlib
import itertools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from exporting import LiteRt, copies_collected_soon, to_litert
from integers import ramp

import tf_tconv
from compat_tests import oracle
from tf_tconv.ops.tensorflow import quotient

LOWERINGS = (*tf_tconv.lowerings.NAMES, "native")
SPATIAL = ((4, 3), (5, 2), (1, 6))
"""What each file is fed with; every one with the smallest, the largest and a mixed output."""

SETTINGS = [  # kernel, stride, dilation, padding
    (4, 2, 1, "SAME"),
    (1, 3, 1, "SAME"),
    (5, 3, 1, "SAME"),
    (3, 1, 2, "SAME"),
    (3, 2, 1, "VALID"),
    (2, 4, 1, "VALID"),
    (5, 2, 1, ((1, 0), (0, 2))),
    (2, 3, 2, ((2, 1), (1, 1))),
]


def graph_of(lowering, kernel, stride, dilation, padding):
    """A function of an image and the size of its output, both open."""
    explicit = padding if isinstance(padding, str) else [[0, 0], *map(list, padding), [0, 0]]
    w = ramp(kernel, kernel, 3, 2).astype(np.float32)
    signature = [tf.TensorSpec([None, None, None, 2], name="x"), tf.TensorSpec([2], tf.int32)]

    @tf.function(input_signature=signature, autograph=False)
    def call(x, size):
        return tf_tconv.conv2d_transpose(
            x, w, size, stride, explicit, dilations=dilation, lowering=lowering
        )

    return call, w


def samples(w, kernel, stride, dilation, padding):
    """Images, sizes, and by the oracle what is right."""
    for cells in SPATIAL:
        sides = [padding] * 2 if isinstance(padding, str) else padding
        legal = [
            oracle.legal_output_sizes(n, kernel, stride, dilation, side)
            for n, side in zip(cells, sides, strict=True)
        ]
        ends = itertools.product(*({sizes[0], sizes[-1]} for sizes in legal if sizes))
        for size in ends:
            if len(size) == 2 and all(size):
                x = ramp(2, *cells, 2).astype(np.float32)
                steps, gaps = (stride, stride), (dilation, dilation)
                yield x, size, oracle.conv2d_transpose(x, w, size, steps, padding, gaps)


def divided(function, signature):
    """A function of tensors that gives both operands of every integer division in a graph."""
    graph = tf.compat.v1.wrap_function(function, signature)
    operations = graph.graph.get_operations()
    divisions = [op for op in operations if op.type in ("FloorDiv", "FloorMod")]
    return graph.prune(graph.inputs, [value for op in divisions for value in op.inputs])


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_the_one_division_rounds_down_and_divides_nothing_negative(stride):
    def lifted(a):
        return quotient(a, stride, -7)

    operands = divided(lifted, [tf.TensorSpec([], tf.int64)])
    for a in range(-7, 12):
        value = tf.constant(a, tf.int64)
        assert int(lifted(value)) == a // stride == quotient(a, stride)
        dividend, divisor = map(int, operands(value))
        assert (dividend >= 0, divisor) == (True, stride)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_no_graph_divides_a_negative_number(lowering):
    for setting in SETTINGS:
        if lowering == "native" and setting[2] > 1:
            continue  # Refused on CPUs.
        call, w = graph_of(lowering, *setting)
        operands = divided(call.python_function, call.input_signature)
        for x, size, _ in samples(w, *setting):
            found = [int(n) for n in operands(tf.constant(x), tf.constant(size, tf.int32))]
            assert min(found, default=0) >= 0, (setting, x.shape, size)


@pytest.mark.slow
@pytest.mark.peers("onnxruntime", "openvino", "tf2onnx")
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_onnx_of_an_output_size_of_run_time(lowering):
    """One file a setting, for all sizes; ONNX Runtime reads every one, OpenVINO every second."""
    runtime, openvino = map(importlib.import_module, ("onnxruntime", "openvino"))
    for number, setting in enumerate(SETTINGS):
        if lowering == "native" and setting[2] > 1:
            continue
        call, w = graph_of(lowering, *setting)
        file = written(call)
        session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        model = None
        if number % 2 == 0:
            core = openvino.Core()
            model = core.compile_model(
                core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
            )
        for x, size, right in samples(w, *setting):
            feed = [x, np.array(size, np.int32)]
            y = session.run(None, dict(zip(names, feed, strict=True)))[0]
            np.testing.assert_array_equal(y, right, err_msg=str((setting, size)))
            if model is not None:
                np.testing.assert_array_equal(model(feed)[0], right, err_msg=str((setting, size)))


def written(function):
    """A function as an ONNX file."""
    with warnings.catch_warnings(), copies_collected_soon():
        warnings.simplefilter("ignore", FutureWarning)  # tf2onnx asks NumPy for a name of old.
        convert = importlib.import_module("tf2onnx").convert
        model, _ = convert.from_function(function, input_signature=function.input_signature)
    return model.SerializeToString()


# Input, kernel, stride, padding, output; the first is torch's k3 s2 p1 with output padding 1.
PADDED = [
    (4, 3, 2, ((1, 0), (1, 0)), 8),
    (4, 3, 2, ((0, 1), (0, 1)), 8),
    (4, 3, 2, ((0, 2), (1, 0)), None),
    (3, 5, 3, ((4, 1), (0, 3)), None),
    (3, 2, 3, "SAME", 9),
    (3, 1, 4, "SAME", 12),
    (3, 2, 5, "VALID", 15),
    (4, 4, 1, ((2, 0), (0, 3)), None),
]


@pytest.mark.peers("onnxruntime", "tf2onnx")
@pytest.mark.parametrize("batch", [2, None])
@pytest.mark.parametrize(("cells", "kernel", "stride", "padding", "size"), PADDED)
def test_onnx_of_native_has_its_padding_in_place(cells, kernel, stride, padding, size, batch):
    sides = [padding] * 2 if isinstance(padding, str) else padding
    legal = [oracle.legal_output_sizes(cells, kernel, stride, 1, side) for side in sides]
    output = [size if size in sizes else sizes[-1] for sizes in legal]
    explicit = padding if isinstance(padding, str) else [[0, 0], *map(list, padding), [0, 0]]
    w = ramp(kernel, kernel, 3, 2).astype(np.float32)

    @tf.function(
        input_signature=[tf.TensorSpec([batch, cells, cells, 2], name="x")], autograph=False
    )
    def call(x):
        return tf_tconv.conv2d_transpose(x, w, output, stride, explicit, lowering="native")

    x = ramp(2, cells, cells, 2).astype(np.float32)
    right = oracle.conv2d_transpose(x, w, tuple(output), (stride, stride), padding, (1, 1))
    session = importlib.import_module("onnxruntime").InferenceSession(written(call))
    np.testing.assert_array_equal(call(tf.constant(x)), right)
    np.testing.assert_array_equal(session.run(None, {session.get_inputs()[0].name: x})[0], right)


BIASED = [(5, 4, "valid"), (2, 5, "same"), (3, 2, ((1, 0), (1, 0)))]


@pytest.mark.slow
@pytest.mark.peers("onnxruntime", "tf2onnx")
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_onnx_of_a_bias_reaches_the_cells_that_no_tap_does(lowering):
    # tf2onnx adds a bias within its ConvTranspose, before it pads what lies beyond the taps.
    for kernel, stride, padding in BIASED:
        layer = tf_tconv.Conv2DTranspose(3, kernel, stride, padding, lowering=lowering)
        layer.build((None, None, None, 2))
        layer.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
        w, bias = layer.get_weights()
        signature = [tf.TensorSpec([None, None, None, 2], name="x"), tf.TensorSpec([2], tf.int32)]

        @tf.function(input_signature=signature, autograph=False)
        def call(x, size, layer=layer):
            return layer(x, output_size=(size[0], size[1]))

        session = importlib.import_module("onnxruntime").InferenceSession(written(call))
        names = [each.name for each in session.get_inputs()]
        named = padding.upper() if isinstance(padding, str) else padding
        for x, size, right in samples(w, kernel, stride, 1, named):
            y = session.run(None, dict(zip(names, [x, np.array(size, np.int32)], strict=True)))[0]
            np.testing.assert_array_equal(y, right + bias, err_msg=str((kernel, stride, size)))


def followed(lowering, after):
    """A decoder's step in the middle of a model of open sizes: up to the size of a skip, and on."""
    skip = keras.Input((None, None, 3), name="a")
    low = keras.layers.Conv2D(4, 3, strides=2, padding="same")(skip)
    up = tf_tconv.Conv2DTranspose(5, 4, 2, padding="same", lowering=lowering)
    y = up(low, output_size=skip)
    return keras.Model(skip, after(y, skip))


AFTER = {
    "Conv2D": lambda y, skip: keras.layers.Conv2D(2, 3, padding="same")(y),
    "DepthwiseConv2D": lambda y, skip: keras.layers.DepthwiseConv2D(3, padding="same")(y),
    "Dense": lambda y, skip: keras.layers.Dense(2)(y),
    "BatchNormalization": lambda y, skip: keras.layers.BatchNormalization()(y),
    "ours": lambda y, skip: tf_tconv.Conv2DTranspose(2, 3, 2, padding="same")(y),
    "concatenation": lambda y, skip: keras.layers.Conv2D(2, 1)(
        keras.layers.Concatenate()([y, skip])
    ),
}


@pytest.mark.slow
@pytest.mark.peers("ai_edge_litert")
@pytest.mark.parametrize(
    ("lowering", "after"),
    [
        *((lowering, "Conv2D") for lowering in ("auto", *LOWERINGS)),
        *(("subpixel", a) for a in AFTER if a != "Conv2D"),
    ],
)
def test_litert_of_a_call_in_the_middle(lowering, after, tmp_path):
    model = followed(lowering, AFTER[after])
    model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    signature = [tf.TensorSpec([1, None, None, 3])]
    model.export(str(tmp_path), verbose=False, input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    library = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = library.Interpreter(model_content=converter.convert())
    (image,) = interpreter.get_input_details()
    for cells in ((8, 8), (7, 10), (5, 3)):
        x = ramp(1, *cells, 3).astype(np.float32)
        interpreter.resize_tensor_input(image["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], x)
        interpreter.invoke()
        y = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        # Batch normalization divides, which is no sum of integers any more.
        np.testing.assert_allclose(y, model(x), rtol=1e-5)


def of_sizes(w, stride, padding, groups, lowering):
    """A call as a function of the image and the output's whole shape."""
    return lambda x, size: tf_tconv.conv2d_transpose(
        x, w, size, stride, padding, groups=groups, lowering=lowering
    )


ONES = [  # batch, kernel, stride, channels in and out, padding
    (1, 3, 2, (2, 3), "SAME"),
    (1, 1, 2, (1, 1), "VALID"),
    (None, 2, 1, (1, 1), "VALID"),
    (1, 3, 1, (1, 2), "SAME"),
]


@pytest.mark.slow
@pytest.mark.peers("openvino", "tf2onnx")
@pytest.mark.parametrize(
    ("lowering", "groups"), [("auto", None), *((name, 1) for name in LOWERINGS)]
)
def test_openvino_reads_graphs_with_sizes_that_are_one(lowering, groups):
    """TensorFlow's optimizer makes a broadcast of a product with 1, and OpenVINO an axis of that.

    Without `groups` they are those of run time, whichever number it is.
    """
    core = importlib.import_module("openvino").Core()
    for batch, kernel, stride, (channels, out), padding in ONES:
        w = ramp(kernel, kernel, out, channels).astype(np.float32)
        signature = [
            tf.TensorSpec([batch, None, None, channels], name="x"),
            tf.TensorSpec([4], tf.int32, name="size"),
        ]

        call = of_sizes(w, stride, padding, groups, lowering)
        file = written(
            tf.function(call, signature, autograph=False)
        )  # Whose memory the model goes on to read.
        model = core.compile_model(
            core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        for cells in SPATIAL:
            x = ramp(1, *cells, channels).astype(np.float32)
            size = tuple(
                oracle.legal_output_sizes(n, kernel, stride, 1, padding)[-1] for n in cells
            )
            right = oracle.conv2d_transpose(x, w, size, (stride, stride), padding)
            feed = [x, np.array([1, *size, out], np.int32)]
            np.testing.assert_array_equal(model(feed)[0], right, err_msg=str((kernel, size)))


@pytest.mark.slow
@pytest.mark.peers("openvino")
@pytest.mark.parametrize("shape", [(4, 3, 2), (None, None, 2)])
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_openvino_reads_the_saved_model(lowering, shape, tmp_path):
    layer = tf_tconv.Conv2DTranspose(3, (4, 3), 2, padding="same", lowering=lowering)
    model = keras.Sequential([keras.Input(shape), layer])
    model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.export(str(tmp_path), verbose=False)
    openvino = importlib.import_module("openvino")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    read = openvino.compile_model(openvino.convert_model(str(tmp_path)), "CPU", settings)
    x = ramp(2, 4, 3, 2).astype(np.float32)
    np.testing.assert_array_equal(read(x)[0], model(x))


@pytest.mark.peers("ai_edge_litert")
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_gathering_lowerings_stay_at_rank_4_in_litert(lowering):
    layer = tf_tconv.Conv2DTranspose(8, (5, 4), (2, 3), padding="same", lowering=lowering)
    model = keras.Sequential([keras.Input((6, 5, 16)), layer])
    ranks = LiteRt(to_litert(model)).ranks
    assert (max(ranks) <= 4) == (lowering not in ("overlap_add", "block_matmul"))
