"""The scattering algorithm: products of inputs and taps, moved by whole steps and added up.

`overlap_add` and `block_matmul` are this one algorithm. They differ in the order in which steps and
phases stand while they are added.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from tf_tconv.geometry import Size
from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import times
from tf_tconv.phases import Block, PhaseGrid

Image = Callable[[tuple[Block, ...]], Array]
"""The products of a block an axis with all inputs."""


def sum_of_blocks(
    ops: Ops, image: Image, grids: Sequence[PhaseGrid], out: Size, order: Sequence[int]
) -> Array:
    """All blocks' products, each at its step and phase, added up.

    Args:
        ops: what an array is.
        image: gives, of a block an axis, its products: `[batch, *cells, *taps]`, the taps of the
            last axis times `out`, in the order that `order` says.
        grids: the phases of each axis.
        out: the number of channels.
        order: where the axes of `[batch, *cells, *taps]` stand.

    Returns:
        In the same order, with steps for cells and phases for taps.
    """
    images = []
    for blocks in itertools.product(*(grid.blocks() for grid in grids)):
        amounts = around_blocks(grids, blocks, out)
        images.append(pad_or_crop(ops, image(blocks), [amounts[axis] for axis in order]))
    return ops.add(images)


def around_blocks(
    grids: Sequence[PhaseGrid], blocks: Sequence[Block], out: Size
) -> list[tuple[Size, Size]]:
    """How much of all steps and phases lies before and behind a block an axis.

    Args:
        grids: the phases of each axis.
        blocks: a block of each axis.
        out: the number of channels.

    Returns:
        (before, after) for the axes of `[batch, *steps, *phases]`, the phases of the last axis
        times `out`.
    """
    pairs = list(zip(grids, blocks, strict=True))
    steps = [grid.around(block.steps) for grid, block in pairs]
    phases: list[tuple[Size, Size]] = [grid.missing(block) for grid, block in pairs]
    before, after = phases[-1]
    phases[-1] = (times(before, out), times(after, out))
    return [(0, 0), *steps, *phases]


def around_taps(blocks: Sequence[Block], kernel: Sequence[int]) -> list[tuple[int, int]]:
    """How many taps of each axis of the kernel lie (before, after) those of a block."""
    return [
        (block.taps.start, size - block.taps.stop)
        for block, size in zip(blocks, kernel, strict=True)
    ]
