"""One convolution at stride 1 for each window of phases: what the gathering lowerings share.

They differ only in which phases share a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import PhaseGrid, Window
from tf_tconv.lowerings.convolution import convolve
from tf_tconv.lowerings.interleaving import as_lines, side_by_side, step_counts, to_cells
from tf_tconv.lowerings.kernels import phase_kernel, phases_first, window_taps
from tf_tconv.lowerings.shapes import sizes


def convolve_windows(
    x: Any,
    w: Any,
    rows: PhaseGrid,
    columns: PhaseGrid,
    row_windows: Sequence[Window],
    column_windows: Sequence[Window],
) -> Any:
    """The transposed convolution of `x` with `w`, a convolution for each pair of windows.

    Args:
        x: `[batch, input height, input width, in]`.
        w: `[kernel height, kernel width, out, in / groups]`.
        rows: the phases of the height.
        columns: the phases of the width.
        row_windows: the windows of the height.
        column_windows: the windows of the width.

    Returns:
        `[batch, output height, output width, out]`.
    """
    batch, _, _, channels = sizes(x)
    _, _, out, per_group = sizes(w)
    groups = channels // per_group
    steps_down, steps_across = step_counts(x, rows, columns)
    bands = []
    for down in row_windows:
        pieces = []
        for across in column_windows:
            kernel = phase_kernel(w, window_taps(rows, down), window_taps(columns, across), groups)
            y = convolve(
                x,
                kernel,
                rows.around(down.blocks),
                columns.around(across.blocks),
                dilations=(down.blocks.step, across.blocks.step),
            )
            # [batch, steps down, steps across, phases down * phases across * out]
            y = phases_first(y, groups, len(down.phases) * len(across.phases))
            shape = [batch, steps_down, steps_across, len(down.phases), len(across.phases) * out]
            pieces.append((across.phases, tf.reshape(y, shape)))
        steps = side_by_side(pieces, columns.stride, axis=4, unit=out)
        bands.append((down.phases, as_lines(steps)))
    return to_cells(side_by_side(bands, rows.stride, axis=2), rows, columns, out)
