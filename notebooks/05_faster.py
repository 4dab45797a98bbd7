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
# # 05 · Faster: phases and lowerings
#
# Zero insertion is the form to understand and the form to avoid: most of what it multiplies is
# zero. This notebook counts the waste, takes the kernel apart so that no inserted zero is left, and
# measures eight ways to put it together again, beside TensorFlow's op. What is said about exactness
# is asserted; what is said about time is measured on one machine, and yours may disagree.

# %%
import itertools
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import tf_tconv
from tf_tconv import lowerings, timing
from tf_tconv.benchmark.layers import published
from tf_tconv.benchmark.modes import MODES, Data, native, ours, ready
from tf_tconv.explain import CellKind
from tf_tconv.planning.processor import cpus_allowed, processor

# %matplotlib inline
plt.style.use("tf_tconv.mplstyle")

# What is measured at the end is kept in a file, here one that nobody else reads.
folder = tempfile.TemporaryDirectory()
os.environ["TF_TCONV_AUTOTUNE"] = os.path.join(folder.name, "autotune.json")


# %% [markdown]
# Integers in floats have nothing to round, so results can be compared for **equality**.


# %%
def integers(*shape, seed=0):
    """Small integers, none of them zero, as float32."""
    random = np.random.default_rng(seed)
    return (random.integers(1, 5, shape) * random.choice([-1, 1], shape)).astype(np.float32)


# %% [markdown]
# ## Where the zeros are
#
# 4 × 4 pixels, a 5 × 5 kernel, stride 2, to 8 × 8. What the kernel slides over:

# %%
x, w = integers(1, 4, 4, 1), integers(5, 5, 1, 1, seed=1)
steps = tf_tconv.trace(x, w, None, strides=2)
kinds = steps.kinds

figure, axis = plt.subplots(figsize=(4.6, 4.4))
colours = np.full([*kinds.shape, 3], 0.92)
colours[kinds == CellKind.INSERTED] = (0.95, 0.77, 0.55)
colours[kinds == CellKind.VALUE] = (0.18, 0.43, 0.69)
axis.imshow(colours)
for t, u in np.argwhere(kinds != CellKind.VALUE):
    axis.text(u, t, "0", ha="center", va="center", size=9)
for t, u in np.argwhere(kinds == CellKind.VALUE):
    axis.text(u, t, "x", ha="center", va="center", size=9, color="white")
