"""Dtype policies: what the variables, the computation, the output and the gradients are in."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.backend import standardize_dtype
from layer_samples import SAMPLES, Sample, assert_exactly

import tf_tconv

POLICIES = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "float16": ("float16", "float16"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "mixed_float16": ("float32", "float16"),
    "mixed_bfloat16": ("float32", "bfloat16"),
}
"""Of each policy the dtype of the variables and of the computation."""

policies = pytest.mark.parametrize("policy", list(POLICIES))


class FewBits(Sample):
    """A sample in which all sums of products stay below 2**8, so that no dtype has to round."""

    def numbers(self, *shape, start=0):
        # The pattern's length is prime, so that no axis falls in step with it.
        pattern = np.float32([0, 1, 0, 0, -1, 0, 0, 1, 1, 0, -1, 0, 0])
        return pattern[(np.arange(np.prod(shape)) + start) % len(pattern)].reshape(shape)

    def outputs(self):
        """What its layer makes of its inputs."""
        return self.filled()(self.inputs(), output_size=self.output_size)


SMALL = {sample.name: FewBits(**vars(sample)) for sample in SAMPLES}
samples = pytest.mark.parametrize("name", list(SMALL))


@policies
@samples
def test_dtypes_of_variables_and_output(name, policy):
    layer = SMALL[name].but(dtype=policy).filled()
    variable, compute = POLICIES[policy]
    assert layer.variable_dtype == variable
    assert layer.compute_dtype == compute
    assert {standardize_dtype(weight.dtype) for weight in layer.weights} == {variable}
    outputs = layer(SMALL[name].inputs(), output_size=SMALL[name].output_size)
    assert standardize_dtype(outputs.dtype) == compute


@policies
@samples
def test_output_is_exact_in_every_policy(name, policy):
    sample = SMALL[name].but(dtype=policy)
    assert np.abs(sample.expected()).max() <= 2**8  # What bfloat16, the coarsest, can count to.
    assert_exactly(tf.cast(sample.outputs(), tf.float64), sample.expected())


@policies
@samples
def test_symbolic_output_has_the_dtype_of_the_real_one(name, policy):
    sample = SMALL[name].but(dtype=policy)
    inputs = keras.KerasTensor(sample.inputs().shape)
    symbolic = sample.layer()(inputs, output_size=sample.output_size)
    assert symbolic.dtype == standardize_dtype(sample.outputs().dtype)


@policies
@samples
def test_gradients_are_finite_and_in_the_dtype_of_the_variables(name, policy):
    sample = SMALL[name].but(dtype=policy)
    layer, inputs = sample.filled(), tf.constant(sample.inputs())
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, output_size=sample.output_size)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
    weights = layer.trainable_weights
    gradients = tape.gradient(total, [inputs, *weights])
    assert gradients[0].dtype == tf.float32
    for gradient, weight in zip(gradients[1:], weights, strict=True):
        assert standardize_dtype(gradient.dtype) == POLICIES[policy][0]
        assert gradient.shape == weight.shape
    for gradient in gradients:
        values = tf.cast(gradient, tf.float64).numpy()
        assert np.isfinite(values).all()
        assert np.unique(values).size > 1


@pytest.mark.parametrize("given", ["float16", "float64"])
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "float64"])
def test_floats_of_another_dtype_are_cast(policy, given):
    sample = SMALL["odd_target"].but(dtype=policy)
    inputs = sample.inputs().astype(given)
    outputs = sample.filled()(inputs, output_size=sample.output_size)
    assert standardize_dtype(outputs.dtype) == POLICIES[policy][1]
    assert_exactly(tf.cast(outputs, tf.float64), sample.expected())


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "bool"])
def test_size_to_match_may_be_of_any_dtype(policy, dtype):
    sample = SMALL["odd_target"].but(dtype=policy)
    skip = tf.zeros((2, *sample.output_size, 5), dtype)
    outputs = sample.filled()(sample.inputs(), output_size=skip)
    assert_exactly(tf.cast(outputs, tf.float64), sample.expected())


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_mixed_precision_trains(policy, jit_compile):
    sample = SMALL["strided"].but(dtype=policy)
    layer = sample.filled()
    inputs = keras.Input(sample.input_shape[1:])
    outputs = keras.layers.Activation("linear", dtype="float32")(layer(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(2.0**-4), "mse", jit_compile=jit_compile)
    images, target = sample.inputs(), np.zeros(sample.expected().shape, np.float32)
    losses = [float(model.train_on_batch(images, target)) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
    for before, after in zip(sample.weights(), layer.get_weights(), strict=True):
        assert after.dtype == np.float32
        assert not np.array_equal(before, after)


@pytest.fixture
def global_policy():
    """Restores the global dtype policy after the test."""
    was = keras.config.floatx()
    yield keras.mixed_precision.set_global_policy
    keras.mixed_precision.set_global_policy(was)


@policies
def test_global_policy_is_followed(policy, global_policy):
    global_policy(policy)
    layer = tf_tconv.Conv2DTranspose(2, 3)
    assert (layer.variable_dtype, layer.compute_dtype) == POLICIES[policy]
    dtype = standardize_dtype(layer(np.ones([1, 2, 3, 2])).dtype)
    assert dtype == POLICIES[policy][1]


def test_policy_object():
    layer = tf_tconv.Conv2DTranspose(2, 3, dtype=keras.mixed_precision.Policy("mixed_bfloat16"))
    assert layer.compute_dtype == "bfloat16"
    again = tf_tconv.Conv2DTranspose.from_config(layer.get_config())
    assert (again.variable_dtype, again.compute_dtype) == ("float32", "bfloat16")
