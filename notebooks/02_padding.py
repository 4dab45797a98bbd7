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
# # 02 · Padding and its asymmetry
#
# Most errors with transposed convolutions are errors of one pixel. They come from one question:
# when the padding is odd, which side gets the odd zero? The answer is always in the **forward**
# convolution, the one that is transposed.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import tf_tconv

# %matplotlib inline
plt.style.use("tf_tconv.mplstyle")

# %% [markdown]
# ## Many outputs, one input
#
# A convolution with stride 2 takes 9 cells to 5, and 10 cells to 5. So the transposed one can take
# 5 to 9 or to 10, and has to be told. With stride `s` there are always `s` legal sizes.

# %%
for size in (8, 9, 10, 11):
    print(size, "->", tf.nn.conv1d(tf.zeros([1, size, 1]), tf.zeros([3, 1, 1]), 2, "SAME").shape[1])

assert list(tf_tconv.legal_output_sizes(5, kernel_size=3, stride=2, padding="SAME")) == [9, 10]
assert list(tf_tconv.legal_output_sizes(5, kernel_size=3, stride=2, padding="VALID")) == [11, 12]

# %% [markdown]
# An illegal size gets an answer before anything is computed.

# %%
try:
    tf_tconv.transpose_geometry(5, kernel_size=3, stride=2, output_size=8)
except ValueError as error:
    print(error)

# %% [markdown]
# ## SAME: the odd one
#
# Forward, SAME pads `P = (i - 1) s + k' - o` cells: half before, half after, and **the odd one
# after**. For kernel 3, stride 2, 6 to 3 cells: `P = 1`, so nothing before and one after.

# %%
axis = tf_tconv.transpose_geometry(3, kernel_size=3, stride=2)
axis.pad_before, axis.pad_after

# %% [markdown]
# The transposed convolution adds `k' - 1` zeros on both sides, less what the forward one padded
# there. Less was taken away before, so **more zeros stand before**: floor to the front forward, odd
# zero to the front transposed.

# %%
axis.lead, axis.trail

# %%
x = np.arange(1.0, 10).reshape(1, 3, 3, 1)
kernel = np.array([[1.0, 1, 1], [1, 2, 1], [1, 1, 1]]).reshape(3, 3, 1, 1)
steps = tf_tconv.trace(x, kernel, None, strides=2)
assert steps.window((5, 5)).sum == 18
steps.figure(cell=(5, 5))

# %% [markdown]
# Two orange zeros before, one violet after. The last output sees one input, through the middle of
# the kernel: 2 · 9 = 18.
#
# The whole family: `lead - trail` for the default output size. Wherever it is 1, an implementation
# that pads symmetrically, or the wrong way round, is one pixel off.

# %%
kernels, strides = range(1, 12), range(1, 8)
difference = np.array(
    [
        [axis.lead - axis.trail for axis in (tf_tconv.transpose_geometry(4, k, s) for k in kernels)]
        for s in strides
    ]
)


def heat(axis, table, title, limit):
    axis.imshow(table, cmap="PuOr", vmin=-limit, vmax=limit)
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{value}", ha="center", va="center", size=9,
                  color="white" if abs(value) > 0.6 * limit else "black")  # fmt: skip
    axis.set(title=title, xlabel="kernel k", ylabel="stride s")
    axis.set_xticks(range(len(kernels)), kernels)
    axis.set_yticks(range(len(strides)), strides)


figure, axis = plt.subplots(figsize=(6.4, 4))
heat(axis, difference, "lead − trail, SAME to i·s", 8)
plt.show()

# %%
overlapping = [(k, s) for k, s in itertools.product(kernels, strides) if k >= s]
assert {difference[s - 1, k - 1] for k, s in overlapping} == {0, 1}
assert all(difference[s - 1, k - 1] == (k - s) % 2 for k, s in overlapping)

# %% [markdown]
# A kernel smaller than the stride leaves holes instead, cells that nothing reaches; there the
# kernel is too short for any padding, and the rest of the output is appended after it.

# %%
holes = tf_tconv.trace(x, np.full([2, 2, 1, 1], 1.0), None, strides=3)
assert holes.output[0, ..., 0].tolist()[2] == [0] * 9
print(holes.output[0, ..., 0].astype(int))

