"""The wheel, tried apart from the checkout it was built from."""

import configparser
import email.parser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# One worker builds the wheel, once for all tests.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

DATA = {
    "tf_tconv/py.typed",
    "tf_tconv/planning/costs.json",
    "tf_tconv/benchmark/model_layers.csv",
}


def run(*arguments: object, **options: object) -> None:
    """Run Python with these arguments, showing what it printed if it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}"


@pytest.fixture(scope="module")
def declared() -> configparser.ConfigParser:
    """What setup.cfg declares."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy: no old build gets in, none is left behind."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("LICENSE", "README.md", "pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, copy)
    # compat_tests and tests are there to be left out.
    for name in ("compat_tests", "tests", "tf_tconv"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, copy)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_library_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {name for name in names if ".dist-info/" not in name}
    library = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tf_tconv").rglob("*.py")}
    assert shipped == library | DATA
    assert any(name.endswith("/LICENSE") for name in names - shipped)


def test_metadata_are_what_setup_cfg_declares(wheel, declared):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.parser.Parser().parsestr(archive.read(name).decode())
    assert metadata["Name"] == "tf-tconv"
    assert metadata["Version"] == declared["metadata"]["version"]
    assert set(metadata["Requires-Python"].split(",")) == {">=3.10", "<3.14"}
    assert set(metadata.get_all("Provides-Extra")) == set(declared["options.extras_require"])
    plain = {line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line}
    assert plain == set(declared["options"]["install_requires"].split())
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text("utf-8").strip()


def test_installed_wheel_works_alone(wheel, declared, tmp_path):
    target, empty = tmp_path / "target", tmp_path / "empty"
    empty.mkdir()
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--no-index", "--target", target, wheel)
    with (ROOT / ".ci" / "check_installed.py").open("rb") as program:
        run(
            *("-", target, declared["metadata"]["version"]),
            stdin=program,
            cwd=empty,
            env={**os.environ, "PYTHONPATH": str(target)},
        )
