"""To add a lowering is to write one function and one entry of the registry."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

import tf_tconv
from compat_tests import oracle
from tests.integers import ramp
from tf_tconv import lowerings
from tf_tconv.functional.plan import call_of
from tf_tconv.lowerings import REGISTRY, Lowering
from tf_tconv.lowerings.calling import compute
from tf_tconv.ops import numpy as ops
from tf_tconv.ops.counting import Convolution
from tf_tconv.planning import candidates
from tf_tconv.planning.load import work

X, W, STRIDES = (2, 4, 3, 4), (3, 2, 3, 4), (2, 3)


def toy(ops, x, w, operation, bias=None):
    """A convolution of one tap for each tap, with zeros inserted, moved into place and added."""
    batch, *cells, channels = ops.sizes(x)
    *kernel, out, per_group = ops.sizes(w)
    rank = operation.rank
    for axis, stride in reversed(list(enumerate(operation.strides, 1))):
        before, after = math.prod([batch, *cells][:axis]), math.prod(ops.sizes(x)[axis + 1 :])
        x = ops.reshape(x, [before, cells[axis - 1], 1, after])
        x = ops.pad(x, [(0, 0), (0, 0), (0, stride - 1), (0, 0)])
        behind = [
            n * s for n, s in zip(cells[axis - 1 :], operation.strides[axis - 1 :], strict=True)
        ]
        x = ops.reshape(x, [batch, *cells[: axis - 1], *behind, channels])
    taps = ops.transpose(ops.reshape(w, [math.prod(kernel), out, per_group]), [0, 2, 1])
    parts = []
    for number, tap in enumerate(itertools.product(*map(range, kernel))):
        pads = []
        for axis, place in zip(operation.axes, tap, strict=True):
            before = place * axis.dilation - axis.pad_before
            pads.append((before, axis.output_size - axis.input_size * axis.stride - before))
        one = ops.reshape(ops.take(taps, [number]), [*[1] * rank, per_group, out])
        parts.append(ops.conv(x, one, pads))
    return ops.add(parts)


@pytest.fixture
def toy_is_registered(monkeypatch):
    monkeypatch.setitem(lowerings._REGISTRY, "toy", Lowering(toy))
    candidates.cache_clear()
    yield
    candidates.cache_clear()
    work.cache_clear()


@pytest.mark.usefixtures("toy_is_registered")
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_it_is_computed_in_numpy_and_in_tensorflow(padding, groups):
    x, w = ramp(*X), ramp(*W)
    arguments = {"strides": STRIDES, "padding": padding, "groups": groups}
    _, call = call_of(x.shape, w.shape, **arguments)
    cells = call.operation.output_size
    right = oracle.conv2d_transpose(x, w, cells, STRIDES, padding, groups=groups)
    assert np.array_equal(compute(ops, REGISTRY["toy"], x, w, call.operation), right)
    tensors = tf.constant(x, tf.float32), tf.constant(w, tf.float32)
    found = tf_tconv.conv2d_transpose(*tensors, None, **arguments, lowering="toy")
    assert np.array_equal(found, right)
    graph = tf.function(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, **arguments, lowering="toy"),
        autograph=False,
    ).get_concrete_function(*tensors)
    convolutions = [op for op in graph.graph.get_operations() if op.type == "Conv2D"]
    assert len(convolutions) == math.prod(W[:2])  # It is the toy that computes, and no other.


@pytest.mark.usefixtures("toy_is_registered")
def test_it_has_gradients():
    x, w = ramp(*X), ramp(*W)
    with tf.GradientTape() as tape:
        tensors = tf.constant(x, tf.float32), tf.constant(w, tf.float32)
        tape.watch(tensors)
        y = tf_tconv.conv2d_transpose(*tensors, None, STRIDES, lowering="toy")
        g = ramp(*y.shape, seed=1)
        loss = tf.reduce_sum(y * tf.constant(g, tf.float32))
    by_input, by_filters = tape.gradient(loss, tensors)
    assert np.array_equal(by_input, oracle.input_gradient(g, w, X[1:3], STRIDES))
    assert np.array_equal(by_filters, oracle.filter_gradient(g, x, W[:2], STRIDES))


@pytest.mark.usefixtures("toy_is_registered")
def test_its_work_is_counted():
    load = call_of(X, W, None, STRIDES, padding="VALID")[1].load
    steps = [step for step in work(load, "toy").steps if isinstance(step, Convolution)]
    assert len(steps) == math.prod(W[:2])
    assert work(load, "toy").flops == 2 * load.outputs * X[-1] * math.prod(W[:2])


@pytest.mark.usefixtures("toy_is_registered")
def test_it_is_planned():
    found = tf_tconv.plan(X, W, strides=STRIDES, backend="onednn")
    assert {each.lowering for each in found.candidates} == {*lowerings.NAMES, "toy"}
    named = tf_tconv.plan(X, W, strides=STRIDES, backend="onednn", lowering="toy")
    assert named.lowering == named.chosen.lowering == "toy"
    assert "\n> toy" in str(named)


@pytest.mark.usefixtures("toy_is_registered")
def test_a_layer_and_a_message_know_its_name():
    layer = tf_tconv.Conv2DTranspose(3, 2, strides=2, lowering="toy")
    assert layer(tf.ones(X)).shape == (2, 8, 6, 3)
    with pytest.raises(ValueError, match=r'"toy".* Did you mean "toy"'):
        tf_tconv.plan(X, W, lowering="toyy")


def test_it_is_unknown_where_it_is_not_registered():
    with pytest.raises(ValueError, match='lowering="toy" is unknown'):
        tf_tconv.plan(X, W, lowering="toy")
    assert "toy" not in {each.lowering for each in tf_tconv.plan(X, W).candidates}
