"""Half and bfloat16: sums are float32 ones, whatever this machine's processor does by itself.

Each machine is tried both ways, as one that keeps float32 sums by itself and as one that does not:
what is computed is told by the graph, and what comes out, where it does not, by float64.
"""

import numpy as np
import pytest
import tensorflow as tf
from test_primitives import operations

import tf_tconv
from compat_tests import oracle
from tf_tconv.ops.tensorflow import accumulation

HALVES = ("float16", "bfloat16")
SUMS = {"Conv2D", "MatMul", "BatchMatMulV2", "Conv2DBackpropFilter"}
STRIDES, INPUT, KERNEL, OUTPUT = (2, 3), (3, 12, 13, 48), (5, 4, 24, 48), (24, 39)
"""Hundreds of products a cell, so that a sum in half shows."""

ROUNDED_ONCE = 0.51
"""Half a unit for the rounding, and what a float32 sum of a thousand terms is off by beside it."""


@pytest.fixture(params=[True, False], ids=["kept_by_the_machine", "not_kept"])
def kept(request, monkeypatch):
    """What the machine is made to answer."""
    monkeypatch.setattr(accumulation, "sums_in_float32", lambda primitive, dtype: request.param)
    return request.param


def operands(dtype):
    random = np.random.default_rng(1)
    shapes = INPUT, KERNEL, (INPUT[0], *OUTPUT, KERNEL[2])
    return [tf.cast(random.uniform(0.1, 1, shape), dtype) for shape in shapes]


def step(lowering):
    """The output and both gradients, as one traced function."""

    def function(x, w, upstream):
        with tf.GradientTape() as tape:
            tape.watch((x, w))
            y = tf_tconv.conv2d_transpose(x, w, OUTPUT, STRIDES, lowering=lowering)
        return y, *tape.gradient(y, (x, w), upstream)

    return tf.function(function, autograph=False)


def truth(x, w, upstream):
    x, w, upstream = (tf.cast(each, tf.float64).numpy() for each in (x, w, upstream))
    settings = STRIDES, "SAME", (1, 1), 1
    return (
        oracle.conv2d_transpose(x, w, OUTPUT, *settings),
        oracle.input_gradient(upstream, w, INPUT[1:3], *settings),
        oracle.filter_gradient(upstream, x, KERNEL[:2], *settings),
    )


def units_off(found, right, dtype):
    _, exponent = np.frexp(np.abs(right).max())
    unit = 2.0 ** (int(exponent) - accumulation.SIGNIFICANT_BITS[dtype])
    return np.abs(tf.cast(found, tf.float64).numpy() - right).max() / unit


def types_of_sums(concrete):
    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return {tf.as_dtype(node.attr["T"].type).name for node in nodes if node.op in SUMS}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_sums_are_made_in_half_only_where_the_machine_keeps_them_in_float32(lowering, dtype, kept):
    arguments = operands(dtype)
    concrete = step(lowering).get_concrete_function(*arguments)
    found = types_of_sums(concrete)
    assert found <= ({dtype, "float32"} if kept else {"float32"})
    assert (dtype in found) == kept  # The gradients of all lowerings are convolutions.
    if not kept:
        for each, right in zip(concrete(*arguments), truth(*arguments), strict=True):
            assert each.dtype == dtype
            assert units_off(each, right, dtype) < ROUNDED_ONCE


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_results_and_gradients_are_rounded_once_on_this_machine(lowering, dtype):
    arguments = operands(dtype)
    for each, right in zip(step(lowering)(*arguments), truth(*arguments), strict=True):
        assert units_off(each, right, dtype) < accumulation.ROUNDED_ONCE


@pytest.mark.parametrize("dtype", HALVES)
def test_the_gradient_of_a_bias_is_rounded_once(dtype):
    layer = tf_tconv.Conv2DTranspose(5, 3, 2, "same", dtype=dtype)
    layer.build((2, 20, 30, 2))
    random = np.random.default_rng(2)
    x = tf.cast(random.uniform(0, 1, (2, 20, 30, 2)), dtype)
    upstream = tf.cast(random.uniform(0.1, 1, (2, 40, 60, 5)), dtype)
    with tf.GradientTape() as tape:
        y = layer(x)
    found = tape.gradient(y, layer.bias.value, upstream)
    right = tf.cast(upstream, tf.float64).numpy().sum(axis=(0, 1, 2))
    assert units_off(found, right, dtype) < ROUNDED_ONCE


@pytest.mark.parametrize("dtype", HALVES)
def test_a_machine_is_told_by_what_it_computes(dtype, monkeypatch):
    def in_half(a, b):  # Every partial sum rounded, as on a processor without instructions.
        total = tf.zeros([20, 30], a.dtype)
        for k in range(400):
            total += a[:, k : k + 1] * b[k : k + 1]
        return total

    def in_float32(a, b):
        wide = a.dtype if a.dtype == tf.float64 else tf.float32
        return tf.cast(tf.matmul(tf.cast(a, wide), tf.cast(b, wide)), a.dtype)

    def refused(a, b):
        raise tf.errors.UnimplementedError(None, None, "not on this processor")

    for compute, answer in ((in_half, False), (in_float32, True), (refused, False)):
        asked = {"product": (compute, (20, 400), (400, 30))}
        monkeypatch.setattr(accumulation, "PRIMITIVES", asked)
        assert accumulation._ask("product", dtype) is answer


@pytest.mark.parametrize("variable", accumulation.ISA_LIMITS)
def test_a_machine_kept_from_its_instructions_is_not_asked(variable, monkeypatch):
    # TensorFlow believes the processor and oneDNN the variable: asking could crash the process.
    def asked(primitive, dtype):
        raise AssertionError

    monkeypatch.setattr(accumulation, "_ask", asked)
    monkeypatch.setenv(variable, "AVX2")
    assert accumulation.sums_in_float32.__wrapped__("convolution", "bfloat16") is False


def test_asking_leaves_no_trace_in_the_graph_being_built():
    @tf.function(autograph=False)
    def function(x):
        accumulation.sums_in_float32.__wrapped__("convolution", "float16")
        return x

    concrete = function.get_concrete_function(tf.TensorSpec([], tf.float32))
    assert set(operations(concrete)) <= {"Placeholder", "Identity", "NoOp"}


def test_other_types_are_computed_as_they_are(kept):
    for dtype in (tf.float32, tf.float64, tf.int32):
        x = tf.ones([2, 2], dtype)
        concrete = tf.function(
            lambda x: accumulation.summed_once("product", tf.matmul, x, x), autograph=False
        ).get_concrete_function(x)
        assert "Cast" not in operations(concrete)
