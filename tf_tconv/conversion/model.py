"""The conversion of a model: cloned and exchanged, or exchanged in place; then compared."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from tf_tconv.conversion.becoming import Becoming
from tf_tconv.conversion.cloning import Exchange, describes
from tf_tconv.conversion.pairing import Pair, paired
from tf_tconv.conversion.result import Conversion, LeftLayer, SwappedLayer
from tf_tconv.conversion.state import check_equal_state, compile_alike, copy_state
from tf_tconv.dialects import keras as dialect
from tf_tconv.geometry import a_type, brief, check_name, with_article
from tf_tconv.planning import check_lowering
from tf_tconv.verification import Reference, equal_on_integers

INSIDE = ("refuse", "copy", "in place", "leave")


def convert_model(
    model: Any,
    to: str = "tf_tconv",
    lowering: str = "auto",
    verify: bool = True,
    *,
    inputs: Any = None,
    inside: str = "refuse",
) -> Any:
    """A copy of a Keras model with its transposed convolutions exchanged, weights kept.

    Every `keras.layers.Conv2DTranspose` becomes a `tf_tconv.Conv2DTranspose`, or the reverse:
    layers that are shared, nested or wrapped too. Names, weights, trainability, dtype policies,
    regularizers and constraints stay. Subclasses of the layer, Conv1DTranspose and Conv3DTranspose
    are left as they are, with a warning that names them. A model that was compiled is compiled
    alike, with the same losses and metrics and a fresh optimizer; one whose class makes its own
    graph becomes a plain functional one. `tf_tconv.conversion.convert` does the same and says more
    of what it did.

    Some layers are made by the code of a layer or model around them, as in
    ``self.up = keras.layers.Conv2DTranspose(...)``, and no config describes them. `inside` says
    what becomes of these. An exchange of them holds in memory, and in a SavedModel or another
    export. A `.keras` or `.h5` file holds the weights and the config of the layer around: loading
    it runs that layer's code again, which makes the old kind of layer, with the weights saved.

    Args:
        model: a functional or sequential model, or a subclassed one whose config describes its
            layers; it is not changed, unless `inside` is "in place".
        to: "tf_tconv" or "keras".
        lowering: of the new layers if they are ours: "auto", a name of `tf_tconv.lowerings.NAMES`,
            or "native".
        verify: whether to compare. Each exchanged layer is tried beside the old one on integers,
            where both must be equal to the last bit; all weights must be equal to the last bit.
            Then both models run on the same inputs, where they may differ by half the digits of
            their dtype: far more than the order of a sum explains, far less than one misplaced cell
            makes; and by as much as the old model differs from itself from run to run.
        inputs: what to run the models on; `None` for random numbers of the model's shapes.
        inside: of layers that another layer's own code makes. "refuse" raises; "leave" leaves them;
            "copy" exchanges them in the copy. "in place" copies nothing: all exchanges are made in
            `model` itself, which is returned, with its class, weights and optimizer; that works
            with models that cannot be cloned, too. Where it fails, the model is as before.

    Returns:
        The new model, or `model` itself for "in place".

    Raises:
        TypeError: `model` is not a Keras model.
        ValueError: a layer that cannot be cloned, exchanged, or expressed by Keras' own.
        RuntimeError: the comparison failed, or could not be made.

    Example:
        >>> model = keras.Sequential(
        ...     [keras.Input([8, 8, 4]), keras.layers.Conv2DTranspose(2, 3, strides=2, name="up")]
        ... )
        >>> convert_model(model).get_layer("up").lowering
        'auto'
    """
    conversion = convert(model, to, lowering, verify, inputs=inputs, inside=inside)
    if conversion.left:
        said = "; ".join(
            f'"{each.path}", {with_article(each.kind)}: {each.reason}' for each in conversion.left
        )
        warnings.warn(f"left as they are: {said}", stacklevel=2)
    return conversion.model


def convert(
    model: Any,
    to: str = "tf_tconv",
    lowering: str = "auto",
    verify: bool = True,
    *,
    inputs: Any = None,
    inside: str = "refuse",
) -> Conversion:
    """As `convert_model`, with a report in place of warnings about what was left.

    Args:
        model: as in `convert_model`.
        to: as in `convert_model`.
        lowering: as in `convert_model`.
        verify: as in `convert_model`.
        inputs: as in `convert_model`.
        inside: as in `convert_model`.

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
    _check_model(model)
    to = check_name("to", to, ("tf_tconv", "keras"))
    lowering = check_lowering(lowering)
    inside = check_name("inside", inside, INSIDE)
    exchange = Exchange(to, lowering)
    if inside == "in place":
        return _in_place(model, exchange, verify, inputs)
    return _in_a_copy(model, exchange, verify, inputs, inside)


