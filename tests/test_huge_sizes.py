"""Sizes near the limits: answered without walking over them, or refused with a sentence."""

import resource

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv

X, W = tf.constant(ramp(1, 3, 3, 2), tf.float32), tf.constant(ramp(3, 3, 1, 2, seed=1), tf.float32)


@pytest.mark.parametrize("dilation", [3, 1000, 2**20, 2**31 - 1])
def test_a_dilation_beyond_the_image_leaves_the_middle_tap(dilation):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    y = tf_tconv.conv2d_transpose(X, W, None, 1, dilations=dilation)
    wanted = np.sum(X.numpy() * W[1, 1, 0].numpy(), axis=-1, keepdims=True)
    np.testing.assert_array_equal(y, wanted)
    # Kilobytes; a walk over the dilated kernel would take gigabytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_its_gradients_are_as_small():
    with tf.GradientTape() as tape:
        tape.watch([X, W])
        y = tf_tconv.conv2d_transpose(X, W, None, 1, dilations=2**31 - 1)
    dx, dw = tape.gradient(y, [X, W])
    np.testing.assert_array_equal(dx, tf.broadcast_to(W[1, 1, 0], X.shape))
    outside = np.ones([3, 3])
    outside[1, 1] = 0
    assert not np.any(dw.numpy() * outside[..., None, None])
    np.testing.assert_array_equal(dw[1, 1, 0], tf.reduce_sum(X, [0, 1, 2]))


def test_a_stride_beyond_the_one_input():
    x = tf.constant([[[[2.0]]]])
    y = tf_tconv.conv2d_transpose(x, tf.constant([[[[3.0]]]]), [1, 7, 1, 1], 2**31 - 1)
    np.testing.assert_array_equal(y[0, :, 0, 0], [6, 0, 0, 0, 0, 0, 0])


def test_padding_that_crops_nearly_everything():
    x = tf.constant(ramp(1, 4000, 1, 1), tf.float32)
    y = tf_tconv.conv2d_transpose(
        x, tf.ones([1, 1, 1, 1]), None, (500, 1), [[0, 0], [1_000_000, 999_400], [0, 0], [0, 0]]
    )
    wanted = np.zeros(600)
    wanted[::500] = x[0, 2000:2002, 0, 0]
    np.testing.assert_array_equal(y[0, :, 0, 0], wanted)


def trace(lowering):
    """The result's shape for an input that zero insertion would pad beyond what a tensor holds."""
    x, w = (tf.TensorSpec(s, tf.float32) for s in ((16, 64, 64, 1024), (16, 16, 64, 1024)))
    call = tf.function(lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 8, lowering=lowering))
    return call.get_concrete_function(x, w).structured_outputs.shape


@pytest.mark.parametrize("lowering", ["auto", "polyphase", "native"])
def test_what_only_zero_insertion_would_pad_too_far_is_computed(lowering):
    assert trace(lowering) == (16, 512, 512, 64)


def test_a_lowering_that_would_pad_too_far_says_so():
    sentence = rf"zero_insertion.* tensor of {16 * 512 * 512 * 1024} .* the most is {2**31 - 1}"
    with pytest.raises(ValueError, match=sentence):
        trace("zero_insertion")


def test_it_is_not_a_choice():
    plan = tf_tconv.plan([16, 64, 64, 1024], [16, 16, 64, 1024], strides=8)
    excluded = {each.lowering: each.excluded for each in plan.candidates}
    assert "a tensor of more than" in excluded["zero_insertion"]
    assert not excluded[plan.lowering]
