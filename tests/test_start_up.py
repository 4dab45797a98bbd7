"""What is loaded before it is needed: commands that compute no tensor answer without TensorFlow."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tf_tconv
from tf_tconv.benchmark.modes import MODES
from tf_tconv.benchmark.run import DECODERS_MODE
from tf_tconv.commands.bench import ModeName

ROOT = Path(tf_tconv.__file__).parent
COMMANDS = ("explain", "plan", "translate", "convert", "bench")

LINES = [
    "import tf_tconv",
    "dir(tf_tconv)",
    "tf_tconv.transpose_geometry, tf_tconv.legal_output_sizes, tf_tconv.AxisGeometry",
    "import tf_tconv.dialects, tf_tconv.dialects.torch",
    "tf_tconv.checkerboard.overlap_counts(4, kernel_size=3, stride=2)",
    "tf_tconv.Trace",
    "run('--help')",
    *[f"run('{command} --help')" for command in COMMANDS],
    "run('explain --input 3 --kernel 3 --stride 2 --padding same --cell 5,5')",
    "run('explain --view phases --stride 2 --save film.svg')",
    "run('explain --stride 2 --output-size 9 --json')",
    "run('plan --backend xla --input 1,128,128,64 --filters 5,5,3,64 --stride 2')",
    "run('plan --backend onednn --input ?,?,?,64 --filters 5,5,3,64 --stride 2 --json')",
    "run('translate --from torch --kernel 3 --stride 2 --padding 1 --to keras')",
]
"""One process runs them in turn, so what the last has loaded counts them all."""

PROCESS = """
import contextlib, io, json, sys

def run(line):
    from tf_tconv.cli import app
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            app(line.split(), prog_name="tf-tconv")
        except SystemExit:
            pass

loaded = {}
for line in json.loads(sys.argv[1]):
    exec(line)
    loaded[line] = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """What each line has loaded, and what was written on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, json.dumps(LINES)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path_factory.mktemp("start_up"),
    )
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("line", LINES)
def test_nothing_that_computes_is_loaded(line, process):
    loaded, _ = process
    assert not {"tensorflow", "keras", "jax", "torch", "onnx", "matplotlib"} & set(loaded[line])


def test_the_package_alone_loads_none_of_its_dependencies(process):
    loaded, _ = process
    assert not {"numpy", "rich", "typer", "h5py"} & set(loaded["import tf_tconv"])


def test_nothing_is_written_on_standard_error_but_the_errors_themselves(process):
    _, errors = process
    assert [line.partition(" ")[0] for line in errors.splitlines()] == ["tf-tconv:"]
    assert "--output-size=9 cannot come from 3 input rows" in errors


def imports_for_type_checkers(source):
    """By module, the names that are imported under `if TYPE_CHECKING`."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                assert isinstance(statement, ast.ImportFrom)
                names = [alias.name for alias in statement.names]
                found.setdefault(statement.module, []).extend(names)
    return found


def imports_on_demand(source):
    """By module, the names that `on_demand` is given."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "on_demand":
            return ast.literal_eval(node.args[1])
    return {}


@pytest.mark.parametrize("package", ["tf_tconv", "tf_tconv.checkerboard"])
def test_type_checkers_see_the_names_that_there_are(package):
    module = importlib.import_module(package)
    source = Path(module.__file__).read_text(encoding="utf-8")
    given = imports_on_demand(source)
    assert imports_for_type_checkers(source) == given
    names = {name for names in given.values() for name in names}
    assert names - {"__version__"} == set(module.__all__) <= set(dir(module))
    for origin, names in given.items():
        for name in names:
            found = getattr(module, name)
            owner = importlib.import_module(origin)
            assert found is getattr(owner, name)
            assert vars(module)[name] is found


def test_the_rule_finds_a_name_that_type_checkers_do_not_see():
    source = (ROOT / "__init__.py").read_text(encoding="utf-8")
    assert imports_for_type_checkers(source.replace("Trace, trace", "trace")) != (
        imports_on_demand(source)
    )


def test_modules_are_attributes_without_being_imported_by_name():
    code = "import tf_tconv; print(tf_tconv.geometry.__name__, tf_tconv.writing.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tf_tconv.geometry", "tf_tconv.writing"]


@pytest.mark.parametrize("name", ["nothing", "_nothing", "__nothing__", "tensorflow"])
def test_a_name_that_is_not_there_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"module 'tf_tconv' has no attribute '{name}'"):
        getattr(tf_tconv, name)
    with pytest.raises(ImportError, match=name):
        exec(f"from tf_tconv import {name}")


def test_choices_of_options_are_those_of_what_is_loaded_later():
    assert tuple(each.value for each in ModeName) == (*MODES, DECODERS_MODE)
