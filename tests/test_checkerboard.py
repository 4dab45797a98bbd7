"""Overlap against kernels of ones, initializers against resizing, and the layer's contract."""

import inspect
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle
from tf_tconv.checkerboard import (
    ICNR,
    BilinearUpsampling,
    ResizeConv2D,
    checkerboard_energy,
    even_kernel_sizes,
    evenness,
    overlap_counts,
    phase_sums,
    stack_counts,
    stack_evenness,
)

# Overlap.


def by_ones(sizes, kernel, strides, padding, dilations, output):
    """What the oracle makes of an image of ones with a kernel of ones."""
    x, w = np.ones((1, *sizes, 1)), np.ones((*kernel, 1, 1))
    return oracle.conv2d_transpose(x, w, output, strides, padding, dilations)[0, ..., 0]


@pytest.mark.parametrize("padding", ["SAME", "VALID", (1, 0), (0, 2)])
def test_counts_of_an_axis_are_what_ones_give(padding):
    for i, k, s, d in itertools.product((1, 4), range(1, 6), range(1, 5), (1, 2, 3)):
        for o in tf_tconv.legal_output_sizes(i, k, s, d, padding):
            counts = overlap_counts(i, k, s, d, padding, o)
            pads = padding if isinstance(padding, str) else (padding, (0, 0))
            wanted = by_ones((i, 1), (k, 1), (s, 1), pads, (d, 1), (o, 1))
            assert np.array_equal(counts, wanted[:, 0]), (i, k, s, d, padding, o)


def test_counts_of_a_plane_are_what_ones_give():
    sizes, kernel, strides, dilations = (3, 4), (4, 3), (2, 3), (1, 2)
    pads = ((1, 0), (0, 2))
    for padding in ("SAME", "VALID", pads):
        for output in itertools.product(
            *(
                tf_tconv.legal_output_sizes(
                    *(pair[a] for pair in (sizes, kernel, strides, dilations)),
                    padding if isinstance(padding, str) else padding[a],
                )
                for a in (0, 1)
            )
        ):
            counts = overlap_counts(sizes, kernel, strides, dilations, padding, output)
            wanted = by_ones(sizes, kernel, strides, padding, dilations, output)
            assert np.array_equal(counts, wanted)
    assert overlap_counts(3, (2, 3), 2).shape == (6, 6)


def test_evenness_is_that_of_the_counts_inside():
    for k, s, d in itertools.product(range(1, 8), range(1, 6), range(1, 4)):
        effective = (k - 1) * d + 1
        counts = overlap_counts(effective + 4, k, s, d, "VALID")
        inside = counts[effective : effective + 2 * s]
        assert evenness(k, s, d) == inside.min() / inside.max(), (k, s, d)
        # Coprime to the dilation, a stride covers evenly what it divides.
        assert (evenness(k, s, d) == 1) == (k % s == 0 and np.gcd(s, d) == 1)
    assert evenness((3, 4), (2, 3)) == evenness(3, 2) * evenness(4, 3)


def test_even_sizes_near_one():
    for k, s in itertools.product(range(1, 12), range(1, 6)):
        multiples = range(s, k + s + 1, s)
        below = [size for size in multiples if size < k][-1:]
        above = [size for size in multiples if size > k][:1]
        wanted = (k,) if k in multiples else (*below, *above)
        assert even_kernel_sizes(k, s) == wanted
    assert even_kernel_sizes(3, 2, dilation=3) == (2, 4)
    assert even_kernel_sizes(3, 2, dilation=4) == ()


def test_a_stack_counts_what_ones_give_through_all_of_it():
    layers = [(3, 2), (5, 2), (2, 3, 2)]
    for padding in ("SAME", "VALID"):
        image = np.ones((1, 4, 1, 1))
        for counts, (k, s, *d) in zip(stack_counts(4, layers, padding), layers, strict=True):
            dilation = d[0] if d else 1
            size = oracle.default_output_size(image.shape[1], k, s, dilation, padding)
            image = oracle.conv2d_transpose(
                image, np.ones((k, 1, 1, 1)), (size, 1), (s, 1), padding, (dilation, 1)
            )
            assert np.array_equal(counts, image[0, :, 0, 0])


