"""Kernels between the layouts of frameworks, in NumPy alone.

The neutral layout is TensorFlow's, `[height, width, out/groups, in]`: input channel ``c`` belongs
to group ``c // (in / groups)``, and tap ``a`` is the one that the index relation of
`tf_tconv.geometry` calls so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.geometry import check_integer
from tf_tconv.operation import check_channels

Array = NDArray[Any]

NEUTRAL_AXES = "[height, width, out/groups, in]"
CHANNELS_FIRST_AXES = "[in, out/groups, height, width]"


def check_weights(argument: str, value: Any, axes: str, in_axis: int, groups: int) -> Array:
    """`value` as an array of rank 4 whose input channels `groups` divides.

    Args:
        argument: its name, for messages.
        value: an array, or what NumPy makes one of.
        axes: what its axes mean, for messages.
        in_axis: which of them holds all input channels.
        groups: number of channel groups.

    Raises:
        ValueError: another rank, or channels that do not fit.
    """
    array = np.asarray(value)
    if array.ndim != 4:
        raise ValueError(
            f"{argument} has rank {array.ndim}, shape {array.shape}; it must be of rank 4, {axes}."
        )
    groups = check_integer("groups", groups, 1)
    check_channels(f"{argument}.shape[{in_axis}]", array.shape[in_axis], groups)
    return array


def channels_first_to_neutral(weights: Any, groups: int) -> Array:
    """`[in, out/groups, height, width]`, as torch and ONNX have it, to the neutral layout."""
    return check_weights("weights", weights, CHANNELS_FIRST_AXES, 0, groups).transpose(2, 3, 1, 0)


def neutral_to_channels_first(kernel: Any, groups: int) -> Array:
    """The neutral layout to `[in, out/groups, height, width]`."""
    return check_weights("kernel", kernel, NEUTRAL_AXES, 3, groups).transpose(3, 2, 0, 1)
