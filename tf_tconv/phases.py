"""Phases and blocks: a transposed convolution's axis without its stride, step 7 of the derivation.

Output cells that are a stride apart, a *phase*, meet the same taps. Gathered by phases, the
transposed convolution is a few convolutions at stride 1, each over a *window* of the input;
scattered by *blocks* of neighbouring taps it is a few products, each moved by whole steps. Which
taps, phases, windows and blocks there are, and what surrounds them, is said here and nowhere else;
the derivation is in `tf_tconv.geometry`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tf_tconv.geometry import AxisGeometry, Size

Quotient = Callable[..., Size]
"""The integer part of a size over another, rounded down; see `tf_tconv.ops.Ops.quotient`."""


def _floor(a: Size, b: Size, least: int = 0) -> Size:
    return a // b


def fills_phases(axis: AxisGeometry) -> bool:
    """Whether a tap falls on each of the ``s`` phases; the kernel's size must be an int."""
    return bool(axis.kernel_size >= axis.stride) and math.gcd(axis.stride, axis.dilation) == 1


@dataclass(frozen=True)
class Window:
    """Phases that one convolution at stride 1 computes: those that read the same inputs.

    Args:
        phases: which phases.
        blocks: step ``q`` reads the inputs ``q - b``, one for each ``b`` of these.
    """

    phases: range
    blocks: range


@dataclass(frozen=True)
class Block:
    """Neighbouring taps whose products go to neighbouring phases of one step.

    Args:
        index: ``b``; the products with input ``j`` belong to step ``j + b``.
        taps: which taps.
        phase: the phase that the first of them goes to; the next one goes to the next.
    """

    index: int
    taps: range
    phase: int

    @property
    def steps(self) -> range:
        """The one block, as `PhaseGrid.around` takes it."""
        return range(self.index, self.index + 1)


@dataclass(frozen=True)
class PhaseGrid:
    """The output of one axis as steps of ``s`` phases, in which no stride is left.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, cells of a step, and so the number of phases.
        dilation: ``d``, cells from one tap to the next.
        offset: ``f``; where phase 0 stands, see step 7 of the derivation.
        first: the first step that holds an output cell.
        more: how many steps there are more than inputs.
        crop: cells (before, after) to drop from all steps to have the output.

    Example:
        Kernel 5, stride 2, SAME: phase 0 has the taps 1 and 3, phase 1 the taps 0, 2 and 4.

        >>> from tf_tconv import transpose_geometry
        >>> grid = phase_grid(transpose_geometry(4, kernel_size=5, stride=2))
        >>> for window in grid.windows():
        ...     print([grid.tap(b, window.phases[0]) for b in window.blocks], window.blocks)
        [1, 3] range(0, 2)
        [0, 2, 4] range(-1, 2)
    """

    kernel_size: int
    stride: int
    dilation: int
    offset: int
    first: Size
    more: Size
    crop: tuple[Size, Size]

    def position(self, tap: int) -> tuple[int, int]:
        """Block and phase of a tap."""
        return divmod(tap * self.dilation - self.offset, self.stride)

    def tap(self, block: int, phase: int) -> int | None:
        """The tap of a block and phase, if there is one."""
        tap, rest = divmod(block * self.stride + phase + self.offset, self.dilation)
        return tap if rest == 0 and 0 <= tap < self.kernel_size else None

    @property
    def block_range(self) -> range:
        """The blocks from the first tap's to the last one's."""
        return range(self.position(0)[0], self.position(self.kernel_size - 1)[0] + 1)

    def windows(self, joined: bool = False) -> tuple[Window, ...]:
        """The phases that have taps, in order: each alone, or all `joined` in one window.

        A joined window has cells for the taps that some phase has and another has not. With
        dilation the phases read inputs too far apart for that, and stay alone.
        """
        blocks: dict[int, list[int]] = {}
        for tap in range(self.kernel_size):
            block, phase = self.position(tap)
            blocks.setdefault(phase, []).append(block)
        if joined and self.dilation == 1:
            return (Window(range(min(blocks), max(blocks) + 1), self.block_range),)
        return tuple(
            Window(range(phase, phase + 1), _progression(blocks[phase])) for phase in sorted(blocks)
        )

    def blocks(self) -> tuple[Block, ...]:
        """All taps, in order, in runs that stay together; with dilation each is alone."""
        starts = [
            tap
            for tap in range(self.kernel_size)
            if tap == 0 or self.dilation > 1 or self.position(tap)[1] == 0
        ]
        stops = [*starts[1:], self.kernel_size]
        return tuple(
            Block(block, range(start, stop), phase)
            for start, stop in zip(starts, stops, strict=True)
            for block, phase in [self.position(start)]
        )

    def missing(self, block: Block) -> tuple[int, int]:
        """How many of a step's phases lie (before, after) those of `block`."""
        return block.phase, self.stride - block.phase - len(block.taps)

    def around(self, blocks: range) -> tuple[Size, Size]:
        """Zeros (before, after) the inputs, so that all steps find what `blocks` reads.

        And, of one block's products, the zeros around them that put each at its step. Negative:
        cells to crop.
        """
        return blocks[-1] - self.first, self.first + self.more - blocks[0]


