"""Layers and models cloned one by one, those of one class exchanged for another's."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import tensorflow as tf

from tf_tconv.causes import cause
from tf_tconv.dialects import keras as dialect
from tf_tconv.geometry import a_type
from tf_tconv.layers import Conv2DTranspose

CLASSES = {"tf_tconv": Conv2DTranspose, "keras": keras.layers.Conv2DTranspose}


class Exchange:
    """Clones layers and models, and exchanges those of one class for another's.

    Args:
        to: the name of the class to exchange for.
        lowering: for new layers of ours.
    """

    def __init__(self, to: str, lowering: str) -> None:
        self.to, self.lowering = to, lowering
        self.target = CLASSES[to]
        (self.source,) = (each for name, each in CLASSES.items() if name != to)
        # The clones of parts, by the `id` of the functional or sequential model and of the part.
        self.twins: dict[int, dict[int, Any]] = {}
        self._clones: dict[int, tuple[Any, Any]] = {}

    def clone(self, layer: Any) -> Any:
        """The clone of a layer, model or operation: the same one however often it is asked for."""
        if id(layer) not in self._clones:
            self._clones[id(layer)] = layer, self._clone(layer)  # Kept, so that no id is reused.
        return self._clones[id(layer)][1]

    def exchanged(self, layer: Any, activation: Any = None) -> Any:
        """The new layer for an old one, weights apart.

        Args:
            layer: the old one; one of the target's class gives another of that class.
            activation: in place of the layer's own, a layer with weights.
        """
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
        if activation is not None:
            arguments["activation"] = activation
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

    def _clone(self, layer: Any) -> Any:
        if type(layer) is self.source:
            own = layer.activation  # A layer such as PReLU has weights of its own.
            own = self.clone(own) if isinstance(own, keras.layers.Layer) else None
            return self.exchanged(layer, own)
        if _is_its_graph(layer):
            return self._clone_of_graph(layer)
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
                return _unconnected(layer)
            raise ValueError(
                f'layer "{layer.name}", {a_type(layer)}, cannot be cloned from its '
                f"config: {cause(error)} A get_config that says all arguments of "
                'its class makes it possible, and inside="in place" needs no clone.'
            ) from error
        if isinstance(layer, keras.Model) and layer.built and layer.get_build_config():
            clone.build_from_config(layer.get_build_config())
        return clone

    def _clone_of_graph(self, model: Any) -> Any:
        twins = self.twins.setdefault(id(model), {})

        def twin(part: Any) -> Any:
            twins[id(part)] = self.clone(part)
            return twins[id(part)]

        # Keras would compile the clone, from a config that need not be one to load again; and make
        # it of a class that may take other arguments.
        uncompiled = object.__new__(_class_of_clone(model))
        vars(uncompiled).update({**vars(model), "compiled": False})
        inputs = _same_inputs(model)
        clone = keras.models.clone_model(uncompiled, input_tensors=inputs, clone_function=twin)
        if _hands_all_on(model):  # Keras makes it of a graph when it loads a file, too.
            try:
                clone = type(model)(clone._inputs_struct, clone._outputs_struct, name=model.name)
            except Exception:  # What a stranger's class wants besides: it stays a plain one.
                return clone
        named = {part.name: part for part in clone.layers}
        for part in model.layers:
            if isinstance(part, keras.layers.InputLayer) and part.name in named:
                twins.setdefault(id(part), named[part.name])
        return clone

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
                return keras.saving.serialize_keras_object(self.exchanged(layer))
        return {key: self._exchanged_config(entry) for key, entry in value.items()}


def describes(holder: Any, layer: Any) -> bool:
    """Whether the config of a layer or model holds that of a layer inside, so that a file does."""
    if _is_its_graph(holder):
        return True
    try:
        return _mentions(holder.get_config(), type(layer).__name__, layer.name)
    except Exception:  # Whatever the code of a stranger's layer raises.
        return False


def _mentions(value: Any, kind: str, name: str) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_mentions(entry, kind, name) for entry in value)
    if not isinstance(value, dict):
        return False
    config = value.get("config")
    same = isinstance(config, dict) and config.get("name") == name
    if same and str(value.get("class_name")).endswith(kind):
        return True
    return any(_mentions(entry, kind, name) for entry in value.values())


def _is_its_graph(model: Any) -> bool:
    """Whether a functional or sequential model is its list of layers or operations, and no more."""
    base = _keras_graph(model)
    if base is None:
        return False
    if _class_of_clone(model) is type(model):
        return True
    before = type(model).__mro__[: type(model).__mro__.index(base)]
    if any("call" in vars(each) or "__call__" in vars(each) for each in before):
        return False
    held = {id(weight) for layer in model.layers for weight in layer.weights}
    return all(id(weight) in held for weight in model.weights)


def _keras_graph(model: Any) -> Any:
    """Keras' own class of a functional or sequential model, or `None`."""
    for kind in type(model).__mro__:
        if kind.__name__ in ("Functional", "Sequential") and kind.__module__.startswith("keras."):
            return kind
    return None


def _class_of_clone(model: Any) -> Any:
    """A subclass of functional models, where it is made from inputs and outputs; or Keras' own."""
    base = _keras_graph(model)
    alike = base.__name__ == "Functional" and _arguments(type(model)) == _arguments(base)
    return type(model) if alike else base


def _hands_all_on(model: Any) -> bool:
    """Whether a functional model's class takes (*args, **kwargs), as for a `train_step`."""
    spec = inspect.getfullargspec(type(model).__init__)
    signature = (spec.args[1:], spec.varargs, spec.varkw, spec.kwonlyargs)
    return not isinstance(model, keras.Sequential) and signature == ([], "args", "kwargs", [])


def _arguments(kind: Any) -> list[str]:
    return inspect.getfullargspec(kind.__init__).args


def _unconnected(operation: Any) -> Any:
    """An operation such as a slice, which has no state, without the places that it is called in."""
    twin = object.__new__(type(operation))
    vars(twin).update({**vars(operation), "_inbound_nodes": [], "_outbound_nodes": []})
    return twin


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
