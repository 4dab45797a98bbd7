"""Illegal arguments: each row one mistake, the error it wants, and what the message has to say.

A message names the argument with the offending entry, the value received, and what is legal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_tconv

BASE = {"filters": 4, "kernel_size": (3, 2), "strides": (2, 3)}
INPUT_SHAPE = (2, 4, 3, 6)


@dataclass(frozen=True)
class IllegalArgument:
    """A constructor call that must be refused.

    Args:
        name: unique, without spaces.
        changes: what differs from `BASE`.
        error: the exception's type.
        message: pieces that its message must hold, in this order.
    """

    name: str
    changes: Mapping[str, Any] = field(hash=False)
    error: type[Exception]
    message: tuple[str, ...]


def row(name, changes, error, *message):
    return IllegalArgument(name, changes, error, message)


HIGHEST = str(2**31 - 1)
INTEGER = f"integer from 1 to {HIGHEST}"
PADDINGS = '"valid", "same" or ((top, bottom), (left, right))'

ARGUMENTS = (
    row("filters_zero", {"filters": 0}, ValueError, "filters=0", INTEGER),
    row("filters_negative", {"filters": -3}, ValueError, "filters=-3", INTEGER),
    row("filters_float", {"filters": 4.0}, TypeError, "filters=4.0 is a float", INTEGER),
    row("filters_nan", {"filters": float("nan")}, TypeError, "filters=nan is a float", INTEGER),
    row("filters_string", {"filters": "4"}, TypeError, "filters='4' is a str", INTEGER),
    row("filters_bool", {"filters": True}, TypeError, "filters=True is a bool", INTEGER),
    row("filters_none", {"filters": None}, TypeError, "filters=None is a NoneType", INTEGER),
    row("filters_list", {"filters": [4]}, TypeError, "filters=[4] is a list", INTEGER),
    row("filters_huge", {"filters": 2**31}, ValueError, f"filters={2**31}", INTEGER),
    row("kernel_zero", {"kernel_size": 0}, ValueError, "kernel_size=0", INTEGER),
    row("kernel_zero_wide", {"kernel_size": (3, 0)}, ValueError, "kernel_size[1]=0", INTEGER),
    row("kernel_negative", {"kernel_size": (-1, 3)}, ValueError, "kernel_size[0]=-1", INTEGER),
    row(
        *("kernel_one_entry", {"kernel_size": (3,)}, ValueError),
        *("kernel_size=(3,) has 1 entry", "an integer or 2 integers, (height, width)"),
    ),
    row(
        *("kernel_three_entries", {"kernel_size": (3, 3, 3)}, ValueError),
        *("kernel_size=(3, 3, 3) has 3 entries", "an integer or 2 integers, (height, width)"),
    ),
    row("kernel_no_entries", {"kernel_size": ()}, ValueError, "kernel_size=() has 0 entries"),
    row("kernel_float", {"kernel_size": 3.0}, TypeError, "kernel_size=3.0 is a float", INTEGER),
    row(
        *("kernel_float_entry", {"kernel_size": (3, 2.5)}, TypeError),
        *("kernel_size[1]=2.5 is a float", INTEGER),
    ),
    row("kernel_string", {"kernel_size": "33"}, TypeError, "kernel_size='33' is a str", INTEGER),
    row("kernel_none", {"kernel_size": None}, TypeError, "kernel_size=None", INTEGER),
    row(
        *("kernel_bool_entry", {"kernel_size": (True, 2)}, TypeError),
        *("kernel_size[0]=True is a bool", INTEGER),
    ),
    row("strides_zero", {"strides": (0, 2)}, ValueError, "strides[0]=0", INTEGER),
    row("strides_negative", {"strides": -2}, ValueError, "strides=-2", INTEGER),
    row("strides_float", {"strides": 1.5}, TypeError, "strides=1.5 is a float", INTEGER),
    row("strides_none", {"strides": None}, TypeError, "strides=None", INTEGER),
    row("strides_huge", {"strides": (2, 2**40)}, ValueError, f"strides[1]={2**40}", INTEGER),
    row(
        *("strides_four_entries", {"strides": (1, 2, 2, 1)}, ValueError),
        *("strides=(1, 2, 2, 1) has 4 entries", "2 integers, (height, width)"),
    ),
    row("dilation_zero", {"dilation_rate": 0}, ValueError, "dilation_rate=0", INTEGER),
    row("dilation_string", {"dilation_rate": "2"}, TypeError, "dilation_rate='2'", INTEGER),
    row(
        *("dilation_one_entry", {"dilation_rate": [2]}, ValueError),
        *("dilation_rate=[2] has 1 entry", "(height, width)"),
    ),
    row("dilation_set", {"dilation_rate": {2}}, TypeError, "dilation_rate={2} is a set", INTEGER),
    row(
        *("padding_typo", {"padding": "sane"}, ValueError),
        *('padding="sane"', PADDINGS, 'Did you mean "same"?'),
    ),
    row("padding_causal", {"padding": "causal"}, ValueError, 'padding="causal"', PADDINGS),
    row("padding_integer", {"padding": 1}, TypeError, "padding=1 is an int", PADDINGS),
    row("padding_none", {"padding": None}, TypeError, "padding=None is a NoneType", PADDINGS),
    row(
        *("padding_flat", {"padding": (1, 1)}, TypeError),
        *("padding[0]=1 is an int", "a pair (before, after) of integers of at least 0"),
    ),
    row(
        *("padding_one_axis", {"padding": ((1, 1),)}, ValueError),
        *("padding=((1, 1),) has 1 entry", "((top, bottom), (left, right))"),
    ),
    row(
        *("padding_of_the_function", {"padding": [[0, 0], [1, 1], [1, 1], [0, 0]]}, ValueError),
        *(
            "padding=[[0, 0], [1, 1], [1, 1], [0, 0]] has 4 entries",
            "((top, bottom), (left, right))",
        ),
    ),
    row(
        *("padding_three_sides", {"padding": ((1, 1), (1, 1, 1))}, ValueError),
        *("padding[1]=(1, 1, 1) has 3 entries", "a pair (before, after)"),
    ),
    row(
        *("padding_negative", {"padding": ((0, -1), (0, 0))}, ValueError),
        *("padding[0][1]=-1", "integer of at least 0"),
    ),
    row(
        *("padding_float", {"padding": ((0, 0), (1.0, 0))}, TypeError),
        *("padding[1][0]=1.0 is a float", "integer of at least 0"),
    ),
    row(
        *("output_padding_stride", {"output_padding": (2, 0)}, ValueError),
        *("output_padding[0]=2", "strides[0]=2", "integer from 0 to 1"),
    ),
    row(
        *("output_padding_wide", {"output_padding": (1, 3)}, ValueError),
        *("output_padding[1]=3", "strides[1]=3", "integer from 0 to 2"),
    ),
    row(
        *("output_padding_without_stride", {"strides": 1, "output_padding": 1}, ValueError),
        *("output_padding[0]=1", "strides[0]=1", "from 0 to 0"),
    ),
    row(
        *("output_padding_negative", {"output_padding": -1}, ValueError),
        *("output_padding=-1", "integer from 0"),
    ),
    row(
        *("output_padding_float", {"output_padding": 0.5}, TypeError),
        *("output_padding=0.5 is a float", "integer from 0"),
    ),
    row(
        *("output_padding_one_entry", {"output_padding": (1,)}, ValueError),
        *("output_padding=(1,) has 1 entry", "2 integers, (height, width)"),
    ),
    row(
        *("output_padding_string", {"output_padding": "same"}, TypeError),
        *("output_padding='same' is a str", "integer from 0"),
    ),
    row(
        *("data_format_of_the_function", {"data_format": "NHWC"}, ValueError),
        *('data_format="NHWC"', '"channels_last", "channels_first"'),
    ),
    row(
        *("data_format_typo", {"data_format": "channel_last"}, ValueError),
        *('data_format="channel_last"', 'Did you mean "channels_last"?'),
    ),
    row(
        *("data_format_integer", {"data_format": 3}, TypeError),
        *("data_format=3 is an int", '"channels_last", "channels_first"'),
    ),
    row("groups_zero", {"groups": 0}, ValueError, "groups=0", INTEGER),
    row("groups_float", {"groups": 2.0}, TypeError, "groups=2.0 is a float", INTEGER),
    row("groups_none", {"groups": None}, TypeError, "groups=None", INTEGER),
    row("groups_odd", {"groups": 3}, ValueError, "groups=3", "filters=4", "multiple of groups"),
    row("groups_many", {"groups": 8}, ValueError, "groups=8", "filters=4", "multiple of groups"),
    row(
        *("lowering_typo", {"lowering": "zero-insertion"}, ValueError),
        *('lowering="zero-insertion"', '"auto"', 'Did you mean "zero_insertion"?'),
    ),
    row(
        *("lowering_unknown", {"lowering": "fft"}, ValueError),
        *('lowering="fft"', '"auto"', '"zero_insertion"', '"native"'),
    ),
    row("lowering_none", {"lowering": None}, TypeError, "lowering=None is a NoneType", '"auto"'),
    row("lowering_integer", {"lowering": 1}, TypeError, "lowering=1 is an int", '"auto"'),
    # What Keras itself looks up, in its own words.
    row("activation_unknown", {"activation": "reluu"}, ValueError, "reluu"),
    row("kernel_initializer_unknown", {"kernel_initializer": "hee"}, ValueError, "hee"),
    row("bias_initializer_unknown", {"bias_initializer": "naught"}, ValueError, "naught"),
    row("kernel_regularizer_unknown", {"kernel_regularizer": "l3"}, ValueError, "l3"),
    row("bias_regularizer_unknown", {"bias_regularizer": "l0"}, ValueError, "l0"),
    row("activity_regularizer_unknown", {"activity_regularizer": "l4"}, ValueError, "l4"),
    row("kernel_constraint_unknown", {"kernel_constraint": "unit"}, ValueError, "unit"),
    row("bias_constraint_unknown", {"bias_constraint": "minmax"}, ValueError, "minmax"),
    row("argument_unknown", {"kernal_size": 3}, (TypeError, ValueError), "kernal_size"),
    row("dtype_unknown", {"dtype": "float33"}, (TypeError, ValueError), "float33"),
)


@dataclass(frozen=True)
class IllegalCall:
    """A call that must be refused.

    Args:
        name: unique, without spaces.
        changes: what differs from `BASE` in the layer.
        inputs: of the call; a shape for zeros of it.
        asked: the output size.
        error: the exception's type.
        message: pieces that its message must hold, in this order.
        built: whether the layer has been built for `INPUT_SHAPE` before.
    """

    name: str
    changes: Mapping[str, Any] = field(hash=False)
    inputs: Any
    asked: Any
    error: type[Exception]
    message: tuple[str, ...]
    built: bool = False


def call(name, *message, changes=(), inputs=INPUT_SHAPE, asked=None, error=ValueError, built=False):
    return IllegalCall(name, dict(changes), inputs, asked, error, message, built)


SAME = {"padding": "same"}
PAIR = "it must be (height, width), or a tensor of rank 4 in the layer's layout, channels_last"
SIZE = "integer of at least 0"
REACH = 'kernel 3, stride 2, dilation 1, padding "VALID" reach 9..10.'

CALLS = (
    call("size_too_small", "output_size[0]=8", "4 input rows", REACH, asked=(8, 9)),
    call("size_too_large", "output_size[0]=11", "4 input rows", REACH, asked=(11, 9)),
    call("size_too_wide", "output_size[1]=11", "3 input columns", "reach 8..10.", asked=(9, 11)),
    call(
        *("size_same", "output_size[0]=9", "4 input rows", 'padding "SAME" reach 7..8.'),
        changes=SAME,
        asked=(9, 9),
    ),
    call(
        *("size_explicit", "output_size[1]=4", "3 input columns", "padding (3, 0) reach 5..7."),
        changes={"padding": ((1, 0), (3, 0))},
        asked=(8, 4),
    ),
    call("size_zero", "output_size[0]=0", "4 input rows", "reach 9..10.", asked=(0, 9)),
    call("size_negative", "output_size[1]=-9", SIZE, asked=(9, -9)),
    call("size_huge", "output_size[0]=1099511627776", "reach 9..10.", asked=(2**40, 9)),
    call("size_float", "output_size[0]=9.0 is a float", SIZE, asked=(9.0, 9), error=TypeError),
    call("size_bool", "output_size[1]=True is a bool", SIZE, asked=(9, True), error=TypeError),
    call("size_none_entry", "output_size[1]=None", SIZE, asked=(9, None), error=TypeError),
    call("size_string_entry", "output_size[0]='9'", SIZE, asked=("9", 9), error=TypeError),
    call("size_one_entry", "output_size=(9,)", PAIR, asked=(9,)),
    call("size_three_entries", "output_size=(9, 9, 4)", PAIR, asked=(9, 9, 4)),
    call("size_four_entries", "output_size=(2, 9, 9, 4)", PAIR, asked=(2, 9, 9, 4)),
    call("size_no_entries", "output_size=()", PAIR, asked=()),
    call("size_integer", "output_size=9 is an int", PAIR, asked=9, error=TypeError),
    call("size_string", "output_size='same' is a str", PAIR, asked="same", error=TypeError),
    call(
        "size_dict",
        "output_size={'height': 9} is a dict",
        PAIR,
        asked={"height": 9},
        error=TypeError,
    ),
    call("size_scalar_tensor", "output_size=", "is not a pair", PAIR, asked=tf.constant(9)),
    call("size_long_tensor", "output_size=", "is not a pair", PAIR, asked=tf.constant([2, 9, 9])),
    call("size_matrix", "output_size=", "is not a pair", PAIR, asked=tf.constant([[9, 9]])),
    call("size_image_rank_3", "output_size=", "is not a pair", PAIR, asked=tf.zeros([9, 9, 4])),
    call(
        "size_image_rank_5", "output_size=", "is not a pair", PAIR, asked=tf.zeros([2, 1, 9, 9, 4])
    ),
    call(
        "size_float_tensor",
        "output_size[0]",
        "float32",
        SIZE,
        asked=tf.constant([9.0, 9.0]),
        error=TypeError,
    ),
    call("size_negative_tensor", "output_size[1]=-9", SIZE, asked=tf.constant([9, -9])),
    call("size_image_too_small", "output_size[0]=8", REACH, asked=tf.zeros([2, 8, 9, 4])),
    call(
        # As if channels were first: the layer takes the axes that its own layout says.
        *("size_image_of_another_layout", "output_size[0]=4", REACH),
        asked=tf.zeros([2, 4, 9, 9]),
    ),
    call(
        *("size_and_output_padding", "output_size", "output_padding=(1, 1)", "at most one"),
        changes={"output_padding": 1},
        asked=(10, 9),
    ),
    call("inputs_rank_3", "ndim=4", "ndim=3", inputs=(4, 3, 6)),
    call("inputs_rank_5", "ndim=4", "ndim=5", inputs=(1, 2, 4, 3, 6)),
    call("inputs_other_channels", "6", "5", inputs=(2, 4, 3, 5), built=True),
    call("groups_of_inputs", "groups=4", "6 input channels", changes={"groups": 4}),
    call(
        *("padding_takes_all", "padding[0]=(9, 9)", "4 input rows", "at most 10"),
        changes={"padding": ((9, 9), (0, 0))},
    ),
    call(
        *("inputs_integer", "inputs has dtype int32", "computes in float32", "cast others"),
        inputs=tf.zeros(INPUT_SHAPE, tf.int32),
        error=TypeError,
    ),
    call(
        *("inputs_string", "string"),
        inputs=tf.constant("", shape=INPUT_SHAPE),
        error=(TypeError, ValueError),
    ),
    call(
        *("output_too_large", f"strides {2**20}, {2**20}", "too many elements", HIGHEST),
        changes={"strides": 2**20},
    ),
)


def assert_in_order(pieces, message):
    """That the message holds the pieces, one after the other."""
    assert re.search(".*".join(map(re.escape, pieces)), message, re.DOTALL), (
        f"should hold {pieces} in this order: {message}"
    )


def make(illegal: IllegalCall):
    layer = tf_tconv.Conv2DTranspose(**{**BASE, **illegal.changes})
    if illegal.built:
        layer.build(INPUT_SHAPE)
    return layer


def named(rows):
    return pytest.mark.parametrize("illegal", rows, ids=lambda illegal: illegal.name)


def test_tables_are_long_and_their_names_unique():
    for rows, least in ((ARGUMENTS, 60), (CALLS, 35)):
        assert len(rows) >= least
        assert len({illegal.name for illegal in rows}) == len(rows)


def test_what_is_changed_was_legal():
    layer = tf_tconv.Conv2DTranspose(**BASE)
    assert layer(np.zeros(INPUT_SHAPE)).shape == (2, 9, 9, 4)


@named(ARGUMENTS)
def test_illegal_argument(illegal):
    with pytest.raises(illegal.error) as caught:
        tf_tconv.Conv2DTranspose(**{**BASE, **illegal.changes})
    assert_in_order(illegal.message, str(caught.value))


@named(CALLS)
def test_illegal_call(illegal):
    layer = make(illegal)
    inputs = illegal.inputs
    inputs = np.zeros(inputs, np.float32) if isinstance(inputs, tuple) else inputs
    with pytest.raises(illegal.error) as caught:
        layer(inputs, output_size=illegal.asked)
    assert_in_order(illegal.message, str(caught.value))


# The values of a tensor from outside are no part of the graph: see the next test.
TRACED = [illegal for illegal in CALLS if illegal.name != "size_negative_tensor"]


@named(TRACED)
def test_illegal_call_in_a_graph(illegal):
    layer = make(illegal)
    inputs = illegal.inputs
    inputs = tf.zeros(inputs) if isinstance(inputs, tuple) else inputs
    with pytest.raises(illegal.error) as caught:
        tf.function(lambda images: layer(images, output_size=illegal.asked))(inputs)
    assert_in_order(illegal.message, str(caught.value))


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [(8, 9), (11, 9), (9, 11), (1, 1), (0, 9), (9, 0), (9, -9)], ids=str
)
@pytest.mark.parametrize("captured", [True, False], ids=["captured", "argument"])
def test_illegal_size_in_a_tensor_from_outside_the_graph(size, captured):
    """Whenever TensorFlow comes to know the value, ours is the sentence that says what is wrong."""
    layer = make(call("size"))
    images, asked = tf.zeros(INPUT_SHAPE), tf.constant(size)
    if captured:
        run = tf.function(lambda images: layer(images, output_size=asked))
        arguments = [images]
    else:
        run = tf.function(lambda images, given: layer(images, output_size=given))
        arguments = [images, asked]
    wrong = 0 if size[0] not in (9, 10) else 1
    found = f"output_size[{wrong}]={size[wrong]}"
    rule = "cannot come from .* reach|is out of range; it must be an integer of at least 0"
    with pytest.raises(
        (ValueError, tf.errors.InvalidArgumentError), match=f"{re.escape(found)} ({rule})"
    ):
        run(*arguments)


# Only a real batch makes an output too large, so nothing is said before there is one.
SYMBOLIC = [
    illegal
    for illegal in CALLS
    if not tf.is_tensor(illegal.inputs) and illegal.name != "output_too_large"
]


@named(SYMBOLIC)
def test_illegal_call_while_a_model_is_made(illegal):
    layer = make(illegal)
    with pytest.raises(illegal.error) as caught:
        layer(keras.Input(batch_shape=illegal.inputs), output_size=illegal.asked)
    assert_in_order(illegal.message, str(caught.value))


def test_most_calls_are_tried_in_every_way():
    assert len(SYMBOLIC) >= len(CALLS) - 3
    assert len(TRACED) >= len(CALLS) - 1


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_unknown_channels(data_format):
    axis = 3 if data_format == "channels_last" else 1
    shape = [None, 4, 4, 4]
    shape[axis] = None
    layer = tf_tconv.Conv2DTranspose(**BASE, data_format=data_format)
    with pytest.raises(ValueError, match=rf"channels \(axis {axis}\)"):
        layer(keras.Input(batch_shape=shape))


def test_message_for_channels_first_says_so():
    layer = tf_tconv.Conv2DTranspose(**BASE, data_format="channels_first")
    with pytest.raises(ValueError, match="in the layer's layout, channels_first, whose"):
        layer(np.zeros([2, 6, 4, 3]), output_size=(9, 9, 9))


def test_layer_survives_an_illegal_call():
    layer = tf_tconv.Conv2DTranspose(**BASE)
    with pytest.raises(ValueError, match="reach"):
        layer(np.zeros(INPUT_SHAPE), output_size=(8, 9))
    assert layer(np.zeros(INPUT_SHAPE), output_size=(10, 9)).shape == (2, 10, 9, 4)


def test_illegal_configuration():
    config = tf_tconv.Conv2DTranspose(**BASE).get_config()
    # Keras makes a TypeError of whatever goes wrong here.
    with pytest.raises((TypeError, ValueError), match=re.escape("strides[0]=0")):
        tf_tconv.Conv2DTranspose.from_config({**config, "strides": [0, 3]})


def test_helper_wants_the_pieces_in_order():
    assert_in_order(("a", "c"), "a b c")
    for pieces in (("c", "a"), ("a", "d"), ("a.c",)):
        with pytest.raises(AssertionError, match="in this order"):
            assert_in_order(pieces, "a b c")
