"""A Keras model with its transposed convolutions exchanged for ours, or ours for Keras'."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from tf_tconv.dialects import keras as dialect
from tf_tconv.dialects.operation import TransposedConvolution
from tf_tconv.geometry import brief, check_name
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.lowerings import NAMES
from tf_tconv.verification import compare_models, equal_on_integers

CLASSES = {"tf_tconv": Conv2DTranspose, "keras": keras.layers.Conv2DTranspose}


@dataclass(frozen=True)
class SwappedLayer:
    """A layer that was exchanged.

    Args:
        path: its name, after those of the models and layers that it lies in.
        operation: what it computes.
        parameters: numbers in its weights.
        equal: whether the old layer and the new one gave equal results on integers; `None` where
            that was not asked, or where Keras' own layer fails on its arguments.
    """

    path: str
    operation: TransposedConvolution
    parameters: int
    equal: bool | None


@dataclass(frozen=True)
class Conversion:
    """A converted model, and what is known of it.

    Args:
        model: the new model.
        swapped: the layers exchanged, in the model's order.
        largest_difference: between the outputs of the two models on the same inputs; `None` where
            they were not compared.
        largest_output: the largest magnitude among the old model's outputs, or `None`.
    """

    model: Any
    swapped: tuple[SwappedLayer, ...]
    largest_difference: float | None = None
    largest_output: float | None = None


def convert_model(
    model: Any,
    to: str = "tf_tconv",
    lowering: str = "auto",
    verify: bool = True,
    *,
    inputs: Any = None,
) -> Any:
    """A copy of a Keras model with its transposed convolutions exchanged, weights kept.

    Every `keras.layers.Conv2DTranspose` becomes a `tf_tconv.Conv2DTranspose`, or the reverse:
    layers that are shared, nested or wrapped too. Names, weights, trainability, dtype policies,
    regularizers and constraints stay. Subclasses of the layer are left as they are. A model that
    was compiled is compiled alike, with a fresh optimizer; one whose class makes its own graph
    becomes a plain functional one. `tf_tconv.conversion.convert` does the same and says more of
    what it did.

    Args:
        model: a functional or sequential model, or a subclassed one whose config describes its
            layers; it is not changed.
        to: "tf_tconv" or "keras".
        lowering: of the new layers if they are ours: "auto", a name of `tf_tconv.lowerings.NAMES`,
            or "native".
        verify: whether to compare. Each exchanged layer is tried beside the old one on integers,
            where both must be equal to the last bit. Then both models run on the same inputs, where
            they may differ by half the digits of their dtype: far more than the order of a sum
            explains, far less than one misplaced cell makes.
        inputs: what to run the models on; `None` for random numbers of the model's shapes.

    Returns:
        The new model.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: a layer that cannot be cloned, exchanged, or expressed by Keras' own.
        RuntimeError: the comparison failed, or could not be made.

    Example:
        >>> model = keras.Sequential(
        ...     [keras.Input([8, 8, 4]), keras.layers.Conv2DTranspose(2, 3, strides=2, name="up")]
        ... )
        >>> convert_model(model).get_layer("up").lowering
        'auto'
    """
    return convert(model, to, lowering, verify, inputs=inputs).model


def convert(
    model: Any,
    to: str = "tf_tconv",
    lowering: str = "auto",
    verify: bool = True,
    *,
    inputs: Any = None,
) -> Conversion:
    """As `convert_model`, with a report.

    Args:
        model: as in `convert_model`.
        to: as in `convert_model`.
        lowering: as in `convert_model`.
        verify: as in `convert_model`.
        inputs: as in `convert_model`.

    Returns:
        The `Conversion`.

    Raises:
        TypeError: as in `convert_model`.
        ValueError: as in `convert_model`.
        RuntimeError: as in `convert_model`.

    Example:
        >>> model = keras.Sequential(
        ...     [keras.Input([8, 8, 4]), keras.layers.Conv2DTranspose(2, 3, strides=2, name="up")]
        ... )
        >>> conversion = convert(model)
        >>> [(layer.path, layer.equal) for layer in conversion.swapped]
        [('up', True)]
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model={brief(model)} is a {type(model).__name__}; it must be a keras.Model."
        )
    to = check_name("to", to, CLASSES)
    lowering = check_name("lowering", lowering, ("auto", *NAMES, "native"))
    exchange = _Exchange(to, lowering)
    clone = exchange.clone(model)
    pairs = list(_paired(model, clone))
    exchange.check_none_left(pairs)
    _copy_state(model, clone, pairs)
    _compile_alike(model, clone)
    swapped = tuple(
        SwappedLayer(
            path,
            dialect.from_layer(new),
            new.count_params() if new.built else 0,
            equal_on_integers(path, old, new) if verify else None,
        )
        for path, old, new in pairs
        if type(old) is exchange.source
    )
    if not verify or not model.built:
        return Conversion(clone, swapped)
    return Conversion(clone, swapped, *compare_models(model, clone, inputs))


