"""What `get_config` says is all there is to know about a layer."""

import inspect
import json

import keras
import pytest
from layer_samples import SAMPLES

import tf_tconv

BASE = {"filters": 4, "kernel_size": (3, 2), "strides": (2, 3)}

ALTERNATIVES = {
    "filters": 6,
    "kernel_size": (5, 1),
    "strides": (4, 2),
    "padding": ((1, 0), (0, 2)),
    "output_padding": (1, 0),
    "data_format": "channels_first",
    "dilation_rate": (1, 3),
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": "ones",
    "bias_initializer": "ones",
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
    "kernel_constraint": "non_neg",
    "bias_constraint": "unit_norm",
    "groups": 2,
    "lowering": "zero_insertion",
    "name": "upwards",
    "dtype": "float64",
    "trainable": False,
}
"""For each parameter a value that is neither the one of `BASE` nor the default."""

VALUES = {
    "activation": keras.activations.softplus,
    "kernel_initializer": keras.initializers.RandomUniform(-3, 5, seed=7),
    "bias_initializer": keras.initializers.Constant(2.5),
    "kernel_regularizer": keras.regularizers.L1L2(0.25, 0.5),
    "bias_regularizer": keras.regularizers.L2(0.125),
    "activity_regularizer": keras.regularizers.L1(0.5),
    "kernel_constraint": keras.constraints.MaxNorm(3, axis=1),
    "bias_constraint": keras.constraints.NonNeg(),
    "padding": "SAME",
}
"""Further values of the parameters that take more than numbers and names."""


@keras.saving.register_keras_serializable(package="layer_tests")
class Checkered(keras.initializers.Initializer):
    """An initializer as a user would write one."""

    def __init__(self, height=1.0):
        self.height = height

    def __call__(self, shape, dtype=None):
        return self.height * keras.ops.ones(shape, dtype)

    def get_config(self):
        return {"height": self.height}


def parameters() -> set[str]:
    """Every parameter of the constructor, and those of every Keras layer that hide in `kwargs`."""
    signature = inspect.signature(tf_tconv.Conv2DTranspose.__init__)
    named = {
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    return named - {"self"} | {"name", "dtype", "trainable"}


def revived(config: dict) -> tf_tconv.Conv2DTranspose:
    """A layer from a configuration that has been through JSON."""
    return tf_tconv.Conv2DTranspose.from_config(json.loads(json.dumps(config)))


def test_every_parameter_has_an_alternative_here():
    assert set(ALTERNATIVES) == parameters()


def test_every_parameter_is_in_the_configuration():
    assert set(tf_tconv.Conv2DTranspose(**BASE).get_config()) == parameters()


@pytest.mark.parametrize("parameter", sorted(parameters()))
def test_parameter_survives(parameter):
    plain = tf_tconv.Conv2DTranspose(**BASE).get_config()
    layer = tf_tconv.Conv2DTranspose(**{**BASE, parameter: ALTERNATIVES[parameter]})
    config = layer.get_config()
    assert config[parameter] != plain[parameter]
    assert tf_tconv.Conv2DTranspose.from_config(config).get_config() == config
    assert revived(config).get_config() == config


@pytest.mark.parametrize("parameter", sorted(VALUES))
def test_object_survives(parameter):
    layer = tf_tconv.Conv2DTranspose(**{**BASE, parameter: VALUES[parameter]})
    again = revived(layer.get_config())
    assert again.get_config() == layer.get_config()
    was, now = getattr(layer, parameter), getattr(again, parameter)
    assert type(was) is type(now)
    if parameter == "activation":
        assert now is was
    elif parameter == "padding":
        assert now == "same"
    else:
        assert now is not None
        assert now.get_config() == was.get_config()


def test_initializer_of_the_user_survives():
    layer = tf_tconv.Conv2DTranspose(**BASE, kernel_initializer=Checkered(2.0))
    again = revived(layer.get_config())
    assert isinstance(again.kernel_initializer, Checkered)
    assert again.kernel_initializer.height == 2.0


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_survives(sample):
    layer = sample.layer()
    config = layer.get_config()
    assert revived(config).get_config() == config
    # Numbers may come as lists and in any case of letters, but are kept in one form only.
    for parameter in ("kernel_size", "strides", "dilation_rate"):
        assert isinstance(config[parameter], tuple)


def test_forms_of_an_argument_give_one_configuration():
    def config(**arguments):
        layer = tf_tconv.Conv2DTranspose(filters=4, name="one", **arguments)
        return layer.get_config()

    assert config(kernel_size=3) == config(kernel_size=[3, 3])
    assert config(kernel_size=2, strides=2) == config(kernel_size=2, strides=(2, 2))
    assert config(kernel_size=2, padding="SAME") == config(kernel_size=2, padding="same")
    explicit = ((1, 0), (0, 2))
    assert config(kernel_size=4, padding=explicit) == config(
        kernel_size=4, padding=[list(side) for side in explicit]
    )
    assert config(kernel_size=2, lowering="AUTO") == config(kernel_size=2, lowering="auto")


def test_registered_name():
    assert keras.saving.get_registered_name(tf_tconv.Conv2DTranspose) == "tf_tconv>Conv2DTranspose"
    assert (
        keras.saving.get_registered_object("tf_tconv>Conv2DTranspose") is tf_tconv.Conv2DTranspose
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_serialized_by_its_registered_name(sample):
    layer = sample.layer()
    serialized = keras.saving.serialize_keras_object(layer)
    assert serialized["registered_name"] == "tf_tconv>Conv2DTranspose"
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(serialized)))
    assert type(again) is tf_tconv.Conv2DTranspose
    assert again.get_config() == layer.get_config()


def test_configuration_of_keras_layer_is_understood():
    """A configuration written by Keras' own layer makes one of ours: that is how models convert."""
    arguments = {
        "filters": 3,
        "kernel_size": (4, 3),
        "strides": (2, 3),
        "padding": "same",
        "activation": "tanh",
        "use_bias": False,
        "kernel_regularizer": "l2",
        "name": "taken_over",
    }
    config = keras.layers.Conv2DTranspose(**arguments).get_config()
    ours = tf_tconv.Conv2DTranspose.from_config(config).get_config()
    assert {name: ours[name] for name in config} == config