@pytest.mark.parametrize(
    "layers",
    [[(3, 2)] * 3, [(4, 2), (3, 2)], [(5, 3), (3, 2)], [(3, 2), (3, 1), (5, 1)], [(2, 3)] * 2],
)
def test_evenness_of_a_stack_is_that_of_its_counts_inside(layers):
    scores = stack_evenness(layers)
    period = 1
    for counts, score, (_, stride) in zip(
        stack_counts(60, layers, "VALID"), scores, layers, strict=True
    ):
        period *= stride
        middle = len(counts) // 2
        inside = counts[middle : middle + period]
        assert score == inside.min() / inside.max()


def test_stacks_amplify_what_is_uneven_and_keep_what_is_even():
    assert list(stack_evenness([(3, 2)] * 4)) == sorted(stack_evenness([(3, 2)] * 4), reverse=True)
    assert len(set(stack_evenness([(3, 2)] * 4))) == 4
    assert stack_evenness([(4, 2), (6, 3), (2, 2)]) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: overlap_counts(3, 0), ValueError, r"kernel_size=0 is out of range"),
        (lambda: overlap_counts(3, 3, 2, output_size=9), ValueError, r"output_size=9 cannot come"),
        (
            lambda: overlap_counts((3, 3), 3, padding=(1, 0)),
            ValueError,
            r"padding=\(1, 0\) is for one",
        ),
        (
            lambda: overlap_counts(10**7, 3),
            ValueError,
            r"10000000 cells; at most 4194304 are counted",
        ),
        (lambda: evenness(3, 2.0), TypeError, r"stride=2.0 is a float"),
        (lambda: even_kernel_sizes(0, 2), ValueError, r"kernel_size=0 is out of range"),
        (
            lambda: stack_evenness([(3,)]),
            ValueError,
            r"layers\[0\]=\(3,\) must be \(kernel_size, str",
        ),
        (lambda: stack_evenness([(3, 2**12)] * 2), ValueError, r"a pattern of 16777216 cells"),
        (lambda: phase_sums(np.ones([3, 3]), 2), ValueError, r"filters has rank 2"),
        (lambda: phase_sums(np.ones([3, 3, 1, 1]), 0), ValueError, r"strides=0 is out of range"),
    ],
)
def test_illegal_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


# A given kernel.


