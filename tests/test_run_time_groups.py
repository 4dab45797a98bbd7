"""Channel groups inferred from numbers known only at run time, as the native op infers them."""

import functools
import importlib
import re

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle
from tf_tconv.functional.call import solve
from tf_tconv.functional.conv2d import ordered
from tf_tconv.ops import tensorflow as ops

PER_GROUP, CHANNELS, STRIDES = 2, 6, (2, 3)
GROUPS = (1, 2, 3, 6)
X, W = ramp(2, 4, 5, CHANNELS), ramp(3, 2, PER_GROUP, CHANNELS, seed=1)
ANY = [None] * 4
JIT = [
    pytest.param(False, id="graph"),
    pytest.param(True, id="xla", marks=pytest.mark.slow),
]
LOWERINGS = ["auto", *tf_tconv.lowerings.NAMES]

# What is known of input and filters when the call is traced; of the output nothing is.
KNOWN = {
    "nothing": (ANY, ANY),
    "all": (X.shape, W.shape),
    "channels": ([*ANY[:3], CHANNELS], W.shape),
    "filters": (ANY, W.shape),
    "input": (X.shape, ANY),
    "channels of the input": ([*ANY[:3], CHANNELS], [3, 2, None, None]),
    "filters but their input channels": (ANY, [3, 2, PER_GROUP, None]),
    "filters but a group's channels": (ANY, [3, 2, None, CHANNELS]),
    "filters but their width": ([*ANY[:3], CHANNELS], [3, None, PER_GROUP, CHANNELS]),
}


def spec(shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def compiled(function, *specs, jit=False):
    return tf.function(function, input_signature=specs, jit_compile=jit, autograph=False)


def legal_size(padding, dilations):
    """The largest height and width that X and W reach."""
    axes = zip(X.shape[1:3], W.shape, STRIDES, dilations, (0, 1), strict=False)
    return tuple(
        oracle.legal_output_sizes(n, k, s, d, oracle.axis_padding(padding, axis))[-1]
        for n, k, s, d, axis in axes
    )


@functools.cache
def right(groups, padding="SAME", dilations=(1, 1)):
    """An upstream gradient; the output and both gradients by the oracle."""
    size = legal_size(padding, dilations)
    g = ramp(2, *size, PER_GROUP * groups, seed=2)
    options = (STRIDES, padding, dilations, groups)
    y = oracle.conv2d_transpose(X, W, size, *options)
    dx = oracle.input_gradient(g, W, X.shape[1:3], *options)
    return g, y, dx, oracle.filter_gradient(g, X, W.shape[:2], *options)


def in_layout(x, data_format):
    return x if data_format == "NHWC" else tf.transpose(x, [0, 3, 1, 2])


def differentiated(padding="SAME", data_format="NHWC", dilations=(1, 1), lowering="auto"):
    """A function of X, W, an upstream gradient and the output's shape: output and gradients."""
    pairs = padding
    if not isinstance(padding, str):
        pairs = [[0, 0], *padding]
        pairs.insert(3 if data_format == "NHWC" else 1, [0, 0])

    def call(x, w, g, size):
        batch, height, width, channels = tf.unstack(size)
        shape = [batch, height, width, channels]
        if data_format == "NCHW":
            shape = [batch, channels, height, width]
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf_tconv.conv2d_transpose(
                in_layout(x, data_format),
                w,
                tf.stack(shape),
                STRIDES,
                pairs,
                data_format,
                dilations,
                lowering=lowering,
            )
        return y, *tape.gradient(y, [x, w], in_layout(g, data_format))

    return call


def assert_right(call, dtype=tf.float32, data_format="NHWC", **options):
    """One graph for any number of groups, one among them."""
    for groups in GROUPS:
        g, *wanted = right(groups, **options)
        found = call(*(tf.constant(a, dtype) for a in (X, W, g)), g.shape)
        wanted[0] = in_layout(wanted[0], data_format)
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(ours, np.float64), theirs)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("known", KNOWN)
def test_whatever_is_known(known, jit):
    x, w = KNOWN[known]
    specs = spec(x), spec(w), spec(ANY), spec([4], tf.int32)
    assert_right(compiled(differentiated(), *specs, jit=jit))


