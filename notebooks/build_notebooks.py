"""Executes the notebooks, each on a clean kernel, and writes them with their outputs.

Usage: python notebooks/build_notebooks.py [--check] [NAME ...]

The text of a notebook is `NN_name.py`; `NN_name.ipynb` is made from it. A cell that raises, warns,
or writes to its error stream fails the notebook. `--check` writes nothing and fails where a text
that a cell shows differs from the one in `NN_name.ipynb`. Pictures may differ, and the numbers that
a cell tagged "measured" shows; its words may not. Names, such as 03 or 03_from_primitives, choose
notebooks.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).parent
MOST_SECONDS = 120
"""That a notebook may take when it is written; a check may share the machine with other work."""

PATIENCE = 600
"""Seconds that a cell may take at all."""

SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "JAX_PLATFORMS": "cpu"}


def texts(notebook: Any) -> Iterator[tuple[int, str]]:
    """The number of each code cell with all the text that it shows."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            shown = [output.get("text", "") for output in cell.outputs]
            shown += [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            # A figure's text is where it lies in memory or how large it is.
            text = "".join(text for text in shown if "Figure" not in text)
            if "measured" in cell.metadata.get("tags", []):
                # The spaces before a number are fewer where it is longer.
                text = re.sub(r"[ ]*[-+]?\d+(\.\d+)?(e[-+]?\d+)?", " #", text)
            pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
            yield number, text + "[picture]" * pictures


def complaints(notebook: Any) -> Iterator[str]:
    """What no reader should see."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            words = "".join(output.get("traceback", [])) or output.get("text", "")
            if output.get("name") == "stderr" or re.search("warning|traceback", words, re.I):
                yield f"cell {number} complains:\n{words}"


def execute(source: Path) -> Any:
    """A notebook with its outputs."""
    notebook = jupytext.read(source)
    NotebookClient(
        notebook,
        timeout=PATIENCE,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        record_timing=False,
        # What TensorFlow's C++ says of the machine goes to the terminal, Python's warnings do not.
        extra_arguments=["--IPKernelApp.capture_fd_output=False", "--log-level=ERROR"],
    ).execute()
    notebook.metadata.pop("language_info", None)  # The interpreter's version, which may change.
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


def build(source: Path, check: bool) -> list[str]:
    """Executes a notebook, writes it unless `check`, and tells what is wrong with it."""
    started = time.monotonic()
    try:
        notebook = execute(source)
    except CellExecutionError as error:
        return [str(error)]
    found = list(complaints(notebook))
    seconds = time.monotonic() - started
    if seconds > MOST_SECONDS and not check:
        found.append(f"it takes {seconds:.0f} s; at most {MOST_SECONDS} are allowed.")
    target = source.with_suffix(".ipynb")
    if check:
        known = nbformat.read(target, as_version=4)
        found += [
            f"cell {number} shows\n{now}\nand is recorded with\n{then}"
            for (number, now), (_, then) in zip(texts(notebook), texts(known), strict=True)
            if now != then
        ]
    elif not found:
        nbformat.write(notebook, target)
    print(f"{source.stem}: {seconds:.0f} s{', FAILED' if found else ''}", flush=True)
    return found


def main() -> int:
    """Builds or checks the notebooks asked for."""
    parser = argparse.ArgumentParser(description="Execute the notebooks.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare the texts")
    parser.add_argument("names", nargs="*", help="beginnings of names (default: all)")
    asked = parser.parse_args()
    sources = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    chosen = [source for source in sources if source.name.startswith(tuple(asked.names or [""]))]
    if not chosen:
        print(f"No notebook begins with {' or '.join(asked.names)}.", file=sys.stderr)
        return 2
    os.environ.update(SETTINGS)
    failed = False
    for source in chosen:
        for complaint in build(source, asked.check):
            failed = True
            print(f"{source.stem}: {complaint}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
