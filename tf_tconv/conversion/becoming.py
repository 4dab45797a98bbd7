"""A layer that becomes one of another class, and stays the same object.

So all that refers to it still does: attributes, lists, tuples and tables of the layers around it,
wrappers, the graph of a functional model, an optimizer that holds its weights.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import keras


class Becoming:
    """Layers turned into others, until it is known whether all went well."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, type, dict[str, Any]]] = []

    def turn(self, layer: Any, into: Any) -> None:
        """Turns a layer into one like another, keeping name, weights and place.

        Args:
            layer: the layer.
            into: a new layer, not yet built, of the class and with the arguments wanted.
        """
        self._before.append((layer, type(layer), dict(vars(layer))))
        given = {
            name: value
            for name, value in vars(into).items()
            if name not in _every_layer_s() or name.startswith("_call")
        }
        given["call_signature_parameters"] = getattr(into, "call_signature_parameters", None)
        given["_auto_config"] = vars(into)["_auto_config"]
        spec = into.input_spec
        if layer.built:
            axes = layer.input_spec.axes
            spec = keras.layers.InputSpec(ndim=spec.ndim, min_ndim=spec.min_ndim, axes=axes)
        else:
            given["build"] = _building(layer, into)
        given["_input_spec"] = spec
        kinds: tuple[Any, Any] = type(layer), type(into)
        for name in _attributes(kinds[0]) - _attributes(kinds[1]):
            vars(layer).pop(name, None)
        layer.__class__ = type(into)
        vars(layer).update(given)  # Not by setattr: a layer that is built takes no new layers.

    def undo(self) -> None:
        """Turns all of them back."""
        for layer, kind, attributes in reversed(self._before):
            layer.__class__ = kind
            vars(layer).clear()
            vars(layer).update(attributes)
        self._before.clear()


def _building(layer: Any, into: Any) -> Any:
    """How a layer is built that was not when it was turned: Keras bound its old way to it."""

    def build(input_shape: Any) -> None:  # Keras reads the names of its arguments.
        into.build(input_shape)
        layer.kernel, layer.bias = into.kernel, into.bias
        for name in ("_path", "_build_shapes_dict"):
            if name in vars(into):
                vars(layer)[name] = vars(into)[name]
        layer.input_spec = into.input_spec
        layer.built = True

    return build


@cache
def _every_layer_s() -> frozenset[str]:
    return frozenset(vars(keras.layers.Layer()))


@cache
def _attributes(kind: Any) -> frozenset[str]:
    return frozenset(vars(kind(1, 1))) - _every_layer_s()
