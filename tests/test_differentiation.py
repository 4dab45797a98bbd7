"""Gradients of any order, backward and forward, in every way TensorFlow asks for them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle

CALLS = [
    {"strides": (2, 3)},
    {"strides": (2, 1), "dilations": (1, 3)},
    {"strides": 2, "groups": 2},
    {"strides": (1, 3), "padding": "VALID", "groups": 4, "dilations": 2},
    {"strides": 2, "padding": [[0, 0], [4, 0], [0, 1], [0, 0]]},
]
MODES = {"eager": None, "graph": False, "xla": True, "open sizes": False}
OPEN = [tf.TensorSpec([None, None, None, 4]), tf.TensorSpec([3, 2, None, 4])]


def arrays(groups):
    """x, w and a direction for each."""
    shapes = ((1, 3, 4, 4), (3, 2, 4 // groups, 4))
    return [tf.constant(ramp(*s, seed=i), tf.float32) for i in (0, 1) for s in shapes]


def of(call):
    return lambda x, w: tf_tconv.conv2d_transpose(x, w, None, **call)


def by_oracle(call, x, w):
    """The same call by the definition."""
    padding = call.get("padding", "SAME")
    padding = padding if isinstance(padding, str) else tuple(map(tuple, padding[1:3]))
    strides, dilations = (_pair(call.get(name, 1)) for name in ("strides", "dilations"))
    size = tuple(
        tf_tconv.transpose_geometry(
            x.shape[1 + axis],
            w.shape[axis],
            strides[axis],
            dilations[axis],
            oracle.axis_padding(padding, axis),
        ).output_size
        for axis in (0, 1)
    )
    return oracle.conv2d_transpose(
        np.asarray(x), np.asarray(w), size, strides, padding, dilations, call.get("groups", 1)
    )


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


def in_mode(mode, function):
    if MODES[mode] is None:
        return function
    signature = OPEN if mode == "open sizes" else None
    return tf.function(function, signature, jit_compile=MODES[mode], autograph=False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", CALLS, ids=str)
class TestForwardMode:
    """The product rule: the tangent is tconv(dx, w) + tconv(x, dw)."""

    def test_outside(self, call, mode):
        x, w, dx, dw = arrays(call.get("groups", 1))
        function = in_mode(mode, of(call))
        with tf.autodiff.ForwardAccumulator([x, w], [dx, dw]) as accumulator:
            y = function(x, w)
        wanted = by_oracle(call, dx, w) + by_oracle(call, x, dw)
        np.testing.assert_array_equal(accumulator.jvp(y), wanted)

    def test_inside(self, call, mode):
        x, w, dx, dw = arrays(call.get("groups", 1))

        def tangent(x, w):
            with tf.autodiff.ForwardAccumulator([x, w], [dx, dw]) as accumulator:
                y = of(call)(x, w)
            return accumulator.jvp(y)

        wanted = by_oracle(call, dx, w) + by_oracle(call, x, dw)
        np.testing.assert_array_equal(in_mode(mode, tangent)(x, w), wanted)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", CALLS, ids=str)
class TestSecondOrder:
    def test_gradient_of_the_gradients(self, call, mode):
        """Bilinear: <g, y> has second derivative 2 <g, tconv(dx, dw)>, along (dx, dw)."""
        x, w, dx, dw = arrays(call.get("groups", 1))
        y = by_oracle(call, x, w)
        g = tf.constant(ramp(*y.shape, seed=2), tf.float32)

        def second(x, w):
            with tf.GradientTape() as outer:
                outer.watch([x, w])
                with tf.GradientTape() as inner:
                    inner.watch([x, w])
                    value = tf.reduce_sum(g * of(call)(x, w))
                gx, gw = inner.gradient(value, [x, w])
                along = tf.reduce_sum(gx * dx) + tf.reduce_sum(gw * dw)
            hx, hw = outer.gradient(along, [x, w])
            return tf.reduce_sum(hx * dx) + tf.reduce_sum(hw * dw)

        wanted = 2 * np.sum(np.asarray(g) * by_oracle(call, dx, dw))
        assert float(in_mode(mode, second)(x, w)) == wanted

    @pytest.mark.slow
    def test_hessian_vector_product_forward_over_backward(self, call, mode):
        x, w, dx, dw = arrays(call.get("groups", 1))
        g = tf.constant(ramp(*by_oracle(call, x, w).shape, seed=2), tf.float32)

        def product(x, w):
            with tf.autodiff.ForwardAccumulator([x, w], [dx, dw]) as accumulator:
                with tf.GradientTape() as tape:
                    tape.watch([x, w])
                    value = tf.reduce_sum(g * of(call)(x, w))
                gradients = tape.gradient(value, [x, w])
            return [accumulator.jvp(gradient) for gradient in gradients]

        hx, hw = in_mode(mode, product)(x, w)
        wanted = 2 * np.sum(np.asarray(g) * by_oracle(call, dx, dw))
        assert float(tf.reduce_sum(hx * dx) + tf.reduce_sum(hw * dw)) == wanted


@pytest.mark.parametrize("call", CALLS, ids=str)
class TestVectorization:
    def test_map_fn_over_images(self, call):
        xs, w = _stack(call)
        found = tf.map_fn(lambda x: of(call)(x, w[0]), xs)
        np.testing.assert_array_equal(found, [by_oracle(call, x, w[0]) for x in xs])

    @pytest.mark.parametrize(("over_x", "over_w"), [(True, False), (False, True), (True, True)])
    def test_vectorized_map(self, call, over_x, over_w):
        xs, ws = _stack(call)
        many = [t for t, over in ((xs, over_x), (ws, over_w)) if over]

        def one(given):
            given = list(given)
            return of(call)(given.pop(0) if over_x else xs[0], given.pop(0) if over_w else ws[0])

        found = tf.vectorized_map(one, many)
        wanted = [
            by_oracle(call, xs[i if over_x else 0], ws[i if over_w else 0]) for i in range(len(xs))
        ]
        np.testing.assert_array_equal(found, wanted)

    def test_vectorized_gradients(self, call):
        """Per-example gradients, as differentially private training takes them."""
        xs, ws = _stack(call)

        def one(x):
            with tf.GradientTape() as tape:
                tape.watch([x, ws])
                y = of(call)(x, ws[0])
                value = tf.reduce_sum(y * y)
            return tape.gradient(value, [x, ws])

        for found, wanted in zip(
            tf.vectorized_map(one, xs), zip(*map(one, xs), strict=True), strict=True
        ):
            np.testing.assert_array_equal(found, tf.stack(wanted))

    def test_jacobian_is_the_operator(self, call):
        """Column by column, d y / d x is what the definition makes of unit vectors."""
        x, w, *_ = arrays(call.get("groups", 1))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = of(call)(x, w)
        jacobian = tape.jacobian(y, x).numpy()
        for index in itertools.product(*(range(size) for size in x.shape)):
            unit = np.zeros(x.shape)
            unit[index] = 1
            np.testing.assert_array_equal(
                jacobian[(..., *index)], by_oracle(call, unit, w), err_msg=str(index)
            )


def _stack(call):
    x, w, dx, dw = arrays(call.get("groups", 1))
    return tf.stack([x, dx, x - 2 * dx]), tf.stack([w, dw, w - dw])


def test_gradient_of_one_input_only():
    x, w, *_ = arrays(1)
    for watched in (x, w):
        with tf.GradientTape() as tape:
            tape.watch(watched)
            y = tf_tconv.conv2d_transpose(x, w, None, 2)
        assert tape.gradient(y, watched).shape == watched.shape


def test_filters_may_be_a_variable():
    x, w, *_ = arrays(1)
    variable = tf.Variable(w)
    with tf.GradientTape() as tape:
        y = tf_tconv.conv2d_transpose(x, variable, None, 2)
    np.testing.assert_array_equal(y, by_oracle({"strides": 2}, x, w))
    assert tape.gradient(y, variable).shape == w.shape