def _check_model(model: Any) -> None:
    if isinstance(model, keras.Model):
        return
    must = "it must be a keras.Model"
    legacy = ("tf_keras", "keras.engine", "keras.src.engine", "tensorflow.python.keras")
    if any(base.__module__.startswith(legacy) for base in type(model).__mro__):
        raise TypeError(
            f"model is {a_type(model)} of tf_keras, which is Keras 2; {must} of Keras 3. "
            'Save it, as by model.save("old.h5"), and `tf-tconv convert old.h5 new.keras` reads it.'
        )
    raise TypeError(f"model={brief(model)} is {a_type(model)}; {must}.")


def _in_a_copy(
    model: Any, exchange: Exchange, verify: bool, inputs: Any, inside: str
) -> Conversion:
    clone = exchange.clone(model)
    pairs = list(paired(model, clone, exchange.twins))
    left = list(_left(model, pairs, exchange))
    layers = {"": model} | {pair.path: pair.old for pair in pairs}
    holders = {pair.path: pair.holder for pair in pairs}
    becoming, made_by = Becoming(), {}
    for pair in pairs:
        path, old, new, holder = pair
        wanted = exchange.target if type(old) is exchange.source else type(old)
        if type(new) is wanted:
            continue
        maker = _maker(path, layers, holders) or holder or model.name
        if {type(old), type(new)} - {exchange.source, exchange.target}:
            raise ValueError(
                f'layer "{path}" is {a_type(old)}, and the code of "{maker}" makes a '
                f"{type(new).__name__} in its place, so that it cannot be cloned."
            )
        if type(old) is not exchange.source:  # Exchanged before, in place or in a copy.
            same = Exchange(exchange.to, getattr(old, "lowering", "auto"))
            becoming.turn(new, same.exchanged(new))
        elif inside == "refuse":
            raise ValueError(_refusal(path, maker, exchange))
        elif inside == "leave":
            left.append(LeftLayer(path, type(old).__name__, _made_by_code(maker)))
        else:
            becoming.turn(new, exchange.exchanged(new))
            made_by[id(new)] = maker
    copy_state(model, clone, pairs)
    compile_alike(model, clone)
    swapped = tuple(
        _swapped(path, old, new, verify, made_by.get(id(new)))
        for path, old, new, _ in pairs
        if type(old) is exchange.source and type(new) is exchange.target
    )
    if not verify or not model.built:
        return Conversion(clone, swapped, left=tuple(left))
    check_equal_state(pairs)
    difference, magnitude = Reference(model, inputs).compare(clone)
    return Conversion(clone, swapped, difference, magnitude, tuple(left))


