"""Writes the computed parts of docs/padding_asymmetry.md.

Usage: python docs/build_padding_page.py [--check]

Between `<!-- computed: NAME -->` and `<!-- end -->` stands what the function NAME returns; all else
is written by hand. `--check` writes nothing and exits 1 where the page differs.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_tconv import AxisGeometry, legal_output_sizes, transpose_geometry

PAGE = Path(__file__).with_name("padding_asymmetry.md")
BLOCK = re.compile(r"(<!-- computed: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

INPUT, KERNEL, STRIDE = (1, 2, 3), (4, 5, 6), 2
"""The example that is worked by hand."""


@dataclass(frozen=True)
class Translation:
    """One axis of a call in another framework's words.

    Args:
        framework: whose.
        call: the function, and how it has its kernel.
        arguments: expressions in Python by their name, which may use those before them and `i`,
            `o`, `s`, `d`, `lead`, `trail`, and `front` and `end`: what is cut off the full result.
        cut: expressions for the cells that are still to be cut off the result.
    """

    framework: str
    call: str
    arguments: dict[str, str]
    cut: tuple[str, str] = ("0", "0")


TRANSLATIONS = (
    Translation(
        "TensorFlow",
        "`nn.conv2d_transpose`, kernel `[h, w, out, in]`, explicit padding",
        {"strides": "s", "dilations": "d", "padding": "(front, max(end, 0))", "output_shape": "o"},
    ),
    Translation(
        "torch",
        "`conv_transpose2d`, kernel `[in, out, h, w]`",
        {
            "stride": "s",
            "dilation": "d",
            "padding": "max(min(front, end), 0)",
            "output_padding": "max(-end, 0)",
        },
        cut=("front - padding", "max(end, 0) - padding"),
    ),
    Translation(
        "ONNX",
        "`ConvTranspose`, kernel `[in, out, h, w]`",
        {
            "strides": "s",
            "dilations": "d",
            "pads": "(front, max(end, 0))",
            "output_padding": "max(-end, 0)",
        },
    ),
    Translation(
        "JAX",
        "`lax.conv_transpose`, kernel `[h, w, out, in]` with `transpose_kernel=True`",
        {"strides": "s", "rhs_dilation": "d", "padding": "(lead, trail)"},
    ),
)


def cuts(axis: AxisGeometry) -> dict[str, int]:
    """The names that the expressions of a `Translation` use."""
    reach = axis.effective_kernel - 1
    return {
        "i": axis.input_size,
        "o": axis.output_size,
        "s": axis.stride,
        "d": axis.dilation,
        "lead": axis.lead,
        "trail": axis.trail,
        "front": reach - axis.lead,
        "end": reach - axis.trail,
    }


def evaluate(translation: Translation, axis: AxisGeometry) -> tuple[dict[str, object], list[int]]:
    """The arguments of a translated call of one axis, and the cells to cut off its result."""
    names: dict[str, object] = {**cuts(axis), "max": max, "min": min}
    for name, expression in translation.arguments.items():
        names[name] = eval(expression, {"__builtins__": {}}, names)
    cut = [eval(expression, {"__builtins__": {}}, names) for expression in translation.cut]
    return {name: names[name] for name in translation.arguments}, cut


def recipe_lead(kernel: int, stride: int) -> int:
    """Zeros that the copied recipe puts before the dilated input."""
    return stride - 1 + (kernel - 1) // 2


def recipe_trail(kernel: int, stride: int) -> int:
    """Zeros that it puts after."""
    return kernel - 1 - (kernel - 1) // 2


def shift(kernel: int, stride: int) -> int:
    """Cells that the recipe's output lies too far to the end."""
    return recipe_lead(kernel, stride) - transpose_geometry(4, kernel, stride).lead


def sizes() -> str:
    """Legal output sizes, by example."""
    rows = []
    for padding, text in (("SAME", "SAME"), ("VALID", "VALID"), ((1, 0), "(1, 0)")):
        for kernel, stride in ((3, 2), (2, 3)):
            legal = legal_output_sizes(5, kernel, stride, 1, padding)
            usual = transpose_geometry(5, kernel, stride, 1, padding).output_size
            rows.append((text, kernel, stride, ", ".join(map(str, legal)), usual))
    return table(("padding", "k", "s", "legal `o` from `i` = 5", "default `o`"), rows)


