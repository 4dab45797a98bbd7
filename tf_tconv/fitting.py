"""Whether the arguments of a call fit together: dtypes, channels, groups, sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tf_tconv.arguments import OutputShape
from tf_tconv.geometry import AxisGeometry, check_integer
from tf_tconv.lowerings.shapes import LARGEST, sizes
from tf_tconv.run_time import Check

FILTERS_AXES = "[height, width, out_channels/groups, in_channels]"
SAFE_GROWTH = 2**16  # Below it, an input that fits in memory makes no tensor too large to index.


def infer_groups(in_channels: Any, filters: Any, shape: OutputShape) -> int:
    """The number of groups as the native op infers it."""
    out_channels, per_group = shape.sizes[3], filters.shape[2]
    if not isinstance(out_channels, int) or not per_group:
        return 1
    groups, rest = divmod(out_channels, per_group)
    if rest or not groups or (in_channels and in_channels % groups):
        legal = _divisors(in_channels) if in_channels else (1,)
        raise ValueError(
            f"{shape.arguments[3]}={out_channels} does not go with filters of {per_group} output "
            f"channels a group (filters.shape[2]) and {in_channels} input channels; it must be "
            f"{per_group} times a number of groups that divides the input channels: "
            f"{_listed(per_group * groups for groups in legal)}."
        )
    return groups


def check_channels(dtype: Any, in_channels: Any, filters: Any, groups: Any) -> list[Check]:
    """That dtypes, kernel, channels and groups fit, as far as known; the rest is for the run."""
    if filters.dtype != dtype:
        raise TypeError(
            f"filters has dtype {filters.dtype.name} and input {dtype.name}; they must be the "
            "same: cast one, as in tf.cast(filters, input.dtype)."
        )
    for axis, meaning in enumerate(FILTERS_AXES.strip("[]").split(", ")):
        if filters.shape[axis] == 0:
            raise ValueError(
                f"filters.shape[{axis}]=0 ({meaning}): the kernel is empty; every size must be at "
                f"least 1."
            )
    taken = sizes(filters)[3]
    checks = check_equal(
        "filters.shape[3]", taken, in_channels, "is not the channels of input", FILTERS_AXES
    )
    groups = check_integer("groups", groups, 1, LARGEST)
    if isinstance(taken, int) and taken % groups:
        raise ValueError(
            f"groups={groups} does not divide the {taken} input channels; it must be one of "
            f"{_listed(_divisors(taken))}."
        )
    if not isinstance(taken, int) and groups > 1:
        sentence = f"groups={groups} does not divide the {{}} input channels."
        checks.append(Check(tf.equal(taken % groups, 0), sentence, (taken,)))
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
    # In floating point, where a product that is too large cannot wrap round.
    elements = math.prod(tf.cast(factor, tf.float64) for factor in factors)
    return [Check(elements <= LARGEST, sentence, factors)]


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _listed(numbers: Iterable[int], most: int = 12) -> str:
    numbers = list(numbers)
    shown = ", ".join(map(str, numbers[:most]))
    return shown if len(numbers) <= most else f"{shown}, ..."
