"""What a picture is made of: boxes, labels and lines in units of a cell, coloured by their role.

No drawing library is known here, so that one description serves a figure, a film and a web page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """Of a role: as a fill, and of the text on it.

    Args:
        fill: "#rrggbb".
        ink: "#rrggbb".
    """

    fill: str
    ink: str


LIGHT = {
    "paper": Colours("#fcfcfa", "#1d2430"),
    "faint": Colours("#f1f2f4", "#646d7c"),
    "value": Colours("#cbe1f7", "#0b3a66"),
    "inserted": Colours("#ffffff", "#6c7585"),
    "lead": Colours("#fddcb4", "#8f4700"),
    "trail": Colours("#e4d8f6", "#573591"),
    "kernel": Colours("#cfecd5", "#12502b"),
    "output": Colours("#fbeeb2", "#574300"),
    "accent": Colours("#d02f5c", "#c01f4e"),
    "line": Colours("#b9c0cb", "#b9c0cb"),
    "ink": Colours("#3d4759", "#3d4759"),
    "phase0": Colours("#cfecd5", "#12502b"),
    "phase1": Colours("#fddcb4", "#8f4700"),
    "phase2": Colours("#e4d8f6", "#573591"),
    "phase3": Colours("#f6d3e2", "#86174b"),
    "phase4": Colours("#fbeeb2", "#574300"),
    "phase5": Colours("#c9ecee", "#0d4b50"),
    "phase6": Colours("#e5dccf", "#54401f"),
    "phase7": Colours("#dfe3ea", "#2f3a4c"),
}
DARK = {
    "paper": Colours("#171a21", "#e6e9ef"),
    "faint": Colours("#20242d", "#8b94a5"),
    "value": Colours("#1f4266", "#d3e7fb"),
    "inserted": Colours("#1c2028", "#858fa0"),
    "lead": Colours("#6a3d0c", "#ffdfb8"),
    "trail": Colours("#44316b", "#e6dafb"),
    "kernel": Colours("#1f4d2f", "#d2f2da"),
    "output": Colours("#574912", "#fdf0b6"),
    "accent": Colours("#ff6f93", "#ff8aa8"),
    "line": Colours("#4a5262", "#4a5262"),
    "ink": Colours("#c3cad6", "#c3cad6"),
    "phase0": Colours("#1f4d2f", "#d2f2da"),
    "phase1": Colours("#6a3d0c", "#ffdfb8"),
    "phase2": Colours("#44316b", "#e6dafb"),
    "phase3": Colours("#662043", "#fbd5e5"),
    "phase4": Colours("#574912", "#fdf0b6"),
    "phase5": Colours("#144a4f", "#c9f2f5"),
    "phase6": Colours("#4b3d28", "#efe4d3"),
    "phase7": Colours("#343d4d", "#dfe5ef"),
}
PHASES = [role for role in LIGHT if role.startswith("phase")]


@dataclass(frozen=True)
class Box:
    """A rectangle.

    Args:
        x: left edge, in cells.
        y: upper edge, in cells from the top.
        width: in cells.
        height: in cells.
        role: whose fill it has; `None` leaves it open.
        edge: whose fill the outline has; `None` means none.
        thickness: of the outline, in cells.
        dashed: whether the outline is.
    """

    x: float
    y: float
    width: float
    height: float
    role: str | None = None
    edge: str | None = "line"
    thickness: float = 0.025
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """A line of text.

    Args:
        x: of its anchor, in cells.
        y: of its middle, in cells from the top.
        text: what it says.
        role: whose ink it has.
        size: height of the letters' body, in cells.
        anchor: "start", "middle" or "end" of the text stands at `x`.
        bold: whether it is.
    """

    x: float
    y: float
    text: str
    role: str = "paper"
    size: float = 0.42
    anchor: str = "middle"
    bold: bool = False


Item = Box | Label


@dataclass(frozen=True)
class Timed:
    """Items to be seen in the frames ``start .. stop-1`` of a film."""

    start: int
    stop: int
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Picture:
    """A picture, and the film of it.

    Args:
        width: in cells.
        height: in cells.
        base: what is always there.
        timed: what comes and goes in the film.
        frames: how many the film has.
        still: what to add to `base` to show one output cell.
        title: what it shows, for those who can't see it.
    """

    width: float
    height: float
    base: tuple[Item, ...]
    timed: tuple[Timed, ...]
    frames: int
    still: Callable[[tuple[int, int]], tuple[Item, ...]]
    title: str

    def lasting(self, frame: int) -> list[Item]:
        """What appears in one frame of the film and stays to the end."""
        return [item for t in self.timed if t.start == frame and self._lasts(t) for item in t.items]

    def passing(self, frame: int) -> list[Item]:
        """What else one frame of the film adds to `base`."""
        return [
            item
            for timed in self.timed
            if timed.start <= frame < timed.stop and not self._lasts(timed)
            for item in timed.items
        ]

    def _lasts(self, timed: Timed) -> bool:
        return timed.stop == self.frames

    @property
    def seconds(self) -> float:
        """How long a frame of the film stays."""
        return min(max(24 / max(self.frames, 1), 0.25), 1.2)


def fitting(texts: Iterable[str]) -> float:
    """The size of letters in which the longest of some texts fits into a cell."""
    return min(0.42, 1.45 / max((len(text) for text in texts), default=1))


def number(x: float, y: float, text: str, role: str, size: float) -> tuple[Box, Label]:
    """A cell with a number."""
    return Box(x, y, 1, 1, role), Label(x + 0.5, y + 0.5, text, role, size)


def outline(x: float, y: float, width: float = 1, height: float = 1, dashed: bool = False) -> Box:
    """A strong frame around cells."""
    return Box(x, y, width, height, None, "accent", 0.09, dashed)


def extent(items: Iterable[Item]) -> float:
    """The right end of the boxes and labels that start on the left, in cells, letters estimated."""
    ends = [0.0]
    for item in items:
        if isinstance(item, Box):
            ends.append(item.x + item.width)
        elif item.anchor == "start":
            ends.append(item.x + 0.56 * item.size * len(item.text))
        elif item.anchor == "middle":
            ends.append(item.x + 0.28 * item.size * len(item.text))
    return max(ends)
