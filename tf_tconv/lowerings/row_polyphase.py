"""Transposed convolution as one convolution a row phase, with the column phases in its channels.

The phases of a line that stand side by side in the channels of a step are in memory where the
output has them, so columns need no interleaving; whole lines are interleaved in one pass. The price
is the zeros in the kernel where one column phase has a tap and another has none.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings.windows import convolve_windows, work_of_windows
from tf_tconv.lowerings.work import Sizes, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations, bias: Any = None) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    down, across = rows.phase_grid(), columns.phase_grid(compact=True)
    return convolve_windows(x, w, down, across, down.windows(), across.windows(joined=True), bias)


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    down, across = call.rows.phase_grid(), call.columns.phase_grid(compact=True)
    return work_of_windows(call, down, across, down.windows(), across.windows(joined=True))
