"""All that a clone is given of its model: weights, states, flags, and how it is trained."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from tf_tconv.causes import cause
from tf_tconv.conversion.pairing import Pair
from tf_tconv.geometry import a_type, brief

# What a class may train, test and predict by in a way of its own.
_STEPS = ("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics")


def copy_state(model: Any, clone: Any, pairs: Iterable[Pair]) -> None:
    """Copies weights, states of random numbers and of metrics, and what is trained.

    Layer by layer: a flat list of all weights can have another order in a clone, since a model
    counts the layers first that its class sets before its graph is made.

    Raises:
        ValueError: a layer of the clone has other weights than its twin.
    """
    everything = [Pair("", model, clone, ""), *pairs]
    _copy_trainability(everything)
    given: dict[int, Any] = {}
    copied: set[int] = set()
    for path, old, new, _ in everything:
        for mine, its in _own_pairs(path or model.name, old, new):
            if given.setdefault(id(its), mine) is not mine:
                raise ValueError(
                    f'layer "{path}" shares its weight "{its.name}" in the clone and not in the '
                    'model; inside="in place" leaves it as it is.'
                )
            copied.add(id(mine))
            if its.trainable != mine.trainable:
                its.trainable = mine.trainable
        _copy_own_values(old, new)
    lost = [weight for weight in model.weights if id(weight) not in copied]
    new_ones = [weight for weight in clone.weights if id(weight) not in given]
    if lost or new_ones:
        weight, whose, other = (
            (lost[0], "model", "clone") if lost else (new_ones[0], "clone", "model")
        )
        raise ValueError(
            f'weight "{weight.path}" of the {whose} has no counterpart in the {other} of '
            f'"{model.name}": not all layers make their weights again from their config; '
            'inside="in place" keeps them.'
        )


def check_equal_state(pairs: Iterable[Pair]) -> None:
    """Raises where a layer and its clone hold other numbers.

    Raises:
        RuntimeError: they do.
    """
    for path, old, new, _ in pairs:
        for mine, its in _own_pairs(path, old, new):
            if not _same_bits(mine, its):
                raise RuntimeError(
                    f'weight "{its.name}" of layer "{path}" is another after the exchange; this is '
                    "an error in tf_tconv, or in the layer's own way of loading its weights."
                )


def _same_bits(a: Any, b: Any) -> bool:
    """Whether two variables hold the same numbers, those that are none included."""
    one, other = _array(a), _array(b)
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def _array(variable: Any) -> Any:
    return tf.convert_to_tensor(variable).numpy()


def _copy_trainability(pairs: list[Pair]) -> None:
    # Setting a model's flag sets its layers', too, and a layer may lie in several models; but none
    # sets those around it, so that this ends.
    while unlike := [pair for pair in pairs if pair.new.trainable != pair.old.trainable]:
        for pair in unlike:
            pair.new.trainable = pair.old.trainable


def own_variables(layer: Any) -> list[Any]:
    """The variables that a layer itself holds, without those of layers inside."""
    states = [generator.state for generator in layer._seed_generators]
    metrics = [variable for metric in layer._metrics for variable in metric.variables]
    own = layer._trainable_variables + layer._non_trainable_variables + states + metrics
    return list({id(variable): variable for variable in own}.values())


def _own_pairs(path: str, old: Any, new: Any) -> list[tuple[Any, Any]]:
    """The variables of a layer, each with its clone's: by name, or in order where names are none.

    Raises:
        ValueError: they are not the same ones.
    """
    mine, its = own_variables(old), own_variables(new)
    names = [variable.name for variable in mine]
    by_name = {variable.name: variable for variable in its}
    if len(set(names)) == len(names) == len(by_name) == len(its) and set(names) == set(by_name):
        its = [by_name[name] for name in names]
    if [tuple(each.shape) for each in mine] != [tuple(each.shape) for each in its]:
        raise ValueError(
            f'"{path}", {a_type(old)}, has weights of shapes '
            f"{brief([tuple(each.shape) for each in mine])} and its clone of "
            f"{brief([tuple(each.shape) for each in its])}: it does not make them again from its "
            'config; inside="in place" keeps them.'
        )
    return list(zip(mine, its, strict=True))


def _copy_own_values(old: Any, new: Any) -> None:
    for mine, its in _own_pairs(old.name, old, new):
        its.assign(mine)
    if type(old) is not type(new) or isinstance(old, keras.Model):
        return
    # A layer may keep more than its weights: tables, or what it computes of weights when loaded.
    base = keras.layers.Layer
    if type(old).load_own_variables is not base.load_own_variables and old.built:
        store: dict[str, Any] = {}
        old.save_own_variables(store)
        new.load_own_variables({key: _array(value) for key, value in store.items()})
    if getattr(type(old), "load_assets", None) is not getattr(base, "load_assets", None):
        with tempfile.TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)


def compile_alike(model: Any, clone: Any) -> None:
    """Compiles the clone as the model is: with the same losses and metrics, an optimizer anew."""
    if not model.compiled:
        return
    lost = [name for name in _STEPS if getattr(type(model), name) is not getattr(type(clone), name)]
    if lost:
        warnings.warn(
            f'the clone of model "{model.name}" is a plain functional model, without the '
            f'{", ".join(lost)} of {type(model).__name__}; inside="in place" keeps the class',
            stacklevel=4,
        )
    try:
        # The objects themselves, not their configs: these may name what no module holds.
        arguments = dict(model._compile_config.config)
        arguments["optimizer"] = _like(arguments["optimizer"])
        for name in ("metrics", "weighted_metrics"):
            arguments[name] = _metrics_like(arguments[name])
        clone.compile(**arguments)
    except Exception as error:  # Whatever the code of a stranger's class raises.
        warnings.warn(
            f'the clone of model "{model.name}" is not compiled: '
            f"{type(error).__name__}: {cause(error)}",
            stacklevel=4,
        )


def _like(optimizer: Any) -> Any:
    """An optimizer of the same settings, without the state that belongs to another's weights."""
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        return optimizer
    config = optimizer.get_config()
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        config["learning_rate"] = rate
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        config.pop("inner_optimizer", None)
        return type(optimizer)(_like(inner), **config)
    return type(optimizer).from_config(config)


def _metrics_like(metrics: Any) -> Any:
    """The metrics, those with a state made anew where their config allows it."""
    if isinstance(metrics, dict):
        return {key: _metrics_like(each) for key, each in metrics.items()}
    if isinstance(metrics, (list, tuple)):
        return [_metrics_like(each) for each in metrics]
    if not isinstance(metrics, keras.metrics.Metric):
        return metrics
    try:
        return type(metrics).from_config(metrics.get_config())
    except Exception:  # Whatever the code of a stranger's metric raises.
        return metrics