# %% [markdown]
# ## VALID and explicit
#
# VALID pads nothing forward, so the transposed convolution drops nothing and has `k' - 1` zeros
# before. With explicit padding `(before, after)`, exactly that is taken off. More than `k' - 1`
# crops the input.

# %%
for padding in ("VALID", (1, 0), (0, 1), (4, 0)):
    axis = tf_tconv.transpose_geometry(3, kernel_size=3, stride=2, padding=padding)
    print(f"{padding!s:8} 3 -> {axis.output_size}: lead {axis.lead}, trail {axis.trail}")

# %% [markdown]
# ## The output size moves the image
#
# The two legal sizes differ not by a row at the end, but by the padding: choosing 5 instead of 6
# makes `P` even, and every zero changes sides.

# %%
five = tf_tconv.transpose_geometry(3, kernel_size=3, stride=2, output_size=5)
six = tf_tconv.transpose_geometry(3, kernel_size=3, stride=2, output_size=6)
assert ((five.lead, five.trail), (six.lead, six.trail)) == ((1, 1), (2, 1))

small, large = (tf_tconv.conv2d_transpose(x, kernel, [n, n], strides=2) for n in (5, 6))
assert not np.array_equal(small, large[:, :5, :5])
assert np.array_equal(small, large[:, 1:, 1:])

# %% [markdown]
# ## The recipe that breaks
#
# A recipe that is often copied: *insert `s - 1` zeros between the inputs, add `s - 1` extra zeros
# at the top and left, then `(k - 1) / 2` on each side, with the larger half at the bottom and
# right, and convolve.*


# %%
def recipe(x, kernel, stride):
    """The copied recipe, for one channel."""
    (height, width), taps = x.shape, kernel.shape[0]
    spread = np.zeros([(height - 1) * stride + 1, (width - 1) * stride + 1])
    spread[::stride, ::stride] = x
    before = stride - 1 + (taps - 1) // 2
    after = taps - 1 - (taps - 1) // 2
    padded = np.pad(spread, [(before, after)] * 2)[None, ..., None]
    reversed_kernel = kernel[::-1, ::-1, None, None]
    return tf.nn.conv2d(padded, reversed_kernel, 1, "VALID")[0, ..., 0].numpy()


def differs_by(k, s):
    """Cells that the recipe lies too far to the end; checked on numbers."""
    generator = np.random.default_rng(0)
    image, taps = generator.integers(1, 9, [4, 4]) * 1.0, generator.integers(1, 9, [k, k]) * 1.0
    wrong = recipe(image, taps, s)
    right = tf.nn.conv2d_transpose(
        image[None, ..., None], taps[..., None, None], [1, 4 * s, 4 * s, 1], s
    )[0, ..., 0].numpy()
    assert wrong.shape == right.shape  # The size never tells.
    shift = s - 1 + (k - 1) // 2 - tf_tconv.transpose_geometry(4, k, s).lead
    assert np.array_equal(wrong, right) == (shift == 0)
    inner = slice(abs(shift), 4 * s - abs(shift))
    moved = np.roll(right, (shift, shift), (0, 1))
    assert np.array_equal(wrong[inner, inner], moved[inner, inner])
    return shift


shifts = np.array([[differs_by(k, s) for k in kernels] for s in strides])

# %%
figure, axis = plt.subplots(figsize=(6.4, 4))
heat(axis, shifts, "pixels by which the recipe is off", 7)
plt.show()

# %% [markdown]
# The size is right everywhere, and the image is shifted. It is right for stride 1 with odd kernels,
# for stride 2, and for stride 3 with even kernels; from stride 4 on, never. It was made on an
# example of stride 2, where it holds.

# %%
right = {(k, s) for k, s in itertools.product(kernels, strides) if shifts[s - 1, k - 1] == 0}
assert right == {
    (k, s)
    for k, s in itertools.product(kernels, strides)
    if (s == 1 and k % 2) or (s == 2 and k >= 2) or (s == 3 and k >= 4 and k % 2 == 0)
}
