"""How numbers are shown, and what is too much to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_tconv.explain.numbers import Term, Window
from tf_tconv.geometry import AxisGeometry

MOST_ROWS, MOST_COLUMNS = 40, 40
"""Cells of one grid that are still legible."""


class TooLarge(ValueError):
    """A grid has too many cells to be read."""


def shown(value: Any, digits: int = 4) -> str:
    """A number, as short as so many significant digits of it can be said."""
    number = float(value)
    if number.is_integer() and abs(number) < 1e6:
        return str(int(number))
    return f"{number:.{digits}g}"


def check_legible(what: str, size: Sequence[int], where: str) -> None:
    """That a grid can be read.

    Args:
        what: the grid, for the message.
        size: its rows and columns.
        where: the attribute that holds its numbers.

    Raises:
        TooLarge: it has too many rows or columns.
    """
    if size[0] > MOST_ROWS or size[1] > MOST_COLUMNS:
        raise TooLarge(
            f"{what} of {size[0]} x {size[1]} cells is too large to read; at most {MOST_ROWS} x "
            f"{MOST_COLUMNS} are shown. Its numbers are in {where}, and those of one output cell "
            "in trace.window((row, column)); to see a picture, trace a smaller input, such as "
            "input[:, :3, :3, :]."
        )


def product(term: Term, times: str = "*") -> str:
    """A product, tap first, as in "2*9"."""
    return f"{_factor(term.w)}{times}{_factor(term.x)}"


def equation(window: Window, most: int = 24, times: str = "*") -> str:
    """The products of a window and their sum, as in "2*9 = 18"; the middle left out if long."""
    terms = [product(term, times) for term in window.terms]
    if len(terms) > most:
        terms[most // 2 : -(most // 2)] = ["..."]
    return f"{' + '.join(terms)} = {shown(window.sum)}" if terms else "0"


def padding_text(padding: Any) -> str:
    """A padding as `tf_tconv.conv2d_transpose` takes it, in one form whatever it came in."""
    return padding if isinstance(padding, str) else str([list(pair) for pair in padding])


def axis_lines(name: str, axis: AxisGeometry) -> list[str]:
    """The geometry of one axis, in words."""
    effective = f" (effective {axis.effective_kernel})" if axis.dilation > 1 else ""
    return [
        f"  {name}: {axis.input_size} -> {axis.output_size} cells, kernel {axis.kernel_size}"
        f"{effective}, stride {axis.stride}, dilation {axis.dilation}",
        f"    the forward convolution pads {axis.pad_before} before and {axis.pad_after} after",
        f"    so zeros: {axis.stride - 1} between inputs, {_outer(axis.lead)} before them (lead), "
        f"{_outer(axis.trail)} after (trail)",
    ]


def _outer(zeros: int) -> str:
    return str(zeros) if zeros >= 0 else f"{zeros}, a crop,"


def _factor(value: float) -> str:
    text = shown(value)
    return f"({text})" if text.startswith("-") else text
