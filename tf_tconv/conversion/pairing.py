"""Which layer of a model's clone stands for which of the model: by where it is held, not by count.

Layers that the conversion cloned one by one are known from it. What the code of a layer makes is
found under the same attribute in both: `up`, or `blocks[2]["up"]`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import keras

# The twins of the parts of models that were cloned layer by layer, by the `id` of model and part.
Twins = Mapping[int, Mapping[int, Any]]


class Pair(NamedTuple):
    """A layer and its clone.

    Args:
        path: the names on the way to it.
        old: the layer.
        new: the clone.
        holder: the path of the layer or model that holds it, "" being the whole model.
    """

    path: str
    old: Any
    new: Any
    holder: str


def paired(model: Any, clone: Any, twins: Twins) -> Iterator[Pair]:
    """Every layer inside a model with its clone, from the outside in; a shared one once.

    Layers of the clone that are yet to be built, though their twins are, are built on the way.

    Raises:
        ValueError: a layer has no clone, or two.
    """
    seen: dict[int, Any] = {}
    waiting: list[Pair] = [Pair("", model, clone, "")]
    while waiting:
        pair = waiting.pop(0)
        path, old, new, _ = pair
        if id(old) in seen:
            # What has no state may be several: the input of a graph that other graphs begin with.
            if seen[id(old)] is not new and not (old.built and not old.variables):
                raise ValueError(
                    f'layer "{path}" is held in several places, and its clones are several layers, '
                    'each with weights of its own; inside="in place" leaves it one.'
                )
            continue
        seen[id(old)] = new
        if path:
            yield pair
        if new is not old and old.built and not new.built:
            _build_alike(old, new)
        waiting[:0] = list(_parts(path, old, new, twins))


def _parts(path: str, old: Any, new: Any, twins: Twins) -> Iterator[Pair]:
    known = twins.get(id(old))
    if known is not None:
        for part in old.layers:
            if id(part) in known:
                yield Pair(_joined(path, part), part, known[id(part)], path)
        return
    parts, clones = held_layers(old), held_layers(new)
    if parts.keys() != clones.keys():
        first = sorted(parts.keys() ^ clones.keys())[0]
        raise ValueError(
            f'"{path or old.name}" holds {len(parts)} layers and its clone {len(clones)}, {first} '
            "being in one of them alone: not all of them are made from its config."
        )
    for key, part in parts.items():
        yield Pair(_joined(path, part), part, clones[key], path)


def _joined(path: str, part: Any) -> str:
    return f"{path}/{part.name}" if path else str(part.name)


def held_layers(layer: Any) -> dict[str, Any]:
    """The layers that one holds directly, by where: its attributes, then what else Keras tracks."""
    found: dict[str, Any] = {}
    places: dict[int, str] = {}
    for attribute, value in list(vars(layer).items()):
        if attribute not in _keras_attributes():
            for place, part in _layers_in(value, attribute):
                if id(part) not in places:
                    places[id(part)] = place
                    found[place] = part
    is_model = isinstance(layer, keras.Model)
    rest = layer.layers if is_model else layer._flatten_layers(include_self=False, recursive=False)
    for part in rest:
        if id(part) not in places:
            place = f"layers[{len(places)}]"
            places[id(part)] = place
            found[place] = part
    return found


def _layers_in(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, keras.layers.Layer):
        yield place, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _layers_in(entry, f"{place}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(value):
            yield from _layers_in(entry, f"{place}[{index}]")
    elif isinstance(value, (set, frozenset)):
        layers = [entry for entry in value if isinstance(entry, keras.layers.Layer)]
        for index, entry in enumerate(sorted(layers, key=_order_of_making)):
            yield from _layers_in(entry, f"{place}[{index}]")


def _order_of_making(layer: Any) -> tuple[int, str]:
    """A set has no order, but Keras numbers the names of a class as its layers are made."""
    name = str(layer.name)
    number = name.rpartition("_")[2]
    return (int(number) if number.isdigit() else -1), name


@cache
def _keras_attributes() -> frozenset[str]:
    """Attributes that Keras gives every layer and model, in which layers lie a second time."""
    x = keras.Input([1])
    references = (
        keras.layers.Layer(),
        keras.Sequential([keras.Input([1])]),
        keras.Model(x, keras.layers.Activation("linear")(x)),
    )
    names = {name for each in references for name in vars(each)}
    # Layers that a subclass of a functional model holds are its attributes of other names.
    return frozenset(names)


def _build_alike(old: Any, new: Any) -> None:
    """Makes the clone's weights, where the way to make them is known; what lacks is found later."""
    try:
        config = old.get_build_config()
        if config:
            with warnings.catch_warnings():
                # Of layers without a build: those inside them are built one by one, as these are.
                warnings.simplefilter("ignore", UserWarning)
                new.build_from_config(config)
    except Exception:  # Whatever the code of a stranger's layer raises; its weights are missed.
        return
