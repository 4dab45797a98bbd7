"""Runs tests on a copy of the checkout that has a fault in it, and says which test caught it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.faults.sites import Fault

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info", "__pycache__"
)
FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<test>.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """Some of the tests.

    Attributes:
        name: what a report calls them.
        arguments: of pytest.
        seconds: what all of them may take; beyond, a fault counts as caught by hanging.
    """

    name: str
    arguments: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What became of a fault.

    Attributes:
        fault: the fault.
        caught_by: the first test that failed, or how the tests ended without one; None where all
            passed.
        stage: the stage in which it was caught; the last one where it was not.
        seconds: how long that took.
    """

    fault: Fault
    caught_by: str | None
    stage: str
    seconds: float


class Copy:
    """A copy of the checkout to spoil.

    Args:
        root: the checkout.
        folder: where to put the copy; must not exist.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        """Copies what tests may read: all but environments, builds and caches."""
        shutil.copytree(root, folder, ignore=LEFT_OUT)
        self._folder = folder

    def try_fault(self, fault: Fault, stage: Stage) -> Trial:
        """Plants a fault, runs the tests of a stage, and takes the fault out again."""
        file = self._folder / fault.module
        whole = file.read_text("utf-8")
        file.write_text(fault.planted(whole), "utf-8")
        started = time.monotonic()
        try:
            caught = self.first_failure(stage.arguments, stage.seconds)
        finally:
            file.write_text(whole, "utf-8")
        return Trial(fault, caught, stage.name, time.monotonic() - started)

    def first_failure(self, arguments: Sequence[str], seconds: float) -> str | None:
        """The first test that fails, how pytest ended without one, or None where all pass."""
        output, code = self._run((*arguments, "--exitfirst"), seconds)
        if code == 0:
            return None
        found = FAILED.search(output)
        if found:
            return found["test"]
        return _ending(code, seconds)

    def failures(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """All tests that fail.

        Raises:
            RuntimeError: if the tests could not be run to their end.
        """
        output, code = self._run(arguments, seconds)
        if code not in (0, 1):
            raise RuntimeError(f"without a fault, {_ending(code, seconds)}:\n{output[-2000:]}")
        return [match["test"] for match in FAILED.finditer(output)]

    def _run(self, arguments: Sequence[str], seconds: float) -> tuple[str, int | None]:
        """What pytest said and ended with: None for not in time, negative for a signal."""
        quiet = ("-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-p", "no:xdist")
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._folder),
            # A fault is put in and taken out within a second, which a cache by times overlooks.
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "1000",
        }
        environment.pop("PYTEST_ADDOPTS", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *quiet, *arguments],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return "", None
        finally:
            _end_group(process)
        return output, process.returncode


def _end_group(process: subprocess.Popen[str]) -> None:
    """Ends a process and those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _ending(code: int | None, seconds: float) -> str:
    """How pytest ended, in words."""
    if code is None:
        return f"the tests did not end within {seconds:g} s"
    if code < 0:
        return f"the tests were ended by {signal.Signals(-code).name}"
    return f"pytest exited with {code}"