def phase_grid(axis: AxisGeometry, compact: bool = False, quotient: Quotient = _floor) -> PhaseGrid:
    """The output of an axis as steps of phases: step 7 of the derivation.

    The kernel's size must be an int. All but the sizes is one too wherever `pad_before` and
    `surplus` are; where `pad_before` is known only at run time, what depends on it is a scalar.

    Args:
        axis: the geometry.
        compact: choose the offset with which the taps lie in fewest blocks. Else, and where it
            makes no difference, it is the one whose first phase is the first output cell, so that
            nothing has to be cropped before it.
        quotient: the division of sizes that are scalars of a run.

    Example:
        >>> from tf_tconv import transpose_geometry
        >>> phase_grid(transpose_geometry(4, kernel_size=4, stride=2), compact=True).block_range
        range(0, 2)
    """
    return _known_grid(axis, compact) if axis.is_known else _grid(axis, compact, quotient)


@lru_cache(maxsize=4096)
def _known_grid(axis: AxisGeometry, compact: bool) -> PhaseGrid:
    return _grid(axis, compact, _floor)


def _grid(axis: AxisGeometry, compact: bool, quotient: Quotient) -> PhaseGrid:
    if not isinstance(axis.pad_before, int):
        return _grid_from(axis, 0, quotient)
    grid = _grid_from(axis, axis.pad_before % axis.stride, quotient)
    if compact and axis.dilation == 1:
        aligned = _grid_from(axis, 0, quotient)
        if len(aligned.block_range) < len(grid.block_range):
            return aligned
    return grid


def _grid_from(axis: AxisGeometry, offset: int, quotient: Quotient) -> PhaseGrid:
    """The phases counted from an offset."""
    first = quotient(axis.pad_before - offset, axis.stride)
    crop = axis.pad_before - offset - first * axis.stride
    # Rounded up. What is padded leaves a legal output no less than this.
    pads = (axis.pad_before, axis.pad_after)
    least = axis.effective_kernel - sum(pads) if all(isinstance(p, int) for p in pads) else 1
    last = crop + axis.surplus + axis.stride - 1
    steps_of_last = quotient(last, axis.stride, least)
    behind = steps_of_last * axis.stride - crop - axis.surplus
    return PhaseGrid(
        axis.kernel_size,
        axis.stride,
        axis.dilation,
        offset,
        first,
        steps_of_last - 1,
        (crop, behind),
    )


def _progression(numbers: Sequence[int]) -> range:
    """Numbers of equal distance as a range."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    return range(numbers[0], numbers[-1] + 1, step)