@pytest.mark.parametrize("dilations", [(1, 1), (2, 1)])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (0, 2))])
def test_padding_layout_and_dilation(padding, data_format, dilations):
    call = differentiated(padding, data_format, dilations)
    call = compiled(call, spec(ANY), spec(W.shape), spec(ANY), spec([4], tf.int32))
    assert_right(call, data_format=data_format, padding=padding, dilations=dilations)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_floats(dtype):
    specs = (spec(shape, dtype) for shape in (ANY, W.shape, ANY))
    # Integers this small are exact in each, and so are their sums.
    assert_right(compiled(differentiated(), *specs, spec([4], tf.int32)), dtype)


def test_integers():
    call = compiled(
        lambda x, w, size: tf_tconv.conv2d_transpose(x, w, size, STRIDES),
        spec(ANY, tf.int32),
        spec(W.shape, tf.int32),
        spec([4], tf.int32),
    )
    for groups in GROUPS:
        g, y, *_ = right(groups)
        np.testing.assert_array_equal(call(X.astype("i4"), W.astype("i4"), g.shape), y)


@pytest.mark.parametrize("filters", [W.shape, ANY], ids=["kernel known", "kernel unknown"])
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_every_lowering(lowering, filters):
    call = differentiated(lowering=lowering)
    assert_right(compiled(call, spec(ANY), spec(filters), spec(ANY), spec([4], tf.int32)))


def test_output_channels_known_and_filters_not():
    for groups in GROUPS:
        g, y, *_ = right(groups)
        call = compiled(
            lambda x, w, shape=g.shape: tf_tconv.conv2d_transpose(x, w, shape, STRIDES),
            spec(ANY),
            spec([3, 2, None, None]),
        )
        np.testing.assert_array_equal(call(X, W), y)
        assert call.get_concrete_function().output_shapes.as_list() == list(y.shape)


@pytest.mark.parametrize("jit", JIT)
def test_gradients_of_gradients(jit):
    def second(x, w, g, v, size):
        with tf.GradientTape() as outer:
            outer.watch([w, g])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf_tconv.conv2d_transpose(x, w, size, STRIDES)
            dx = tape.gradient(y, x, g)
        return outer.gradient(dx, [w, g], v)

    specs = spec(ANY), spec(W.shape), spec(ANY), spec(ANY), spec([4], tf.int32)
    call = compiled(second, *specs, jit=jit)
    v = ramp(*X.shape, seed=3)
    for groups in GROUPS[1:3]:
        g, *_ = right(groups)
        dw, dg = call(X, W, g, v, g.shape)
        options = (STRIDES, "SAME", (1, 1), groups)
        np.testing.assert_array_equal(dw, oracle.filter_gradient(g, v, (3, 2), *options))
        np.testing.assert_array_equal(dg, oracle.conv2d_transpose(v, W, g.shape[1:3], *options))


@pytest.mark.parametrize("jit", JIT)
def test_a_kernel_for_each_sample_of_an_open_batch(jit):
    """The batch stands among the channels, and each sample is a group."""

    def each(x, w):
        batch = tf.shape(x)[0]
        lines = tf.reshape(x, [1, -1, 4, 5])
        kernels = tf.reshape(tf.transpose(w, [1, 2, 3, 0, 4]), [3, 3, 2, -1])
        shape = tf.stack([1, batch * 2, 8, 10])
        y = tf_tconv.conv2d_transpose(lines, kernels, shape, 2, "SAME", "NCHW")
        return tf.reshape(y, [batch, 2, 8, 10])

    call = compiled(each, spec([None, 6, 4, 5]), spec([None, 3, 3, 2, 6]), jit=jit)
    for batch in (1, 3):
        x, w = ramp(batch, 6, 4, 5), ramp(batch, 3, 3, 2, 6)
        found = call(x, w)
        for index in range(batch):
            image = x[index : index + 1].transpose(0, 2, 3, 1)
            y = oracle.conv2d_transpose(image, w[index], (8, 10), (2, 2), "SAME")
            np.testing.assert_array_equal(found[index], y[0].transpose(2, 0, 1))


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_groups_that_are_said_need_no_inference(lowering):
    """Then the output's channels stay known, and the lowering is the one asked for."""
    call = compiled(
        lambda x, w, size: tf_tconv.conv2d_transpose(
            x, w, size, STRIDES, groups=3, lowering=lowering
        ),
        spec([*ANY[:3], CHANNELS]),
        spec(W.shape),
        spec([4], tf.int32),
    )
    g, y, *_ = right(3)
    np.testing.assert_array_equal(call(X, W, g.shape), y)
    assert call.get_concrete_function().output_shapes.as_list() == [*ANY[:3], 6]