def _in_place(model: Any, exchange: Exchange, verify: bool, inputs: Any) -> Conversion:
    pairs = list(paired(model, model, {}))
    olds = [(path, layer) for path, layer, _, _ in pairs if type(layer) is exchange.source]
    news = [exchange.exchanged(layer) for _, layer in olds]
    equal = [
        equal_on_integers(path, old, new) if verify else None
        for (path, old), new in zip(olds, news, strict=True)
    ]
    reference = Reference(model, inputs) if verify and model.built else None
    becoming = Becoming()
    try:
        for (_, old), new in zip(olds, news, strict=True):
            becoming.turn(old, new)
        _forget_traces([model, *(pair.old for pair in pairs)])
        difference, magnitude = reference.compare(model) if reference else (None, None)
    except BaseException:
        becoming.undo()
        raise
    layers = {"": model} | {pair.path: pair.old for pair in pairs}
    holders = {pair.path: pair.holder for pair in pairs}
    swapped = tuple(
        SwappedLayer(
            path,
            dialect.from_layer(layer),
            _parameters(layer),
            same,
            _maker(path, layers, holders),
        )
        for (path, layer), same in zip(olds, equal, strict=True)
    )
    left = tuple(_left(model, pairs, exchange))
    return Conversion(model, swapped, difference, magnitude, left)


def _swapped(path: str, old: Any, new: Any, verify: bool, made_by: str | None) -> SwappedLayer:
    equal = equal_on_integers(path, old, new) if verify else None
    return SwappedLayer(path, dialect.from_layer(new), _parameters(new), equal, made_by)


def _maker(path: str, layers: dict[str, Any], holders: dict[str, str]) -> str | None:
    """The innermost holder of a layer whose config does not describe what it holds, if any."""
    while path:
        holder = holders[path]
        if not describes(layers[holder], layers[path]):
            return holder or str(layers[""].name)
        path = holder
    return None


def _parameters(layer: Any) -> int:
    return int(layer.count_params()) if layer.built else 0


def _made_by_code(maker: str) -> str:
    return f'it is made by the code of "{maker}", not from a config'


def _refusal(path: str, maker: str, exchange: Exchange) -> str:
    return (
        f'layer "{path}" is made by the code of the layer or model around it, "{maker}", not from '
        'a config. Choose: inside="copy" exchanges it in the copy, inside="in place" in the given '
        'model, inside="leave" leaves it. A .keras file would not hold the exchange, as to load it '
        f"runs that code again; to have it there, write {dialect.CALLEES[exchange.to]} in the code."
    )


def _left(model: Any, pairs: Iterable[Pair], exchange: Exchange) -> Iterator[LeftLayer]:
    """The transposed convolutions that no exchange reaches."""
    base = dialect.CALLEES["keras" if exchange.to == "tf_tconv" else "tf_tconv"]
    other = dialect.CALLEES[exchange.to]
    everything = [("", model), *((pair.path, pair.old) for pair in pairs)]
    for path, layer in everything:
        kind = type(layer).__name__
        if isinstance(layer, exchange.source) and type(layer) is not exchange.source:
            reason = f"a subclass of {base} may compute something else; derive it from {other}"
            yield LeftLayer(path, kind, reason)
        elif exchange.to == "tf_tconv":
            for axes, name in (
                ("1 spatial axis", "Conv1DTranspose"),
                ("3 axes", "Conv3DTranspose"),
            ):
                if isinstance(layer, getattr(keras.layers, name)):
                    yield LeftLayer(path, kind, f"it has {axes}; tf_tconv.Conv2DTranspose has 2")
            for operation in getattr(layer, "operations", ()):
                if type(operation).__name__ == "ConvTranspose":
                    inner = f"{path}/{operation.name}" if path else operation.name
                    reason = "keras.ops.conv_transpose is a function; only layers are exchanged"
                    yield LeftLayer(inner, "ConvTranspose", reason)


def _forget_traces(layers: Iterable[Any]) -> None:
    """Has models trace their steps anew, whose old graphs hold the old layers' operations."""
    for layer in layers:
        for name in ("train_function", "test_function", "predict_function"):
            if getattr(layer, name, None) is not None and isinstance(layer, keras.Model):
                setattr(layer, name, None)
