"""The script that plants faults: which ones, in a copy only, and what it says of those left."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.faults.sites import faults_in, sample

ROOT = Path(__file__).resolve().parents[2]

GEOMETRY = '''"""A toy."""

def total(kernel, dilation):
    """Cells from the first tap to the last."""
    if kernel < 1:
        raise ValueError(f"kernel={kernel + 0}")
    return (kernel - 1) * dilation + 1


def ends(before, after):
    return before, after


def rounded(cells, stride):
    return -(-cells // stride)


def turned(cells):
    return cells[::-1]
'''

STRONG = """from tf_tconv import geometry

def test_total():
    assert [geometry.total(k, d) for k, d in ((1, 1), (3, 1), (3, 2))] == [1, 3, 5]
"""


def afters(source, function="f"):
    """What the one expression in a function's body can become, as text of the whole body."""
    found = faults_in("tf_tconv/geometry.py", f"def {function}(a, b, c):\n    return {source}\n")
    return {fault.planted(f"def {function}(a, b, c):\n    return {source}\n") for fault in found}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a + b", {"(a - b)"}),
        ("a // b", {"(-(-a // b))"}),
        ("-(-a // b)", {"(a // b)", "-(a // b)"}),
        ("a % b", {"(a // b)"}),
        ("a < b", {"(a <= b)"}),
        ("a == b", {"(a != b)"}),
        ("a and b", {"(a or b)"}),
        ("a if b else c", {"(c if b else a)"}),
        ("min(a, b)", {"(max(a, b))"}),
        ("a[::-1]", {"a"}),
        ("g.reverse(a, [b])", {"a"}),
        ("g.cast(a, b)", {"a"}),
        ("a.astype(b)", {"a"}),
        ("(a, b, c)", {"((b, a, c))", "((a, c, b))"}),
        ("g(a, b)", {"(g(b, a))"}),
        ("a[2]", {"a[3]", "a[1]"}),
        ("g(flag=True)", {"g(flag=False)"}),
        ("a.pad_before + b.pad_after", {"(a.pad_after) + b.pad_after"}),
    ],
)
def test_each_kind_of_fault(source, wanted):
    bodies = {text.partition("return ")[2].strip() for text in afters(source)}
    for body in wanted:
        assert any(_same(body, found) for found in bodies), (body, bodies)


def _same(one, other):
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))


def test_messages_annotations_and_docstrings_stay():
    text = (
        "def f(a: (1, 2) = 3) -> (4, 5):\n    'x'\n"
        "    if a: raise ValueError(6 + 7)\n    return f'{8 + 9}'\n"
    )
    assert {fault.kind for fault in faults_in("m.py", text)} == {"wrong branch"}


def test_all_but_the_fault_stays_as_it_is():
    source = "# é\ndef f(a, b):\n    return a  +  b * 2  # why\n"
    changed = {fault.planted(source) for fault in faults_in("m.py", source)}
    assert "# é\ndef f(a, b):\n    return a  +  b * 3  # why\n" in changed
    assert source not in changed


def test_the_sample_stays_when_other_code_changes():
    drawn = sample(faults_in("m.py", GEOMETRY), 4, seed=0)
    moved = sample(faults_in("m.py", "import os\n\n\n" + GEOMETRY), 4, seed=0)
    assert [fault.key for fault in drawn] == [fault.key for fault in moved]
    assert len({fault.function for fault in drawn}) == 4
    assert drawn != sample(faults_in("m.py", GEOMETRY), 4, seed=1)


@pytest.fixture
def toy(tmp_path):
    """A checkout of a package with one module and its test."""
    (tmp_path / "tf_tconv").mkdir()
    (tmp_path / "tf_tconv" / "__init__.py").touch()
    (tmp_path / "tf_tconv" / "geometry.py").write_text(GEOMETRY, "utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_geometry.py").write_text(STRONG, "utf-8")
    (tmp_path / "tools").mkdir()
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers = slow\n  exhaustive\n  peers\n  browser\n", "utf-8"
    )
    return tmp_path


def planted(root, *arguments):
    """The exit code, the trials and the text of a run."""
    told = root / "faults.json"
    run = subprocess.run(
        [sys.executable, "-m", "tools.plant_faults", "--root", root, "--json", told, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, json.loads(told.read_text("utf-8")), run.stdout + run.stderr


PRODUCT = "tf_tconv/geometry.py::total: (kernel - 1) * dilation -> (kernel - 1 + dilation)"
PAIR = "tf_tconv/geometry.py::ends: (before, after) -> ((after, before))"


def keys(root):
    return {fault.key for fault in faults_in("tf_tconv/geometry.py", GEOMETRY)}


def test_a_caught_fault_is_told_with_its_test_and_the_checkout_stays_as_it_was(toy):
    before = {path: path.read_bytes() for path in toy.rglob("*") if path.is_file()}
    assert PRODUCT in keys(toy)
    code, trials, text = planted(toy, "--key", PRODUCT)
    assert code == 0, text
    assert [trial["caught_by"] for trial in trials] == ["tests/test_geometry.py::test_total"]
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_fault_that_no_test_catches_is_an_error_unless_its_reason_is_listed(toy):
    assert PAIR in keys(toy)
    code, trials, text = planted(toy, "--key", PAIR, "--trust")
    assert (code, trials[0]["caught_by"]) == (1, None), text
    assert "SURVIVED" in text
    listed = toy / "tools" / "equivalent_faults.toml"
    listed.write_text(f"[equivalent]\n{json.dumps(PAIR)} = 'nobody reads it'\n", "utf-8")
    code, trials, text = planted(toy, "--key", PAIR, "--trust")
    assert (code, trials[0]["equivalent"]) == (0, "nobody reads it"), text


def test_a_test_that_fails_anyway_catches_nothing(toy):
    with (toy / "tests" / "test_geometry.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef test_broken():\n    assert False\n")
    code, trials, text = planted(toy, "--key", PAIR)
    assert (code, trials[0]["caught_by"]) == (1, None), text
    assert "fails without a fault" in text


def test_a_fault_that_makes_the_tests_hang_is_caught(toy):
    (toy / "tests" / "test_geometry.py").write_text(
        "from tf_tconv import geometry\n\ndef test_ends():\n"
        "    while geometry.ends(1, 2) != (1, 2):\n        pass\n",
        "utf-8",
    )
    code, trials, text = planted(toy, "--key", PAIR, "--trust", "--minutes", "0.1")
    assert code == 0, text
    assert "did not end" in trials[0]["caught_by"]
