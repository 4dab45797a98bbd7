"""Whether the arguments of a call fit together: channels, groups, sizes."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from tf_tconv.functional.arguments import OutputShape
from tf_tconv.functional.conditions import Check, checked_later
from tf_tconv.functional.requests import Arithmetic
from tf_tconv.geometry import AxisGeometry, Size
from tf_tconv.layouts import AXIS_UNITS
from tf_tconv.limits import LARGEST

FILTERS_AXES = {
    rank: f"[{axes}, out_channels/groups, in_channels]"
    for rank, axes in ((1, "width"), (2, "height, width"), (3, "depth, height, width"))
}
"""By the number of spatial axes, what the axes of the filters mean."""

MOST_LISTED = 12
SAFE_GROWTH = 2**16  # Below it, an input that fits in memory makes no tensor too large to index.


def infer_groups(
    in_channels: Size, filters: Sequence[Size], shape: OutputShape, arithmetic: Arithmetic
) -> tuple[Size, tuple[Check, ...]]:
    """The number of groups as the native op infers it, and what is left to be checked by the run.

    Args:
        in_channels: of the input.
        filters: sizes, `[*kernel, out / groups, in]`.
        shape: `output_shape`, in order.
        arithmetic: of sizes.

    Returns:
        An int wherever what is known leaves no choice, else a scalar tensor of at least 1, or
        `UNKNOWN`.
    """
    out_channels, (*_, per_group, taken) = shape.channels, filters
    channels = in_channels if isinstance(in_channels, int) else taken
    if out_channels is None or (isinstance(per_group, int) and per_group == 0):
        return 1, ()
    argument = shape.arguments[-1]
    sentence = (
        f"{argument}={{}} does not go with filters of {{}} output channels a group "
        f"({_filters_shape(filters, -2)}) and {{}} input channels; it must be {{}} times a number "
        "of groups that divides the input channels: {}."
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
    maximum, quotient = arithmetic.maximum, arithmetic.quotient
    # At least 1, also where the check fails: nothing may divide by it before that is said.
    groups = maximum(quotient(out_channels, maximum(per_group, 1)), 1)

    def fits() -> Any:
        return _equal(groups * per_group, out_channels) & _divides(groups, channels, arithmetic)

    return groups, checked_later(sentence, values, fits, _listed_multiples)


def check_channels(
    in_channels: Size, filters: Sequence[Size], groups: Size, arithmetic: Arithmetic
) -> tuple[Check, ...]:
    """That kernel, channels and groups fit, as far as known; the rest is for the run."""
    for axis, size in enumerate(filters):
        if isinstance(size, int) and size == 0:
            raise ValueError(_empty(filters, axis, 0))
    checks: tuple[Check, ...] = ()
    for axis, size in enumerate(filters):
        if not isinstance(size, int):
            sentence = _empty(filters, axis, "{}")
            checks += checked_later(sentence, (size,), functools.partial(operator.ge, size, 1))
    taken = filters[-1]
    checks += check_equal(
        _filters_shape(filters, -1),
        taken,
        in_channels,
        "is not the channels of input",
        FILTERS_AXES[len(filters) - 2],
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
        checks += checked_later(sentence, (taken,), lambda: _divides(groups, taken, arithmetic))
    return checks


def check_equal(
    argument: str, asked: Any, found: Any, rule: str, note: str | None = None
) -> tuple[Check, ...]:
    """That a size asked for, if any, is the one there is: now if known, else during the run."""
    if asked is None:
        return ()
    sentence = f"{argument}={{}} {rule}; it must be {{}}{f': filters is {note}' if note else ''}."
    if isinstance(asked, int) and isinstance(found, int):
        if asked != found:
            raise ValueError(sentence.format(asked, found))
        return ()
    return checked_later(sentence, (asked, found), lambda: _equal(asked, found))


def check_elements(
    argument: str, batch: Size, axes: Sequence[AxisGeometry], channels: Size
) -> tuple[Check, ...]:
    """That the output is not too large for a tensor of TensorFlow's."""
    axes = [axis.trimmed() if axis.is_known else axis for axis in axes]
    units = AXIS_UNITS[len(axes)]
    factors = (batch, *(axis.output_size for axis in axes), channels)
    strides, dilations = (
        ", ".join(str(getattr(axis, name)) for axis in axes) for name in ("stride", "dilation")
    )
    sentence = (
        f"{argument}: batch {{}} x "
        + "".join(f"output {unit} {{}} x " for unit in units)
        + f"output channels {{}} (strides {strides}; dilations {dilations}) are too many elements "
        f"for a tensor; the most is {LARGEST}."
    )
    if all(isinstance(factor, int) for factor in factors):
        if math.prod(factors) > LARGEST:
            raise ValueError(sentence.format(*factors))
        return ()
    growth = [axis.stride * axis.effective_kernel for axis in axes]
    if all(isinstance(factor, int) for factor in growth) and math.prod(growth) < SAFE_GROWTH:
        return ()
    return checked_later(sentence, factors, lambda: _fits_a_tensor(factors))


def _fits_a_tensor(factors: Sequence[Size]) -> Any:
    """Whether a product of sizes is at most `LARGEST`, for the run to say."""
    import tensorflow as tf

    # Cut off at each step, so that no product wraps round.
    elements, more = tf.constant(1, tf.int64), tf.constant(LARGEST + 1, tf.int64)
    for factor in factors:
        elements = tf.minimum(elements * tf.minimum(tf.cast(factor, tf.int64), more), more)
    return elements <= LARGEST


def _filters_shape(filters: Sequence[Size], axis: int) -> str:
    return f"filters.shape[{axis % len(filters)}]"


def _empty(filters: Sequence[Size], axis: int, size: Any) -> str:
    meaning = FILTERS_AXES[len(filters) - 2].strip("[]").split(", ")[axis]
    return (
        f"filters.shape[{axis}]={size} ({meaning}): the kernel is empty; every size must be at "
        "least 1."
    )


def _equal(a: Size, b: Size) -> Any:
    """Whether two sizes are equal, for the run to say; an operator would not in graphs of old."""
    import tensorflow as tf

    return tf.equal(tf.cast(a, tf.int64), tf.cast(b, tf.int64))


def _divides(groups: Size, channels: Size, arithmetic: Arithmetic) -> Any:
    """Whether a number of groups divides a number of channels, for the run to say."""
    return _equal(arithmetic.quotient(channels, groups) * groups, channels)


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _listed(numbers: Iterable[int], most: int = MOST_LISTED) -> str:
    numbers = list(numbers)
    shown = ", ".join(map(str, numbers[:most]))
    return shown if len(numbers) <= most else f"{shown}, ..."


def _listed_multiples(out_channels: Any, per_group: Any, channels: Any, _: Any) -> Any:
    """What `_listed` says of the legal output channels, in a graph."""
    import tensorflow as tf

    candidates = tf.range(1, channels + 1)
    divisors = tf.boolean_mask(candidates, tf.equal(channels % candidates, 0))
    numbers = tf.strings.as_string(divisors * per_group)
    shown = tf.strings.reduce_join(numbers[:MOST_LISTED], separator=", ")
    return tf.where(tf.size(numbers) > MOST_LISTED, shown + ", ...", shown)
