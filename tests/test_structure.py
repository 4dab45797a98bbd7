"""Who may import whom, read from the sources without running them.

Every rule is a function from sources to complaints, so each is tried on planted sources too.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]

# The operations of TensorFlow that this library does without, by every name they go by.
NATIVE_NAMES = frozenset(
    {
        "Conv2DBackpropInput",
        "Conv2DBackpropInputV2",
        "atrous_conv2d_transpose",
        "conv2d_backprop_input",
        "conv2d_transpose",
        "conv2d_transpose_v2",
        "conv_transpose",
    }
)
NATIVE_FILES = {
    "tf_tconv/ops/tensorflow/native.py",
    "tf_tconv/benchmark/modes.py",  # what ours is measured against
}
ADAPTER_FILE = "compat_tests/subjects/ours.py"


@dataclass(frozen=True)
class Source:
    """A file of the project: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @property
    def package(self) -> tuple[str, ...]:
        """The package whose names a relative import of one dot starts from."""
        return PurePosixPath(self.path).parent.parts

    @property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text, self.path)


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of everything imported, however deep in the code.

    `from a import b` yields a.b, whether b is a module or not.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = source.package[: len(source.package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"__import__", "import_module", "importlib.import_module"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def within(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def standard(name: str) -> bool:
    """Tell whether a dotted name belongs to the standard library."""
    return name.split(".")[0] in sys.stdlib_module_names


def ours(name: str) -> bool:
    """Tell whether a dotted name belongs to the project."""
    return within(name, "tf_tconv", "compat_tests", "tests", "benchmarks", "examples")


def complaints(sources: Iterable[Source], allowed: Callable[[str], bool]) -> list[str]:
    """List the imports that are not allowed."""
    return [
        f"{source.path}:{line} imports {name}"
        for source in sources
        for line, name in imports(source)
        if not allowed(name)
    ]


def geometry_may_import(name: str) -> bool:
    return standard(name)


HOUSE_FROM_THE_GROUND_UP = (
    *(
        "geometry",
        "layouts",
        "limits",
        "argument_order",
        "installed",
        "late_imports",
        "timing",
        "writing",
    ),
    *("unknown", "entries"),
    *("phases", "operation"),
    "ops",
    "lowerings",
    "dialects",
    "planning",
    "functional",
    *("matrix", "explain", "layers", "causes"),
    *("checkerboard", "autotuning", "registration"),
    *("verification", "importers"),
    "conversion",
    "benchmark",
    "commands",
    "cli",
)
"""The rooms of the library: each may import those that stand before it, none behind it."""


def house_may_import(room: str) -> Callable[[str], bool]:
    """What a room of the library may import."""
    below = HOUSE_FROM_THE_GROUND_UP[: HOUSE_FROM_THE_GROUND_UP.index(room) + 1]

    def allowed(name: str) -> bool:
        return not ours(name) or within(name, *(f"tf_tconv.{each}" for each in below))

    return allowed


def room(source: Source) -> str:
    """The room that a file of the library lies in."""
    return PurePosixPath(source.path).with_suffix("").parts[1]


def lowerings_may_import(name: str) -> bool:
    # What an array is stays open: the protocol, the value, its phases, and nothing that computes.
    return standard(name) or within(
        name,
        "tf_tconv.geometry",
        "tf_tconv.lowerings",
        "tf_tconv.operation",
        "tf_tconv.ops.Array",
        "tf_tconv.ops.Ops",
        "tf_tconv.ops.arithmetic",
        "tf_tconv.ops.signed",
        "tf_tconv.phases",
    )


BELOW_THE_DIALECTS = ("geometry", "layouts", "entries", "operation", "dialects")


def dialects_may_import(name: str) -> bool:
    # The words of a framework are to be had without the framework.
    return (
        standard(name)
        or within(name, "numpy")
        or within(name, *(f"tf_tconv.{room}" for room in BELOW_THE_DIALECTS))
    )


EXPLAIN_FROM_THE_GROUND_UP = (
    ("numbers", "scene"),
    ("plane", "formatting", "layout"),
    ("text", "views", "figures", "svg"),
    ("tracing",),
    ("__init__",),
)


def explain_may_import(module: str) -> Callable[[str], bool]:
    """What a module of `tf_tconv/explain` may import: of its own package, only what is below it.

    Geometry and phases are the ground, and nothing but `tracing`, which makes calls, needs more of
    the library.
    """
    (rank,) = (n for n, level in enumerate(EXPLAIN_FROM_THE_GROUND_UP) if module in level)
    below = [
        f"tf_tconv.explain.{name}" for level in EXPLAIN_FROM_THE_GROUND_UP[:rank] for name in level
    ]

    def may_import(name: str) -> bool:
        if within(name, "tf_tconv.explain"):
            return within(name, *below)
        return (
            not ours(name)
            or within(name, "tf_tconv.geometry", "tf_tconv.phases")
            or (module == "tracing")
        )

    return may_import


def library_may_import(name: str) -> bool:
    return not ours(name) or within(name, "tf_tconv")


def oracle_may_import(name: str) -> bool:
    return standard(name) or within(name, "numpy")


def cases_may_import(name: str) -> bool:
    # The oracle is NumPy alone, so NumPy is still all that the cases need.
    return oracle_may_import(name) or within(name, "compat_tests.cases", "compat_tests.oracle")


def suite_may_import(name: str) -> bool:
    return not within(name, "tf_tconv")


def native_uses(sources: Iterable[Source]) -> list[str]:
    """List the places that reach for TensorFlow's own transposed convolution.

    That is an attribute, `getattr` or `from ... import` with one of its names. A name looked up in
    a module of this project, or in self or cls, is our own function and no complaint.
    """
    found = []
    for source in sources:
        project = {"self", "cls"}
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and (node.level or ours(node.module or "")):
                project.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                project.update(
                    alias.asname or alias.name.split(".")[0]
                    for alias in node.names
                    if ours(alias.name)
                )
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and not (node.level or ours(node.module or "")):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and root_name(node) not in project:
                names = [node.attr]
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "getattr"
                and len(node.args) > 1
                and isinstance(node.args[1], ast.Constant)
                and root_name(node.args[0]) not in project
            ):
                names = [node.args[1].value]
            else:
                continue
            found += [
                f"{source.path}:{node.lineno} reaches {name}"
                for name in names
                if name in NATIVE_NAMES
            ]
    return found


def root_name(node: ast.expr) -> str | None:
    """Return the variable that a chain of attributes starts from, if it starts from one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def grab_bags(paths: Iterable[str]) -> list[str]:
    """List the modules and packages named utils, a name that says nothing of what is inside."""
    return [path for path in paths if "utils" in PurePosixPath(path).with_suffix("").parts]


def sources(*patterns: str) -> list[Source]:
    """Read the files that match, of which there must be some for each pattern."""
    found = []
    for pattern in patterns:
        paths = sorted(ROOT.glob(pattern))
        assert paths, f"no file matches {pattern}"
        for path in paths:
            found.append(Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")))
    return found


def project_paths(folder: Path = ROOT) -> Iterator[str]:
    """Yield the Python files of the checkout, leaving out builds and whatever is hidden."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            environment = (path / "pyvenv.cfg").exists()
            if not (environment or path.name.startswith(".") or path.name in {"build", "dist"}):
                yield from project_paths(path)
        elif path.suffix == ".py":
            yield path.relative_to(ROOT).as_posix()


# The rules, held against the project.


def test_geometry_imports_the_standard_library_only():
    assert not complaints(sources("tf_tconv/geometry.py"), geometry_may_import)


def test_every_room_imports_only_what_stands_below_it():
    files = [file for file in sources("tf_tconv/**/*.py") if room(file) != "__init__"]
    assert {room(file) for file in files} == set(HOUSE_FROM_THE_GROUND_UP)
    for file in files:
        assert not complaints([file], house_may_import(room(file)))


def test_lowerings_import_no_way_to_compute():
    assert not complaints(sources("tf_tconv/lowerings/**/*.py"), lowerings_may_import)


def test_dialects_import_numpy_and_the_operation_only():
    assert not complaints(sources("tf_tconv/dialects/**/*.py"), dialects_may_import)


def test_modules_of_explain_import_only_what_is_below_them():
    files = sources("tf_tconv/explain/*.py")
    names = [PurePosixPath(file.path).stem for file in files]
    assert sorted(names) == sorted(name for level in EXPLAIN_FROM_THE_GROUND_UP for name in level)
    for file, name in zip(files, names, strict=True):
        assert not complaints([file], explain_may_import(name))


def test_library_imports_nothing_else_of_the_project():
    assert not complaints(sources("tf_tconv/**/*.py"), library_may_import)


def test_oracle_imports_numpy_only():
    assert not complaints(sources("compat_tests/oracle.py"), oracle_may_import)


def test_cases_import_numpy_and_the_oracle_only():
    assert not complaints(sources("compat_tests/cases/**/*.py"), cases_may_import)


def test_suite_imports_the_library_in_its_adapter_only():
    found = complaints(sources("compat_tests/**/*.py"), suite_may_import)
    assert {complaint.split(":")[0] for complaint in found} == {ADAPTER_FILE}


def test_native_operation_is_reached_from_its_own_lowering_only():
    found = native_uses(sources("tf_tconv/**/*.py"))
    assert {complaint.split(":")[0] for complaint in found} == NATIVE_FILES


def test_no_module_is_named_utils():
    paths = list(project_paths())
    assert "tests/test_structure.py" in paths
    assert not grab_bags(paths)


# The rules, held against planted sources.


@pytest.mark.parametrize(
    ("allowed", "path", "text", "name"),
    [
        (geometry_may_import, "tf_tconv/geometry.py", "import numpy as np", "numpy"),
        (geometry_may_import, "tf_tconv/geometry.py", "import os, tensorflow", "tensorflow"),
        (geometry_may_import, "tf_tconv/geometry.py", "import tf_tconv", "tf_tconv"),
        (geometry_may_import, "tf_tconv/geometry.py", "from . import x", "tf_tconv.x"),
        (
            geometry_may_import,
            "tf_tconv/geometry.py",
            "def f():\n    if True:\n        from .planning import plan",
            "tf_tconv.planning.plan",
        ),
        (
            geometry_may_import,
            "tf_tconv/geometry.py",
            "import importlib\nimportlib.import_module('keras')",
            "keras",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/subpixel.py",
            "from ..functional import conv2d_transpose",
            "tf_tconv.functional.conv2d_transpose",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/__init__.py",
            "from .. import planning",
            "tf_tconv.planning",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/subpixel.py",
            "import tf_tconv.geometry_of_space",
            "tf_tconv.geometry_of_space",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/subpixel.py",
            "import tensorflow as tf",
            "tensorflow",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/subpixel.py",
            "from tf_tconv.ops import numpy",
            "tf_tconv.ops.numpy",
        ),
        (
            house_may_import("planning"),
            "tf_tconv/planning/load.py",
            "from tf_tconv import functional",
            "tf_tconv.functional",
        ),
        (house_may_import("ops"), "tf_tconv/ops/numpy.py", "import tf_tconv", "tf_tconv"),
        (dialects_may_import, "tf_tconv/dialects/torch.py", "import torch", "torch"),
        (
            dialects_may_import,
            "tf_tconv/dialects/keras.py",
            "from tf_tconv.layers import Conv2DTranspose",
            "tf_tconv.layers.Conv2DTranspose",
        ),
        (
            explain_may_import("views"),
            "tf_tconv/explain/views.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from tf_tconv.explain.tracing import Trace",
            "tf_tconv.explain.tracing.Trace",
        ),
        (
            explain_may_import("text"),
            "tf_tconv/explain/text.py",
            "from tf_tconv.explain import views",
            "tf_tconv.explain.views",
        ),
        (
            explain_may_import("plane"),
            "tf_tconv/explain/plane.py",
            "from tf_tconv.explain import Trace",
            "tf_tconv.explain.Trace",
        ),
        (
            explain_may_import("numbers"),
            "tf_tconv/explain/numbers.py",
            "from tf_tconv.matrix import matrix_entries",
            "tf_tconv.matrix.matrix_entries",
        ),
        (
            library_may_import,
            "tf_tconv/explain.py",
            "from compat_tests import oracle",
            "compat_tests.oracle",
        ),
        (oracle_may_import, "compat_tests/oracle.py", "import scipy.signal", "scipy.signal"),
        (oracle_may_import, "compat_tests/oracle.py", "from . import cases", "compat_tests.cases"),
        (
            cases_may_import,
            "compat_tests/cases/sizes.py",
            "from ..subjects import ours",
            "compat_tests.subjects.ours",
        ),
        (cases_may_import, "compat_tests/cases/sizes.py", "import torch", "torch"),
        (
            cases_may_import,
            "compat_tests/cases/sizes.py",
            "from tf_tconv.geometry import AxisGeometry",
            "tf_tconv.geometry.AxisGeometry",
        ),
        (
            suite_may_import,
            "compat_tests/test_gradients.py",
            "__import__('tf_tconv')",
            "tf_tconv",
        ),
    ],
)
def test_forbidden_import_is_found(allowed, path, text, name):
    line = text.count("\n") + 1
    assert complaints([Source(path, text)], allowed) == [f"{path}:{line} imports {name}"]


@pytest.mark.parametrize(
    ("allowed", "path", "text"),
    [
        (geometry_may_import, "tf_tconv/geometry.py", "import math\nfrom typing import Any"),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/subpixel.py",
            "import math\nfrom ..geometry import Size\nfrom . import polyphase",
        ),
        (
            lowerings_may_import,
            "tf_tconv/lowerings/__init__.py",
            "from tf_tconv.lowerings import polyphase\nfrom tf_tconv import geometry",
        ),
        (
            house_may_import("planning"),
            "tf_tconv/planning/load.py",
            "from ..geometry import *\nfrom .. import lowerings\nimport numpy",
        ),
        (
            dialects_may_import,
            "tf_tconv/dialects/keras.py",
            "import numpy\nfrom tf_tconv.geometry import brief\nfrom . import weights",
        ),
        (
            explain_may_import("views"),
            "tf_tconv/explain/views.py",
            "import numpy\nfrom tf_tconv.explain.plane import Plane\nfrom . import numbers",
        ),
        (
            explain_may_import("tracing"),
            "tf_tconv/explain/tracing.py",
            "from tf_tconv.explain import svg, text\nfrom tf_tconv.functional import f",
        ),
        (library_may_import, "tf_tconv/layers.py", "import keras\nfrom .functional import f"),
        (oracle_may_import, "compat_tests/oracle.py", "import numpy.typing as npt"),
        (
            cases_may_import,
            "compat_tests/cases/__init__.py",
            "from .sizes import SIZES\nfrom compat_tests.cases import sizes",
        ),
        (cases_may_import, "compat_tests/cases/sizes.py", "from ..oracle import Pair"),
        (suite_may_import, "compat_tests/runner.py", "import tensorflow\nname = 'tf_tconv'"),
    ],
)
def test_legal_import_is_let_through(allowed, path, text):
    assert complaints([Source(path, text)], allowed) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tf.nn.conv2d_transpose(x, w, s, 2)", "conv2d_transpose"),
        ("f = tf.nn.conv_transpose", "conv_transpose"),
        ("import keras\nkeras.ops.conv_transpose(x, w)", "conv_transpose"),
        ("tf.raw_ops.Conv2DBackpropInput(input=x)", "Conv2DBackpropInput"),
        ("tf.compat.v1.nn.conv2d_backprop_input(s)", "conv2d_backprop_input"),
        ("from tensorflow.nn import conv2d_transpose as f", "conv2d_transpose"),
        ("getattr(tf.nn, 'conv2d_transpose')", "conv2d_transpose"),
        ("from . import lowerings\nnn = tf.nn\nnn.conv2d_transpose", "conv2d_transpose"),
        ("load().conv2d_transpose", "conv2d_transpose"),
    ],
)
def test_native_operation_is_found(text, name):
    line = text.count("\n") + 1
    found = native_uses([Source("tf_tconv/layers.py", text)])
    assert found == [f"tf_tconv/layers.py:{line} reaches {name}"]


@pytest.mark.parametrize(
    "text",
    [
        "from . import functional\nfunctional.conv2d_transpose(x, w)",
        "from .functional import conv2d_transpose\nconv2d_transpose(x, w)",
        "import tf_tconv\ntf_tconv.functional.conv2d_transpose(x, w)",
        "'tf.nn.conv2d_transpose'",
        "def conv2d_transpose(x): 'tf.nn.conv2d_transpose, again'",
        "tf.nn.conv2d(x, w)",
        "keras.layers.Conv2DTranspose(1, 3)",
    ],
)
def test_own_operation_is_let_through(text):
    assert native_uses([Source("tf_tconv/layers.py", text)]) == []


def test_module_named_utils_is_found():
    paths = ["tf_tconv/utils.py", "utils/tables.py", "a/utils/__init__.py", "a/utilities.py"]
    assert grab_bags(paths) == paths[:3]
