"""Sizes known only when the graph runs: the same answers, the same sentences, no wrong shape."""

import itertools
import re

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle

JIT = [
    pytest.param(False, id="graph"),
    pytest.param(True, id="xla", marks=pytest.mark.slow),
]
LOWERINGS = ["auto", *tf_tconv.lowerings.NAMES]
ANY = [None, None, None, None]


def compiled(function, *specs, jit=False):
    return tf.function(function, input_signature=specs, jit_compile=jit, autograph=False)


def spec(*shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


X, W = ramp(2, 4, 5, 4), ramp(3, 2, 3, 4, seed=1)


def truth(size, strides=(2, 3), padding="SAME", dilations=(1, 1), groups=1):
    return oracle.conv2d_transpose(X, W, size, strides, padding, dilations, groups)


def legal_sizes(padding, dilations=(1, 1)):
    """All pairs (height, width) that X and W reach with strides (2, 3)."""
    axes = zip(X.shape[1:3], W.shape, (2, 3), dilations, (0, 1), strict=False)
    return itertools.product(
        *(
            oracle.legal_output_sizes(n, k, s, d, oracle.axis_padding(padding, axis))
            for n, k, s, d, axis in axes
        )
    )


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("output_dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (0, 2))])
def test_output_shape_known_only_at_run_time(padding, output_dtype, jit):
    pairs = padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]]
    call = compiled(
        lambda x, w, o: tf_tconv.conv2d_transpose(x, w, o, (2, 3), pairs),
        spec(*ANY),
        spec(*ANY),
        spec(4, dtype=output_dtype),
        jit=jit,
    )
    for size in legal_sizes(padding):
        y = call(X, W, tf.constant([2, *size, 3], output_dtype))
        np.testing.assert_array_equal(y, truth(size, padding=padding))


@pytest.mark.parametrize(
    ("padding", "dilations"),
    [("SAME", (1, 1)), ("SAME", (3, 2)), ("VALID", (1, 1)), (((1, 0), (0, 2)), (1, 1))],
)
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_output_size_known_only_at_run_time(lowering, padding, dilations):
    """Here the kernel's size is known, and so are its phases, but not where they begin."""
    pairs = padding if isinstance(padding, str) else [[0, 0], *padding, [0, 0]]
    call = compiled(
        lambda x, w, o: tf_tconv.conv2d_transpose(
            x, w, o, (2, 3), pairs, dilations=dilations, lowering=lowering
        ),
        spec(*ANY[:3], 4),
        spec(*W.shape),
        spec(2, dtype=tf.int32),
    )
    for size in legal_sizes(padding, dilations):
        np.testing.assert_array_equal(
            call(X, W, size), truth(size, padding=padding, dilations=dilations)
        )


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_a_kernel_known_only_at_run_time(lowering, jit):
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, (2, 3), lowering=lowering),
        spec(*X.shape),
        spec(None, 2, None, None),
        jit=jit,
    )
    np.testing.assert_array_equal(call(X, W), truth((8, 15)))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_channels_known_only_at_run_time(lowering, groups):
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(
            x, w, None, (2, 3), groups=groups, lowering=lowering
        ),
        spec(*X.shape[:3], None),
        spec(*W.shape[:2], None, None),
    )
    np.testing.assert_array_equal(call(X, W), truth((8, 15), groups=groups))


@pytest.mark.parametrize("jit", JIT)
def test_output_shape_of_unknown_length(jit):
    call = compiled(
        lambda x, o: tf_tconv.conv2d_transpose(x, W.astype(np.float32), o, (2, 3)),
        spec(*ANY),
        spec(None, dtype=tf.int32),
        jit=jit,
    )
    np.testing.assert_array_equal(call(X, [2, 7, 13, 3]), truth((7, 13)))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"output_shape.has.*entries"):
        call(X, [7, 13])


def test_mixed_list_of_numbers_and_tensors_keeps_what_is_known():
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(
            x, w, [tf.shape(x)[0], 7, tf.shape(x)[2] * 3, 3], (2, 3)
        ),
        spec(None, 4, None, 4),
        spec(3, 2, 3, 4),
    )
    np.testing.assert_array_equal(call(X, W), truth((7, 15)))
    assert call.get_concrete_function().output_shapes.as_list() == [None, 7, None, 3]


