"""Images of the kernel's blocks, moved by whole steps and added: what the scatterers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import Block, PhaseGrid
from tf_tconv.lowerings.interleaving import steps_of
from tf_tconv.lowerings.padding import pad_or_crop_axes
from tf_tconv.lowerings.shapes import times
from tf_tconv.lowerings.work import Copy, Sizes, Step


def sum_of_blocks(
    image: Callable[[Block, Block], Any],
    rows: PhaseGrid,
    columns: PhaseGrid,
    out: Any,
    lines_in_place: bool,
) -> Any:
    """All blocks' products, each at its step and phase, added up.

    Args:
        image: gives, of a block down and one across, the products with all inputs: `[batch, height,
            width, taps down, taps across * out]`, or with `lines_in_place` `[batch, height, taps
            down, width, taps across * out]`.
        rows: the phases of the height.
        columns: the phases of the width.
        out: the number of channels.
        lines_in_place: which of the two orders the images have.

    Returns:
        In the same order, with steps for inputs and phases for taps.
    """
    images = []
    for down in rows.blocks():
        for across in columns.blocks():
            amounts = around_block(rows, columns, down, across, out)
            if lines_in_place:
                amounts[2], amounts[3] = amounts[3], amounts[2]
            images.append(pad_or_crop_axes(image(down, across), amounts))
    return tf.add_n(images)


def around_block(
    rows: PhaseGrid, columns: PhaseGrid, down: Block, across: Block, out: Any
) -> list[tuple[Any, Any]]:
    """How much of all steps and phases lies before and behind a block's.

    Args:
        rows: the phases of the height.
        columns: the phases of the width.
        down: a block of the height.
        across: a block of the width.
        out: the number of channels.

    Returns:
        Pairs for the axes `[batch, steps down, steps across, phases down, phases across * out]`.
    """
    before, after = columns.missing(across)
    return [
        (0, 0),
        rows.around(down.steps),
        columns.around(across.steps),
        rows.missing(down),
        (times(before, out), times(after, out)),
    ]


def work_of_sum(call: Sizes, rows: PhaseGrid, columns: PhaseGrid) -> tuple[Step, ...]:
    """What `sum_of_blocks` copies and adds, the images apart."""
    steps_down, steps_across = steps_of(call, rows, columns)
    out = call.out_channels
    whole = call.batch * steps_down * steps_across * rows.stride * columns.stride * out
    steps: list[Step] = []
    blocks = 0
    for down in rows.blocks():
        for across in columns.blocks():
            blocks += 1
            moved = (*rows.around(down.steps), *columns.around(across.steps))
            if any((*moved, *rows.missing(down), *columns.missing(across))):
                taps = len(down.taps) * len(across.taps)
                steps.append(Copy(call.pixels * taps * out, whole, len(across.taps) * out))
    if blocks > 1:
        steps.append(Copy(blocks * whole, whole, whole))
    return tuple(steps)
