"""Tables of the commands, which never cut what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

BOUNDLESS = 10_000
"""Columns of what is not a terminal: a file or another program, which may cut for themselves."""

GAP = 2


def screen() -> Console:
    """Standard output, as wide as the terminal is; boundless where there is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(width=BOUNDLESS, highlight=False)


@dataclass(frozen=True)
class Row:
    """A row of a `Sheet`.

    Args:
        cells: texts, a column each; the first is the row's name.
        under: what else names it, below the first cell.
        style: of the row, in Rich's words.
        styles: of single cells, by their heading.
    """

    cells: Sequence[str]
    under: str = ""
    style: str = ""
    styles: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Sheet:
    """A table where it fits; else each row in lines of its own, every value with its heading.

    Args:
        title: the line above.
        head: headings, which may have several lines, none for a remark.
        rows: what stands below.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A table, or lines, by the width that there is."""
        yield Text(self.title, style="italic")
        if self.width <= options.max_width:
            yield self._table()
        else:
            for row in self.rows:
                yield from self._lines(row, options.max_width)

    @property
    def width(self) -> int:
        """Columns that the table takes at least: remarks may be wrapped, between words."""
        lengths = []
        for number, heading in enumerate(self.head):
            parts = [
                part
                for text in (heading, *(row.cells[number] for row in self.rows))
                for part in text.split("\n" if heading else None)
            ]
            lengths.append(max(map(len, parts), default=0))
        lengths[0] = max([lengths[0], *(len(row.under) for row in self.rows)])
        return sum(lengths) + GAP * (len(lengths) - 1)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        for number, heading in enumerate(self.head):
            left = number == 0 or not heading
            side: Literal["left", "right"] = "left" if left else "right"
            table.add_column(Text(heading), justify=side, no_wrap=bool(heading))
        for row in self.rows:
            styles = dict(row.styles)
            cells = [
                Text(text, style=styles.get(heading, ""))
                for heading, text in zip(self.head, row.cells, strict=True)
            ]
            if row.under:
                cells[0].append(f"\n{row.under}", style="dim")
            table.add_row(*cells, style=row.style)
        return table

    def _lines(self, row: Row, width: int) -> Iterator[Text]:
        """The name, then the values, as many a line as fit."""
        name = Text(row.cells[0], style=f"bold {row.style}".strip())
        if row.under:
            apart = len(row.cells[0]) + GAP + len(row.under) > width
            name.append("\n" if apart else " " * GAP)
            name.append(row.under, style="dim")
        name.overflow = "fold"
        yield name
        styles = dict(row.styles)
        line = Text()
        for heading, text in zip(self.head[1:], row.cells[1:], strict=True):
            if not text:
                continue
            label = _joined(heading)
            part = Text(f"{label} " if label else "", style="dim")
            part.append(text, style=styles.get(heading, row.style) or "not dim")
            if line and GAP + len(line) + GAP + len(part) > width:
                yield _indented(line)
                line = Text()
            if line:
                line.append(" " * GAP)
            line.append_text(part)
        if line:
            yield _indented(line)


def _joined(heading: str) -> str:
    """A heading of several lines in one: "quar-" and "tiles" are one word."""
    return heading.replace("-\n", "").replace("\n/", "/").replace("\n", " ")


def _indented(line: Text) -> Text:
    made = Text(" " * GAP)
    made.append_text(line)
    made.overflow = "fold"
    return made
