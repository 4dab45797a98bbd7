"""Whether the arguments of a call fit together: dtypes, channels, groups, sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tf_tconv.arguments import OutputShape
from tf_tconv.geometry import AxisGeometry
from tf_tconv.lowerings.shapes import LARGEST, maximum, quotient, sizes
from tf_tconv.run_time import Check

FILTERS_AXES = "[height, width, out_channels/groups, in_channels]"
MOST_LISTED = 12
SAFE_GROWTH = 2**16  # Below it, an input that fits in memory makes no tensor too large to index.


def infer_groups(
    in_channels: Any, filters: Any, shape: OutputShape
) -> tuple[Any, tuple[Check, ...]]:
    """The number of groups as the native op infers it, and what is left to be checked by the run.

    Args:
        in_channels: of the input, an integer or a scalar tensor.
        filters: `[height, width, out / groups, in]`.
        shape: `output_shape`, in order.

    Returns:
        An integer wherever what is known leaves no choice, else a scalar tensor of at least 1.
    """
    out_channels, (_, _, per_group, taken) = shape.sizes[3], sizes(filters)
    channels = in_channels if isinstance(in_channels, int) else taken
    if out_channels is None or (isinstance(per_group, int) and per_group == 0):
        return 1, ()
    argument = shape.arguments[3]
    sentence = (
        f"{argument}={{}} does not go with filters of {{}} output channels a group "
        "(filters.shape[2]) and {} input channels; it must be {} times a number of groups that "
        "divides the input channels: {}."
    )
    values = (out_channels, per_group, channels, per_group)
    if isinstance(out_channels, int) and isinstance(per_group, int):
        groups, rest = divmod(out_channels, per_group)
        known = isinstance(channels, int)
        if rest or not groups or (known and channels and channels % groups):
            legal = _divisors(channels) if known and channels else (1,)
            values = (out_channels, per_group, channels if known else "unknown", per_group)
            raise ValueError(sentence.format(*values, _listed(per_group * n for n in legal)))
        return groups, ()
    known_numbers = [size for size in (out_channels, channels) if isinstance(size, int)]
    if math.gcd(*known_numbers) == 1:
        return 1, ()
    # At least 1, also where the check fails: nothing may divide by it before that is said.
    groups = maximum(quotient(out_channels, maximum(per_group, 1)), 1)
    fits = tf.logical_and(
        tf.equal(groups * tf.cast(per_group, tf.int64), tf.cast(out_channels, tf.int64)),
        _divides(groups, channels),
    )
    return groups, (Check(fits, sentence, values, legal=_listed_multiples),)


def check_channels(dtype: Any, in_channels: Any, filters: Any, groups: Any) -> list[Check]:
    """That dtypes, kernel, channels and groups fit, as far as known; the rest is for the run."""
    if filters.dtype != dtype:
        raise TypeError(
            f"filters has dtype {filters.dtype.name} and input {dtype.name}; they must be the "
            "same: cast one, as in tf.cast(filters, input.dtype)."
        )
    for axis, size in enumerate(filters.shape):
        if size == 0:
            raise ValueError(_empty(axis, 0))
    dimensions = sizes(filters)
    checks = [
        Check(size >= 1, _empty(axis, "{}"), (size,))
        for axis, size in enumerate(dimensions)
        if not isinstance(size, int)
    ]
    taken = dimensions[3]
    checks += check_equal(
        "filters.shape[3]", taken, in_channels, "is not the channels of input", FILTERS_AXES
    )
    if not isinstance(groups, int):
        return checks  # Inferred, and checked when that was done.
    if isinstance(taken, int) and taken % groups:
        raise ValueError(
            f"groups={groups} does not divide the {taken} input channels; it must be one of "
            f"{_listed(_divisors(taken))}."
        )
    if not isinstance(taken, int) and groups > 1:
        sentence = f"groups={groups} does not divide the {{}} input channels."
        checks.append(Check(_divides(groups, taken), sentence, (taken,)))
    return checks


def check_equal(
    argument: str, asked: Any, found: Any, rule: str, note: str | None = None
) -> list[Check]:
    """That a size asked for, if any, is the one there is: now if known, else during the run."""
    if asked is None:
        return []
    sentence = f"{argument}={{}} {rule}; it must be {{}}{f': filters is {note}' if note else ''}."
    if isinstance(asked, int) and isinstance(found, int):
        if asked != found:
            raise ValueError(sentence.format(asked, found))
        return []
    equal = tf.equal(tf.cast(asked, tf.int64), tf.cast(found, tf.int64))
    return [Check(equal, sentence, (asked, found))]


def check_elements(
    argument: str, batch: Any, rows: Any, columns: Any, channels: Any
) -> list[Check]:
    """That the output is not too large for a tensor of TensorFlow's."""
    axes = [axis.trimmed() if isinstance(axis, AxisGeometry) else axis for axis in (rows, columns)]
    factors = (batch, rows.output_size, columns.output_size, channels)
    sentence = (
        f"{argument}: batch {{}} x output rows {{}} x output columns {{}} x output channels {{}} "
        f"(strides {rows.stride}, {columns.stride}; dilations {rows.dilation}, {columns.dilation}) "
        f"are too many elements for a tensor; the most is {LARGEST}."
    )
    if all(isinstance(factor, int) for factor in factors):
        if math.prod(factors) > LARGEST:
            raise ValueError(sentence.format(*factors))
        return []
    growth = [axis.stride * axis.effective_kernel for axis in axes]
    if all(isinstance(factor, int) for factor in growth) and math.prod(growth) < SAFE_GROWTH:
        return []
    # Cut off at each step, so that no product wraps round.
    elements, more = tf.constant(1, tf.int64), tf.constant(LARGEST + 1, tf.int64)
    for factor in factors:
        elements = tf.minimum(elements * tf.minimum(tf.cast(factor, tf.int64), more), more)
    return [Check(elements <= LARGEST, sentence, factors)]


def _empty(axis: int, size: Any) -> str:
    meaning = FILTERS_AXES.strip("[]").split(", ")[axis]
    return (
        f"filters.shape[{axis}]={size} ({meaning}): the kernel is empty; every size must be at "
        "least 1."
    )


def _divides(groups: Any, channels: Any) -> Any:
    """Whether a number of groups divides a number of channels, for the run to say."""
    return tf.equal(quotient(channels, groups) * groups, channels)


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _listed(numbers: Iterable[int], most: int = MOST_LISTED) -> str:
    numbers = list(numbers)
    shown = ", ".join(map(str, numbers[:most]))
    return shown if len(numbers) <= most else f"{shown}, ..."


def _listed_multiples(out_channels: Any, per_group: Any, channels: Any, _: Any) -> Any:
    """What `_listed` says of the legal output channels, in a graph."""
    candidates = tf.range(1, channels + 1)
    divisors = tf.boolean_mask(candidates, tf.equal(channels % candidates, 0))
    numbers = tf.strings.as_string(divisors * per_group)
    shown = tf.strings.reduce_join(numbers[:MOST_LISTED], separator=", ")
    return tf.where(tf.size(numbers) > MOST_LISTED, shown + ", ...", shown)