class _Exchange:
    """Clones layers and models, and exchanges those of one class for another's.

    Args:
        to: the name of the class to exchange for.
        lowering: for new layers of ours.
    """

    def __init__(self, to: str, lowering: str) -> None:
        self.to, self.lowering = to, lowering
        self.target = CLASSES[to]
        (self.source,) = (each for name, each in CLASSES.items() if name != to)
        self._clones: dict[int, Any] = {}

    def clone(self, layer: Any) -> Any:
        """The clone of a layer, model or operation: the same one however often it is asked for."""
        if id(layer) not in self._clones:
            self._clones[id(layer)] = self._clone(layer)
        return self._clones[id(layer)]

    def check_none_left(self, pairs: list[tuple[str, Any, Any]]) -> None:
        """Raises where a layer was made anew that should have been exchanged."""
        for path, old, new in pairs:
            if type(old) is self.source and type(new) is not self.target:
                raise ValueError(
                    f'layer "{path}" is made by the code of the layer or model around it, not from '
                    f"a config, so that it cannot be exchanged; write {dialect.CALLEES[self.to]} "
                    "in that code."
                )

    def _clone(self, layer: Any) -> Any:
        if type(layer) is self.source:
            return self._exchanged(layer)
        if isinstance(layer, keras.Sequential) or hasattr(layer, "operations"):
            # Keras would compile the clone, from a config that need not be one to load again.
            compiled, layer.compiled = layer.compiled, False
            try:
                return keras.models.clone_model(
                    layer, input_tensors=_same_inputs(layer), clone_function=self.clone
                )
            finally:
                layer.compiled = compiled
        if isinstance(layer, keras.layers.Lambda):
            # A config holds a lambda's code without the names that it uses, and is not trusted.
            return keras.layers.Lambda(
                layer.function,
                output_shape=layer._output_shape,
                mask=layer.mask,
                arguments=layer.arguments,
                name=layer.name,
                dtype=layer.dtype_policy,
            )
        try:
            clone = type(layer).from_config(self._exchanged_config(layer.get_config()))
        except Exception as error:  # Whatever the code of a stranger's layer raises.
            if not isinstance(layer, keras.layers.Layer):
                return layer  # An operation such as a slice: it has no state, and may be shared.
            raise ValueError(
                f'layer "{layer.name}", a {type(layer).__name__}, cannot be cloned from its '
                f"config: {brief(str(error), 200)}"
            ) from error
        if isinstance(layer, keras.Model) and layer.built and layer.get_build_config():
            clone.build_from_config(layer.get_build_config())
        return clone

    def _exchanged(self, layer: Any) -> Any:
        """The new layer for an old one, weights apart."""
        arguments: dict[str, Any] = {
            name: getattr(layer, name)
            for name in (
                *("name", "trainable", "filters", "kernel_size", "strides", "padding"),
                *("output_padding", "data_format", "dilation_rate", "activation", "use_bias"),
                *("kernel_initializer", "bias_initializer", "kernel_regularizer"),
                *("bias_regularizer", "activity_regularizer", "kernel_constraint"),
                "bias_constraint",
            )
        }
        if self.to == "tf_tconv":
            arguments["lowering"] = self.lowering
        else:
            said = self._said_by_keras(layer)
            if not isinstance(layer.padding, str):  # Else its own words will do.
                arguments.update({name: said[name] for name in ("padding", "output_padding")})
        try:
            return self.target(**arguments, dtype=layer.dtype_policy)
        except ValueError as error:  # Keras 3.0, for one, takes no output_padding of 0.
            raise ValueError(f"{self._cannot(layer)}{error}") from None

    def _said_by_keras(self, layer: Any) -> Any:
        """The arguments of Keras' layer for one of ours.

        Raises:
            ValueError: there are none.
        """
        cannot = self._cannot(layer)
        for node in layer._inbound_nodes:
            if node.arguments.kwargs.get("output_size") is not None:
                raise ValueError(f"{cannot}it is called with output_size, which only ours takes.")
        try:
            return dialect.to_arguments(dialect.from_layer(layer), strict=True).arguments
        except ValueError as error:
            raise ValueError(f"{cannot}{error}") from None

    def _cannot(self, layer: Any) -> str:
        return f'layer "{layer.name}" cannot become a {dialect.CALLEES[self.to]}: '

    def _exchanged_config(self, value: Any) -> Any:
        """A config in which the layers that it describes are exchanged, as of a wrapper."""
        if isinstance(value, (list, tuple)):
            entries = [self._exchanged_config(entry) for entry in value]
            return tuple(entries) if isinstance(value, tuple) else entries
        if not isinstance(value, dict):
            return value
        if value.get("class_name") in ("Conv2DTranspose", "tf_tconv>Conv2DTranspose"):
            layer = keras.saving.deserialize_keras_object(value)
            if type(layer) is self.source:
                return keras.saving.serialize_keras_object(self._exchanged(layer))
        return {key: self._exchanged_config(entry) for key, entry in value.items()}


