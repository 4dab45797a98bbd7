"""The arguments of a call, put in order once: each checked alone, in the words of the caller."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_tconv.entries import AXES_SAID, is_sequence
from tf_tconv.functional.conditions import Check
from tf_tconv.geometry import (
    Padding,
    Size,
    a_type,
    brief,
    check_integer,
    check_name,
    check_padding,
    entry_count,
)
from tf_tconv.layouts import LAYOUTS, NAMES_BY_RANK, Layout
from tf_tconv.limits import LARGEST

if TYPE_CHECKING:
    import tensorflow as tf

DTYPES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "int32": 4}
"""The types that are computed in, and the bytes of a number of each."""


def check_data_format(data_format: Any, rank: int = 2) -> Layout:
    """The layout; `None` means the one with the channels last, as for the native op."""
    names = NAMES_BY_RANK[rank]
    name = names[0] if data_format is None else check_name("data_format", data_format, names)
    return LAYOUTS[name]


def input_axes(layout: Layout) -> str:
    """What the axes of the input mean, for messages."""
    spatial = AXES_SAID[layout.rank].strip("(),")
    channels_last = f"[batch, {spatial}, in_channels]"
    return channels_last if layout.channels_last else f"[batch, in_channels, {spatial}]"


def check_shape(argument: str, shape: Any, axes: str) -> list[int | None]:
    """A shape of as many axes as are named: ints of at least 0, and `None` for what is unknown."""
    if type(shape).__name__ == "TensorShape" and shape.rank is not None:
        shape = shape.as_list()
    if not is_sequence(shape):
        raise TypeError(
            f"{argument}={brief(shape)} is {a_type(shape)}; it must be the shape {axes}."
        )
    entries, rank = list(shape), len(axes.split(", "))
    if len(entries) != rank:
        raise ValueError(
            f"{argument}={brief(shape)} has {entry_count(entries)}; it must have {rank}, {axes}."
        )
    return [
        None if entry is None else check_integer(f"{argument}[{index}]", entry, 0)
        for index, entry in enumerate(entries)
    ]


def check_tensor(argument: str, value: Any, axes: str, dtype: Any = None) -> tf.Tensor:
    """`value` as a tensor of a supported dtype and of as many axes as are named.

    Args:
        argument: its name, for messages.
        value: anything that `tf.convert_to_tensor` takes.
        axes: what its axes mean, for messages.
        dtype: the dtype for Python numbers, which have none of their own.
    """
    import tensorflow as tf

    rank = len(axes.split(", "))
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        raise TypeError(
            f"{argument} is {a_type(value)}; it must be a dense tensor of rank {rank}, {axes}."
        )
    if type(value).__name__ == "KerasTensor":
        raise TypeError(
            f"{argument} is a KerasTensor, which has no values; it must be a tensor of rank "
            f"{rank}, {axes}. In a functional model, call the layer tf_tconv.Conv2DTranspose."
        )
    value = as_tensor(argument, value, f"one of rank {rank}, {axes}", dtype)
    if value.dtype.name not in DTYPES:
        names = ", ".join(DTYPES)
        raise TypeError(f"{argument} has dtype {value.dtype.name}; it must be one of {names}.")
    if value.shape.rank is None:
        raise ValueError(
            f"{argument} has unknown rank; it must be of rank {rank}, {axes}: tf.ensure_shape says "
            "so."
        )
    if value.shape.rank != rank:
        raise ValueError(
            f"{argument} has rank {value.shape.rank}, shape {value.shape}; it must be of rank "
            f"{rank}, {axes}."
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
    import tensorflow as tf

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
    import numpy as np
    import tensorflow as tf

    if isinstance(value, (list, tuple)):
        entries = [_packed(entry) for entry in value]
        return (tf.stack if any(map(tf.is_tensor, entries)) else np.stack)(entries)
    return tf.convert_to_tensor(value) if _makes_a_tensor(value) else value


def _makes_a_tensor(value: Any) -> bool:
    """Whether a value is a tensor, a variable or an object that makes a tensor of itself."""
    if hasattr(value, "__tf_tensor__"):
        return True
    tf = sys.modules.get("tensorflow")  # Where it was never imported there are no tensors.
    return tf is not None and (isinstance(value, tf.Variable) or tf.is_tensor(value))


def _known_numbers(argument: str, value: Any) -> Any:
    """`value`, with numbers for tensors and arrays whose values are known when traced."""
    if type(value).__name__ == "TensorShape" and value.rank is not None:
        return value.as_list()
    if hasattr(value, "__array__") and not _is_numpy(value):
        value = as_tensor(argument, value, "an integer, or integers")
    if not _makes_a_tensor(value):
        return value
    import tensorflow as tf

    known = tf.get_static_value(as_tensor(argument, value, "an integer, or integers"))
    if known is None:
        raise TypeError(
            f"{argument}={brief(value)} is a tensor known only at run time; it must be known when "
            "the call is traced: an integer, or integers."
        )
    return known if known.ndim else known[()]


def _is_numpy(value: Any) -> bool:
    return type(value).__module__ == "numpy"


def check_steps(argument: str, value: Any, layout: Layout) -> tuple[int, ...]:
    """Strides or dilations, an entry an axis: from a scalar, or 1, an entry an axis, or one for
    each axis of the layout.
    """  # noqa: D205
    rank = layout.rank
    value = _known_numbers(argument, value)
    if not is_sequence(value):
        return (check_integer(argument, value, 1, LARGEST),) * rank
    entries = list(value)
    if len(entries) not in (1, rank, rank + 2):
        raise ValueError(
            f"{argument}={brief(value)} has {entry_count(entries)}; it must have "
            f"{_lengths(rank)} or {rank + 2} ({layout.name})."
        )
    cells = [
        check_integer(
            f"{argument}[{index}]", _known_numbers(f"{argument}[{index}]", entry), 1, LARGEST
        )
        for index, entry in enumerate(entries)
    ]
    if len(cells) == rank:
        return tuple(cells)
    if len(cells) == 1:
        return tuple(cells) * rank
    for index in sorted(set(range(len(cells))) - set(layout.spatial)):
        if cells[index] != 1:
            axis = "batch" if index == 0 else "channel"
            raise ValueError(
                f"{argument}[{index}]={cells[index]} is for the {axis} axis of {layout.name}; it "
                "must be 1."
            )
    return tuple(cells[position] for position in layout.spatial)


def _lengths(rank: int) -> str:
    return "1 (width)" if rank == 1 else f"1, {rank} {AXES_SAID[rank]}"


def check_paddings(padding: Any, layout: Layout) -> tuple[Padding, ...]:
    """The padding of each spatial axis, from a name or a pair for each axis of the layout."""
    rank = layout.rank
    written = ["[0, 0]"] * (rank + 2)
    for position, sides in zip(layout.spatial, SIDES_SAID[rank], strict=True):
        written[position] = sides
    legal = f"[{', '.join(written)}]"
    if not is_sequence(padding):
        return (check_name("padding", padding, ("SAME", "VALID"), legal),) * rank
    pairs = list(padding)
    if len(pairs) != rank + 2:
        raise ValueError(
            f"padding={brief(padding)} has {entry_count(pairs)}; explicit padding has "
            f"{rank + 2}, one pair (before, after) an axis of {layout.name}: {legal}."
        )
    checked: list[Any] = []
    for index, pair in enumerate(pairs):
        if not is_sequence(pair):
            raise TypeError(
                f"padding[{index}]={brief(pair)} is {a_type(pair)}; it must be a pair "
                f"(before, after), as in {legal}."
            )
        checked.append(check_padding(tuple(pair), f"padding[{index}]"))
    for index in sorted(set(range(rank + 2)) - set(layout.spatial)):
        if checked[index] != (0, 0):
            axis = "batch" if index == 0 else "channel"
            raise ValueError(
                f"padding[{index}]={brief(pairs[index])} is for the {axis} axis of {layout.name}; "
                "it must be (0, 0)."
            )
    for index in layout.spatial:
        for side in (0, 1):
            check_integer(f"padding[{index}][{side}]", checked[index][side], 0, LARGEST)
    return tuple(checked[position] for position in layout.spatial)


SIDES_SAID = {
    1: ("[left, right]",),
    2: ("[top, bottom]", "[left, right]"),
    3: ("[front, back]", "[top, bottom]", "[left, right]"),
}
"""By the number of spatial axes, what the entries of explicit padding are called."""


@dataclass(frozen=True)
class OutputShape:
    """`output_shape`, put in order.

    Args:
        batch: an int, a scalar int64 tensor, or `None` where not said.
        cells: likewise, an entry an axis.
        channels: likewise.
        arguments: what the caller calls batch, cells and channels.
        checks: what is left for the run.
    """

    batch: Size
    cells: tuple[Size, ...]
    channels: Size
    arguments: tuple[str, ...]
    checks: tuple[Check, ...]


def check_output_shape(output_shape: Any, layout: Layout) -> OutputShape:
    """`output_shape` with the channels last, from any of its forms."""
    rank = layout.rank
    entries, checks = _output_entries(output_shape, rank)
    positions: tuple[int | None, ...] = layout.to_channels_last
    if len(entries) == rank:
        positions = (None, *range(rank), None)
    elif len(entries) not in (0, rank + 2):
        raise ValueError(
            f"output_shape={brief(output_shape)} has {entry_count(entries)}; it must have "
            f"{rank} {_cells_said(rank)} or {rank + 2} ({layout.name}), or be None for the "
            "default size."
        )
    arguments = [f"output_shape[{position}]" for position in positions]
    batch, *cells, channels = (
        None if position is None or not entries else check_size(argument, entries[position])
        for argument, position in zip(arguments, positions, strict=True)
    )
    return OutputShape(batch, tuple(cells), channels, tuple(arguments), checks)


def _cells_said(rank: int) -> str:
    return "(width)" if rank == 1 else AXES_SAID[rank]


def check_size(argument: str, entry: Any) -> Any:
    """One size: a non-negative integer, or a scalar int64 tensor known only at run time."""
    if entry is None:
        raise TypeError(
            f"{argument}=None is not a size; it must be an integer of at least 0, or a scalar "
            "integer tensor such as tf.shape(x)[0] for one known only at run time."
        )
    if _makes_a_tensor(entry):
        import tensorflow as tf

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
    import tensorflow as tf

    known = tf.get_static_value(vector, partial=True)
    known = [None] * vector.shape[0] if known is None else list(known)
    return [vector[index] if entry is None else entry for index, entry in enumerate(known)]


def _output_entries(output_shape: Any, rank: int) -> tuple[list[Any], tuple[Check, ...]]:
    full = rank + 2
    legal = (
        f"{rank} {_cells_said(rank)} or {full} integers, an integer tensor of that length, or None"
    )
    if output_shape is None:
        return [], ()
    if type(output_shape).__name__ == "TensorShape":
        if output_shape.rank is None:
            raise ValueError(f"output_shape has unknown rank; it must be {legal}.")
        return output_shape.as_list(), ()
    if not isinstance(output_shape, Sequence) and (
        _makes_a_tensor(output_shape) or hasattr(output_shape, "__array__")
    ):
        output_shape = as_tensor("output_shape", output_shape, legal)
    if not _is_a_tensor(output_shape):
        if not is_sequence(output_shape) or len(output_shape) == 0:
            raise TypeError(
                f"output_shape={brief(output_shape)} is {a_type(output_shape)}; it must be {legal}."
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
        import tensorflow as tf

        found = tf.size(output_shape)
        sentence = f"output_shape has {{}} entries; where not known earlier it must have {full}."
        # Filled up, so that a short one fails the check and not the indexing.
        filled = tf.concat([output_shape, tf.zeros([full], output_shape.dtype)], axis=0)
        return [filled[index] for index in range(full)], (
            Check(tf.equal(found, full), sentence, (found,)),
        )
    return vector_entries(output_shape), ()


def _is_a_tensor(value: Any) -> bool:
    tf = sys.modules.get("tensorflow")
    return tf is not None and isinstance(value, tf.Tensor)