@pytest.mark.parametrize(
    ("strides", "dilations"), [((2, 3), (1, 1)), ((2, 3), (3, 2)), ((1, 4), (1, 1))]
)
def test_phase_sums_are_the_answer_to_a_constant_image(strides, dilations):
    w = ramp(4, 5, 3, 2, seed=3)
    y = tf_tconv.conv2d_transpose(
        np.ones((1, 20, 20, 2)), w, None, strides, "VALID", dilations=dilations
    )
    sums = phase_sums(w, strides, dilations)
    assert sums.shape == (*strides, 3, 2)
    inside = [18 // s * s for s in strides]  # A place of phase (0, 0), far from the borders.
    block = y.numpy()[0, inside[0] : inside[0] + strides[0], inside[1] : inside[1] + strides[1]]
    assert np.array_equal(block, sums.sum(axis=3))


def test_energy_is_zero_for_even_kernels_and_one_for_nothing_but_checkerboard():
    assert checkerboard_energy(ramp(3, 3, 2, 2), 1) == 0
    assert checkerboard_energy(np.zeros([3, 3, 2, 2]), 2) == 0
    alternating = np.array([1.0, -1.0]).reshape(1, 2, 1, 1)
    assert checkerboard_energy(alternating, (1, 2)) == 1
    ones = np.ones([3, 3, 1, 1])
    counts = overlap_counts((9, 9), 3, 2, padding="VALID")[8:10, 8:10]
    assert checkerboard_energy(ones, 2) == pytest.approx(
        counts.var() / np.mean(counts**2), rel=1e-15
    )


# Initializers.


def layer(kernel_size, strides, initializer, channels=2, **arguments):
    return tf_tconv.Conv2DTranspose(
        channels,
        kernel_size,
        strides,
        padding="same",
        kernel_initializer=initializer,
        dtype="float64",
        **arguments,
    )


@pytest.mark.parametrize(
    ("kernel", "strides"), [((4, 4), (2, 2)), ((6, 2), (3, 1)), ((2, 9), (2, 3))]
)
def test_icnr_starts_as_nearest_neighbour_resizing(kernel, strides):
    def numbers(shape, dtype=None):
        return tf.cast(ramp(*shape, seed=5), dtype)

    x = ramp(1, 7, 8, 3)
    upper = layer(kernel, strides, ICNR(strides, numbers))
    y = upper(x).numpy()
    small = [k // s for k, s in zip(kernel, strides, strict=True)]
    # The smaller kernel at stride 1, each cell enlarged to a block, and SAME's part of that.
    sums = oracle.conv2d_transpose(
        x,
        numbers((*small, 2, 3), tf.float64).numpy(),
        (7 + small[0] - 1, 8 + small[1] - 1),
        padding="VALID",
    )
    blocks = sums.repeat(strides[0], axis=1).repeat(strides[1], axis=2)
    axes = [
        tf_tconv.transpose_geometry(n, k, s)
        for n, k, s in zip((7, 8), kernel, strides, strict=True)
    ]
    rows, columns = (slice(a.pad_before, a.pad_before + a.output_size) for a in axes)
    assert np.array_equal(y, blocks[:, rows, columns])
    assert checkerboard_energy(upper.kernel, strides) == 0


def test_icnr_draws_the_smaller_kernel_by_its_initializer():
    initializer = keras.initializers.HeNormal(seed=3)
    kernel = ICNR((2, 3), initializer)((4, 6, 5, 2), "float32")
    assert np.array_equal(kernel[::2, ::3], initializer((2, 2, 5, 2), "float32"))
    assert kernel.shape == (4, 6, 5, 2)


@pytest.mark.parametrize(
    ("strides", "groups"), [((2, 2), 1), ((3, 4), 1), ((1, 5), 2), ((2, 3), 4)]
)
def test_bilinear_upsampling_is_tensorflows_resizing_inside(strides, groups):
    kernel = tuple(2 * s - s % 2 for s in strides)
    x = ramp(2, 6, 5, 4)
    for initializer in (BilinearUpsampling(groups=groups), BilinearUpsampling(strides, groups)):
        y = layer(kernel, strides, initializer, channels=4, groups=groups)(x).numpy()
        wanted = tf.image.resize(x, y.shape[1:3], "bilinear").numpy()
        rows, columns = (slice(s, -s) for s in strides)
        # `tf.image.resize` rounds places below 8 to float32, so weights by 2**-22, which count as
        # often as neighbours differ, by at most 6, along two axes; then it rounds values below 4.
        np.testing.assert_allclose(
            y[:, rows, columns], wanted[:, rows, columns], atol=12 * 2**-22 + 4 * 2**-24
        )
        constant = layer(kernel, strides, initializer, channels=4, groups=groups)(np.ones_like(x))
        np.testing.assert_allclose(constant[:, rows, columns], 1, atol=2**-50)
        assert checkerboard_energy(initializer((*kernel, 4 // groups, 4)), strides) < 2**-40


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ICNR(0), ValueError, r"strides=0 is out of range"),
        (
            lambda: ICNR(2)((3, 4, 1, 1)),
            ValueError,
            r"height 3 is not a multiple of the stride 2, .* 2 or 4",
        ),
        (
            lambda: ICNR(3)((3, 2, 1, 1)),
            ValueError,
            r"width 2 is not a multiple of the stride 3, .* are 3",
        ),
        (lambda: ICNR(2)((4, 4)), ValueError, r"shape=\(4, 4\) has 2 entries"),
        (lambda: BilinearUpsampling(2)((3, 4, 1, 1)), ValueError, r"height 3 .* by 2 takes 4 taps"),
        (
            lambda: BilinearUpsampling()((4, 4, 2, 3)),
            ValueError,
            r"maps 3 input to 2 output channels",
        ),
        (lambda: BilinearUpsampling(groups=0), ValueError, r"groups=0 is out of range"),
    ],
)
def test_initializers_refuse_kernels_that_do_not_go_with_them(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "initializer",
    [
        ICNR((2, 3), keras.initializers.HeNormal(seed=3)),
        ICNR(),
        BilinearUpsampling((2, 3), groups=2),
        BilinearUpsampling(),
    ],
    ids=lambda initializer: type(initializer).__name__,
)
def test_initializers_survive_serialization(initializer):
    config = json.loads(json.dumps(keras.initializers.serialize(initializer)))
    assert config["registered_name"] == f"tf_tconv>{type(initializer).__name__}"
    again = keras.initializers.get(config)
    assert again.get_config() == initializer.get_config()
    parameters = set(inspect.signature(type(initializer).__init__).parameters) - {"self"}
    assert set(initializer.get_config()) == parameters


def test_initializers_serve_a_model_that_is_saved(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4, 5, 2)),
            tf_tconv.Conv2DTranspose(2, 4, 2, "same", kernel_initializer=BilinearUpsampling(2)),
            keras.layers.Conv2DTranspose(3, 4, 2, "same", kernel_initializer=ICNR(2)),
        ]
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer.kernel_initializer) for layer in again.layers] == [BilinearUpsampling, ICNR]
    x = ramp(1, 4, 5, 2)
    assert np.array_equal(again(x), model(x))


