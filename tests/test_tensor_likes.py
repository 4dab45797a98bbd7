"""What stands for a tensor: variables, arrays, lists, objects that make tensors of themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle

X, W = ramp(2, 4, 5, 2), ramp(3, 2, 3, 2, seed=1)
G = ramp(2, 8, 15, 3, seed=2)
SHAPE = [2, 8, 15, 3]
Y = oracle.conv2d_transpose(X, W, (8, 15), (2, 3))
DX = oracle.input_gradient(G, W, (4, 5), (2, 3))
DW = oracle.filter_gradient(G, X, (3, 2), (2, 3))


class MakesATensor:
    def __init__(self, value):
        self.value = value

    def __tf_tensor__(self, dtype=None, name=None):
        return tf.convert_to_tensor(self.value, dtype, name=name)


class MakesAnArray:
    def __init__(self, value):
        self.value = np.asarray(value)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype)


class Extension(tf.experimental.ExtensionType):
    value: tf.Tensor

    def __tf_tensor__(self, dtype=None, name=None):
        return tf.convert_to_tensor(self.value, dtype, name=name)


class Opaque(tf.experimental.ExtensionType):
    value: tf.Tensor


class Failing:
    def __tf_tensor__(self, dtype=None, name=None):
        raise KeyError("nothing here")


def float32(array):
    return np.asarray(array, np.float32)


def mirrored(array):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return tf.Variable(float32(array))


LIKES = {
    "tensor": lambda a: tf.constant(a, tf.float32),
    "array": float32,
    "masked array": lambda a: np.ma.array(float32(a)),
    "list": lambda a: float32(a).tolist(),
    "list of arrays": lambda a: list(float32(a)),
    "list of tensors": lambda a: [tf.constant(part, tf.float32) for part in a],
    "variable": lambda a: tf.Variable(float32(a)),
    "keras variable": lambda a: keras.Variable(float32(a)),
    "list of keras variables": lambda a: [keras.Variable(float32(part)) for part in a],
    "distributed variable": mirrored,
    "__tf_tensor__": lambda a: MakesATensor(float32(a)),
    "__array__": lambda a: MakesAnArray(float32(a)),
    "extension type": lambda a: Extension(tf.constant(a, tf.float32)),
}
MODES = {
    "eager": lambda function: function,
    "graph": lambda function: tf.function(function, autograph=False),
    "xla": lambda function: tf.function(function, jit_compile=True, autograph=False),
}


@pytest.mark.parametrize("tape", [False, True], ids=["", "tape"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("like", LIKES)
def test_input_and_filters(like, mode, tape):
    x, w = LIKES[like](X), LIKES[like](W)

    def call():
        if not tape:
            return tf_tconv.conv2d_transpose(x, w, SHAPE, (2, 3))
        with tf.GradientTape():
            return tf_tconv.conv2d_transpose(x, w, SHAPE, (2, 3))

    np.testing.assert_array_equal(MODES[mode](call)(), Y)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("like", ["variable", "keras variable", "distributed variable"])
def test_gradients_reach_the_variables(like, mode):
    x, w = LIKES[like](X), LIKES[like](W)
    watched = [v.value if isinstance(v, keras.Variable) else v for v in (x, w)]

    def call():
        with tf.GradientTape() as tape:
            y = tf_tconv.conv2d_transpose(x, w, SHAPE, (2, 3))
        return tape.gradient(y, watched, output_gradients=tf.constant(G, tf.float32))

    for found, right in zip(MODES[mode](call)(), (DX, DW), strict=True):
        np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("eagerly", [True, False])
def test_a_layer_of_ones_own_trains(eagerly):
    class Up(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(2, 2, 1, shape[-1]), name="kernel")

        def call(self, x):
            return tf_tconv.conv2d_transpose(x, self.kernel, None, 2)

    model = keras.Sequential([keras.Input((3, 4, 2)), Up()])
    model.compile("sgd", "mse", run_eagerly=eagerly)
    before = model.get_weights()[0]
    model.fit(np.ones((4, 3, 4, 2)), np.ones((4, 6, 8, 1)), verbose=0)
    assert np.all(model.get_weights()[0] != before)


INTEGERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "list of NumPy's": lambda v: [np.int64(n) for n in v],
    "list of arrays": lambda v: [np.array(n) for n in v],
    "tensor": tf.constant,
    "list of tensors": lambda v: [tf.constant(n) for n in v],
    "variable": tf.Variable,
    "keras variable": lambda v: keras.Variable(v, dtype="int32", trainable=False),
    "mixed list": lambda v: [*v[:2], tf.Variable(v[2]), keras.Variable(v[3], dtype="int32")],
    "__tf_tensor__": MakesATensor,
    "__array__": MakesAnArray,
    "extension type": lambda v: Extension(tf.constant(v)),
    "shape": tf.TensorShape,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("like", INTEGERS)
def test_output_shape(like, mode):
    shape = INTEGERS[like](SHAPE)
    x, w = tf.constant(X), tf.constant(W)
    y = MODES[mode](lambda: tf_tconv.conv2d_transpose(x, w, shape, (2, 3)))()
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("like", INTEGERS)
def test_strides_and_dilations_known_when_called(like):
    strides, dilations = INTEGERS[like]([1, 2, 3, 1]), INTEGERS[like]([1, 1, 1, 1])
    y = tf_tconv.conv2d_transpose(X, W, SHAPE, strides, dilations=dilations)
    np.testing.assert_array_equal(y, Y)


def test_a_stride_may_be_a_scalar_tensor():
    for stride in (tf.constant(2), np.array(2), tf.Variable(2), MakesATensor(2)):
        assert tf_tconv.conv2d_transpose(X, W, None, stride).shape == (2, 8, 10, 3)


def test_strides_known_only_at_run_time_are_refused_with_the_reason():
    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32)], autograph=False)
    def call(strides):
        return tf_tconv.conv2d_transpose(X, W, None, strides)

    with pytest.raises(
        TypeError, match=r"strides=.* known only at run time; it must be known when"
    ):
        call([2, 3])


REFUSED = {
    "ragged": lambda: tf.RaggedTensor.from_tensor(tf.zeros([3, 2, 3, 2])),
    "sparse": lambda: tf.sparse.from_dense(tf.ones([3, 2, 3, 2])),
    "slices": lambda: tf.IndexedSlices(tf.ones([3, 2, 3, 2]), [0, 1, 2]),
    "symbolic": lambda: keras.KerasTensor((3, 2, 3, 2)),
    "an extension type that is not a tensor": lambda: Opaque(tf.ones([3, 2, 3, 2])),
    "an object that fails": Failing,
    "an object": object,
    "none": lambda: None,
    "text": lambda: "filters",
    "a specification": lambda: tf.TensorSpec([3, 2, 3, 2]),
    "a data set": lambda: tf.data.Dataset.range(3),
    "integers of 64 bits": lambda: tf.Variable(tf.ones([3, 2, 3, 2], tf.int64)),
    "keras integers of 8 bits": lambda: keras.Variable(W, dtype="int8"),
}


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("argument", ["input", "filters"])
@pytest.mark.parametrize("like", REFUSED)
def test_what_is_no_tensor_is_refused_by_name(like, argument, mode):
    value = REFUSED[like]()
    arguments = {"input": X, "filters": W} | {argument: value}
    call = MODES[mode](lambda: tf_tconv.conv2d_transpose(**arguments, output_shape=None, strides=2))
    with pytest.raises(TypeError, match=f"^{argument}|{argument}( is a|=| has dtype)"):
        call()


@pytest.mark.parametrize("like", ["ragged", "symbolic", "an object that fails", "an object"])
def test_what_is_no_output_shape_is_refused_by_name(like):
    with pytest.raises(TypeError, match="output_shape"):
        tf_tconv.conv2d_transpose(X, W, REFUSED[like](), 2)
