"""Transposed convolution as one small convolution a phase: no zero is inserted or multiplied by.

Output cells that are a stride apart, a *phase*, meet the same taps of the kernel. Each phase is a
convolution of the input at stride 1 with every `stride`-th tap, reversed; the phases are then
interleaved. That is `stride * stride` convolutions, which together multiply exactly what the
definition does, and two passes over the output.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.geometry import AxisRelations
from tf_tconv.lowerings.windows import convolve_windows, work_of_windows
from tf_tconv.lowerings.work import Sizes, Work


def lower(x: Any, w: Any, rows: AxisRelations, columns: AxisRelations, bias: Any = None) -> Any:
    """The transposed convolution of `x` with `w`; see `tf_tconv.lowerings` for the contract."""
    down, across = rows.phase_grid(), columns.phase_grid()
    return convolve_windows(x, w, down, across, down.windows(), across.windows(), bias)


def work(call: Sizes) -> Work:
    """What that takes for a call of these sizes."""
    down, across = call.rows.phase_grid(), call.columns.phase_grid()
    return work_of_windows(call, down, across, down.windows(), across.windows())
