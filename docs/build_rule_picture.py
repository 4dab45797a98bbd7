"""Writes docs/rule.svg: the padding asymmetry of one axis, forward and transposed.

Usage: python docs/build_rule_picture.py [--check]

`--check` writes nothing and exits 1 where the picture differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tf_tconv import AxisGeometry, transpose_geometry
from tf_tconv.explain import svg
from tf_tconv.explain.scene import Box, Item, Label, Picture, number, outline

PICTURE = Path(__file__).with_name("rule.svg")

LEFT, TEXT = 0.6, 9.6
"""Where the first cell of the padded input stands, and the words beside the cells."""

SIZE = 0.42


def forward(axis: AxisGeometry, top: float) -> list[Item]:
    """The convolution from output cells to input cells, with what it pads."""
    items: list[Item] = [Label(LEFT, top, "Forward convolution, SAME", size=0.5, anchor="start")]
    # Output cell t stands above the middle of the transposed convolution's window for it.
    first = LEFT + (axis.effective_kernel - 1) / 2
    for cell in range(-axis.pad_before, axis.output_size + axis.pad_after):
        role = "lead" if cell < 0 else "trail" if cell >= axis.output_size else "output"
        text = f"y{cell}" if role == "output" else "0"
        items += number(first + cell, top + 0.6, text, role, SIZE)
    for window in range(axis.input_size):
        start = first + window * axis.stride - axis.pad_before
        level = top + 1.76 + 0.46 * (window % 2)
        items.append(Box(start + 0.06, level, axis.effective_kernel - 0.12, 0.4, "kernel"))
        middle = start + (axis.effective_kernel - 1) / 2
        items.append(Label(middle + 0.5, level + 0.2, "kernel", "kernel", 0.3))
        items += number(middle, top + 2.85, f"x{window}", "value", SIZE)
    return items


def transposed(axis: AxisGeometry, top: float) -> list[Item]:
    """The zero-insertion form: padded input, first and last window, output."""
    items: list[Item] = [Label(LEFT, top, "Its transpose", size=0.5, anchor="start")]
    last = (axis.input_size - 1) * axis.stride
    for place in range(axis.lead + last + 1 + axis.trail):
        cell = place - axis.lead
        role = "lead" if cell < 0 else "trail" if cell > last else "inserted"
        role = "value" if role == "inserted" and cell % axis.stride == 0 else role
        text = f"x{cell // axis.stride}" if role == "value" else "0"
        items += number(LEFT + place, top + 0.6, text, role, SIZE)
    for cell in (0, axis.output_size - 1):
        items.append(outline(LEFT + cell, top + 0.6, axis.effective_kernel))
    for cell in range(axis.output_size):
        place = LEFT + cell + (axis.effective_kernel - 1) / 2
        items += number(place, top + 2.1, f"y{cell}", "output", SIZE)
    return items


def words(top: float, lines: list[tuple[str, bool]]) -> list[Item]:
    """Lines beside the cells."""
    return [
        Label(TEXT, top + 0.6 * at, line, "paper" if bold else "ink", 0.4, "start", bold)
        for at, (line, bold) in enumerate(lines)
    ]


def compose(axis: AxisGeometry) -> Picture:
    """Both halves, for an axis whose forward padding is odd."""
    total = axis.pad_before + axis.pad_after
    middle = 5.1
    items = [
        *forward(axis, 0.7),
        *words(
            1.5,
            [
                (
                    f"{axis.output_size} → {axis.input_size} cells, kernel {axis.kernel_size}, ",
                    False,
                ),
                (f"stride {axis.stride}. It pads {total}, an odd number:", False),
                (f"{axis.pad_before} before, {axis.pad_after} after.", True),
                ("The odd zero is at the end.", True),
            ],
        ),
        *transposed(axis, middle),
        *words(
            middle + 0.8,
            [
                (f"{axis.input_size} → {axis.output_size} cells. What the forward one", False),
                ("pads, the transpose pads less:", False),
                (f"{axis.lead} before, {axis.trail} after.", True),
                ("The odd zero is at the beginning.", True),
            ],
        ),
    ]
    title = (
        f"Forward, {axis.output_size} cells become {axis.input_size}, padded {axis.pad_before} "
        f"before and {axis.pad_after} after; transposed, {axis.input_size} become "
        f"{axis.output_size}, with {axis.lead} zeros before and {axis.trail} after."
    )
    return Picture(17.6, 8.7, tuple(items), (), 1, lambda cell: (), title)


def build() -> str:
    """The picture of kernel 3, stride 2, 3 to 6 cells."""
    return svg.draw(compose(transpose_geometry(3, kernel_size=3, stride=2)), (0, 0))


def main() -> int:
    """Writes the picture, or checks it."""
    parser = argparse.ArgumentParser(description="Write the picture of the rule.")
    parser.add_argument("--check", action="store_true", help="only tell whether it would change")
    check = parser.parse_args().check
    picture = build()
    if not check:
        PICTURE.write_text(picture, encoding="utf-8")
        return 0
    if not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != picture:
        print(f"{PICTURE.name} is not what {Path(__file__).name} draws; run it without --check.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
