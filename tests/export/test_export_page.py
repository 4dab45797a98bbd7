"""docs/export.md: its table is computed, and says what the tests of the exported layers say."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tf_tconv

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "export.md").read_text(encoding="utf-8")
ERROR = re.compile(r"0\.\d{4}\b")

_spec = importlib.util.spec_from_file_location("build_export_page", DOCS / "build_export_page.py")
page = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = page
_spec.loader.exec_module(page)


def rows():
    """The table's cells by lowering, each a set of ops, as they stand on the page."""
    found = re.search(r"<!-- computed: operators -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)[1]
    lines = [line.strip("| ").split(" | ") for line in found.splitlines()[2:]]
    return {name.strip("`"): [set(cell.split(", ")) for cell in cells] for name, *cells in lines}


@pytest.mark.slow
@pytest.mark.peers("ai_edge_litert", "onnxruntime", "tf2onnx")
def test_the_page_is_what_is_computed():
    built = page.build(PAGE)
    assert ERROR.sub("", built) == ERROR.sub("", PAGE)
    # Another processor sums in another order, of which a scale of 8 bits may depend a little.
    found, written = (np.array(ERROR.findall(text), float) for text in (built, PAGE))
    np.testing.assert_allclose(found, written, atol=2e-4)


@pytest.mark.slow
def test_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "export.md", "exec"), {})
    assert (tmp_path / "build" / "saved_model" / "saved_model.pb").exists()


def test_only_native_has_a_transposed_convolution():
    table = rows()
    assert table.keys() == {*tf_tconv.lowerings.NAMES, "native"}
    fused = {"Conv2DBackpropInput", "TRANSPOSE_CONV", "ConvTranspose"}
    for name, cells in table.items():
        assert len(cells) == 4
        assert all(bool(cell & fused) == (name == "native") for cell in cells), name


def test_a_page_that_drifted_is_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page, "BLOCKS", dict.fromkeys(page.BLOCKS, lambda: "| as it is now |"))
    drifted = tmp_path / "page.md"
    drifted.write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", drifted)
    monkeypatch.setattr(sys, "argv", ["build", "--check"])
    assert page.main() == 1
    assert "is not what" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["build"])
    assert page.main() == 0
    assert "| as it is now |\n<!-- end -->" in drifted.read_text(encoding="utf-8")
