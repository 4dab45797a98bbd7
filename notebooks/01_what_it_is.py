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
# # 01 · What a transposed convolution is
#
# Three roads lead to one answer: **scatter** (every input stamps the kernel onto the output), the
# **matrix** (the transpose of the convolution's), and **zero insertion** (an ordinary convolution
# of a spread-out input). This notebook walks all three on one small example, and ends with what a
# transposed convolution is *not*: an inverse.

# %%
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import tf_tconv

# %matplotlib inline
plt.style.use("tf_tconv.mplstyle")

# %% [markdown]
# ## The convolution that will be transposed
#
# A 4 × 4 image, a 3 × 3 kernel, stride 1, no padding. The kernel fits in 2 × 2 places.

# %%
image = np.arange(16.0).reshape(4, 4)
kernel = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])


def convolve(image, kernel):
    """Stride 1, no padding, kernel not reversed: what deep learning calls convolution."""
    height, width = (np.array(image.shape) - kernel.shape) + 1
    return np.array(
        [
            [np.sum(image[t : t + kernel.shape[0], u : u + kernel.shape[1]] * kernel)]
            for t in range(height)
            for u in range(width)
        ]
    ).reshape(height, width)


convolve(image, kernel)

# %% [markdown]
# ## Road 1: the matrix
#
# A convolution is linear, so it is a matrix $C$: a row for each of the 4 results, a column for
# each of the 16 pixels. Every row holds the same 9 taps, shifted.

# %%
C = np.zeros([4, 16])
for row, (t, u) in enumerate(np.ndindex(2, 2)):
    for a, b in np.ndindex(3, 3):
        C[row, (t + a) * 4 + (u + b)] = kernel[a, b]

assert np.array_equal(C @ image.ravel(), convolve(image, kernel).ravel())
C.shape

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 4.2), width_ratios=[2.4, 1])
for axis, matrix, title in zip(axes, (C, C.T), ("$C$, 4 × 16", "$C^T$, 16 × 4"), strict=True):
    axis.imshow(np.where(matrix == 0, np.nan, matrix), vmin=0, vmax=10)
    for (row, column), value in np.ndenumerate(matrix):
        if value:
            axis.text(column, row, f"{value:g}", ha="center", va="center", size=8,
                      color="white" if value < 6 else "black")  # fmt: skip
    axis.set(title=title, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The **transposed convolution** is multiplication by $C^T$. It goes the other way: from 2 × 2 to
# 4 × 4.

# %%
x = np.array([[1.0, 2], [3, 4]])
by_matrix = (C.T @ x.ravel()).reshape(4, 4)
by_matrix

# %% [markdown]
# `tf_tconv.convolution_matrix` makes $C$ for any stride, padding, dilation and channels.

# %%
filters = kernel.reshape(3, 3, 1, 1)  # height, width, out_channels, in_channels
assert np.array_equal(tf_tconv.convolution_matrix([2, 2], filters, None, 1, "VALID"), C)

# %% [markdown]
# ## Road 2: scatter
#
# Column by column, $C^T x$ says: every input adds the whole kernel, times its value, to the
# output. This is the definition that everything in this project is judged by.

# %%
by_scatter = np.zeros([4, 4])
for j, m in np.ndindex(2, 2):
    by_scatter[j : j + 3, m : m + 3] += x[j, m] * kernel

assert np.array_equal(by_scatter, by_matrix)

# %%
figure, axes = plt.subplots(1, 5, figsize=(9.5, 2.4))
parts = np.zeros([4, 4, 4])
for index, (j, m) in enumerate(np.ndindex(2, 2)):
    parts[index, j : j + 3, m : m + 3] = x[j, m] * kernel
titles = [f"{value:g} × kernel" for value in x.ravel()]
for axis, part, title in zip(axes, [*parts, by_scatter], [*titles, "the sum"], strict=True):
    axis.imshow(part, vmin=0, vmax=by_scatter.max())
    for (t, u), value in np.ndenumerate(part):
        if value:
            axis.text(u, t, f"{value:g}", ha="center", va="center", size=8,
                      color="white" if value < 45 else "black")  # fmt: skip
    axis.set(title=title, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## Road 3: zero insertion
#
# Row by row, $C^T x$ says: every output is a sum over a window of the input, with the kernel
# **reversed**. At the borders the window hangs over the input, where zeros stand: 2 on each side.

# %%
padded = np.pad(x, 2)
by_convolution = convolve(padded, kernel[::-1, ::-1])

assert np.array_equal(by_convolution, by_matrix)

# %% [markdown]
# `tf_tconv.trace` records every intermediate of a call, and draws it. The frame shows the window
# behind one output cell.

# %%
steps = tf_tconv.trace(x.reshape(1, 2, 2, 1), filters, None, strides=1, padding="VALID")
steps.figure(cell=(1, 2))

# %% [markdown]
# ## With a stride
#
# The forward convolution's windows lie `stride` cells apart. So the stamps do, and zeros have to be
# put **between** the inputs too. All three roads still agree, and agree with TensorFlow's op.

# %%
strided = tf_tconv.trace(
    np.arange(1.0, 10).reshape(1, 3, 3, 1), filters, None, strides=2, padding="VALID"
)
strided.figure(cell=(4, 4))

# %%
stride = 2
x3 = np.arange(1.0, 10).reshape(3, 3)

scattered = np.zeros([7, 7])
for j, m in np.ndindex(3, 3):
    scattered[j * stride : j * stride + 3, m * stride : m * stride + 3] += x3[j, m] * kernel

C2 = tf_tconv.convolution_matrix([3, 3], filters, None, stride, "VALID")

spread = np.zeros([5, 5])
spread[::stride, ::stride] = x3

arguments = (x3.reshape(1, 3, 3, 1), filters, [1, 7, 7, 1], stride, "VALID")
assert np.array_equal((C2.T @ x3.ravel()).reshape(7, 7), scattered)
assert np.array_equal(convolve(np.pad(spread, 2), kernel[::-1, ::-1]), scattered)
assert np.array_equal(tf.nn.conv2d_transpose(*arguments)[0, ..., 0], scattered)
assert np.array_equal(tf_tconv.conv2d_transpose(*arguments)[0, ..., 0], scattered)

# %% [markdown]
# ## What it is not
#
# $C^T$ has the shape of an inverse of $C$, and none of its other properties. It restores the
# **size** and not the **values**: the name "deconvolution" promises too much.

# %%
restored = (C.T @ (C @ image.ravel())).reshape(4, 4)

assert restored.shape == image.shape
assert not np.allclose(restored, image)
np.linalg.matrix_rank(C.T @ C)

# %% [markdown]
# 16 pixels went through 4 numbers, so nothing could bring them back. What the transpose does keep
# is the inner product, $\langle C u, x\rangle = \langle u, C^T x\rangle$, which makes it the
# gradient of the convolution with respect to its input.

# %%
assert np.sum(convolve(image, kernel) * x) == np.sum(image * by_matrix)

pixels = tf.Variable(image.reshape(1, 4, 4, 1))
with tf.GradientTape() as tape:
    result = tf.nn.conv2d(pixels, filters, 1, "VALID")
gradient = tape.gradient(result, pixels, output_gradients=x.reshape(1, 2, 2, 1))

assert np.array_equal(gradient[0, ..., 0], by_matrix)