@pytest.mark.parametrize("jit", JIT)
def test_the_only_legal_size_is_known_when_traced(jit):
    call = compiled(
        lambda x, o: tf_tconv.conv2d_transpose(x, W.astype(np.float32), o, (1, 3)),
        spec(2, 4, 5, 4),
        spec(4, dtype=tf.int32),
        jit=jit,
    )
    # Of the input's 4 channels there may be groups.
    assert call.get_concrete_function().output_shapes.as_list() == [2, 4, None, None]
    np.testing.assert_array_equal(call(X, [2, 4, 14, 3]), truth((4, 14), (1, 3)))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"output_shape.1.*cannot.come.from"):
        call(X, [2, 5, 14, 3])


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_default_size_of_unknown_input(lowering, padding, jit):
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(
            x, w, None, (2, 3), padding, dilations=(2, 1), lowering=lowering
        ),
        spec(None, None, None, 4),
        spec(3, 2, 3, 4),
        jit=jit,
    )
    size = [
        oracle.default_output_size(n, k, s, d, padding)
        for n, k, s, d in zip(X.shape[1:3], W.shape, (2, 3), (2, 1), strict=False)
    ]
    np.testing.assert_array_equal(call(X, W), truth(tuple(size), padding=padding, dilations=(2, 1)))
    assert call.get_concrete_function().output_shapes.as_list() == [None, None, None, 3]


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_default_size_of_unknown_input_needs_no_check_at_run_time(lowering):
    """Fully convolutional models keep a plain graph: all but the sizes is known when traced."""

    def products(lowering, *shape):
        call = compiled(
            lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 2, lowering=lowering),
            spec(*shape),
            spec(3, 4, 3, 4),
        )
        operations = call.get_concrete_function().graph.get_operations()
        branches = {"Case", "StatelessCase", "If", "StatelessIf", "Assert"}
        assert not branches & {op.type for op in operations}
        return [
            (op.type, op.get_attr("explicit_paddings") if op.type == "Conv2D" else None)
            for op in operations
            if op.type in ("Conv2D", "MatMul", "BatchMatMulV2")
        ]

    # Of sizes that it does not know, "auto" may choose another lowering: what it plans.
    planned = tf_tconv.plan([*ANY[:3], 4], [3, 4, 3, 4], None, 2, lowering=lowering).lowering
    known = products(planned, 2, 4, 5, 4)
    assert known
    assert products(lowering, *ANY[:3], 4) == known


@pytest.mark.parametrize("jit", JIT)
def test_gradients_with_unknown_sizes(jit):
    g = ramp(2, 7, 13, 3, seed=2)

    def function(x, w, o, g):
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf_tconv.conv2d_transpose(x, w, o, (2, 3))
        return tape.gradient(y, [x, w], output_gradients=g)

    call = compiled(function, spec(*ANY), spec(*ANY), spec(4, dtype=tf.int32), spec(*ANY), jit=jit)
    dx, dw = call(X, W, [2, 7, 13, 3], g)
    np.testing.assert_array_equal(dx, oracle.input_gradient(g, W, (4, 5), (2, 3)))
    np.testing.assert_array_equal(dw, oracle.filter_gradient(g, X, (3, 2), (2, 3)))


EMPTY_SHAPES = [(0, 4, 5, 4), (2, 0, 5, 4), (2, 4, 0, 4), (0, 0, 0, 4)]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_inputs_that_turn_out_empty(lowering, padding, groups):
    """One graph for them all."""
    w = W.astype(np.float32)
    for dilations in ((1, 1), (2, 1)):
        call = compiled(
            lambda x, dilations=dilations: tf_tconv.conv2d_transpose(
                x, w, None, (2, 3), padding, dilations=dilations, groups=groups, lowering=lowering
            ),
            spec(*ANY[:3], 4),
        )
        for shape in EMPTY_SHAPES:
            size = tuple(
                oracle.default_output_size(n, k, s, d, padding)
                for n, k, s, d in zip(shape[1:3], (3, 2), (2, 3), dilations, strict=True)
            )
            y = call(tf.zeros(shape))
            assert y.shape == (shape[0], *size, 3 * groups)
            assert not np.any(y)


@pytest.mark.parametrize("jit", [pytest.param(None, id="eager"), *JIT])
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilations", [(1, 1), (2, 1)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("shape", EMPTY_SHAPES)
def test_empty_inputs(shape, padding, dilations, groups, unknown, jit):
    """An empty batch or image gives zeros of the right shape, and zero gradients."""
    x, w = np.zeros(shape, np.float32), ramp(3, 2, 3, 4, seed=1).astype(np.float32)

    def function(x, w):
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf_tconv.conv2d_transpose(
                x, w, None, (2, 3), padding, dilations=dilations, groups=groups
            )
        return y, *tape.gradient(y, [x, w])

    call = function
    if jit is not None:
        signature = spec(*ANY[:3], 4) if unknown else spec(*shape)
        call = compiled(function, signature, spec(3, 2, 3, 4), jit=jit)
    y, dx, dw = call(tf.constant(x), tf.constant(w))
    size = tuple(
        tf_tconv.transpose_geometry(n, k, s, d, padding).output_size
        for n, k, s, d in zip(shape[1:3], (3, 2), (2, 3), dilations, strict=True)
    )
    assert y.shape == (shape[0], *size, 3 * groups)
    assert dx.shape == shape
    assert not np.any(y)
    assert not np.any(dw)