# Resizing, then a convolution.

BASE = {"filters": 4, "kernel_size": (3, 2)}
ALTERNATIVES = {
    "filters": 6,
    "kernel_size": (5, 1),
    "size": (3, 1),
    "interpolation": "bicubic",
    "padding": "valid",
    "data_format": "channels_first",
    "dilation_rate": (1, 3),
    "groups": 2,
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": "ones",
    "bias_initializer": "ones",
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
    "kernel_constraint": "non_neg",
    "bias_constraint": "unit_norm",
    "name": "enlarged",
    "dtype": "float64",
    "trainable": False,
}
"""For each parameter a value that is neither the one of `BASE` nor the default."""

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


def filled(**arguments):
    """A layer built for 4 channels, with integers in it."""
    made = ResizeConv2D(**{**BASE, **arguments})
    first = arguments.get("data_format") == "channels_first"
    made.build((None, 4, None, None) if first else (None, None, None, 4))
    made.set_weights([ramp(*weight.shape, seed=n) for n, weight in enumerate(made.weights)])
    return made


def expected(x, made):
    """Resized by TensorFlow, then convolved by the oracle."""
    height, width = (n * s for n, s in zip(x.shape[1:3], made.size, strict=True))
    u = tf.image.resize(x, (height, width), made.interpolation).numpy().astype(np.float64)
    kernel, *bias = (weight.numpy().astype(np.float64) for weight in made.weights)
    groups = made.groups
    parts = [
        oracle.forward_convolution(
            part, w, padding=made.padding.upper(), dilations=made.dilation_rate
        )
        for part, w in zip(
            np.split(u, groups, axis=3), np.split(kernel, groups, axis=3), strict=True
        )
    ]
    y = np.concatenate(parts, axis=3)
    return y + bias[0] if bias else y


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"size": 3, "use_bias": False},
        {"size": (2, 3), "padding": "valid", "dilation_rate": (1, 2)},
        {"groups": 2, "size": (1, 2)},
        {"data_format": "channels_first", "size": (2, 3)},
        {"data_format": "channels_first", "size": (2, 2), "filters": 10},  # As wide as filters.
    ],
    ids=str,
)
def test_nearest_resizing_then_convolution_is_exact(arguments):
    made = filled(**arguments)
    x = ramp(2, 4, 5, 4, seed=9)
    first = made.data_format == "channels_first"
    given = np.moveaxis(x, 3, 1) if first else x
    y = made(given.astype(np.float32)).numpy()
    assert y.shape == made.compute_output_shape(given.shape)
    assert np.array_equal(np.moveaxis(y, 1, 3) if first else y, expected(x, made))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_float16", "mixed_bfloat16"])