def _same_inputs(model: Any) -> Any:
    """New inputs for a functional model's clone; left alone, `clone_model` names them anew."""
    if isinstance(model, keras.Sequential):
        return None

    def same(tensor: Any) -> Any:
        layer = tensor._keras_history.operation
        extra = {"optional": True} if getattr(layer, "optional", False) else {}
        return keras.Input(
            batch_shape=tensor.shape,
            dtype=tensor.dtype,
            sparse=tensor.sparse,
            name=layer.name,
            **extra,
        )

    return tf.nest.map_structure(same, model.input)


def _paired(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Path, layer and clone of every layer inside, from the outside in; a shared one once."""
    seen: set[int] = set()
    waiting = [("", old, new)]
    while waiting:
        path, old, new = waiting.pop(0)
        if id(old) in seen:
            continue
        seen.add(id(old))
        if path:
            yield path, old, new
        parts, clones = _inside(old), _inside(new)
        if len(parts) != len(clones):
            raise ValueError(
                f'"{path or old.name}" holds {len(parts)} layers and its clone {len(clones)}: not '
                "all of them are made from its config."
            )
        waiting[:0] = [
            (f"{path}/{part.name}" if path else part.name, part, clone)
            for part, clone in zip(parts, clones, strict=True)
        ]


def _inside(layer: Any) -> list[Any]:
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    return list(layer._flatten_layers(include_self=False, recursive=False))


def _copy_state(model: Any, clone: Any, pairs: list[tuple[str, Any, Any]]) -> None:
    """Weights, and what of them is trained."""
    everything = [(model, clone), *((old, new) for _, old, new in pairs)]
    # Setting a model's flag sets its layers', too, and a layer may lie in several models; but none
    # sets those around it, so that this ends.
    while unlike := [(old, new) for old, new in everything if new.trainable != old.trainable]:
        for old, new in unlike:
            new.trainable = old.trainable
    if len(model.weights) != len(clone.weights):
        raise ValueError(
            f'model "{model.name}" has {len(model.weights)} weights and its clone '
            f"{len(clone.weights)}: a layer of it does not make them again from its config."
        )
    clone.set_weights(model.get_weights())
    for old, new in zip(model.weights, clone.weights, strict=True):
        if new.trainable != old.trainable:
            new.trainable = old.trainable


def _compile_alike(model: Any, clone: Any) -> None:
    if not model.compiled:
        return
    try:
        clone.compile_from_config(model.get_compile_config())
    except Exception as error:  # Whatever a loss or metric that no config can name raises.
        warnings.warn(
            f'the clone of model "{model.name}" is not compiled, as its config cannot be loaded: '
            f"{brief(str(error), 200)}",
            stacklevel=3,
        )
