# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Building the layer from primitives
#
# `tf.nn.conv2d_transpose` from `tf.pad`, `tf.reshape`, `tf.reverse` and `tf.nn.conv2d`, one step at
# a time, each compared with the native op.

# %%
import itertools

import keras
import numpy as np
import tensorflow as tf

import tf_tconv

# %% [markdown]
# Integers in floats have nothing to round, so every comparison here is for **equality**. Different
# height and width, kernel and channels: a swapped pair of them would not go unseen.


# %%
def integers(*shape, seed=0):
    """Small integers as float32."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float32)


x = integers(2, 3, 5, 4)  # batch, height, width, in_channels
w = integers(3, 4, 6, 4, seed=1)  # height, width, out_channels, in_channels
stride = (2, 3)
native = tf.nn.conv2d_transpose(x, w, [2, 6, 15, 6], stride)

# %% [markdown]
# ## Step 1: zeros between the inputs
#
# Zeros are appended to every cell along an axis of its own, then the axes are merged: cell, zero,
# cell, zero. The zeros after the last cell are cut off.


# %%
def dilate(x, strides):
    """[n, h, w, c] with stride - 1 zeros between its cells."""
    batch, height, width, channels = x.shape
    rows, columns = strides
    cells = tf.reshape(x, [batch, height, 1, width, 1, channels])
    cells = tf.pad(cells, [[0, 0], [0, 0], [0, rows - 1], [0, 0], [0, columns - 1], [0, 0]])
    spread = tf.reshape(cells, [batch, height * rows, width * columns, channels])
    return spread[:, : (height - 1) * rows + 1, : (width - 1) * columns + 1]


dilated = dilate(x, stride)
assert dilated.shape == (2, 5, 13, 4)
assert np.array_equal(dilated[:, ::2, ::3], x)
assert np.count_nonzero(dilated) == np.count_nonzero(x)

# %% [markdown]
# ## Step 2: zeros around them
#
# How many, says the rule of notebook 02. One call per axis.

# %%
axes = [
    tf_tconv.transpose_geometry(size, kernel, step)
    for size, kernel, step in zip(x.shape[1:3], w.shape[:2], stride, strict=True)
]
rows, columns = axes
padded = tf.pad(dilated, [[0, 0], [rows.lead, rows.trail], [columns.lead, columns.trail], [0, 0]])
[(axis.lead, axis.trail) for axis in axes]

# %% [markdown]
# ## Step 3: the kernel
#
# Reversed along height and width; and as `tf.nn.conv2d` wants `[height, width, in, out]`, the
# channels change places.

# %%
reversed_kernel = tf.transpose(tf.reverse(w, [0, 1]), [0, 1, 3, 2])
assert reversed_kernel.shape == (3, 4, 4, 6)

# %% [markdown]
# ## Step 4: an ordinary convolution

# %%
y = tf.nn.conv2d(padded, reversed_kernel, strides=1, padding="VALID")
assert np.array_equal(y, native)

# %% [markdown]
# ## The function
#
# The same with dilation and explicit padding. A negative `lead` or `trail` crops, which `tf.pad`
# does not do.


# %%
def pad_or_crop(x, rows, columns):
    """Zeros around an image; fewer than none takes cells away."""
    zeros = [[max(axis.lead, 0), max(axis.trail, 0)] for axis in (rows, columns)]
    crops = [(max(-axis.lead, 0), max(-axis.trail, 0)) for axis in (rows, columns)]
    x = tf.pad(x, [[0, 0], *zeros, [0, 0]])
    (top, bottom), (left, right) = crops
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


def conv2d_transpose(
    x, w, output_size=(None, None), strides=(1, 1), dilations=(1, 1), padding="SAME"
):
    """A transposed convolution of one group, NHWC, sizes known."""
    rows, columns = (
        tf_tconv.transpose_geometry(*axis, padding, size)
        for *axis, size in zip(
            x.shape[1:3], w.shape[:2], strides, dilations, output_size, strict=True
        )
    )
    padded = pad_or_crop(dilate(x, strides), rows, columns)
    kernel = tf.transpose(tf.reverse(w, [0, 1]), [0, 1, 3, 2])
    return tf.nn.conv2d(padded, kernel, 1, "VALID", dilations=dilations)


assert np.array_equal(conv2d_transpose(x, w, strides=stride), native)

# %% [markdown]
# Against the native op, on every legal output size of a grid of calls.

# %%
compared = 0
for k, s, padding in itertools.product(range(1, 6), range(1, 5), ("SAME", "VALID")):
    image, taps = integers(1, 3, 4, 2), integers(k, k, 3, 2, seed=k)
    legal = [tf_tconv.legal_output_sizes(size, k, s, padding=padding) for size in (3, 4)]
    for height, width in zip(*legal, strict=True):
        found = conv2d_transpose(image, taps, (height, width), (s, s), padding=padding)
        wanted = tf.nn.conv2d_transpose(image, taps, [1, height, width, 3], s, padding)
        assert np.array_equal(found, wanted)
        compared += 1
compared

# %% [markdown]
# And where the native op refuses, against the definition: explicit padding with a dilation.


# %%
def scatter(x, w, axes):
    """The definition: y[j s + a d - p0] += x[j] w[a]."""
    rows, columns = axes
    y = np.zeros([x.shape[0], rows.output_size, columns.output_size, w.shape[2]], np.float32)
    for j, m in np.ndindex(x.shape[1:3]):
        for a, b in np.ndindex(w.shape[:2]):
            t, u = rows.output_index(j, a), columns.output_index(m, b)
            if 0 <= t < rows.output_size and 0 <= u < columns.output_size:
                y[:, t, u] += x[:, j, m] @ w[a, b].T
    return y


axes = [tf_tconv.transpose_geometry(n, k, 2, 3, (5, 1)) for n, k in ((3, 3), (5, 4))]
assert np.array_equal(
    conv2d_transpose(x, w, strides=(2, 2), dilations=(3, 3), padding=(5, 1)), scatter(x, w, axes)
)

# %% [markdown]
# ## The gradient
#
# The transposed convolution's gradient with respect to its input is the forward convolution: no
# reversed kernel, no inserted zeros. TensorFlow would differentiate step by step through the zeros
# instead, to the same numbers.

# %%
upstream = integers(*native.shape, seed=2)
image = tf.constant(x)
with tf.GradientTape() as tape:
    tape.watch(image)
    y = conv2d_transpose(image, w, strides=stride)
by_steps = tape.gradient(y, image, output_gradients=upstream)
by_adjoint = tf.nn.conv2d(upstream, w, stride, "SAME")

assert np.array_equal(by_steps, by_adjoint)

# %% [markdown]
# `tf_tconv.conv2d_transpose` declares the adjoint as its gradient, so no zero is ever
# differentiated, whatever computes the forward pass.

# %% [markdown]
# ## The layer


# %%
class Upsample(keras.layers.Layer):
    """A transposed convolution with padding "same" and a bias."""

    def __init__(self, filters, kernel_size, strides):
        super().__init__()
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides

    def build(self, input_shape):
        shape = (*self.kernel_size, self.filters, input_shape[-1])
        self.kernel = self.add_weight(shape=shape, name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        return conv2d_transpose(x, self.kernel, strides=self.strides) + self.bias


ours = Upsample(6, (3, 4), stride)
theirs = keras.layers.Conv2DTranspose(6, (3, 4), stride, padding="same")
ours(x), theirs(x)
weights = [w, integers(6, seed=3)]
ours.set_weights(weights)
theirs.set_weights(weights)
assert np.array_equal(ours(x), theirs(x))

# %% [markdown]
# The library's layer takes the same weights, and what Keras' does not: strides with a dilation,
# groups, explicit padding, an output size at call time. It also serializes, traces sizes that are
# unknown, and says what is wrong with a call that has no answer.

# %%
layer = tf_tconv.Conv2DTranspose(6, (3, 4), stride, padding="same")
layer(x)
layer.set_weights(weights)
assert np.array_equal(layer(x), theirs(x))
layer(x, output_size=(5, 14)).shape
