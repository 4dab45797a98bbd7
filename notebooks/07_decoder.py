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
# # 07 · A decoder end to end
#
# A small U-Net learns to clean noisy digits. Half-way through the training its transposed
# convolutions are swapped for ours, and the training goes on beside a copy that was left alone.
# Nothing changes but who computes.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import tf_tconv

# %matplotlib inline
plt.style.use("tf_tconv.mplstyle")

# %% [markdown]
# ## Data: digits that ship with scikit-learn

# %%
clean = (load_digits().images / 16).astype(np.float32)[..., None]
noise = np.random.default_rng(0).normal(0, 0.3, clean.shape).astype(np.float32)
noisy = clean + noise
train, test = slice(0, 1500), slice(1500, None)
clean.shape

# %% [markdown]
# ## Model: a U-Net with two levels
#
# 8 × 8 to 2 × 2 and back. Each way up is a transposed convolution, kernel 3, stride 2, "same":
# the one with the odd zero.


# %%
def unet():
    """A denoiser of 8 x 8 images."""
    convolution = {"padding": "same", "activation": "relu"}
    image = keras.Input([8, 8, 1])
    top = keras.layers.Conv2D(16, 3, **convolution)(image)
    middle = keras.layers.Conv2D(32, 3, 2, **convolution)(top)
    bottom = keras.layers.Conv2D(48, 3, 2, **convolution)(middle)
    x = keras.layers.Conv2DTranspose(32, 3, 2, name="up_1", **convolution)(bottom)
    x = keras.layers.Conv2D(32, 3, **convolution)(keras.layers.Concatenate()([x, middle]))
    x = keras.layers.Conv2DTranspose(16, 3, 2, name="up_2", **convolution)(x)
    x = keras.layers.Conv2D(16, 3, **convolution)(keras.layers.Concatenate()([x, top]))
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(x))


keras.utils.set_random_seed(7)
model = unet()
model.compile(keras.optimizers.Adam(4e-3), "mse")


def go_on(model, epochs):
    """Trains with the same order of examples every time; returns the loss of each epoch."""
    keras.utils.set_random_seed(8)
    return model.fit(noisy[train], clean[train], batch_size=50, epochs=epochs, verbose=0).history[
        "loss"
    ]


first = go_on(model, 6)
assert first[-1] < 0.5 * first[0]

# %% [markdown]
# ## The swap
#
# `convert_model` gives a copy with our layers in place of Keras', the weights kept. It tries every
# pair of layers on integers, where they have to agree to the last bit. The optimizer of the copy is
# fresh, so its memory is copied too.

# %%
swapped = tf_tconv.convert_model(model)
swapped.optimizer.build(swapped.trainable_variables)
for new, old in zip(swapped.optimizer.variables, model.optimizer.variables, strict=True):
    new.assign(old)

[(layer.name, type(layer).__module__) for layer in swapped.layers if "up" in layer.name]

# %% [markdown]
# Right after the swap the two give the same, but for rounding: their sums have different orders.

# %%
one, other = (network.predict(noisy[test], verbose=0) for network in (model, swapped))
assert np.max(np.abs(one - other)) < 1e-5

# %% [markdown]
# ## On with the training
#
# The two orders of summing round differently, in the seventh digit, and training amplifies that, as
# it would any other rounding. The first epoch can't tell the two apart; the sixth hardly can.

# %%
theirs, ours = go_on(model, 6), go_on(swapped, 6)
assert np.isclose(theirs[0], ours[0], rtol=1e-5)
assert np.allclose(theirs, ours, rtol=2e-2)

# %%
figure, axis = plt.subplots(figsize=(6.4, 3.2))
epochs = np.arange(1, 13)
axis.plot(epochs[:6], first, marker="o", markersize=4, label="Keras' layers")
axis.plot(epochs[5:], [first[-1], *theirs], marker="o", markersize=7, label="Keras' layers, on")
axis.plot(epochs[5:], [first[-1], *ours], marker="o", markersize=3, label="ours")
axis.axvline(6, color="#6c7585", linewidth=0.8, linestyle="--")
axis.set(xlabel="epoch", ylabel="mean square error", ylim=(0, None))
axis.legend()
plt.show()

# %% [markdown]
# ## What it learnt
#
# Digits that it has not seen: noisy, cleaned by the swapped model, and as they were.

# %%
cleaned = swapped.predict(noisy[test], verbose=0)
figure, axes = plt.subplots(3, 10, figsize=(9.5, 3.1))
for row, images, name in zip(
    axes, (noisy[test], cleaned, clean[test]), ("noisy", "cleaned", "clean"), strict=True
):
    for axis, image in zip(row, images, strict=False):
        axis.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
plt.show()

# %%
error = np.mean((cleaned - clean[test]) ** 2)
assert error < 0.35 * np.mean(noise[test] ** 2)

# %% [markdown]
# ## Odd sizes
#
# Pooling by 2 makes 8 cells of 16, and of 17 as well: it drops the odd one. On the way up a decoder
# has to make 16 or 17 of 8, whichever the skip connection has. "same" with kernel 3 reaches 15 and
# 16, the sizes that a *strided convolution* with "same" makes 8 of. The error says what reaches 17.

# %%
skips = {size: keras.ops.ones([1, size, size, 4]) for size in (16, 17)}
pool = keras.layers.MaxPool2D(2)
assert {pool(skip).shape[1] for skip in skips.values()} == {8}

up = tf_tconv.Conv2DTranspose(4, 3, strides=2, padding="same")
try:
    up.compute_output_shape([1, 8, 8, 4], output_size=(17, 17))
except ValueError as error:
    print(*str(error).split(". "), sep=".\n")

# %% [markdown]
# That padding reaches both, and so does kernel 2 with "valid", whose windows lie as the pooling's.

# %%
for kernel, padding in ((3, ((0, 1), (0, 1))), (2, "valid")):
    up = tf_tconv.Conv2DTranspose(4, kernel, strides=2, padding=padding)
    for size, skip in skips.items():
        assert up(pool(skip), output_size=skip).shape[1:3] == (size, size)

# %%
figure, axes = plt.subplots(1, 3, figsize=(9.5, 1.9), sharey=True)
settings = (("SAME", 3), ((0, 1), 3), ("VALID", 2))
for axis, (padding, kernel) in zip(axes, settings, strict=True):
    for line, size in enumerate((15, 16, 17)):
        reached = size in tf_tconv.legal_output_sizes(8, kernel, 2, padding=padding)
        axis.barh(line, size, color="#2a9d8f" if reached else "#d7dbe2", height=0.6)
        axis.text(
            size - 0.3, line, size, ha="right", va="center", color="white" if reached else "#6c7585"
        )
    axis.set(title=f"kernel {kernel}, {padding}", xlim=(0, 18), xticks=[], yticks=[])
figure.suptitle("output sizes that 8 cells reach, green")
plt.show()

# %% [markdown]
# ## Back again
#
# The weights go both ways: the model becomes one of plain Keras again, to be saved and loaded by
# somebody who has never heard of this library.

# %%
plain = tf_tconv.convert_model(swapped, to="keras")
assert {type(layer).__module__.partition(".")[0] for layer in plain.layers} == {"keras"}
assert np.max(np.abs(plain.predict(noisy[test], verbose=0) - cleaned)) < 1e-5
