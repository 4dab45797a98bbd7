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
# # 04 · Checkerboards: cause and cures
#
# Generated images often carry a fine checkerboard. A kernel that is not a multiple of its stride
# reaches some output cells with more products than others. This notebook counts, shows it on a
# photograph, measures it in small trained decoders, and tries three cures.

# %%
import keras
import matplotlib.cbook
import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np

import tf_tconv
from tf_tconv import checkerboard

# %matplotlib inline
plt.style.use("tf_tconv.mplstyle")
keras.utils.set_random_seed(4)

# %% [markdown]
# ## Cause: products a cell
#
# Kernel 3, stride 2: inside, every other cell gets two products along an axis, so the plane has
# cells with 1, 2 and 4.

# %%
uneven = checkerboard.overlap_counts((6, 6), kernel_size=3, stride=2)
even = checkerboard.overlap_counts((6, 6), kernel_size=4, stride=2)

figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.8))
for axis, counts, title in zip(axes, (uneven, even), ("kernel 3", "kernel 4"), strict=True):
    axis.imshow(counts, vmin=0, vmax=4)
    for (t, u), count in np.ndenumerate(counts):
        axis.text(u, t, count, ha="center", va="center", size=9,
                  color="white" if count < 3 else "black")  # fmt: skip
    axis.set(title=f"{title}, stride 2: products a cell", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The evenness is the fewest products over the most, away from the borders. It is 1 where the stride
# divides the kernel, and grows with the kernel otherwise.

# %%
figure, axis = plt.subplots(figsize=(6.4, 3))
sizes = range(1, 17)
for stride in (2, 3, 4):
    scores = [checkerboard.evenness(size, stride) for size in sizes]
    axis.plot(sizes, scores, marker="o", markersize=4, label=f"stride {stride}")
    assert [s for s, score in zip(sizes, scores, strict=True) if score == 1] == list(
        range(stride, 17, stride)
    )
axis.set(xlabel="kernel size", ylabel="evenness", ylim=(-0.03, 1.05))
axis.legend()
plt.show()

# %%
checkerboard.even_kernel_sizes(5, stride=2), checkerboard.even_kernel_sizes(5, stride=3)

# %% [markdown]
# Layers multiply their patterns: each one enlarges the last one's and lays its own over it.

# %%
scores = checkerboard.stack_evenness([(3, 2)] * 3)
assert list(scores) == sorted(scores, reverse=True)
scores

# %% [markdown]
# ## On a photograph
#
# The portrait that ships with matplotlib, made four times smaller and then enlarged again by two
# layers of stride 2 with kernels of equal taps.

# %%
with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
    photograph = matplotlib.image.imread(file).astype(np.float32) / 255
grey = photograph[60:316, 130:386].mean(axis=2)
small = grey.reshape(64, 4, 64, 4).mean(axis=(1, 3))


def enlarge(image, make_layer):
    """Twice two times."""
    x = image[None, ..., None]
    for _ in range(2):
        x = make_layer()(x)
    return np.array(x)[0, ..., 0]


def flat(kernel_size):
    """A layer whose taps are equal, and add up to 1 in the mean over the output."""

    def make_layer():
        taps = keras.initializers.Constant(4 / kernel_size**2)
        return tf_tconv.Conv2DTranspose(
            1, kernel_size, 2, padding="same", kernel_initializer=taps, use_bias=False
        )

    return make_layer


def bilinear():
    """A transposed convolution that interpolates."""
    return tf_tconv.Conv2DTranspose(
        1, 4, 2, padding="same", kernel_initializer=checkerboard.BilinearUpsampling()
    )


enlarged = {
    "kernel 3": enlarge(small, flat(3)),
    "kernel 4": enlarge(small, flat(4)),
    "BilinearUpsampling": enlarge(small, bilinear),
}

figure, axes = plt.subplots(1, 4, figsize=(10, 2.9))
shown = {"the photograph": grey, **enlarged}
for axis, (title, image) in zip(axes, shown.items(), strict=True):
    axis.imshow(image[72:200, 64:192], cmap="gray", vmin=0, vmax=1)
    axis.set(title=title, xticks=[], yticks=[])
plt.show()


# %% [markdown]
# How much of the picture is checkerboard? Cells that lie 4 apart have had the same taps. If their
# means differ, that is the pattern. (A photograph has no such preference.)


# %%
def pattern(images, period=4):
    """The standard deviation of the means of the phases, `[batch, height, width]`."""
    phases = [
        images[..., t::period, u::period].mean() for t in range(period) for u in range(period)
    ]
    return float(np.std(phases))


amounts = {title: pattern(image[8:-8, 8:-8]) for title, image in shown.items()}
assert amounts["kernel 3"] > 20 * amounts["kernel 4"]
assert amounts["BilinearUpsampling"] < 2 * amounts["the photograph"] + 1e-3
{title: round(amount, 4) for title, amount in amounts.items()}

# %% [markdown]
# ## In a trained decoder
#
# A network can learn to make up for uneven overlap. Does it? Four small autoencoders that differ
# only in how their decoders enlarge, each trained on the same patches of the photograph:
#
# - transposed convolution, kernel 3: uneven;
# - transposed convolution, kernel 4: even, but each phase starts with random taps of its own;
# - the same with `ICNR`, which starts every phase alike;
# - `ResizeConv2D`: enlarges first, and convolves at stride 1.

# %%
generator = np.random.default_rng(0)
corners = generator.integers(0, 256 - 32, (1200, 2))
patches = np.stack([grey[t : t + 32, u : u + 32] for t, u in corners])[..., None]


def transposed(kernel_size, initializer="glorot_uniform"):
    """How a decoder enlarges: by a transposed convolution."""
    return lambda filters, **rest: tf_tconv.Conv2DTranspose(
        filters, kernel_size, 2, padding="same", kernel_initializer=initializer, **rest
    )


def resized(filters, **rest):
    """How a decoder enlarges: by resizing."""
    return checkerboard.ResizeConv2D(filters, 3, size=2, **rest)


ways = {
    "kernel 3": transposed(3),
    "kernel 4": transposed(4),
    "kernel 4, ICNR": transposed(4, checkerboard.ICNR(strides=2)),
    "ResizeConv2D": resized,
}


def autoencoder(enlarging):
    """32 x 32 to 8 x 8 and back."""
    keras.utils.set_random_seed(5)
    relu = {"activation": "relu"}
    return keras.Sequential(
        [
            keras.Input([32, 32, 1]),
            keras.layers.Conv2D(12, 4, 2, padding="same", **relu),
            keras.layers.Conv2D(12, 4, 2, padding="same", **relu),
            enlarging(12, name="enlarge_1", **relu),
            enlarging(1, name="enlarge_2"),
        ]
    )


before, after, losses = {}, {}, {}
for name, enlarging in ways.items():
    model = autoencoder(enlarging)
    inner = (slice(None), slice(8, -8), slice(8, -8), 0)
    before[name] = pattern(np.array(model(patches[:200]))[inner])
    model.compile(keras.optimizers.Adam(3e-3), "mse")
    history = model.fit(patches, patches, batch_size=40, epochs=8, verbose=0)
    rest = np.array(model(patches[:200])) - patches[:200]
    after[name], losses[name] = pattern(rest[inner]), history.history["loss"][-1]

# %% tags=["measured"]
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3))
for axis, values, title in (
    (axes[0], before, "pattern of untrained decoders"),
    (axes[1], after, "pattern that is left after training"),
):
    bars = axis.barh(list(values), list(values.values()), color="#2f6db0")
    axis.bar_label(bars, fmt="%.4f", padding=4)
    axis.set(title=title, xlim=(0, 1.3 * max(values.values())))
    axis.invert_yaxis()
axes[1].set_yticklabels([])
plt.show()

# %% [markdown]
# Untrained, only the two cures have no pattern. Where there was one, training makes up for nearly
# all of it; each decoder is left with about a hundredth of the range from black to white, or less.
# These are single runs, so neither the order of the small remainders nor that the cures end with
# more than they began with is a result; that they spare the network the work is.

# %%
assert before["kernel 4, ICNR"] < 0.05 * before["kernel 4"]
assert before["ResizeConv2D"] < 0.1 * before["kernel 3"]
assert after["kernel 3"] < 0.3 * before["kernel 3"]
assert max(after.values()) < 0.015
assert max(losses.values()) < 0.02

# %% [markdown]
# ## What to take from it
#
# - Choose a kernel size that the stride divides: `checkerboard.even_kernel_sizes`.
# - Start even: `ICNR`, or `BilinearUpsampling` for as many channels out as in.
# - Or resize first: `ResizeConv2D` has no overlap at all, at the price of a convolution over the
#   large image.
