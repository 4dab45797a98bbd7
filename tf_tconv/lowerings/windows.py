"""One convolution at stride 1 for each window of phases: what the gathering lowerings share.

They differ only in which phases share a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tf_tconv.geometry import PhaseGrid, Window
from tf_tconv.lowerings.convolution import convolve
from tf_tconv.lowerings.interleaving import (
    as_lines,
    side_by_side,
    step_counts,
    steps_of,
    to_cells,
    work_of_cropping,
)
from tf_tconv.lowerings.kernels import (
    add_bias,
    phase_kernel,
    phases_first,
    window_taps,
    work_of_kernel,
)
from tf_tconv.lowerings.shapes import quotient, reshape, sizes, times
from tf_tconv.lowerings.work import Convolution, Copy, Sizes, Step, Work


def convolve_windows(
    x: Any,
    w: Any,
    rows: PhaseGrid,
    columns: PhaseGrid,
    row_windows: Sequence[Window],
    column_windows: Sequence[Window],
    bias: Any = None,
    convolve: Callable[..., Any] = convolve,
) -> Any:
    """The transposed convolution of `x` with `w`, a convolution for each pair of windows.

    Args:
        x: `[batch, input height, input width, in]`.
        w: `[kernel height, kernel width, out, in / groups]`.
        rows: the phases of the height.
        columns: the phases of the width.
        row_windows: the windows of the height.
        column_windows: the windows of the width.
        bias: `[out]`, added to what each convolution gives; `None` for none.
        convolve: computes each of the convolutions.

    Returns:
        `[batch, output height, output width, out]`.
    """
    batch, _, _, channels = sizes(x)
    _, _, out, per_group = sizes(w)
    groups = quotient(channels, per_group)
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
                reshaped=True,
            )
            phases = len(down.phases) * len(across.phases)
            # [batch, steps down, steps across, phases down * phases across * out]
            y = phases_first(add_bias(y, bias, phases, groups), groups, phases)
            shape = [
                times(batch, steps_down),
                steps_across,
                len(down.phases),
                times(len(across.phases), out),
            ]
            pieces.append((across.phases, reshape(y, shape)))
        steps = side_by_side(pieces, columns.stride, axis=3, unit=out)
        bands.append((down.phases, as_lines(steps)))
    return to_cells(side_by_side(bands, rows.stride, axis=1), x, rows, columns, out)


def work_of_windows(
    call: Sizes,
    rows: PhaseGrid,
    columns: PhaseGrid,
    row_windows: Sequence[Window],
    column_windows: Sequence[Window],
) -> Work:
    """What `convolve_windows` does."""
    steps_down, steps_across = steps_of(call, rows, columns)
    windows = call.batch * steps_down * steps_across
    steps: list[Step] = []
    for down in row_windows:
        for across in column_windows:
            phases = len(down.phases) * len(across.phases)
            taps = window_taps(rows, down), window_taps(columns, across)
            steps.extend(work_of_kernel(call, *taps))
            steps.append(
                Convolution(
                    windows,
                    taps=len(down.blocks) * len(across.blocks),
                    depth=call.in_channels // call.groups,
                    channels=phases * call.out_channels,
                    read=call.inputs,
                    padded=windows,
                )
            )
    whole = windows * rows.stride * columns.stride * call.out_channels
    held = whole
    if len(column_windows) > 1:
        steps.append(Copy(whole, whole, call.out_channels))
    line = columns.stride * call.out_channels
    if any(len(down.phases) > 1 for down in row_windows):
        steps.append(Copy(whole, whole, line))
    if len(row_windows) > 1:
        steps.append(Copy(whole, whole, steps_across * line))
    cropping = work_of_cropping(call, rows, columns)
    passes = len([step for step in steps if isinstance(step, Copy) and step.read == whole])
    if passes + len(cropping) > 1:
        held += whole
    return Work((*steps, *cropping), held + max(s.written for s in steps if isinstance(s, Copy)))