def test_an_output_without_cells():
    """Explicit padding may take everything; that is legal, and empty."""
    y = tf_tconv.conv2d_transpose(
        tf.constant(X), tf.constant(W), [2, 0, 14, 3], (2, 3), [[0, 0], [9, 0], [0, 0], [0, 0]]
    )
    assert y.shape == (2, 0, 14, 3)


# Each: what the run is given instead of X, W, [2, 8, 15, 3], and the sentence it must raise.
ILLEGAL = {
    "rows": (
        {"o": [2, 9, 15, 3]},
        "output_shape[1]=9 cannot come from 4 input rows: "
        'kernel 3, stride 2, dilation 1, padding "SAME" reach 7..8.',
    ),
    "columns": (
        {"o": [2, 8, 12, 3]},
        "output_shape[2]=12 cannot come from 5 input columns: "
        'kernel 2, stride 3, dilation 1, padding "SAME" reach 13..15.',
    ),
    "negative": (
        {"o": [2, -1, 15, 3]},
        "output_shape[1]=-1 cannot come from 4 input rows: "
        'kernel 3, stride 2, dilation 1, padding "SAME" reach 7..8.',
    ),
    "huge": (
        {"o": [2, 8, 2**31 - 1, 3]},
        "output_shape[2]=2147483647 cannot come from 5 input columns: "
        'kernel 2, stride 3, dilation 1, padding "SAME" reach 13..15.',
    ),
    "batch": ({"o": [1, 8, 15, 3]}, "output_shape[0]=1 is not the batch of input; it must be 2."),
    "channels": (
        {"o": [2, 8, 15, 7]},
        "output_shape[3]=7 does not go with filters of 3 output channels a group (filters.shape[2])"
        " and 4 input channels; it must be 3 times a number of groups that divides the input "
        "channels: 3, 6, 12.",
    ),
    "filters": (
        {"w": W[..., :2]},
        "filters.shape[3]=2 is not the channels of input; it must be 4",
    ),
}


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_at_run_time(name, jit):
    changes, sentence = ILLEGAL[name]
    call = compiled(
        lambda x, w, o: tf_tconv.conv2d_transpose(x, w, o, (2, 3)),
        spec(*ANY),
        spec(*ANY),
        spec(4, dtype=tf.int32),
        jit=jit,
    )
    arguments = {"x": X, "w": W, "o": [2, 8, 15, 3]}
    assert call(
        **{
            k: tf.constant(v, spec.dtype)
            for (k, v), spec in zip(arguments.items(), call.input_signature, strict=True)
        }
    ).shape == (2, 8, 15, 3)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(
            *(
                tf.constant(value, spec.dtype)
                for value, spec in zip(
                    (arguments | changes).values(), call.input_signature, strict=True
                )
            )
        )
    if jit:
        # XLA compiles assertions away and shows no values; it names what it cannot compile.
        words = re.sub(r"[^A-Za-z]+", "_", re.sub(r"=-?\d+|\d+\.\.\d+|\d+", "", sentence)).strip(
            "_"
        )
        assert words[:30] in re.sub(r"[^A-Za-z]+", "_", str(caught.value))
    else:
        assert sentence in str(caught.value)


def test_the_sentence_at_run_time_is_the_sentence_of_eager_mode():
    """But for the way out, whose padding only eager mode can say in numbers."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
        tf_tconv.conv2d_transpose(X, W, [2, 9, 15, 3], (2, 3))
    assert str(caught.value).startswith(ILLEGAL["rows"][1])


def test_explicit_padding_that_leaves_nothing_at_run_time():
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 1, [[0, 0], [3, 3], [0, 0], [0, 0]]),
        spec(*ANY),
        spec(3, 2, 3, 4),
    )
    assert call(X, W).shape == (2, 0, 6, 3)
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"padding\[1\]=\(3, 3\) takes off more than 3 input rows give",
    ):
        call(X[:, :3], W)


def test_a_stride_that_makes_a_huge_output_at_run_time():
    call = compiled(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 2**29), spec(*ANY), spec(3, 2, 3, 4)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="too many elements for a tensor"):
        call(X, W)


def test_the_check_survives_a_saved_model(tmp_path):
    module = tf.Module()
    module.call = compiled(
        lambda x, w, o: tf_tconv.conv2d_transpose(x, w, o, (2, 3)),
        spec(*ANY),
        spec(*ANY),
        spec(4, dtype=tf.int32),
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    x, w = tf.constant(X, tf.float32), tf.constant(W, tf.float32)
    np.testing.assert_array_equal(loaded.call(x, w, tf.constant([2, 7, 14, 3])), truth((7, 14)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot come from 4 input rows"):
        loaded.call(x, w, tf.constant([2, 9, 14, 3]))
