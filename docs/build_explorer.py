"""Writes docs/explorer.html: one page that needs nothing else, from the parts in docs/explorer.

Usage: python docs/build_explorer.py [--check]

`--check` writes nothing and exits 1 where the page differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tf_tconv.explain.scene import DARK, LIGHT, PHASES, Colours

PARTS = Path(__file__).with_name("explorer")
PAGE = Path(__file__).with_name("explorer.html")
SCRIPTS = (
    "rule",
    "numbers",
    "words",
    "elements",
    "calls",
    "grid",
    "view_parts",
    "view_zero_insertion",
    "view_scatter",
    "view_phases",
    "view_forward",
    "view_overlap",
    "views",
    "account",
    "wires",
    "state",
    "controls",
    "rule_table",
    "call_cards",
    "main",
)
"""In the order in which they need each other."""

EXTRA_LIGHT = {"card": "#ffffff", "hot": "#f2a93b", "hot-ink": "#1d2430"}
EXTRA_DARK = {"card": "#1c2028", "hot": "#96580a", "hot-ink": "#ffffff"}
"""Of the page alone: behind controls, and the strongest of the heat map."""


def build() -> str:
    """The page."""
    phases = "\n".join(
        f".{role} {{ --fill: var(--{role}); --ink-on: var(--{role}-ink); }}" for role in PHASES
    )
    style = "\n".join(
        [
            _variables(LIGHT, EXTRA_LIGHT),
            f"@media (prefers-color-scheme: dark) {{\n{_variables(DARK, EXTRA_DARK)}\n}}",
            _part("style.css").replace("/*% phases %*/", phases),
        ]
    )
    script = "\n".join(_part(f"{name}.js") for name in SCRIPTS)
    page = _part("page.html")
    return page.replace("/*% style %*/", style).replace("/*% script %*/", script)


def main() -> int:
    """Writes the page, or checks it."""
    parser = argparse.ArgumentParser(description="Write the explorer page.")
    parser.add_argument("--check", action="store_true", help="only tell whether it would change")
    check = parser.parse_args().check
    page = build()
    if not check:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print(f"{PAGE.name} is not what {Path(__file__).name} makes; run it without --check.")
        return 1
    return 0


def _part(name: str) -> str:
    return PARTS.joinpath(name).read_text(encoding="utf-8").strip()


def _variables(palette: dict[str, Colours], extra: dict[str, str]) -> str:
    colours = {
        f"--{name}": value
        for role, of_role in palette.items()
        for name, value in ((role, of_role.fill), (f"{role}-ink", of_role.ink))
    }
    colours |= {f"--{name}": value for name, value in extra.items()}
    return ":root {\n" + "\n".join(f"  {name}: {value};" for name, value in colours.items()) + "\n}"


if __name__ == "__main__":
    sys.exit(main())