axis.add_patch(plt.Rectangle((2.5, 2.5), 5, 5, fill=False, edgecolor="#d02f5c", linewidth=2))
axis.set(title="blue: pixels, orange: inserted zeros, grey: border", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The frame is one window: 25 products, of which 9 meet a pixel here, 6 one cell to the right, and 4
# one further down. Counted over the whole output:

# %%
pixels = kinds == CellKind.VALUE
windows = np.lib.stride_tricks.sliding_window_view(pixels, (5, 5))
multiplied, useful = windows.size, int(windows.sum())

assert windows.shape == (8, 8, 5, 5)
assert multiplied == 8 * 8 * 25
assert useful == tf_tconv.checkerboard.overlap_counts((4, 4), 5, stride=2).sum()
{"multiplications": multiplied, "with a pixel": useful, "with a zero": multiplied - useful}

# %% [markdown]
# On a large image the border hardly counts, and the share that is of use is one over stride times
# stride.

# %%
for stride in (1, 2, 3, 4, 8):
    reached = tf_tconv.checkerboard.overlap_counts((256, 256), 16, stride=stride).sum()
    everything = (256 * stride) ** 2 * 16**2
    assert abs(reached / everything * stride**2 - 1) < 0.06
    print(f"stride {stride}: {everything / reached:5.1f} multiplications for each that is of use")

# %% [markdown]
# ## Which taps meet pixels
#
# Pixels stand two cells apart. So a window that sees pixels through one tap sees the next ones
# through the taps two further on, and never through those between. In the plane that makes four
# kinds of windows, each with its own taps: the **phases**.

# %%
phase_colours = np.array([[[47, 109, 176], [208, 122, 28]], [[44, 138, 75], [133, 87, 192]]]) / 255
phases = [(r, c) for r in range(2) for c in range(2)]

a, b = np.mgrid[:5, :5]
blocks = [("kernel 5, stride 2", w[..., 0, 0], phase_colours[a % 2, b % 2])]
for r, c in phases:
    part = w[r::2, c::2, 0, 0]
    blocks.append((f"phase {r}, {c}", part, np.broadcast_to(phase_colours[r, c], (*part.shape, 3))))

figure, axis = plt.subplots(figsize=(9.5, 2.9))
left = 0
for title, part, colours in blocks:
    rows, columns = part.shape
    axis.imshow(colours, extent=(left, left + columns, rows, 0))
    for (t, u), tap in np.ndenumerate(part):
        place = (left + u + 0.5, t + 0.5)
        axis.text(*place, f"{tap:g}", ha="center", va="center", size=9, color="white")
    axis.text(left + columns / 2, -0.2, title, ha="center", va="bottom")
    left += columns + 1.2
axis.set(xlim=(0, left - 1.2), ylim=(5, -0.9))
axis.set_axis_off()
plt.show()

# %% [markdown]
# Every tap went to exactly one phase: 9 + 6 + 6 + 4 = 25.
#
# ## The kernel split by hand
#
# First along one axis. Every input stamps the kernel, `stride` cells further on for each. Every
# second cell of the sum is an ordinary convolution with every second tap, and NumPy has that one.

# %%
line, taps, stride = integers(6), integers(5, seed=1), 2

stamped = np.zeros((6 - 1) * stride + 5)
for j, value in enumerate(line):
    stamped[j * stride : j * stride + 5] += value * taps

for r in range(stride):
    assert np.array_equal(stamped[r::stride], np.convolve(line, taps[r::stride]))


# %% [markdown]
# In the plane and with channels, the same. `full` is a convolution at stride 1 that keeps its
# borders.


# %%
def full(x, w):
    """[n, h, w, in] with [height, width, out, in], at stride 1, every overlap kept."""
    (batch, height, width, _), (rows, columns, out, _) = x.shape, w.shape
    y = np.zeros([batch, height + rows - 1, width + columns - 1, out], np.float32)
    for a, b in np.ndindex(rows, columns):
        y[:, a : a + height, b : b + width] += x @ w[a, b].T
    return y


def by_phases(x, w, stride):
    """Padding VALID: a convolution a phase, and its cells put in their places."""
    rows, columns = (
        tf_tconv.transpose_geometry(size, kernel, stride, padding="VALID").output_size
        for size, kernel in zip(x.shape[1:3], w.shape[:2], strict=True)
    )
    y = np.zeros([x.shape[0], rows, columns, w.shape[2]], np.float32)
    for r, c in np.ndindex(stride, stride):
        part = w[r::stride, c::stride]
        if part.size:  # A phase without taps is a hole, and stays zero.
            phase = full(x, part)
            y[:, r::stride, c::stride][:, : phase.shape[1], : phase.shape[2]] = phase
    return y


for kernel in range(1, 7):
    for stride in range(1, 5):
        image, filters = integers(2, 3, 5, 4), integers(kernel, kernel, 3, 4, seed=kernel)
        wanted = tf_tconv.conv2d_transpose(image, filters, None, stride, "VALID")
        assert np.array_equal(by_phases(image, filters, stride), wanted)

# %% [markdown]
# SAME is a part of it: what the forward convolution pads before, `p0`, is dropped. Nothing else
# changes, so a phase stays a phase.

# %%
image, filters = integers(1, 4, 4, 3), integers(5, 5, 2, 3, seed=2)
p0 = tf_tconv.transpose_geometry(4, 5, 2).pad_before
cropped = by_phases(image, filters, 2)[:, p0 : p0 + 8, p0 : p0 + 8]

assert np.array_equal(cropped, tf_tconv.conv2d_transpose(image, filters, None, 2, "SAME"))

# %% [markdown]
# No product with an inserted zero is left. Phase by phase, the taps times the pixels:

# %%
products = sum(w[r::2, c::2].size for r, c in phases) * 4 * 4
assert products == 25 * 16
{"by zero insertion": multiplied, "by phases": products, "of use": useful}

# %% [markdown]
# (Those that are of no use now are products beyond the border, which SAME crops.)
#
# ## Or: multiply first, add later
#
# The other way round: **all** taps with **all** pixels is one matrix product, what machines do
# best. The products of a stamp's first `stride` × `stride` taps tile the plane without overlap;
# so do the next ones, one step further on. Add these layers of tiles, the *blocks*:


# %%
def by_blocks(x, w, stride):
    """Padding VALID, a kernel that the stride divides: one matrix product, shifted sums."""
    (batch, height, width, channels), (kernel, _, out, _) = x.shape, w.shape
    products = x.reshape(-1, channels) @ w.reshape(-1, channels).T
    products = products.reshape(batch, height, width, kernel, kernel, out)
    n = kernel // stride
    steps = np.zeros([batch, height + n - 1, width + n - 1, stride, stride, out], np.float32)
    for p, q in np.ndindex(n, n):
        tile = products[..., p * stride : (p + 1) * stride, q * stride : (q + 1) * stride, :]
        steps[:, p : p + height, q : q + width] += tile
    # Depth to space: the cells of a tile take their places.
    lines = steps.transpose(0, 1, 3, 2, 4, 5)
    return lines.reshape(batch, (height + n - 1) * stride, (width + n - 1) * stride, out)


image, filters = integers(2, 3, 5, 4), integers(4, 4, 6, 4, seed=3)
assert np.array_equal(
    by_blocks(image, filters, 2), tf_tconv.conv2d_transpose(image, filters, None, 2, "VALID")
)

# %% [markdown]
# ## Eight lowerings
#
# A *lowering* is an algorithm from primitives. They differ in what they multiply, what they copy,
# and in how many calls:
#
# | name | how | copies |
# | --- | --- | --- |
# | `zero_insertion` | zeros between the pixels, one convolution | the spread input |
# | `polyphase` | a convolution a phase | two passes to interleave columns and rows |
# | `row_polyphase` | a convolution a row phase, columns as channels | one pass, for rows |
# | `line_batch` | lines as images: row phases come out in place | the input, once a block |
# | `subpixel` | one convolution to `stride²` times the channels, depth to space | one pass |
# | `im2col` | the windows written out, one matrix product | windows, and one pass |
# | `overlap_add` | all taps with all pixels, one matrix product, blocks added | the products |
# | `block_matmul` | a batched matrix product a block, lines in place | the products |
#
# [The lowerings, drawn](../docs/lowerings.md).

# %%
lowerings.NAMES

# %% [markdown]
# ## Each is exact
#
# Against the definition, $y[j s + a d - p_0] \mathrel{+}= x[j]\, w[a]$, in float64. Sizes and
# strides differ down and across; kernels larger and smaller than the stride, multiples of it and
# not, dilated; SAME, VALID and explicit; every legal output size.


# %%
def definition(x, w, rows, columns):
    """The scatter definition, which knows no algorithm."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    y = np.zeros([x.shape[0], rows.output_size, columns.output_size, w.shape[2]])
    for j, m in np.ndindex(x.shape[1:3]):
        for a, b in np.ndindex(w.shape[:2]):
            t, u = rows.output_index(j, a), columns.output_index(m, b)
            if 0 <= t < rows.output_size and 0 <= u < columns.output_size:
                y[:, t, u] += x[:, j, m] @ w[a, b].T
    return y


kernels = [(3, 3), (4, 2), (1, 5)]
steps_of = [
    ((1, 1), (1, 1)),
    ((2, 2), (1, 1)),
    ((2, 3), (1, 1)),
    ((4, 2), (1, 1)),
    ((2, 2), (3, 1)),
]
paddings = ["SAME", "VALID", ((1, 0), (0, 1))]

calls = []
for kernel in kernels:
    for strides, dilations in steps_of:
        for padding in paddings:
            by_axis = padding if isinstance(padding, tuple) else (padding, padding)
            axes = list(zip((3, 4), kernel, strides, dilations, by_axis, strict=True))
            legal = [tf_tconv.legal_output_sizes(*axis) for axis in axes]
            for sizes in itertools.product(*legal):
                geometry = [
                    tf_tconv.transpose_geometry(*axis, size)
                    for axis, size in zip(axes, sizes, strict=True)
                ]
                calls.append((kernel, strides, dilations, padding, sizes, geometry))

compared = dict.fromkeys(lowerings.NAMES, 0)
for number, (kernel, strides, dilations, padding, sizes, geometry) in enumerate(calls):
    image, filters = integers(2, 3, 4, 3, seed=number), integers(*kernel, 5, 3, seed=number + 1)
    wanted = definition(image, filters, *geometry)
    explicit = [[0, 0], *map(list, padding), [0, 0]] if isinstance(padding, tuple) else padding
    for name in lowerings.NAMES:
        found = tf_tconv.conv2d_transpose(
            image, filters, sizes, strides, explicit, dilations=dilations, lowering=name
        )
        assert np.array_equal(found, wanted), (name, kernel, strides, dilations, padding, sizes)
        compared[name] += 1
compared

# %% [markdown]
# ## What each costs, counted
#
# `tf_tconv.plan` counts before anything is computed. The last layer of DCGAN: 16 images of 32 × 32
# with 128 channels become 64 × 64 with 3, kernel 5, stride 2.

# %%
layers = {layer.title: layer for layer in published()}
dcgan = layers["DCGAN (paper) deconv4"]


def plan_of(layer, **options):
    """What the library would do for a layer of a published model."""
    return tf_tconv.plan(
        layer.input_shape, layer.filters_shape, None, layer.stride, layer.padding, **options
    )


found = {each.lowering: each for each in plan_of(dcgan, backend="onednn").candidates}
for name in lowerings.NAMES:
    each = found[name]
    print(f"{name:<15}{each.flops / 1e9:6.2f} GFLOP {each.bytes / 1e6:8.1f} MB  "
          f"{each.operations:2} operations")  # fmt: skip

# %% [markdown]
# Zero insertion multiplies four times as much as the definition asks for, to the digit. The phases
# multiply exactly what is asked for; lowerings that compute phases together pad their taps to a
# common window, 6 × 6 instead of 5 × 5.

# %%
assert found["zero_insertion"].flops == 4 * dcgan.flops
assert found["polyphase"].flops == found["overlap_add"].flops == dcgan.flops
assert found["subpixel"].flops * 25 == 36 * dcgan.flops

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.1), sharey=True)
for axis, values, title in (
    (axes[0], [found[name].flops / 1e9 for name in lowerings.NAMES], "GFLOP"),
    (axes[1], [found[name].bytes / 1e6 for name in lowerings.NAMES], "MB read and written"),
):
    bars = axis.barh(lowerings.NAMES, values)
    axis.bar_label(bars, fmt="%.2f" if title == "GFLOP" else "%.0f", padding=4)
    axis.set(title=title, xlim=(0, 1.15 * max(values)))
axes[0].axvline(dcgan.flops / 1e9, color="#d07a1c", linestyle="--", linewidth=1)
axes[0].invert_yaxis()
plt.show()

# %% [markdown]
# Dashed: the definition's own work. The least work and the least traffic are not the same lowering,
# and neither count says how well a machine multiplies in that shape. So: measure.
#
# ## What each costs, measured
#
# Four layers of published models, in a `tf.function`. All lowerings and TensorFlow's op take turns,
# A B C A B C, so that a change of the machine's pace affects all alike; a bar is the median of the
# turns, the line on it their quartiles. Compare bars of one picture: how many milliseconds it takes
# depends on what else the machine was doing. Before it is timed, each lowering is compared with
# TensorFlow's op, on integers, for equality.


# %%
def measure(layer, seconds=4.0):
    """The samples of TensorFlow's op and of every lowering, in turn."""
    x, w = integers(*layer.input_shape), integers(*layer.filters_shape, seed=1)
    wanted = native(layer)(x, w)
    functions = {"native": native(layer)}
    functions |= {name: ours(layer, name) for name in lowerings.NAMES}
    for function in functions.values():
        assert np.array_equal(function(x, w), wanted)
    data = Data.of(layer)
    calls = {name: ready(each, MODES["graph"], data) for name, each in functions.items()}
    return timing.interleave(calls, seconds, rounds=(7, 60))


chosen = [
    "DCGAN (paper) deconv4",
    "FSRCNN x3 (paper) deconv",
    "SAM mask decoder up1",
    "CycleGAN (keras-io) up1",
]
measured = {title: measure(layers[title]) for title in chosen}

# %% tags=["measured"]
figure, axes = plt.subplots(2, 2, figsize=(10, 6.6))
for axis, (title, samples) in zip(axes.flat, measured.items(), strict=True):
    auto = plan_of(layers[title]).lowering
    names = list(samples)
    medians = [1e3 * samples[name].median for name in names]
    quartiles = np.array([np.percentile(samples[name].seconds, [25, 75]) for name in names]) * 1e3
    fills = ["#6c7585" if n == "native" else "#d07a1c" if n == auto else "#2f6db0" for n in names]
    bars = axis.barh(names, medians, color=fills)
    axis.hlines(names, *quartiles.T, color="#1d2430", linewidth=1.2)
    for bar, median, (_, upper) in zip(bars, medians, quartiles, strict=True):
        axis.annotate(f"{median:.2f}", (max(median, upper), bar.get_y() + bar.get_height() / 2),
                      xytext=(5, 0), textcoords="offset points", va="center", size=9,
                      bbox={"facecolor": "#fcfcfa", "edgecolor": "none", "pad": 1})  # fmt: skip
    axis.axvline(medians[0], color="#6c7585", linestyle="--", linewidth=0.8, zorder=1.5)
    axis.set(title=f"{title}\n{layers[title].shape}", xlabel="ms",
             xlim=(0, 1.22 * max(*medians, quartiles.max())))  # fmt: skip
    axis.invert_yaxis()
figure.suptitle(
    f"grey: TensorFlow's op · orange: what plan chooses · {processor()}, "
    f"{cpus_allowed()} cores, TensorFlow {tf.__version__}",
    size=9,
)
plt.show()

# %% [markdown]
# What to look for:
#
# - **`zero_insertion`** has the longest bar or nearly so: the counted factor, `stride²`, less what
#   an efficient convolution saves.
# - **DCGAN, FSRCNN.** Three output channels, and one, leave a convolution's vector registers mostly
#   empty. `subpixel` computes all phases as channels, 12 and 9 of them, and fills them: ahead of
#   TensorFlow's op (dashed).
# - **SAM.** Kernel 2, stride 2: one block, no overlap. There is nothing to gain in arithmetic, and
#   the best are as good as TensorFlow's op and no better.
# - **CycleGAN.** Kernel 3, stride 2, many channels in and out: here the native op is hard to reach.
#   Four convolutions take as long as all of it, and interleaving comes on top.
#
# [All layers, compiled by XLA, in training, against other frameworks](../docs/benchmark.md).
#
# ## Who chooses
#
# No lowering is best everywhere, so `lowering="auto"` estimates all of them: each operation's
# FLOPs, bytes and calls times coefficients that were fitted to measurements. `plan` shows the
# estimate and says why; `held` are temporaries that live at once.

# %%
explained = plan_of(dcgan, backend="onednn")
print(explained)

# %%
estimates = [each.seconds for each in explained.candidates]
assert explained.lowering == explained.candidates[0].lowering
assert estimates == sorted(estimates)

# %% [markdown]
# The same layer, by what computes it: TensorFlow with oneDNN, TensorFlow without, XLA.

# %%
for backend in ("onednn", "plain", "xla"):
    each = plan_of(dcgan, backend=backend)
    print(f"{backend:<8}{each.lowering}: {each.reason}")

# %% [markdown]
# ## On your machine
#
# The coefficients were fitted on one machine. `autotune` measures the candidates of a call, or of
# all layers of a model, on yours, and `"auto"` takes what it found from then on, in later processes
# too: it keeps a small file (here in a folder that goes away with the notebook).

# %%
call = {
    "input_shape": dcgan.input_shape,
    "filters_shape": dcgan.filters_shape,
    "strides": dcgan.stride,
}
before = tf_tconv.plan(**call)
(tuned,) = tf_tconv.autotune([call], seconds=3.0, progress=False)
after = tf_tconv.plan(**call)

assert tuned.lowering == min(tuned.seconds, key=tuned.seconds.get)
assert after.lowering == tuned.lowering
assert os.path.exists(os.environ["TF_TCONV_AUTOTUNE"])
after.reason

# %% tags=["measured"]
estimated = {each.lowering: each.seconds for each in before.candidates}
names = sorted(tuned.seconds, key=lambda name: estimated[name])
figure, axis = plt.subplots(figsize=(7.5, 0.55 * len(names) + 1.3))
places = np.arange(len(names))
for shift, values, label in (
    (-0.2, estimated, "estimated by plan"),
    (0.2, tuned.seconds, "measured by autotune"),
):
    bars = axis.barh(places + shift, [1e3 * values[name] for name in names], 0.38, label=label)
    axis.bar_label(bars, fmt="%.2f", padding=4, size=9)
axis.set_yticks(places, names)
axis.set(xlabel="ms", title=f"measured fastest: {tuned.lowering}")
axis.margins(x=0.12)
axis.invert_yaxis()
axis.legend(loc="upper right" if len(names) < 3 else "best")
plt.show()

# %% [markdown]
# Lowerings estimated to take several times the least are not measured. The estimate need not have
# the right length; it has to have the right order at the top. A call that was measured is not
# measured again:

# %%
(again,) = tf_tconv.autotune([call], progress=False)
assert again.lowering == tuned.lowering
assert not again.seconds
folder.cleanup()

# %% [markdown]
# ## What to take from it
#
# - Of the products that zero insertion makes, `1 / stride²` are of use. A kernel in phases makes
#   those and no other.
# - Which way is fastest depends on channels, kernel, stride and what computes. `plan` says what is
#   chosen, and why; `autotune` asks the machine.
# - Whichever it is, the numbers are the same, to the last bit on integers.
