"""How many products reach each output cell: counted through the index relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.geometry import AxisGeometry, brief, check_integer, transpose_geometry

Counts = NDArray[np.int64]
Layer = tuple[int, int] | tuple[int, int, int]

MOST_CELLS = 2**22
"""Of a pattern that is counted cell by cell."""


def overlap_counts(
    input_size: Any,
    kernel_size: Any,
    stride: Any = 1,
    dilation: Any = 1,
    padding: Any = "SAME",
    output_size: Any = None,
) -> Counts:
    """How many products reach each output cell, borders included.

    Integers describe one axis. Where any of them is a pair (height, width) the result is a plane,
    and the other integers hold for both axes.

    Args:
        input_size: cells.
        kernel_size: taps.
        stride: cells.
        dilation: cells.
        padding: "SAME", "VALID", or (before, after) cells that the forward convolution pads; of a
            plane, ((top, bottom), (left, right)).
        output_size: cells, or `None` for the default size.

    Returns:
        int64, `[output size]` or `[output height, output width]`.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range, or an output size that is not reached.

    Example:
        >>> overlap_counts(4, kernel_size=3, stride=2)
        array([1, 1, 2, 1, 2, 1, 2, 1])
        >>> overlap_counts((2, 3), kernel_size=(2, 3), stride=2)
        array([[1, 1, 2, 1, 2, 1],
               [1, 1, 2, 1, 2, 1],
               [1, 1, 2, 1, 2, 1],
               [1, 1, 2, 1, 2, 1]])

    Source:
        https://doi.org/10.23915/distill.00003.
    """
    values = (input_size, kernel_size, stride, dilation, padding, output_size)
    if not any(_is_pair(value) for value in values[:4]) and not _is_pair(output_size):
        return _axis_counts(transpose_geometry(*values))
    if _is_pair(padding) and not all(map(_is_pair, padding)):
        raise ValueError(
            f"padding={brief(padding)} is for one axis; for a plane it must be a name or "
            "((top, bottom), (left, right))."
        )
    rows, columns = (
        _axis_counts(
            transpose_geometry(*(value[axis] if _is_pair(value) else value for value in values))
        )
        for axis in (0, 1)
    )
    return np.outer(rows, columns)


def evenness(kernel_size: Any, stride: Any = 1, dilation: Any = 1) -> float:
    """How evenly a kernel covers the output: the fewest products a cell gets over the most.

    Away from the borders. 1 means even; 0 means holes. Along two axes the scores multiply.

    Args:
        kernel_size: taps, an integer or (height, width).
        stride: cells, likewise.
        dilation: cells, likewise.

    Returns:
        From 0 to 1.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range.

    Example:
        >>> evenness(3, stride=2), evenness(4, stride=2), evenness(5, stride=2)
        (0.5, 1.0, 0.6666666666666666)
        >>> evenness((3, 4), stride=2)
        0.5
        >>> evenness(4, stride=2, dilation=2)  # every tap falls on even cells
        0.0
    """
    values = (kernel_size, stride, dilation)
    if not any(map(_is_pair, values)):
        return stack_evenness([values])[0]
    rows, columns = (
        stack_evenness([tuple(value[axis] if _is_pair(value) else value for value in values)])[0]
        for axis in (0, 1)
    )
    return rows * columns


def even_kernel_sizes(kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, ...]:
    """The kernel sizes nearest to one that cover the output evenly.

    Args:
        kernel_size: taps.
        stride: cells.
        dilation: cells.

    Returns:
        `kernel_size` alone if it is even already, else the nearest below, if there is one, and the
        nearest above; nothing where no size is even, as the dilation leaves cells out.

    Raises:
        TypeError: an argument that is no integer.
        ValueError: a value out of range.

    Example:
        >>> even_kernel_sizes(3, stride=2), even_kernel_sizes(4, stride=2)
        ((2, 4), (4,))
        >>> even_kernel_sizes(2, stride=3), even_kernel_sizes(4, stride=2, dilation=2)
        ((3,), ())
    """
    kernel_size = check_integer("kernel_size", kernel_size, 1)
    if evenness(kernel_size, stride, dilation) == 1:
        return (kernel_size,)
    # The counts go up by one in every cell with `stride` taps more, so the pattern repeats.
    below = range(kernel_size - 1, max(kernel_size - stride, 0), -1)
    above = range(kernel_size + 1, kernel_size + stride)
    nearest = (
        next((size for size in sizes if evenness(size, stride, dilation) == 1), None)
        for sizes in (below, above)
    )
    return tuple(size for size in nearest if size is not None)


def stack_counts(
    input_size: int, layers: Sequence[Layer], padding: str = "SAME"
) -> tuple[Counts, ...]:
    """How many products of products reach each cell after each layer of a stack, borders included.

    Args:
        input_size: cells of the first input.
        layers: (kernel size, stride) or (kernel size, stride, dilation) of each, first to last.
        padding: of all of them, "SAME" or "VALID".

    Returns:
        An int64 array, `[output size]`, for each layer.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range.

    Example:
        >>> for counts in stack_counts(3, [(3, 2), (3, 2)]):
        ...     print(counts)
        [1 1 2 1 2 1]
        [1 1 2 1 3 2 3 1 3 2 3 1]
    """
    found: list[Counts] = []
    for axis in _stack(input_size, layers, padding):
        counts = _axis_counts(axis)
        if found:
            counts = np.array(
                [
                    sum(int(found[-1][j]) for j, _ in axis.contributions(cell))
                    for cell in range(axis.output_size)
                ],
                np.int64,
            )
        found.append(counts)
    return tuple(found)


def stack_evenness(layers: Sequence[Layer]) -> tuple[float, ...]:
    """`evenness` after each layer of a stack; falling scores mean that it amplifies the pattern.

    Args:
        layers: (kernel size, stride) or (kernel size, stride, dilation) of each, first to last.

    Returns:
        A score from 0 to 1 for each layer: fewest products over most, away from the borders.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range, or strides whose pattern is too long to count.

    Example:
        >>> stack_evenness([(3, 2), (3, 2), (3, 2)])
        (0.5, 0.3333333333333333, 0.2)
        >>> stack_evenness([(4, 2), (4, 2)])
        (1.0, 1.0)
        >>> stack_evenness([(3, 2), (3, 1)])  # a convolution evens out a little
        (0.5, 0.8)
    """
    pattern, scores = [1], []
    for axis in _stack(1, layers, "VALID"):
        pattern = _inner_pattern(axis, pattern)
        scores.append(min(pattern) / max(pattern))
    return tuple(scores)


def _inner_pattern(axis: AxisGeometry, pattern: list[int]) -> list[int]:
    """What a layer makes of an endless repetition of `pattern`: one period of it."""
    period = len(pattern) * axis.stride
    if period > MOST_CELLS:
        raise ValueError(
            f"the strides up to here make a pattern of {period} cells; at most {MOST_CELLS} are "
            "counted."
        )
    # The first whole period in which no window sees the border.
    first = -(-(axis.effective_kernel - 1) // period) * period
    inner = transpose_geometry(
        (first + period) // axis.stride, axis.kernel_size, axis.stride, axis.dilation, "VALID"
    )
    return [
        sum(pattern[j % len(pattern)] for j, _ in inner.contributions(cell))
        for cell in range(first, first + period)
    ]


def _stack(input_size: int, layers: Sequence[Layer], padding: str) -> list[AxisGeometry]:
    """The axes of a stack, each taking what the one before gives."""
    axes: list[AxisGeometry] = []
    for index, layer in enumerate(layers):
        if len(layer) not in (2, 3):
            raise ValueError(
                f"layers[{index}]={brief(layer)} must be (kernel_size, stride) or (kernel_size, "
                "stride, dilation)."
            )
        dilation = layer[2] if len(layer) == 3 else 1
        axes.append(transpose_geometry(input_size, layer[0], layer[1], dilation, padding))
        input_size = axes[-1].output_size
    return axes


def _axis_counts(axis: AxisGeometry) -> Counts:
    if axis.output_size > MOST_CELLS:
        raise ValueError(
            f"the output would have {axis.output_size} cells; at most {MOST_CELLS} are counted. "
            "Counts repeat with the stride: a smaller input shows them."
        )
    counts = [len(axis.contributions(cell)) for cell in range(axis.output_size)]
    return np.array(counts, np.int64)


def _is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
