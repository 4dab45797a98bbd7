"""Axes as the dialects solve them, and the errors of several said as one."""

from __future__ import annotations

from collections.abc import Callable

from tf_tconv.geometry import (
    DEFAULT_NAMES,
    AskedAxis,
    AxisGeometry,
    AxisNames,
    Padding,
    PaddingWords,
    Unreachable,
    solve_axis,
)
from tf_tconv.layouts import AXIS_UNITS
from tf_tconv.operation import signed_axis


def TransposedAxis(
    kernel_size: int,
    stride: int = 1,
    dilation: int = 1,
    pad_before: int = 0,
    pad_after: int = 0,
    input_size: int | None = None,
) -> AxisGeometry:
    """One axis of a `TransposedConvolution`, its input size known or not.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, output cells from one input cell to the next.
        dilation: ``d``, output cells from one tap to the next.
        pad_before: cells cut off before the first; negative: zeros added.
        pad_after: cells cut off after the last; negative: zeros added.
        input_size: ``i``, cells, or `None` where unknown.

    Example:
        >>> axis = TransposedAxis(kernel_size=3, stride=2, pad_after=1)
        >>> axis.lead, axis.trail, axis.surplus
        (2, 1, 2)
    """
    return signed_axis(kernel_size, stride, dilation, (pad_before, pad_after), input_size)


def solve(
    kernel_size: int,
    stride: int,
    dilation: int,
    padding: Padding,
    *,
    input_size: int | None = None,
    output_size: int | None = None,
    output_padding: int | None = None,
    names: AxisNames = DEFAULT_NAMES,
) -> AxisGeometry:
    """The axis that a padding gives by the rule of `tf_tconv.geometry`.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, cells.
        dilation: ``d``, cells.
        padding: "SAME", "VALID" or (before, after).
        input_size: ``i``; needed with `output_size` only.
        output_size: ``o``, or `None` for what follows from `output_padding`.
        output_padding: ``q``, or `None` for Keras' default size.
        names: what the caller calls the arguments.

    Returns:
        The axis, in the form of `tf_tconv.operation.signed_axis`.

    Raises:
        ValueError: a size that the axis does not reach, or one that needs an unknown input size.

    Example:
        >>> solve(3, 2, 1, "SAME").pad_after
        1
        >>> solve(3, 2, 1, "SAME", input_size=3, output_size=5).pad_after
        1
        >>> solve(3, 2, 1, "SAME", input_size=3, output_size=5).pad_before
        1
    """
    if output_size is None:
        # Nothing else depends on the input size: any that leaves an output will do.
        cells = 1 + (sum(padding) if isinstance(padding, tuple) else 0)
    elif input_size is None:
        raise ValueError(
            f"{names.output_size}={output_size} decides the padding only together with the input "
            "size, and that is unknown; give input_size."
        )
    else:
        cells = input_size
    solved = solve_axis(
        cells, kernel_size, stride, dilation, padding, output_size, output_padding, names
    )
    crops = (solved.pad_before, solved.crop_after)
    return signed_axis(kernel_size, stride, dilation, crops, input_size)


def solve_both(solve_one: Callable[[int], AxisGeometry], words: PaddingWords) -> list[AxisGeometry]:
    """Rows and columns; an error of one of them says the padding of both.

    Args:
        solve_one: gives the axis 0 or 1.
        words: how the dialect writes their padding.

    Raises:
        ValueError: a size that one of them does not reach.
    """
    found: list[AxisGeometry] = []
    asked: list[AskedAxis] = []
    wrong: list[Unreachable] = []
    for axis in (0, 1):
        try:
            found.append(solve_one(axis))
            asked.append(_asked(found[-1], AXIS_UNITS[2][axis]))
        except ValueError as error:
            unreachable = Unreachable.of(error)
            if unreachable is None:
                raise
            wrong.append(unreachable)
            asked += unreachable.axes
    if wrong:
        raise Unreachable(wrong[0].sentence, tuple(asked)).error(words)
    return found


def _asked(axis: AxisGeometry, unit: str) -> AskedAxis:
    """An axis as one whose padding reaches its size."""
    sides = (max(axis.pad_before, 0), max(axis.pad_after, 0))
    return AskedAxis(
        *(axis.kernel_size, axis.stride, axis.dilation, sides),
        *(axis.input_size, axis.output_size, unit),
    )
