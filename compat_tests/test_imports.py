"""The judge stands apart from the judged: who imports whom is read from the sources."""

from __future__ import annotations

import ast
import sys
import unittest
from pathlib import Path

from parameterized import parameterized

HERE = Path(__file__).resolve().parent
JUDGE = [
    "oracle.py",
    "judge.py",
    "diagnosis.py",
    "fault_models.py",
    "outcomes.py",
    "messages.py",
    "worker.py",
]
FRAMEWORK_FREE = [*JUDGE, "mutants.py", *(f"cases/{p.name}" for p in (HERE / "cases").glob("*.py"))]


def _imported(path: Path) -> set[str]:
    """Full names of all modules that a file names in imports or in `import_module`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path.name}"
            names.add(str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names.update(str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
    return names


class Imports(unittest.TestCase):
    """Read, not run, so that an import inside a function counts as well."""

    @parameterized.expand([(name,) for name in FRAMEWORK_FREE])
    def test_numpy_and_standard_library_only(self, name: str) -> None:
        roots = {module.partition(".")[0] for module in _imported(HERE / name)}
        self.assertLessEqual(roots, {"numpy", "compat_tests", *sys.stdlib_module_names})

    def test_oracle_knows_nothing_of_the_suite(self) -> None:
        roots = {module.partition(".")[0] for module in _imported(HERE / "oracle.py")}
        self.assertNotIn("compat_tests", roots)

    def test_tables_know_the_oracle_only(self) -> None:
        for path in (HERE / "cases").glob("*.py"):
            for module in _imported(path):
                if module.startswith("compat_tests"):
                    self.assertRegex(module, r"^compat_tests(\.(cases|oracle)(\.\w+)?)?$")

    def test_one_adapter_imports_what_it_judges(self) -> None:
        importing = {
            path.relative_to(HERE).as_posix()
            for path in HERE.rglob("*.py")
            if any(module.partition(".")[0] == "tf_tconv" for module in _imported(path))
        }
        self.assertEqual(importing, {"subjects/ours.py"})
