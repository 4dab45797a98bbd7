"""Where an output size cannot be reached, the error says which padding reaches it, and that holds.

What a message recommends is read from it and called. Whether a padding reaches a size is asked of
the forward convolution: it has to make the input's size of it.
"""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import tf_tconv
from tf_tconv.cli import app
from tf_tconv.dialects import keras as keras_dialect
from tf_tconv.dialects import tf_nn as tf_nn_dialect
from tf_tconv.dialects import torch as torch_dialect
from tf_tconv.geometry import AskedAxis

SAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
WAYS = r"But (?P<padding>.+) reaches (?P<sizes>\d+(?: and \d+)?)(?: \((?P<others>[^)]*)\))?\."
LIMIT = r"No padding gives more than (\d+) (\w+) of (\d+); (\d+) need a kernel of at least (\d+)\."


def forward_size(size, k, s, d, padding):
    """The size that the forward convolution makes of `size`; none of what is less than a window."""
    if padding == "SAME":
        return -(-size // s)
    before, after = (0, 0) if padding == "VALID" else padding
    return max((size + before + after - (k - 1) * d - 1) // s + 1, 0)


def reaches(axis, padding):
    return forward_size(axis["o"], axis["k"], axis["s"], axis["d"], padding) == axis["i"]


paddings = st.one_of(
    st.sampled_from(["SAME", "VALID"]), st.tuples(st.integers(0, 6), st.integers(0, 6))
)


@st.composite
def axes(draw, padding=paddings):
    i, k, s, d = (draw(st.integers(1, most)) for most in (6, 5, 4, 3))
    size = st.integers(0, i * s + (k - 1) * d + s + 4)
    return {"i": i, "k": k, "s": s, "d": d, "p": draw(padding), "o": draw(size)}


def recommended(message, pattern="padding=(.*)"):
    """The padding that a message recommends, or `None` where it says that there is none."""
    found = re.search(WAYS, message)
    if found is None:
        assert re.search(LIMIT, message), message
        return None
    return re.fullmatch(pattern, found["padding"])[1]


def geometry(axis, padding):
    return tf_tconv.transpose_geometry(
        axis["i"], axis["k"], axis["s"], axis["d"], padding, axis["o"]
    )


@given(axes())
@settings(SAMPLES, max_examples=400)
def test_one_axis(axis):
    try:
        geometry(axis, axis["p"])
    except ValueError as error:
        assert not reaches(axis, axis["p"])
        padding = recommended(str(error))
        if padding is None:
            said = [int(number) for number in re.search(LIMIT, str(error)).group(1, 3, 4, 5)]
            most, given_, asked, least = said
            assert (given_, asked) == (axis["i"], axis["o"])
            most_by_definition = [o for o in range(200) if reaches({**axis, "o": o}, "VALID")]
            assert most == most_by_definition[-1] < asked
            assert reaches_with_some_padding({**axis, "k": least})
            assert not reaches_with_some_padding({**axis, "k": least - 1})
        else:
            padding = eval(padding)
            assert reaches(axis, padding)
            assert geometry(axis, padding).output_size == axis["o"]
            assert axis["o"] in tf_tconv.legal_output_sizes(
                axis["i"], axis["k"], axis["s"], axis["d"], padding
            )
    else:
        assert axis["o"] in tf_tconv.legal_output_sizes(
            axis["i"], axis["k"], axis["s"], axis["d"], axis["p"]
        )


def reaches_with_some_padding(axis):
    if axis["k"] < 1:
        return False
    cells = range(axis["i"] * axis["s"] + axis["k"] * axis["d"] + 9)
    return any(reaches(axis, (0, after)) for after in cells)


@given(axes(st.tuples(st.integers(0, 6), st.integers(0, 6))))
@SAMPLES
def test_no_padding_is_nearer(axis):
    asked = AskedAxis(axis["k"], axis["s"], axis["d"], axis["p"], axis["i"], axis["o"])
    changes = {
        sides: abs(sides[0] - axis["p"][0]) + abs(sides[1] - axis["p"][1])
        for sides in ((b, a) for b in range(36) for a in range(36))
        if reaches(axis, sides)
    }
    if not changes:
        assert asked.nearest() is None
        return
    found = asked.nearest()
    assert changes[found] == min(changes.values())
    alike = asked.nearest(alike=True)
    assert (alike is None) == all(before != after for before, after in changes)
    assert alike is None or (alike in changes and alike[0] == alike[1])


@given(rows=axes(), columns=axes(), data_format=st.sampled_from(["NHWC", "NCHW"]))
@SAMPLES
def test_function(rows, columns, data_format):
    both = (rows, columns)
    named = isinstance(rows["p"], str)
    columns["p"] = rows["p"] if named or isinstance(columns["p"], str) else columns["p"]
    padding = rows["p"] if named else [[0, 0], rows["p"], columns["p"], [0, 0]]
    channels_last = data_format == "NHWC"
    if not named and not channels_last:
        padding = [[0, 0], [0, 0], rows["p"], columns["p"]]
    shape = (
        [1, *(axis["i"] for axis in both), 1] if channels_last else [1, 1, rows["i"], columns["i"]]
    )
    arguments = {
        "strides": [axis["s"] for axis in both],
        "dilations": [axis["d"] for axis in both],
        "data_format": data_format,
    }
    kernel = tf.ones([rows["k"], columns["k"], 1, 1])
    size = [axis["o"] for axis in both]

    def call(padding):
        return tf_tconv.conv2d_transpose(tf.ones(shape), kernel, size, padding=padding, **arguments)

    try:
        call(padding)
    except ValueError as error:
        way = recommended(str(error))
        if way is not None:
            y = call(eval(way))
            assert list(y.shape)[1:3] == size if channels_last else list(y.shape)[2:] == size
        with pytest.raises(ValueError, match=re.escape(str(error))):
            tf_tconv.plan(shape, kernel.shape, size, padding=padding, **arguments)
    else:
        assert all(reaches(axis, axis["p"]) for axis in both)


@given(rows=axes(), columns=axes())
@settings(SAMPLES, max_examples=40)
def test_layer(rows, columns):
    both = (rows, columns)
    for axis in both:
        axis["d"] = rows["d"]
    named = isinstance(rows["p"], str)
    columns["p"] = rows["p"] if named or isinstance(columns["p"], str) else columns["p"]
    shape = (1, rows["i"], columns["i"], 1)
    size = (rows["o"], columns["o"])

    def layer(padding):
        return tf_tconv.Conv2DTranspose(
            1,
            (rows["k"], columns["k"]),
            (rows["s"], columns["s"]),
            padding=padding,
            dilation_rate=rows["d"],
        )

    padding = rows["p"] if named else (rows["p"], columns["p"])
    try:
        layer(padding)(np.ones(shape, np.float32), output_size=size)
    except ValueError as error:
        way = recommended(str(error))
        if way is not None:
            way = eval(way)
            assert layer(way)(np.ones(shape, np.float32), output_size=size).shape[1:3] == size
            assert layer(way).compute_output_shape(shape, output_size=size)[1:3] == size
        sentence = str(error).partition("\n\n")[2].partition("\n\n")[0]
        sentence = re.sub("\x1b\\[[0-9]*m", "", sentence)
        with pytest.raises(ValueError, match=re.escape(sentence)):
            layer(padding).compute_output_shape(shape, output_size=size)
    else:
        assert all(reaches(axis, axis["p"]) for axis in both)


DIALECTS = {
    "keras": (keras_dialect, "strides", "dilation_rate", "output_size"),
    "tf_nn": (tf_nn_dialect, "strides", "dilations", "output_shape"),
    "torch": (torch_dialect, "stride", "dilation", "output_size"),
}


def padding_in(dialect, rows, columns):
    """The same padding, or one as near as the dialect has."""
    if dialect == "torch":
        sides = (0 if isinstance(axis["p"], str) else axis["p"][0] for axis in (rows, columns))
        return tuple(sides)
    if isinstance(rows["p"], str):
        return rows["p"]
    pairs = rows["p"], (0, 1) if isinstance(columns["p"], str) else columns["p"]
    return pairs if dialect == "keras" else [(0, 0), *pairs, (0, 0)]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(rows=axes(), columns=axes())
@SAMPLES
def test_dialects(dialect, rows, columns):
    module, strides, dilations, output = DIALECTS[dialect]
    both = (rows, columns)
    arguments = {
        "kernel_size": tuple(axis["k"] for axis in both),
        strides: tuple(axis["s"] for axis in both),
        dilations: tuple(axis["d"] for axis in both),
        output: tuple(axis["o"] for axis in both),
        "input_size": tuple(axis["i"] for axis in both),
    }
    try:
        module.from_arguments(**arguments, padding=padding_in(dialect, rows, columns))
    except ValueError as error:
        if "No padding that is equal on both sides" in str(error):
            assert dialect == "torch"
            assert any(not any(reaches(axis, (side, side)) for side in range(40)) for axis in both)
            return
        way = recommended(str(error))
        if way is not None:
            operation = module.from_arguments(**arguments, padding=eval(way))
            assert operation.output_size == arguments[output]


def line(option, *numbers):
    return [f"--{option}", ",".join(map(str, numbers))]


def run(*arguments):
    result = CliRunner().invoke(app, [*arguments])
    assert isinstance(result.exception, SystemExit) or result.exception is None
    return result.exit_code, result.output


@pytest.mark.parametrize("command", ["plan", "explain", "keras", "tf_nn", "torch"])
@given(rows=axes(), columns=axes())
@settings(SAMPLES, max_examples=25)
def test_commands(command, rows, columns):
    both = (rows, columns)
    common = [
        *line("stride", *(axis["s"] for axis in both)),
        *line("dilation", *(axis["d"] for axis in both)),
        *line("output-size", *(axis["o"] for axis in both)),
    ]
    inputs, kernels = [axis["i"] for axis in both], [axis["k"] for axis in both]
    if command == "plan":
        start = ["plan", *line("input", 1, *inputs, 2), *line("filters", *kernels, 2, 2)]
    elif command == "explain":
        start = ["explain", *line("input", *inputs), *line("kernel", *kernels), "--json"]
    else:
        start = ["translate", "--from", command, "--to", "jax"]
        start += [*line("input-size", *inputs), *line("kernel", *kernels)]
    padding = padding_in("torch" if command == "torch" else "keras", rows, columns)
    if command == "torch":
        option = line("padding", *padding)
    elif isinstance(padding, str):
        option = ["--padding", padding.lower()]
    else:
        option = line("padding", *padding[0], *padding[1])
    status, output = run(*start, *common, *option)
    if status == 0 or "equal on both sides" in output or "the batch of" in output:
        return
    assert output.startswith(("tf-tconv: --output-size=", "tf-tconv: --padding=(")), output
    way = recommended(output, "(--padding .*)")
    if way is not None:
        status, output = run(*start, *common, *way.split())
        assert status == 0, output


# What `MaxPool2D(2)` makes 8 of.
@pytest.mark.parametrize("size", [16, 17])
@pytest.mark.parametrize(("kernel", "padding"), [(3, ((0, 1), (0, 1))), (2, "valid"), (2, "VALID")])
def test_a_decoder_reaches_both_sizes_that_pooling_halves_alike(kernel, padding, size):
    skip = keras.ops.ones([1, size, size, 2])
    pooled = keras.layers.MaxPool2D(2)(skip)
    assert pooled.shape[1:3] == (8, 8)
    layer = tf_tconv.Conv2DTranspose(2, kernel, 2, padding=padding)
    assert layer(pooled, output_size=skip).shape[1:3] == (size, size)


@pytest.mark.parametrize(
    ("kernel", "padding", "way"),
    [
        (3, "same", "But padding=((0, 1), (0, 1)) reaches 17 (16..17 rows)."),
        (2, "same", 'But padding="valid" reaches 17 (16..17 rows).'),
        (5, "same", "But padding=((1, 2), (1, 2)) reaches 17 (16..17 rows)."),
        (4, ((2, 2), (2, 2)), "But padding=((1, 1), (1, 1)) reaches 17 (16..17 rows)."),
        (7, "valid", "But padding=((2, 2), (2, 2)) reaches 17 (17..18 rows)."),
        (1, "valid", "No padding gives more than 16 rows of 8; 17 need a kernel of at least 2."),
    ],
)
def test_the_way_out_of_a_decoder(kernel, padding, way):
    layer = tf_tconv.Conv2DTranspose(2, kernel, 2, padding=padding)
    with pytest.raises(ValueError, match=re.escape(way)):
        layer(np.ones([1, 8, 8, 2]), output_size=(17, 17))


@pytest.mark.parametrize(
    ("size", "way"),
    [
        ((17, 15), "padding=((0, 1), (1, 1)) reaches 17 and 15 (16..17 rows)."),
        ((16, 20), "padding=((0, 1), (0, 0)) reaches 16 and 20 (19..20 columns)."),
        ((17, 20), "padding=((0, 1), (0, 0)) reaches 17 and 20 (16..17 rows)."),
        ((17, 21), "No padding gives more than 20 columns of 9; 21 need a kernel of at least 4."),
    ],
)
def test_both_axes_are_said_together(size, way):
    layer = tf_tconv.Conv2DTranspose(2, 3, 2, padding="same")
    inputs = np.ones([1, 8, 8 if size[1] == 15 else 9, 2])
    with pytest.raises(ValueError, match=re.escape(way)):
        layer(inputs, output_size=size)


def test_a_size_that_only_the_run_knows_keeps_the_other_axis():
    layer = tf_tconv.Conv2DTranspose(2, 3, 2, padding="same")
    with pytest.raises(ValueError, match=re.escape("padding=((0, 1), (0, 1)) reaches 17")):
        layer(keras.Input([8, None, 2]), output_size=keras.Input([17, None, 2]))


@pytest.mark.parametrize(
    ("padding", "sentence"),
    [
        ("SAME", 'reach 15..16. But padding "VALID" reaches 17..18, and each cell of explicit'),
        ("VALID", "reach 17..18. Each cell of explicit padding takes one off 17..18."),
        (
            [[0, 0], [1, 1], [1, 1], [0, 0]],
            'padding (1, 1) reach 15..16. But padding "VALID" reaches 17..18, and each cell of',
        ),
    ],
    ids=["same", "valid", "explicit"],
)
def test_what_only_the_run_knows(padding, sentence):
    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None, 1]), tf.TensorSpec([2], tf.int32)]
    )
    def call(x, size):
        return tf_tconv.conv2d_transpose(x, tf.ones([3, 3, 1, 1]), size, 2, padding)

    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(sentence)):
        call(tf.ones([1, 8, 8, 1]), tf.constant([20, 20]))
    assert "output_shape[0]=20 cannot come from 8 input rows" in str(_raised(call))


def _raised(call):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(tf.ones([1, 8, 8, 1]), tf.constant([20, 20]))
    return caught.value
