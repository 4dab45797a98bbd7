"""The checkerboard of a given kernel: what it answers to a constant image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.functional.arguments import check_steps
from tf_tconv.geometry import transpose_geometry
from tf_tconv.layouts import LAYOUTS


def phase_sums(filters: Any, strides: Any, dilations: Any = 1) -> NDArray[np.float64]:
    """What each phase of the output gets from a constant input of ones, away from the borders.

    Output cells that lie a stride apart are reached by the same taps, whose sum this is. Phase
    (0, 0) is the one of tap (0, 0).

    Args:
        filters: `[height, width, out_channels/groups, in_channels]`, such as a layer's `kernel`.
        strides: cells, a number or (height, width).
        dilations: cells, likewise.

    Returns:
        float64, `[row stride, column stride, out_channels/groups, in_channels]`.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range, or filters that are not of rank 4.

    Example:
        >>> filters = np.arange(1.0, 10.0).reshape(3, 3, 1, 1)
        >>> phase_sums(filters, strides=2)[..., 0, 0]
        array([[20., 10.],
               [10.,  5.]])

    Source:
        https://doi.org/10.23915/distill.00003.
    """
    kernel = np.asarray(filters).astype(np.float64)
    if kernel.ndim != 4:
        raise ValueError(
            f"filters has rank {kernel.ndim}, shape {kernel.shape}; it must be of rank 4, [height, "
            "width, out_channels/groups, in_channels]."
        )
    steps = check_steps("strides", strides, LAYOUTS["NHWC"])
    gaps = check_steps("dilations", dilations, LAYOUTS["NHWC"])
    rows, columns = (
        _phases(size, stride, dilation)
        for size, stride, dilation in zip(kernel.shape[:2], steps, gaps, strict=True)
    )
    sums = np.zeros((*steps, *kernel.shape[2:]))
    np.add.at(sums, np.ix_(rows, columns), kernel)
    return sums


def checkerboard_energy(filters: Any, strides: Any, dilations: Any = 1) -> float:
    """How much of a kernel's answer to a constant image is checkerboard.

    The share of the answer's energy (mean square over the phases, of all pairs of channels) that is
    not in its mean.

    Args:
        filters: `[height, width, out_channels/groups, in_channels]`.
        strides: cells, a number or (height, width).
        dilations: cells, likewise.

    Returns:
        From 0, a constant image stays constant, to 1, nothing but checkerboard.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range, or filters that are not of rank 4.

    Example:
        >>> checkerboard_energy(np.ones([4, 4, 1, 1]), strides=2)
        0.0
        >>> checkerboard_energy(np.ones([1, 2, 1, 1]), strides=2)  # every second row is a hole
        0.5
    """
    sums = phase_sums(filters, strides, dilations)
    energy = np.mean(sums**2, axis=(0, 1)).sum()
    if not energy:
        return 0.0
    return float(np.var(sums, axis=(0, 1)).sum() / energy)


def _phases(kernel_size: int, stride: int, dilation: int) -> list[int]:
    """The phase that each tap of one axis belongs to."""
    axis = transpose_geometry(1, kernel_size, stride, dilation, "VALID")
    return [axis.output_index(0, tap) % stride for tap in range(kernel_size)]
