"""Training: step for step that of Keras' layer, compiled by XLA or not, and it gets somewhere.

The steps are exact. Inputs, targets and weights are small integers, the loss is half the sum of
squares, whose gradient is the plain difference, and the learning rate 2**-6: after three steps the
weights are multiples of 2**-18. So neither float32 nor the order of a sum can round anything, and
float64 NumPy, native layer and ours have to agree to the last bit.
"""

import keras
import numpy as np
import pytest
from layer_samples import assert_exactly, ramp

import tf_tconv
from compat_tests import oracle

RATE = 2.0**-6
STEPS = 3
ARGUMENTS = {"filters": 2, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same"}
INPUT_SHAPE = (2, 2, 3, 2)

jit = pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
kinds = pytest.mark.parametrize(
    "cls", [tf_tconv.Conv2DTranspose, keras.layers.Conv2DTranspose], ids=["ours", "keras"]
)


class HalfSquares(keras.losses.Loss):
    """Half the sum of squared differences, whose gradient is the difference."""

    def __init__(self):
        super().__init__(reduction="sum")

    def call(self, y_true, y_pred):
        return keras.ops.sum(keras.ops.square(y_true - y_pred), axis=(1, 2, 3)) / 2


def signs(*shape, start=0):
    """Integers -1, 0 and 1, in float32."""
    return np.sign(ramp(*shape, start=start) // 4).astype(np.float32)


def start():
    """Inputs, targets, kernel and bias to begin with."""
    height, width = INPUT_SHAPE[1] * 2, INPUT_SHAPE[2]
    return (
        signs(*INPUT_SHAPE, start=3),
        signs(INPUT_SHAPE[0], height, width, 2, start=8),
        signs(3, 2, 2, 2, start=1),
        np.float32([1, -1]),
    )


def trained_by_hand():
    """Gradient descent by the oracle, in float64.

    Returns:
        Kernel and bias after `STEPS`, the loss before each step, and the largest sum of magnitudes
        of products that went into any gradient.
    """
    x, target, kernel, bias = (array.astype(np.float64) for array in start())
    call = {"strides": (2, 1), "padding": "SAME"}
    losses, largest = [], 0.0
    for _ in range(STEPS):
        difference = oracle.conv2d_transpose(x, kernel, target.shape[1:3], **call) + bias - target
        losses.append(np.square(difference).sum() / 2)
        magnitudes = oracle.filter_gradient(abs(difference), abs(x), (3, 2), **call)
        largest = max(largest, magnitudes.max(), abs(difference).sum(axis=(0, 1, 2)).max())
        kernel = kernel - RATE * oracle.filter_gradient(difference, x, (3, 2), **call)
        bias = bias - RATE * difference.sum(axis=(0, 1, 2))
    return kernel, bias, losses, largest


def model_of(cls, jit_compile):
    """A model of one layer, with the weights to begin with, compiled."""
    layer = cls(**ARGUMENTS)
    model = keras.Sequential([keras.Input(INPUT_SHAPE[1:]), layer])
    layer.set_weights(list(start()[2:]))
    model.compile(keras.optimizers.SGD(RATE), HalfSquares(), jit_compile=jit_compile)
    return model


def test_steps_by_hand_need_no_more_bits_than_float32_has():
    kernel, bias, losses, largest = trained_by_hand()
    for weights in (kernel, bias):
        assert np.array_equal(weights * 2**18, np.rint(weights * 2**18))
        assert np.abs(weights).max() < 2**5
    # The last gradient is a sum of multiples of 2**-12, of which 2**24 stay below 2**12.
    assert largest < 2**12
    assert 0 < losses[2] < losses[1] < losses[0]


@jit
@kinds
def test_three_steps_are_exact(cls, jit_compile):
    x, target, *_ = start()
    model = model_of(cls, jit_compile)
    losses = [float(model.train_on_batch(x, target)) for _ in range(STEPS)]
    kernel, bias, expected, _ = trained_by_hand()
    assert_exactly(model.layers[-1].kernel, kernel.astype(np.float32))
    assert_exactly(model.layers[-1].bias, bias.astype(np.float32))
    # Later Keras versions report the mean over the steps so far; for the first that is the same.
    assert losses[0] == expected[0]
    assert losses[-1] < losses[0]


@jit
def test_fit_is_exact(jit_compile):
    x, target, *_ = start()
    model = model_of(tf_tconv.Conv2DTranspose, jit_compile)
    history = model.fit(x, target, batch_size=len(x), epochs=STEPS, shuffle=False, verbose=0)
    kernel, bias, losses, _ = trained_by_hand()
    assert_exactly(model.layers[-1].kernel, kernel.astype(np.float32))
    assert_exactly(model.layers[-1].bias, bias.astype(np.float32))
    assert len(history.history["loss"]) == len(losses)
    # The squares are multiples of 2**-24, so here float32 rounds: once a square and once a sum, of
    # 24 squares and 2 samples, all positive, so that relative errors do not grow by cancelling.
    np.testing.assert_allclose(history.history["loss"], losses, rtol=(1 + 24 + 2) * 2**-24)


def upsampler():
    """Two layers and an activation between them, from 3x2 to 12x12."""
    return keras.Sequential(
        [
            keras.Input((3, 2, 2)),
            tf_tconv.Conv2DTranspose(
                8,
                (4, 3),
                strides=(2, 3),
                padding="same",
                activation="relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed=1),
            ),
            tf_tconv.Conv2DTranspose(
                1,
                (3, 4),
                strides=2,
                padding="same",
                kernel_initializer=keras.initializers.GlorotUniform(seed=2),
            ),
        ]
    )


@pytest.mark.parametrize(
    "jit_compile",
    [pytest.param(False, id="graph"), pytest.param(True, id="xla", marks=pytest.mark.slow)],
)
def test_fit_makes_the_loss_fall(jit_compile):
    """Learns to enlarge: the target is what a fixed model of the same form makes of the input."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3, 2, 2)).astype(np.float32)
    teacher, pupil = upsampler(), upsampler()
    teacher.set_weights([rng.standard_normal(weight.shape) / 4 for weight in teacher.get_weights()])
    target = teacher.predict(x, verbose=0)
    assert target.shape == (20, 12, 12, 1)
    pupil.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=jit_compile)
    # 20 samples in batches of 8: the last one is smaller.
    history = pupil.fit(x, target, batch_size=8, epochs=15, verbose=0, shuffle=False)
    losses = history.history["loss"]
    assert np.isfinite(losses).all()
    # The seeds are fixed; Keras' own layers bring it down to an eighth.
    assert losses[-1] < losses[0] / 4
    assert pupil.evaluate(x, target, batch_size=8, verbose=0) < losses[0] / 4


def test_eager_training_is_exact():
    x, target, *_ = start()
    model = model_of(tf_tconv.Conv2DTranspose, False)
    model.compile(keras.optimizers.SGD(RATE), HalfSquares(), run_eagerly=True)
    for _ in range(STEPS):
        model.train_on_batch(x, target)
    kernel, bias, *_ = trained_by_hand()
    assert_exactly(model.layers[-1].kernel, kernel.astype(np.float32))
    assert_exactly(model.layers[-1].bias, bias.astype(np.float32))


@pytest.mark.parametrize("trainable", [True, False])
def test_frozen_layer_trains_as_that_of_keras_does(trainable):
    # Keras 3.0 lets a model train the weights of a layer that was made with trainable=False.
    x, target, *_ = start()
    outcomes = []
    for cls in (tf_tconv.Conv2DTranspose, keras.layers.Conv2DTranspose):
        layer = cls(**ARGUMENTS, trainable=trainable)
        last = keras.layers.Dense(2, kernel_initializer="ones")
        model = keras.Sequential([keras.Input(INPUT_SHAPE[1:]), layer, last])
        layer.set_weights(list(start()[2:]))
        model.compile(keras.optimizers.SGD(RATE), HalfSquares())
        model.train_on_batch(x, target)
        assert len(layer.trainable_weights) == (2 if trainable else 0)
        assert len(layer.non_trainable_weights) == (0 if trainable else 2)
        outcomes.append(model.get_weights())
    for ours, theirs in zip(*outcomes, strict=True):
        assert_exactly(ours, theirs)