def test_groups_said_as_an_integer_of_numpy():
    y = tf_tconv.conv2d_transpose(X, W, None, STRIDES, groups=np.int64(3))
    np.testing.assert_array_equal(y, right(3)[1])


@pytest.mark.parametrize(
    ("x", "w", "size"),
    [
        ([*ANY[:3], 1], [3, 2, 2, None], None),
        (ANY, [3, 2, 2, 1], None),
        (ANY, [3, 2, None, None], [1, 8, 15, 1]),
        ([*ANY[:3], 3], [3, 2, None, None], [1, 8, 15, 4]),
    ],
)
def test_where_what_is_known_leaves_one_group_it_is_known(x, w, size):
    """Then nothing is lost: neither the choice of a lowering nor a known number of channels."""
    with tf.Graph().as_default():
        x, w = (tf.compat.v1.placeholder(tf.float32, shape) for shape in (x, w))
        size = tf.compat.v1.placeholder(tf.int32, [4]) if size is None else size
        request, x, w = ordered(x, w, size, STRIDES, "SAME", "NHWC", None, groups=None)
        call = solve(request, ops.sizes(x), ops.sizes(w), x.dtype.size, ops)
        assert call.groups == 1


# What is fed instead of 12 output channels, and the sentence it must raise.
ILLEGAL = {
    "no multiple": 7,
    "no divisor": 8,
    "none": 0,
    "fewer than a group": 1,
    "huge": 2**31 - 2,
}
TABLE = (
    "output_shape[3]={} does not go with filters of 2 output channels a group (filters.shape[2])"
)
LEGAL = " and 6 input channels; it must be 2 times a number of groups that divides the input "


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("channels", ILLEGAL.values(), ids=ILLEGAL)
def test_illegal_channels(channels, jit):
    sentence = TABLE.format(channels) + LEGAL + "channels: 2, 4, 6, 12."
    call = compiled(
        lambda x, w, size: tf_tconv.conv2d_transpose(x, w, size, STRIDES),
        spec(ANY),
        spec(ANY),
        spec([4], tf.int32),
        jit=jit,
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(X, W, [2, 8, 15, channels])
    if jit:
        # XLA shows no values, but the name of the op it met.
        assert "does_not_go_with_filters_of" in str(caught.value)
    else:
        assert sentence in str(caught.value)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        tf_tconv.conv2d_transpose(X, W, [2, 8, 15, channels], STRIDES)


def test_a_long_list_of_legal_channels_is_cut_off():
    x, w = np.zeros((1, 1, 1, 720)), np.zeros((1, 1, 1, 720))
    call = compiled(
        lambda x, w, size: tf_tconv.conv2d_transpose(x, w, size, 1),
        spec(ANY),
        spec(ANY),
        spec([4], tf.int32),
    )
    legal = re.escape(": 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, ....")
    with pytest.raises(tf.errors.InvalidArgumentError, match=legal):
        call(x, w, [1, 1, 1, 7])
    with pytest.raises(ValueError, match=legal):
        tf_tconv.conv2d_transpose(x, w, [1, 1, 1, 7], 1)


@pytest.mark.parametrize("axis", range(4))
def test_empty_filters_at_run_time(axis):
    shape = list(W.shape)
    shape[axis] = 0
    x = X if axis < 3 else X[..., :0]
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, STRIDES), spec(ANY), spec(ANY)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"filters.shape\[{axis}\]=0 .* at l"):
        call(x, np.zeros(shape))


@pytest.mark.peers("ai_edge_litert")
def test_litert_takes_any_number_of_groups():
    w = tf.constant(W, tf.float32)
    call = compiled(
        lambda x, size: tf_tconv.conv2d_transpose(x, w, size, STRIDES),
        spec([*ANY[:3], CHANNELS]),
        spec([4], tf.int32),
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [call.get_concrete_function()], call
    )
    library = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = library.Interpreter(model_content=converter.convert())
    image, size = interpreter.get_input_details()
    interpreter.resize_tensor_input(image["index"], X.shape)
    interpreter.allocate_tensors()
    for groups in GROUPS:
        g, y, *_ = right(groups)
        interpreter.set_tensor(image["index"], X.astype(np.float32))
        interpreter.set_tensor(size["index"], np.array(g.shape, np.int32))
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_array_equal(found, y)
    interpreter.set_tensor(size["index"], np.array([2, 8, 15, 7], np.int32))
    with pytest.raises(RuntimeError):
        interpreter.invoke()