def example() -> str:
    """The worked example."""
    axis = transpose_geometry(len(INPUT), len(KERNEL), STRIDE)
    names = cuts(axis)
    dilated: list[object] = [0] * ((axis.input_size - 1) * STRIDE + 1)
    dilated[::STRIDE] = INPUT
    padded = ["**0**"] * axis.lead + dilated + ["**0**"] * axis.trail
    values = [0] * axis.lead + dilated + [0] * axis.trail
    lines = [
        f"Input {listed(INPUT)}, kernel {listed(KERNEL)}, stride {STRIDE}, SAME, "
        f"{axis.input_size} to {axis.output_size} cells.",
        "",
        f"1. The forward convolution's {axis.input_size} windows span "
        f"({axis.input_size} − 1) · {STRIDE} + {len(KERNEL)} = "
        f"{(axis.input_size - 1) * STRIDE + len(KERNEL)} cells, and there are {axis.output_size}: "
        f"`P` = {axis.pad_before + axis.pad_after}, `p0` = {axis.pad_before}.",
        f"2. `lead` = {len(KERNEL)} − 1 − {axis.pad_before} = {axis.lead}; `trail` = "
        f"{names['o']} − ({names['i']} − 1) · {STRIDE} − 1 + {axis.pad_before} = {axis.trail}.",
        f"3. Dilated and padded: {listed(padded)}. Reversed kernel: {listed(KERNEL[::-1])}.",
        "4. Every window of three:",
        "",
    ]
    rows = []
    for cell in range(axis.output_size):
        window = values[cell : cell + len(KERNEL)]
        terms = [f"{KERNEL[a]}·{INPUT[j]}" for j, a in axis.contributions(cell)]
        total = sum(KERNEL[a] * INPUT[j] for j, a in axis.contributions(cell))
        rows.append((cell, listed(window), " + ".join(terms), total))
    return "\n".join([*lines, table(("cell", "window", "products", "output"), rows)])


def zeros() -> str:
    """Lead and trail for every kernel and stride."""
    rows = []
    for kernel in range(1, 8):
        cells = [f"`{kernel}`"]
        for stride in range(1, 5):
            axis = transpose_geometry(4, kernel, stride)
            odd = (axis.pad_before + axis.pad_after) % 2
            text = f"{axis.lead} + {axis.trail}"
            cells.append(f"**{text}**" if odd else text)
        rows.append(tuple(cells))
    return table(("k", *(f"s = {stride}" for stride in range(1, 5))), rows)


def recipe() -> str:
    """By how many cells the recipe errs."""
    rows = []
    for stride in range(1, 8):
        shifts = [shift(kernel, stride) for kernel in range(1, 12)]
        cells = ["**0**" if cells == 0 else f"{cells}" for cells in shifts]
        rows.append((f"`{stride}`", *cells))
    return table(("s", *(f"k = {kernel}" for kernel in range(1, 12))), rows)


def translations() -> str:
    """The table of translations."""
    rows = []
    for entry in TRANSLATIONS:
        arguments = "<br>".join(f"`{name} = {text}`" for name, text in entry.arguments.items())
        cut = "nothing" if entry.cut == ("0", "0") else " and ".join(f"`{e}`" for e in entry.cut)
        rows.append((f"{entry.framework}: {entry.call}", arguments, cut))
    return table(("call", "arguments of an axis", "then cut off before and after"), rows)


def translated() -> str:
    """The translations by example."""
    examples = [
        ("k 3, s 2, SAME, 5 to 10", transpose_geometry(5, 3, 2)),
        ("k 3, s 2, SAME, 5 to 9", transpose_geometry(5, 3, 2, output_size=9)),
        ("k 4, s 2, SAME, 5 to 10", transpose_geometry(5, 4, 2)),
        ("k 2, s 3, SAME, 5 to 15", transpose_geometry(5, 2, 3)),
        ("k 3, s 2, VALID, 5 to 12", transpose_geometry(5, 3, 2, 1, "VALID", 12)),
    ]
    rows = []
    for text, axis in examples:
        cells = []
        for entry in TRANSLATIONS[1:]:
            arguments, cut = evaluate(entry, axis)
            shown = [f"{name}={value}" for name, value in arguments.items() if "pad" in name]
            shown += [f"cut {cut[0]} + {cut[1]}"] * any(cut)
            cells.append("; ".join(shown))
        rows.append((text, *cells))
    return table(("axis", *(entry.framework for entry in TRANSLATIONS[1:])), rows)


def listed(entries: Sequence[object]) -> str:
    """Entries in a row."""
    return " ".join(map(str, entries))


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


BLOCKS = {
    function.__name__: function
    for function in (sizes, example, zeros, recipe, translations, translated)
}


def build(text: str) -> str:
    """The page with its computed parts made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Writes the page, or checks it."""
    parser = argparse.ArgumentParser(description="Write the computed parts of the padding page.")
    parser.add_argument("--check", action="store_true", help="only tell whether it would change")
    check = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    built = build(text)
    if check and built != text:
        print(f"{PAGE.name} is not what {Path(__file__).name} computes; run it without --check.")
        return 1
    if not check:
        PAGE.write_text(built, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
