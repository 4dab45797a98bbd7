"""Whether a converted model computes what the model did that it was made from."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tf_tconv.causes import cause
from tf_tconv.dialects import keras as dialect
from tf_tconv.geometry import brief, lowest_surplus

# By what numbers of a dtype differ from their neighbours, relative to their size.
SPACING = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}

UNKNOWN_CELLS = 64  # Where a model leaves a size open: it can be halved six times.
UNKNOWN_BATCH = 2

# How many times as far as in five runs a model that draws numbers may well go in a sixth: of a
# normal distribution, the largest of four differences is under a tenth of the next in 1 of 12,000.
CHANCE = 10

Array = NDArray[Any]


def equal_on_integers(path: str, old: Any, new: Any) -> bool | None:
    """Whether two layers, made with the same few channels and given the same integers, agree.

    Sums of small integers are exact in any order, so any difference is an error of place. Where
    the layers lie behind others, or before zeros, only this would show it.

    Args:
        path: the layers' name, for the message.
        old: a `Conv2DTranspose`, Keras' or ours.
        new: the layer that it was exchanged for.

    Returns:
        `True`, or `None` where Keras' own layer fails on its arguments.

    Raises:
        RuntimeError: they differ.
    """
    operation = dialect.from_layer(new)
    if any(axis.surplus < lowest_surplus(axis.effective_kernel, "SAME") for axis in operation.axes):
        return None  # On TensorFlow, Keras' layer fails there.
    random = np.random.default_rng(0)
    channels, filters = 2, 3
    shape = (2, 4, 5, channels) if operation.data_format == "NHWC" else (2, channels, 4, 5)
    x = random.integers(-4, 5, shape).astype(np.float32)
    kernel = random.integers(-4, 5, (*operation.kernel_size, filters, channels)).astype(np.float32)
    results = []
    for layer in (old, new):
        twin = _twin(layer, filters)
        try:
            twin.build(x.shape)
            twin.set_weights([kernel])
            results.append(np.asarray(twin(x)))
        except tf.errors.OpError:
            return None
    if not np.array_equal(results[0], results[1]):
        raise RuntimeError(
            f'layer "{path}" was exchanged for one that differs on integers; this is an error in '
            f"tf_tconv: {operation}."
        )
    return True


class Reference:
    """What a model answers, to compare another with.

    Args:
        model: the model; it is not changed, as what it counts and draws is put back.
        inputs: what to run it on, or `None` for random numbers.

    Raises:
        RuntimeError: it cannot be run.
    """

    def __init__(self, model: Any, inputs: Any) -> None:
        self._name = model.name
        self._inputs = _random_inputs(model) if inputs is None else inputs
        try:
            self._outputs = _outputs(model, self._inputs)
            runs = [_outputs(model, self._inputs)]
            if any(map(_difference, self._outputs, runs[0])):
                # One difference may be small by chance; of four, the largest seldom is.
                runs += [_outputs(model, self._inputs) for _ in range(3)]
        except Exception as error:  # Whatever the code of a stranger's layer raises.
            shapes = [tuple(each.shape) for each in tf.nest.flatten(self._inputs)]
            raise RuntimeError(
                f'model "{model.name}" fails on inputs of shape {brief(shapes)}, so that there is '
                "nothing to compare with; give inputs that suit it, or verify=False: "
                f"{cause(error)}"
            ) from error
        # By how much the model differs from itself: the order of its sums, or its chance.
        self._noise = [
            max(_difference(each, run[index]) for run in runs)
            for index, each in enumerate(self._outputs)
        ]
        self._spacing = max(
            SPACING.get(layer.compute_dtype, 0.0) for layer in model._flatten_layers()
        )

    def compare(self, clone: Any) -> tuple[float | None, float | None]:
        """Runs the other model on the same inputs.

        Args:
            clone: the other model.

        Returns:
            The largest difference and the largest magnitude of the outputs; `None`s, with a
            warning, where chance in the model hides what rounding explains.

        Raises:
            RuntimeError: they differ by more than rounding, and the model's own noise, explain.
        """
        after = _outputs(clone, self._inputs)
        if len(after) != len(self._outputs):
            raise RuntimeError(
                f'model "{self._name}" has {len(self._outputs)} outputs, and {len(after)} after '
                "the exchange."
            )
        largest, hidden = 0.0, False
        # Half the digits: rounding in another order takes the last few, a misplaced cell the first.
        share = math.sqrt(self._spacing)
        for index, (a, b) in enumerate(zip(self._outputs, after, strict=True)):
            difference, magnitude, noise = _difference(a, b), _magnitude(a), self._noise[index]
            by_chance = noise > share * magnitude
            # The clone differs from its model once more by what the model does from itself; where
            # that is chance rather than rounding, its largest of five runs is known but roughly.
            allowed = share * magnitude + noise * (CHANCE if by_chance else 1)
            if not difference <= allowed:
                own = f", and the model's own noise {noise:.1g}" if noise else ""
                raise RuntimeError(
                    f'output {index} of model "{self._name}" differs by {difference:.3g} after the '
                    f"exchange, its largest value being {magnitude:.3g}: more than the "
                    f"{share * magnitude:.1g} that rounding explains{own}."
                )
            hidden = hidden or by_chance
            largest = max(largest, difference)
        if hidden:
            warnings.warn(
                f'model "{self._name}" differs from itself by up to {max(self._noise):.3g} from '
                "run to run, so that closely only its weights and exchanged layers were compared",
                stacklevel=5,
            )
            return None, None
        return largest, max(map(_magnitude, self._outputs), default=0.0)


def _twin(layer: Any, filters: int) -> Any:
    """A layer of the same class and geometry, with other weights and nothing after the sum."""
    names = ["kernel_size", "strides", "padding", "output_padding", "data_format", "dilation_rate"]
    if hasattr(layer, "lowering"):
        names.append("lowering")
    arguments = {name: getattr(layer, name) for name in names}
    return type(layer)(filters, **arguments, use_bias=False, dtype="float32")


def _random_inputs(model: Any) -> Any:
    if not getattr(model, "inputs", None):
        raise RuntimeError(
            f'model "{model.name}" does not say the shapes of its inputs; give inputs to compare '
            "on, or verify=False."
        )
    random = np.random.default_rng(0)

    def draw(tensor: Any) -> Any:
        batch, *cells = tensor.shape
        shape = (batch or UNKNOWN_BATCH, *(UNKNOWN_CELLS if n is None else n for n in cells))
        dtype = tf.as_dtype(tensor.dtype)
        if dtype.is_floating:
            return tf.cast(random.standard_normal(shape), dtype)
        if dtype.is_integer or dtype.is_bool:
            return tf.cast(random.integers(0, 2, shape), dtype)
        raise RuntimeError(
            f'model "{model.name}" takes an input of dtype {dtype.name}, of which there are no '
            "random ones; give inputs to compare on, or verify=False."
        )

    sequential = isinstance(model, keras.Sequential)
    return tf.nest.map_structure(draw, model.inputs[0] if sequential else model.input)


def _outputs(model: Any, inputs: Any) -> list[Array]:
    """What of the outputs of an inference is floats, as float64."""
    with keras.StatelessScope(), _losses_kept(model):  # Counters, seeds: nothing of it stays.
        flat = [tf.convert_to_tensor(each) for each in tf.nest.flatten(model(inputs))]
    # Rounding can turn a decision, such as the index of the largest, into quite another integer.
    return [tf.cast(each, tf.float64).numpy() for each in flat if each.dtype.is_floating]


@contextmanager
def _losses_kept(model: Any) -> Iterator[None]:
    """Puts back the losses that the layers' last call left, which each call clears."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Layer)]
    before = [(layer, list(layer._losses), set(layer._loss_ids)) for layer in layers]
    try:
        yield
    finally:
        for layer, losses, ids in before:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


def _difference(a: Array, b: Array) -> float:
    """The largest difference; infinite where the shapes differ, or one alone is no number."""
    if a.shape != b.shape:
        return math.inf
    unequal = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    with np.errstate(invalid="ignore"):
        differences = np.abs(a - b)[unequal]
    return float(np.nan_to_num(differences, nan=math.inf).max(initial=0.0))


def _magnitude(a: Array) -> float:
    return float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
