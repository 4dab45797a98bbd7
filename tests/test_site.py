"""The documentation site: every public name and every page has its place, links are put right."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

import tf_tconv

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
NAVIGATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def load(name):
    """A script of docs as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


site, rule_picture = load("build_site"), load("build_rule_picture")

NAMESPACES = ("checkerboard", "conversion", "dialects")
"""Modules among the public names whose own names are listed one by one."""


def public_names():
    names = {f"tf_tconv.{name}" for name in tf_tconv.__all__ if name not in NAMESPACES}
    for module in NAMESPACES:
        names |= {f"tf_tconv.{module}.{name}" for name in getattr(tf_tconv, module).__all__}
    return names


def test_the_reference_holds_every_public_name_and_no_other():
    assert set(re.findall(r"^::: ([\w.]+)$", REFERENCE, re.MULTILINE)) == public_names()


def test_the_picture_of_the_rule_is_what_its_script_draws():
    assert rule_picture.PICTURE.read_text(encoding="utf-8") == rule_picture.build()


def test_the_navigation_holds_every_page():
    listed = set(re.findall(r": ([\w/]+\.(?:md|ipynb|html))$", NAVIGATION, re.MULTILINE))
    wanted = {place for place in site.pages().values() if not place.endswith((".svg", ".css"))}
    assert listed == wanted


@pytest.mark.parametrize(
    ("name", "link", "wanted"),
    [
        ("README.md", "](docs/padding_asymmetry.md)", "](padding_asymmetry.md)"),
        ("README.md", "](CONTRIBUTING.md)", "](CONTRIBUTING.md)"),
        ("docs/padding_asymmetry.md", "](../README.md#the-rule)", "](index.md#the-rule)"),
        ("README.md", 'src="docs/explorer.html"', 'src="explorer.html"'),
        ("README.md", "](https://arxiv.org/abs/1603.07285)", "](https://arxiv.org/abs/1603.07285)"),
        ("README.md", "](nowhere.md)", "](nowhere.md)"),
    ],
)
def test_links_are_put_right(name, link, wanted):
    assert site.relink(link, name, site.pages()) == wanted


def test_links_of_notebooks_lead_to_built_pages():
    words = (
        "[1](../docs/lowerings.md#counting) [2](01_what_it_is.ipynb) [3](https://x.invalid/a.md)"
    )
    cells = [{"cell_type": kind, "source": [words]} for kind in ("markdown", "code")]
    text = site.relink_notebook(
        json.dumps({"cells": cells}), "notebooks/05_faster.ipynb", site.pages()
    )
    said, code = (cell["source"] for cell in json.loads(text)["cells"])
    assert said == (
        "[1](../lowerings.html#counting) [2](01_what_it_is.html) [3](https://x.invalid/a.md)"
    )
    assert code == [words]


def test_a_linked_source_gets_a_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "SOURCE", tmp_path)
    text = site.relink("](../tf_tconv/geometry.py)", "docs/padding_asymmetry.md", site.pages())
    assert text == "](source/tf_tconv/geometry.py)"
    assert (tmp_path / "source" / "tf_tconv" / "geometry.py").is_file()


def test_dead_links_are_found(tmp_path):
    tmp_path.joinpath("a.html").write_text(
        '<a href="b.html">1</a><a href="b.html#there">2</a><a href="b.html#not">3</a>'
        '<img src="c.png"><a href="https://x.invalid/y">4</a>'
    )
    tmp_path.joinpath("b.html").write_text('<p id="there"></p>')
    assert list(site.dead_links(tmp_path)) == [
        "a.html: b.html#not has no such place",
        "a.html: c.png does not exist",
    ]
