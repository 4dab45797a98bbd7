"""The notebooks as they are kept: their scripts, executed once from the top, in silence."""

import importlib.util
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

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
    assert [path.stem[:2] for path in SCRIPTS] == [f"{n:02}" for n in range(1, 8)]


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


# What executes them.


@pytest.fixture(scope="module")
def builder():
    """notebooks/build_notebooks.py as a module."""
    pytest.importorskip("nbclient")
    path = FOLDER / "build_notebooks.py"
    spec = importlib.util.spec_from_file_location("build_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def shows(*outputs, tags=()):
    return new_notebook(
        cells=[new_code_cell("f()", outputs=list(outputs), metadata={"tags": tags})]
    )


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_quiet_notebook_has_no_complaints(builder):
    assert list(builder.complaints(shows(stream("42")))) == []


@pytest.mark.parametrize(
    "output",
    [
        stream("hm", "stderr"),
        stream("WARNING:tensorflow: retracing"),
        new_output("error", ename="E", evalue="e", traceback=["Traceback", "E: e"]),
    ],
    ids=["error_stream", "warning", "error"],
)
def test_what_no_reader_should_see_is_found(builder, output):
    assert len(list(builder.complaints(shows(output)))) == 1


def test_texts_are_compared_but_those_of_figures(builder):
    result = new_output("execute_result", data={"text/plain": "(5, 6)"})
    figure = new_output(
        "display_data", data={"text/plain": "<Figure size 640x480>", "image/png": "aGVsbG8="}
    )
    cell = shows(stream("a\n"), result, figure)
    assert list(builder.texts(cell)) == [(0, "a\n(5, 6)[picture]")]


def test_of_what_is_measured_the_words_are_compared(builder):
    recorded = shows(stream("native   9.6 ms"), tags=["measured"])
    slower = shows(stream("native 112.03 ms"), tags=["measured"])
    other = shows(stream("subpixel 9.6 ms"), tags=["measured"])
    assert list(builder.texts(recorded)) == list(builder.texts(slower))
    assert list(builder.texts(recorded)) != list(builder.texts(other))
    assert list(builder.texts(shows(stream("9.6 ms")))) != list(builder.texts(recorded))


def test_a_stale_text_is_told(builder, tmp_path, monkeypatch):
    script = tmp_path / "09_stale.py"
    script.write_text("# %%\n6 * 7\n")
    now = shows(new_output("execute_result", data={"text/plain": "42"}))
    then = shows(new_output("execute_result", data={"text/plain": "41"}))
    nbformat.write(then, script.with_suffix(".ipynb"))
    monkeypatch.setattr(builder, "execute", lambda source: now)
    (complaint,) = builder.build(script, check=True)
    assert "shows\n42\nand is recorded with\n41" in complaint
    assert builder.build(script, check=False) == []
    assert builder.build(script, check=True) == []