def test_interpolations_and_dtypes(interpolation, dtype):
    made = filled(interpolation=interpolation, size=(2, 3), dtype=dtype)
    x = ramp(2, 4, 5, 4, seed=9)
    y = made(x)
    assert y.dtype == made.compute_dtype
    wanted = expected(x, made)
    # The resized image is rounded to the layer's type, then at most 24 products are added.
    unit = {"float16": 2**-11, "bfloat16": 2**-8}.get(made.compute_dtype, 2**-24)
    size = 24 * np.abs(x).max() * 2 * np.abs(made.kernel.numpy()).max()
    np.testing.assert_allclose(tf.cast(y, tf.float64), wanted, atol=2 * size * unit)


def test_a_constant_image_stays_constant_inside_for_any_kernel():
    for interpolation, size in itertools.product(INTERPOLATIONS, (2, 3)):
        made = filled(interpolation=interpolation, size=size, use_bias=False)
        y = made(np.ones((1, 6, 6, 4), np.float32)).numpy()[0, 4:-4, 4:-4]
        # Bicubic weights add up to one but for the rounding of a float32.
        assert np.ptp(y, axis=(0, 1)).max() <= (0 if interpolation == "nearest" else 1e-4)


def test_every_parameter_is_in_the_configuration():
    hidden = {name for name in ALTERNATIVES if "izer" in name or "constraint" in name}
    named = set(inspect.signature(ResizeConv2D.__init__).parameters) - {"self", "kwargs"}
    assert set(ALTERNATIVES) == named | hidden | {"name", "dtype", "trainable"}
    assert set(ResizeConv2D(**BASE).get_config()) == set(ALTERNATIVES)


@pytest.mark.parametrize("parameter", sorted(ALTERNATIVES))
def test_parameter_survives(parameter):
    plain = ResizeConv2D(**BASE).get_config()
    made = ResizeConv2D(**{**BASE, parameter: ALTERNATIVES[parameter]})
    config = made.get_config()
    assert config[parameter] != plain[parameter]
    again = ResizeConv2D.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert again.size == made.size


def test_registered_name():
    assert keras.saving.get_registered_name(ResizeConv2D) == "tf_tconv>ResizeConv2D"


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_unknown_sizes_training_and_saving(interpolation, tmp_path):
    model = keras.Sequential(
        [keras.Input((None, None, 3)), ResizeConv2D(2, 3, 2, interpolation, activation="tanh")]
    )
    assert model.output_shape == (None, None, None, 2)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(ramp(4, 3, 5, 3), ramp(4, 6, 10, 2), verbose=0)
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = ramp(2, 4, 6, 3).astype(np.float32)
    assert np.array_equal(again(x), model(x))
    assert np.array_equal(model.predict(x, verbose=0), model(x))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_compiles_by_xla(interpolation):
    made = filled(interpolation=interpolation)
    x = tf.constant(ramp(2, 4, 5, 4), tf.float32)
    compiled = tf.function(made, jit_compile=True)(x)
    # Integers; bilinear weights at size 2 are quarters: exact either way.
    assert np.array_equal(compiled, made(x))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, r"size\[0\]=0 is out of range"),
        ({"size": (2, 2.0)}, TypeError, r"size\[1\]=2.0 is a float"),
        ({"size": (1, 2, 3)}, ValueError, r"size=\(1, 2, 3\) has 3 entries"),
        ({"interpolation": "cubic"}, ValueError, r'"cubic" is unknown; .* Did you mean "bicubic"'),
        ({"padding": "full"}, ValueError, r'padding="full" is unknown'),
        ({"strides": 2}, TypeError, r"strides=2 has no place here"),
    ],
)
def test_layer_refuses_illegal_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        ResizeConv2D(**{**BASE, **arguments})
