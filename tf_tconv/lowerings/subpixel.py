"""Transposed convolution as one convolution to all phases' channels, then depth to space.

The sub-pixel convolution of Shi et al. (https://arxiv.org/abs/1609.05158, and for its equality with
transposed convolution https://arxiv.org/abs/1609.07009). All phases read one common window of the
input; where a phase has no tap the kernel is zero. With few output channels the convolution becomes
efficient only by its `stride * stride` times as many.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings.windows import convolve_windows, work_of_windows
from tf_tconv.lowerings.work import Sizes, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations, bias: Any = None) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    down, across = rows.phase_grid(compact=True), columns.phase_grid(compact=True)
    return convolve_windows(
        x, w, down, across, down.windows(joined=True), across.windows(joined=True), bias
    )


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    down, across = call.rows.phase_grid(compact=True), call.columns.phase_grid(compact=True)
    return work_of_windows(
        call, down, across, down.windows(joined=True), across.windows(joined=True)
    )
