"""The notebooks as they are kept: their scripts, executed once from the top, in silence."""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
LARGEST = 1_000_000
"""Bytes of a notebook, so that a page that shows it stays quick."""


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.stem)
def script(request):
    """A notebook's script."""
    return request.param


@pytest.fixture
def notebook(script):
    """The executed notebook beside it."""
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_script_has_its_notebook_and_none_is_left_over():
    assert [path.stem for path in SCRIPTS] == [p.stem for p in sorted(FOLDER.glob("*.ipynb"))]
    assert len(SCRIPTS) >= 6


def test_the_cells_are_those_of_the_script(script, notebook):
    wanted = [(cell.cell_type, cell.source) for cell in jupytext.read(script).cells]
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == wanted


def test_was_executed_once_from_the_top(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_shows_no_warning_and_no_trace(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            assert not re.search("warning|traceback", output.get("text", ""), re.IGNORECASE)


def test_draws_conclusions(notebook):
    assert sum(cell.source.count("assert ") for cell in code(notebook)) >= 5


def test_figures_are_pictures(notebook):
    for cell in code(notebook):
        if "plt.show()" in cell.source or ".figure(" in cell.source:
            assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_tells_nothing_of_the_machine(script):
    text = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|usr)/|0x[0-9a-f]{8}", text)
    assert len(text) < LARGEST
