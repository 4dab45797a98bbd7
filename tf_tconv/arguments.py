"""The arguments of a call, put in order once: each checked alone, in the words of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_tconv.geometry import Padding, brief, check_integer, check_name, check_padding
from tf_tconv.lowerings.shapes import LARGEST
from tf_tconv.run_time import Check

DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int32)
SPATIAL_AXES = {"NHWC": (1, 2), "NCHW": (2, 3)}
CHANNEL_AXIS = {"NHWC": 3, "NCHW": 1}


def check_data_format(data_format: Any) -> str:
    """The layout, "NHWC" or "NCHW"; `None` means the first, as for the native op."""
    return "NHWC" if data_format is None else check_name("data_format", data_format, SPATIAL_AXES)


def check_tensor(argument: str, value: Any, axes: str, dtype: Any = None) -> Any:
    """`value` as a tensor of rank 4 and a supported dtype.

    Args:
        argument: its name, for messages.
        value: anything that `tf.convert_to_tensor` takes.
        axes: what its axes mean, for messages.
        dtype: the dtype for Python numbers, which have none of their own.
    """
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        raise TypeError(
            f"{argument} is a {type(value).__name__}; it must be a dense tensor of rank 4, {axes}."
        )
    if type(value).__name__ == "KerasTensor":
        raise TypeError(
            f"{argument} is a KerasTensor, which has no values; it must be a tensor of rank 4, "
            f"{axes}. In a functional model, call the layer tf_tconv.Conv2DTranspose."
        )
    value = as_tensor(argument, value, f"one of rank 4, {axes}", dtype)
    if value.dtype not in DTYPES:
        names = ", ".join(supported.name for supported in DTYPES)
        raise TypeError(f"{argument} has dtype {value.dtype.name}; it must be one of {names}.")
    if value.shape.rank is None:
        raise ValueError(
            f"{argument} has unknown rank; it must be of rank 4, {axes}: tf.ensure_shape says so."
        )
    if value.shape.rank != 4:
        raise ValueError(
            f"{argument} has rank {value.shape.rank}, shape {value.shape}; it must be of rank 4, "
            f"{axes}."
        )
    return value


def as_tensor(argument: str, value: Any, legal: str, dtype: Any = None) -> tf.Tensor:
    """`value` as a tensor and nothing else.

    `tf.is_tensor` is true of variables and of all that can be made a tensor, Keras' variables among
    them; but a custom gradient takes nothing but tensors.

    Args:
        argument: its name, for messages.
        value: anything that `tf.convert_to_tensor` takes.
        legal: what it must be, for messages.
        dtype: the dtype for Python numbers, which have none of their own.
    """
    if isinstance(value, tf.Tensor):
        return value
    own = hasattr(value, "dtype") or _makes_a_tensor(value)
    try:
        try:
            return tf.convert_to_tensor(value, dtype=None if own else dtype)
        except (TypeError, ValueError, AttributeError):
            if not isinstance(value, (list, tuple)):
                raise
            # A list of arrays in a graph, or of variables of Keras'.
            return tf.convert_to_tensor(_packed(value))
    except (tf.errors.OpError, MemoryError):
        raise
    except Exception as error:
        # TensorFlow's own choice of the type differs between eager mode and graphs, and an object
        # that makes a tensor or an array of itself may raise anything.
        raise TypeError(
            f"{argument}={brief(value)} cannot be made a tensor; it must be {legal}. TensorFlow "
            f"says: {brief(str(error), 200)}"
        ) from None


def _packed(value: Any) -> Any:
    """A nested list as one array or tensor, whatever its entries are."""
    if isinstance(value, (list, tuple)):
        entries = [_packed(entry) for entry in value]
        return (tf.stack if any(map(tf.is_tensor, entries)) else np.stack)(entries)
    return tf.convert_to_tensor(value) if _makes_a_tensor(value) else value


def _makes_a_tensor(value: Any) -> bool:
    """Whether a value is a tensor, a variable or an object that makes a tensor of itself."""
    return isinstance(value, tf.Variable) or tf.is_tensor(value) or hasattr(value, "__tf_tensor__")


def _known_numbers(argument: str, value: Any) -> Any:
    """`value`, with numbers for tensors and arrays whose values are known when traced."""
    if isinstance(value, tf.TensorShape) and value.rank is not None:
        return value.as_list()
    if hasattr(value, "__array__") and not isinstance(value, (np.ndarray, np.generic)):
        value = as_tensor(argument, value, "an integer, or integers")
    if not _makes_a_tensor(value):
        return value
    known = tf.get_static_value(as_tensor(argument, value, "an integer, or integers"))
    if known is None:
        raise TypeError(
            f"{argument}={brief(value)} is a tensor that only the run knows; it must be known when "
            "the call is traced: an integer, or integers."
        )
    return known if known.ndim else known[()]


def check_pair(argument: str, value: Any, data_format: str) -> tuple[int, int]:
    """Strides or dilations as (down, across): from a scalar, or 1, 2 or 4 entries."""
    value = _known_numbers(argument, value)
    if not _is_sequence(value):
        both = check_integer(argument, value, 1, LARGEST)
        return both, both
    entries = list(value)
    if len(entries) not in (1, 2, 4):
        raise ValueError(
            f"{argument}={brief(value)} has {len(entries)} entries; it must have 1, 2 (height, "
            f"width) or 4 ({data_format})."
        )
    cells = [
        check_integer(
            f"{argument}[{index}]", _known_numbers(f"{argument}[{index}]", entry), 1, LARGEST
        )
        for index, entry in enumerate(entries)
    ]
    if len(cells) == 1:
        return cells[0], cells[0]
    if len(cells) == 2:
        return cells[0], cells[1]
    for index in set(range(4)) - set(SPATIAL_AXES[data_format]):
        if cells[index] != 1:
            axis = "batch" if index == 0 else "channel"
            raise ValueError(
                f"{argument}[{index}]={cells[index]} is for the {axis} axis of {data_format}; it "
                "must be 1."
            )
    rows, columns = SPATIAL_AXES[data_format]
    return cells[rows], cells[columns]


def check_paddings(padding: Any, data_format: str) -> tuple[Padding, Padding]:
    """The padding of rows and columns, from a name or four pairs in the order of `data_format`."""
    legal = "[[0, 0], [top, bottom], [left, right], [0, 0]]"
    if data_format == "NCHW":
        legal = "[[0, 0], [0, 0], [top, bottom], [left, right]]"
    if not _is_sequence(padding):
        name = check_name("padding", padding, ("SAME", "VALID"), legal)
        return name, name
    pairs = list(padding)
    if len(pairs) != 4:
        raise ValueError(
            f"padding={brief(padding)} has {len(pairs)} entries; explicit padding has 4, one pair "
            f"(before, after) an axis of {data_format}: {legal}."
        )
    checked: list[Any] = []
    for index, pair in enumerate(pairs):
        if not _is_sequence(pair):
            raise TypeError(
                f"padding[{index}]={brief(pair)} is a {type(pair).__name__}; it must be a pair "
                f"(before, after), as in {legal}."
            )
        checked.append(check_padding(tuple(pair), f"padding[{index}]"))
    for index in set(range(4)) - set(SPATIAL_AXES[data_format]):
        if checked[index] != (0, 0):
            axis = "batch" if index == 0 else "channel"
            raise ValueError(
                f"padding[{index}]={brief(pairs[index])} is for the {axis} axis of {data_format}; "
                "it must be (0, 0)."
            )
    rows, columns = SPATIAL_AXES[data_format]
    for index in (rows, columns):
        for side in (0, 1):
            check_integer(f"padding[{index}][{side}]", checked[index][side], 0, LARGEST)
    return checked[rows], checked[columns]


@dataclass(frozen=True)
class OutputShape:
    """`output_shape`, put in order.

    Args:
        sizes: batch, height, width, channels: each an integer, a scalar int64 tensor, or `None`
            where not said.
        arguments: what the caller calls each of them.
        checks: what is left for the run.
    """

    sizes: tuple[Any, Any, Any, Any]
    arguments: tuple[str, str, str, str]
    checks: tuple[Check, ...]


def check_output_shape(output_shape: Any, data_format: str) -> OutputShape:
    """`output_shape` in NHWC order, from any of its forms."""
    entries, checks = _output_entries(output_shape)
    rows, columns = SPATIAL_AXES[data_format]
    positions: tuple[int | None, ...] = (0, rows, columns, CHANNEL_AXIS[data_format])
    if len(entries) == 2:
        positions = (None, 0, 1, None)
    elif len(entries) not in (0, 4):
        raise ValueError(
            f"output_shape={brief(output_shape)} has {len(entries)} entries; it must have 2 "
            f"(height, width) or 4 ({data_format}), or be None for the default size."
        )
    arguments = [f"output_shape[{position}]" for position in positions]
    ordered = [
        None if position is None or not entries else check_size(argument, entries[position])
        for argument, position in zip(arguments, positions, strict=True)
    ]
    return OutputShape(tuple(ordered), tuple(arguments), checks)  # type: ignore[arg-type]


def check_size(argument: str, entry: Any) -> Any:
    """One size: a non-negative integer, or a scalar int64 tensor known only at run time."""
    if entry is None:
        raise TypeError(
            f"{argument}=None is no size; it must be an integer of at least 0, or a scalar integer "
            "tensor such as tf.shape(x)[0] for what only the run knows."
        )
    if _makes_a_tensor(entry):
        entry = as_tensor(argument, entry, "an integer of at least 0")
        if not entry.dtype.is_integer:
            raise TypeError(
                f"{argument} is a tensor of dtype {entry.dtype.name}; it must be an integer of at "
                "least 0."
            )
        if entry.shape.rank not in (0, None):
            raise ValueError(
                f"{argument} is a tensor of shape {entry.shape}; it must be a scalar integer of at "
                "least 0."
            )
        known = tf.get_static_value(entry)
        if known is None:
            return tf.cast(entry, tf.int64)
        entry = int(known)
    return check_integer(argument, entry, 0)


def vector_entries(vector: Any) -> list[Any]:
    """The entries of a vector: numbers where known when traced, scalar tensors where not."""
    known = tf.get_static_value(vector, partial=True)
    known = [None] * vector.shape[0] if known is None else list(known)
    return [vector[index] if entry is None else entry for index, entry in enumerate(known)]


def _output_entries(output_shape: Any) -> tuple[list[Any], tuple[Check, ...]]:
    legal = "2 (height, width) or 4 integers, an integer tensor of that length, or None"
    if output_shape is None:
        return [], ()
    if isinstance(output_shape, tf.TensorShape):
        if output_shape.rank is None:
            raise ValueError(f"output_shape has unknown rank; it must be {legal}.")
        return output_shape.as_list(), ()
    if not isinstance(output_shape, Sequence) and (
        _makes_a_tensor(output_shape) or hasattr(output_shape, "__array__")
    ):
        output_shape = as_tensor("output_shape", output_shape, legal)
    if not isinstance(output_shape, tf.Tensor):
        if not _is_sequence(output_shape) or len(output_shape) == 0:
            raise TypeError(
                f"output_shape={brief(output_shape)} is a {type(output_shape).__name__}; it must "
                f"be {legal}."
            )
        return list(output_shape), ()
    if not output_shape.dtype.is_integer:
        raise TypeError(
            f"output_shape is a tensor of dtype {output_shape.dtype.name}; it must be {legal}."
        )
    if output_shape.shape.rank != 1:
        raise ValueError(
            f"output_shape is a tensor of shape {output_shape.shape}; it must be {legal}."
        )
    length = output_shape.shape[0]
    if length is None:
        found = tf.size(output_shape)
        sentence = "output_shape has {} entries; where not known earlier it must have 4."
        # Filled up, so that a short one fails the check and not the indexing.
        filled = tf.concat([output_shape, tf.zeros([4], output_shape.dtype)], axis=0)
        return [filled[index] for index in range(4)], (
            Check(tf.equal(found, 4), sentence, (found,)),
        )
    return vector_entries(output_shape), ()


def _is_sequence(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
