"""Blocks of cells side by side, under a title and over a line that says what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tf_tconv.explain.scene import Box, Item, Label, Picture, Timed, extent

GAP, MARGIN = 1.3, 0.7  # In cells.

Cell = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """A grid with a heading.

    Args:
        heading: above it.
        rows: its height, in cells.
        columns: its width, in cells.
        note: a second, smaller heading.
    """

    heading: str
    rows: float
    columns: float
    note: str = ""


class Layout:
    """Blocks from left to right under a title, and a line below for the cell shown.

    Args:
        title: of the view.
        subtitle: the lines below it.
        blocks: from left to right.
        legend: roles and what they mean.
    """

    def __init__(
        self,
        title: str,
        subtitle: Sequence[str],
        blocks: Sequence[Block],
        legend: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.title = title
        self.items: list[Item] = [Label(MARGIN, 0.85, title, size=0.62, anchor="start", bold=True)]
        for line, text in enumerate(subtitle):
            self.items.append(Label(MARGIN, 1.65 + 0.62 * line, text, "faint", 0.42, "start"))
        noted = any(block.note for block in blocks)
        top = 2.5 + 0.62 * len(subtitle) + 0.5 * noted
        tallest = max(block.rows for block in blocks)
        self.corners: list[tuple[float, float]] = []
        x = MARGIN
        for block in blocks:
            letters = max(0.45 * len(block.heading), 0.33 * len(block.note)) * 0.58
            width = max(block.columns, letters)
            corner = (x + (width - block.columns) / 2, top + (tallest - block.rows) / 2)
            middle = x + width / 2
            heading = corner[1] - 0.45 - 0.5 * bool(block.note)
            self.items.append(Label(middle, heading, block.heading, size=0.45, bold=True))
            if block.note:
                self.items.append(Label(middle, corner[1] - 0.42, block.note, "faint", 0.33))
            self.corners.append(corner)
            x += width + GAP
        self.line = top + tallest + 1.0
        self.bottom = self.line + 0.8
        if legend:
            self._add_legend(legend)

    def _add_legend(self, legend: Sequence[tuple[str, str]]) -> None:
        x, y = MARGIN, self.line + 0.95
        for role, text in legend:
            self.items.append(Box(x, y - 0.28, 0.56, 0.56, role))
            self.items.append(Label(x + 0.75, y, text, size=0.38, anchor="start"))
            x += 1.35 + 0.38 * 0.56 * len(text)
        self.bottom = y + 0.85

    def say(self, text: str) -> Label:
        """The line below the blocks."""
        return Label(MARGIN, self.line, text, size=0.5, anchor="start", bold=True)

    def picture(
        self,
        timed: Sequence[Timed],
        frames: int,
        still: Callable[[Cell], tuple[Item, ...]],
        longest: str = "",
    ) -> Picture:
        """The picture, wide enough for its longest line."""
        width = max(extent(self.items), extent([self.say(longest)])) + MARGIN
        return Picture(
            width, self.bottom, tuple(self.items), tuple(timed), frames, still, self.title
        )
