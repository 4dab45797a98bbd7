"""Whoever calls `keras.layers.Conv2DTranspose` can call this layer in the same words."""

import inspect

import keras
import pytest

import tf_tconv

OURS = inspect.signature(tf_tconv.Conv2DTranspose).parameters
NATIVE = inspect.signature(keras.layers.Conv2DTranspose).parameters
ADDED = {"groups", "lowering"}
# Keras 3.0 takes `output_padding` too, but only by keyword, hidden in **kwargs.
LATER = {"output_padding"} - set(NATIVE)

VALUES = {
    "filters": 4,
    "kernel_size": (3, 2),
    "strides": (2, 3),
    "padding": "same",
    "output_padding": (1, 2),
    "data_format": "channels_first",
    "dilation_rate": (1, 1),
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": "ones",
    "bias_initializer": "ones",
    "kernel_regularizer": "l1",
    "bias_regularizer": "l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "non_neg",
    "bias_constraint": "unit_norm",
}
"""A value for each argument that Keras' layer takes, in its order."""


def test_names_and_positions_are_those_of_keras():
    assert [name for name in OURS if name not in ADDED | LATER] == list(NATIVE)


@pytest.mark.parametrize("name", list(NATIVE))
def test_kind_and_default_are_those_of_keras(name):
    assert OURS[name].kind is NATIVE[name].kind
    assert OURS[name].default == NATIVE[name].default


@pytest.mark.parametrize("name", sorted(ADDED))
def test_what_keras_has_not_is_optional_and_by_keyword(name):
    assert OURS[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert OURS[name].default is not inspect.Parameter.empty


def test_nothing_else_is_added():
    assert set(OURS) - set(NATIVE) == ADDED | LATER


def test_call_takes_inputs_and_an_optional_output_size():
    parameters = list(inspect.signature(tf_tconv.Conv2DTranspose.call).parameters.values())
    assert [parameter.name for parameter in parameters] == ["self", "inputs", "output_size"]
    assert parameters[2].default is None


def test_it_is_a_keras_layer_but_not_the_native_one():
    assert issubclass(tf_tconv.Conv2DTranspose, keras.layers.Layer)
    assert not issubclass(tf_tconv.Conv2DTranspose, keras.layers.Conv2DTranspose)


def test_positional_arguments_mean_what_they_mean_to_keras():
    assert set(VALUES) == set(OURS) - ADDED - {"kwargs"}
    ours = tf_tconv.Conv2DTranspose(*VALUES.values(), name="same").get_config()
    positional = [value for name, value in VALUES.items() if name not in LATER]
    by_keyword = {name: VALUES[name] for name in LATER}
    native = keras.layers.Conv2DTranspose(*positional, **by_keyword, name="same").get_config()
    assert {name: ours[name] for name in native} == native


def test_what_is_added_is_refused_by_position():
    arguments = [*VALUES.values(), 1]
    with pytest.raises(TypeError, match="positional"):
        tf_tconv.Conv2DTranspose(*arguments)
