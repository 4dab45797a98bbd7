"""`autotune`: measures the lowerings of a model's calls on this machine, once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tf_tconv.functional.call import Call, Request, solve
from tf_tconv.functional.plan import call_of, in_plan
from tf_tconv.functional.transpose import transpose
from tf_tconv.geometry import brief
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.planning import candidates
from tf_tconv.planning.choices import default_path, refresh, remember, remembered
from tf_tconv.planning.engine import engine
from tf_tconv.planning.load import ASSUMED_BATCH, ASSUMED_SIZE
from tf_tconv.timing import interleave

WORTH_TRYING = 6.0
"""A lowering estimated to take this many times the least isn't measured."""

ROUNDS = (5, 40)

SEED = 3


@dataclass(frozen=True)
class Tuned:
    """What was measured of one call.

    Args:
        call: what was measured: the layer's name and input, or the arguments.
        lowering: the fastest.
        seconds: of each that was measured, the median; empty where the choice was remembered.
    """

    call: str
    lowering: str
    seconds: Mapping[str, float]


def autotune(
    model_or_shapes: Any,
    *,
    batch: int | None = None,
    jit_compile: bool = False,
    seconds: float = 0.3,
    progress: bool = True,
) -> list[Tuned]:
    """Measures which lowering is fastest here, and has "auto" choose it from now on.

    A choice holds in this process and, by a small file, in later ones on this machine with these
    versions, as many processors and oneDNN on or off alike: `tf_tconv.planning.choices` says where
    the file is. Deleting it forgets all choices. Where it can't be written, a warning says so, and
    they hold in this process. Functions that were traced before keep theirs.

    Args:
        model_or_shapes: a Keras model, whose `tf_tconv.Conv2DTranspose` layers are measured; or an
            iterable of mappings with arguments of `tf_tconv.plan`, `input_shape` and
            `filters_shape` among them.
        batch: images to measure with, where a shape leaves them open; None: as the planner assumes.
        jit_compile: measure as compiled by XLA.
        seconds: for all turns of one call together.
        progress: whether to show it, on a terminal.

    Returns:
        What was measured, an entry a call; of a call whose choice is remembered, nothing anew.

    Raises:
        TypeError: neither a model nor mappings.
        ValueError: an argument that `tf_tconv.plan` refuses, or a model without such layers.

    Example:
        >>> import tf_tconv
        >>> call = {"input_shape": [1, 4, 4, 2], "filters_shape": [3, 3, 2, 2], "strides": 2}
        >>> (tuned,) = tf_tconv.autotune([call], seconds=0.01)
        >>> tuned.lowering in tf_tconv.lowerings.NAMES
        True

    Source:
        The lowerings: docs/lowerings.md.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    calls = _calls(model_or_shapes)
    refresh()
    computes = "xla" if jit_compile else engine()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found = []
    unwritten = None
    with Progress(*columns, disable=not progress, transient=True) as bar:
        task = bar.add_task("autotune", total=len(calls))
        for asked in calls:
            tuned, reason = _tune(asked, batch, computes, seconds)
            found.append(tuned)
            unwritten = unwritten or reason
            bar.advance(task)
    if unwritten:
        warnings.warn(
            f"the choices hold in this process only: {default_path()} can't be written: "
            f"{unwritten}.",
            stacklevel=2,
        )
    return found


class _Asked(NamedTuple):
    """What to measure, and what to call it.

    Args:
        title: what to call it.
        request: what is asked.
        input_shape: in the layout of the request, `None` for what is open.
        filters_shape: of the filters.
        dtype: of both.
    """

    title: str
    request: Request
    input_shape: tuple[int | None, ...]
    filters_shape: tuple[int | None, ...]
    dtype: tf.DType

    def call(self, input_shape: Sequence[int | None]) -> Call:
        """What follows from it for an input of a shape."""
        shapes = in_plan(input_shape), in_plan(self.filters_shape)
        return solve(self.request, *shapes, self.dtype.size)


def _calls(model_or_shapes: Any) -> list[_Asked]:
    """What to measure, and what to call it."""
    if isinstance(model_or_shapes, keras.Model):
        found = [call for layer in _layers(model_or_shapes) for call in _calls_of_layer(layer)]
        if not found:
            raise ValueError(
                f'model "{model_or_shapes.name}" has no tf_tconv.Conv2DTranspose that was built; '
                "tf_tconv.convert_model puts them in place of Keras' own."
            )
        return found
    given = isinstance(model_or_shapes, Iterable) and not isinstance(model_or_shapes, Mapping)
    calls = list(model_or_shapes) if given else [model_or_shapes]
    for call in calls:
        if not isinstance(call, Mapping) or not {"input_shape", "filters_shape"} <= set(call):
            raise TypeError(
                f"model_or_shapes={brief(call)} must be a Keras model, or mappings with arguments "
                "of tf_tconv.plan, input_shape and filters_shape among them."
            )
    return [_asked(call) for call in calls]


def _asked(call: Mapping[str, Any]) -> _Asked:
    request, _ = call_of(**call)
    shapes = (tuple(call["input_shape"]), tuple(call["filters_shape"]))
    return _Asked(str(dict(call)), request, *shapes, tf.as_dtype(call.get("dtype", "float32")))


def _layers(model: Any) -> Iterator[Conv2DTranspose]:
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, Conv2DTranspose) and layer.built:
            yield layer


def _calls_of_layer(layer: Conv2DTranspose) -> Iterator[_Asked]:
    """One a shape that the layer is called with."""
    nodes = [node.input_tensors[0].shape for node in layer._inbound_nodes if node.input_tensors]
    for shape in dict.fromkeys(map(tuple, nodes or [layer.get_build_config()["input_shape"]])):
        dtype = tf.as_dtype(layer.compute_dtype)
        title = f"{layer.name} {shape}"
        yield _Asked(title, layer.request(), shape, tuple(layer.kernel.shape), dtype)


def _tune(
    asked: _Asked, batch: int | None, computes: str, seconds: float
) -> tuple[Tuned, str | None]:
    """Measures one call, unless the choice for it is remembered; and why it can't be kept."""
    open_ = asked.call(asked.input_shape).load
    if open_ is None:
        raise ValueError(
            f"{asked.title}: there is nothing to measure: kernel and channels must be numbers, and "
            "neither they nor the sizes of input and output may be zero."
        )
    known = remembered(open_, computes)
    if known:
        return Tuned(asked.title, known, {}), None
    instead = dict.fromkeys(asked.request.layout.spatial, ASSUMED_SIZE)
    instead[0] = ASSUMED_BATCH if batch is None else batch
    shape = [instead[a] if n is None else n for a, n in enumerate(asked.input_shape)]
    random = np.random.default_rng(SEED)
    x, filters = (
        tf.cast(tf.constant(random.standard_normal(size)), asked.dtype)  # type: ignore[arg-type]
        for size in (shape, asked.filters_shape)
    )
    load = asked.call(shape).load
    assert load is not None  # What was not open before isn't now.
    ranked = [each for each in candidates(load, computes) if not each.excluded]
    calls = {
        each.lowering: _ready(asked.request, x, filters, each.lowering, computes == "xla")
        for each in ranked
        if each.seconds <= WORTH_TRYING * ranked[0].seconds
    }
    medians = {name: s.median for name, s in interleave(calls, seconds, ROUNDS).items()}
    best = min(medians, key=lambda name: medians[name])
    reasons = [remember(each, computes, best) for each in {open_, load}]
    return Tuned(asked.title, best, medians), reasons[0]


def _ready(
    request: Request, x: tf.Tensor, filters: tf.Tensor, lowering: str, jit: bool
) -> Callable[[], object]:
    """The call with one lowering, traced."""

    def function(x: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
        return transpose(request, x, filters, lowering)

    traced = tf.function(function, jit_compile=jit, autograph=False)
    concrete = traced.get_concrete_function(x, filters)
    return lambda: concrete(x, filters)
