"""The page that shows how to judge a kernel: what it says happens, happens."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from compat_tests.expected.condition import KEYS, Condition
from compat_tests.expected.known_differences import read_known_differences
from compat_tests.worker_process import ROOT, environment

PAGE = (ROOT / "docs" / "judge_a_kernel.md").read_text(encoding="utf-8")
RIGHT = "max(r - o, 0) // 2"
WRONG = "(max(r - o, 0) + 1) // 2"


def _block(language: str) -> str:
    """The first block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page shows no {language}"
    return found.group(1)


def _blocks(language: str) -> list[str]:
    """All blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def _commands() -> list[list[str]]:
    """The arguments of every command on the page."""
    lines = re.findall(r"^\$ python -m compat_tests (.*)$", PAGE, re.MULTILINE)
    return [line.split() for line in lines]


class Page(unittest.TestCase):
    """Code, commands and ledger, as they stand there."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kernel = _block("python")

    def test_kernel_has_ten_lines(self) -> None:
        body = self.kernel[self.kernel.index("def ") :]
        self.assertEqual(len(body.strip().splitlines()), 10)

    def test_kernel_of_the_page_is_exact(self) -> None:
        done = self._run(self.kernel, _commands()[0])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_padding_rounded_up_is_diagnosed_as_the_page_says(self) -> None:
        self.assertIn(WRONG, PAGE)
        self.assertIn(RIGHT, self.kernel)
        done = self._run(self.kernel.replace(RIGHT, WRONG), _commands()[0])
        self.assertEqual(done.returncode, 1, done.stderr)
        for line in _block("text").splitlines():
            self.assertIn(" ".join(line.split()), " ".join(done.stdout.split()))

    def test_ledger_of_the_page_holds(self) -> None:
        (self.folder / "my_kernel.toml").write_text(_block("toml"), encoding="utf-8")
        done = self._run(self.kernel, _commands()[1])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("differences are known: my_kernel.toml", done.stdout)
        bare = [word for word in _commands()[1] if not word.startswith(("--exp", "my_kernel.t"))]
        self.assertEqual(self._run(self.kernel, bare).returncode, 1)

    def test_condition_of_the_page_is_read(self) -> None:
        (self.folder / "whole.toml").write_text("".join(_blocks("toml")), encoding="utf-8")
        ledger = read_known_differences(self.folder / "whole.toml")
        *_, entry = ledger.differences
        self.assertEqual(entry.where, Condition(lacks=("avx512_fp16",), onednn=True))
        for key in KEYS:
            self.assertIn(f"`{key}`", PAGE)

    def _run(self, kernel: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        (self.folder / "my_kernel.py").write_text(kernel, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "compat_tests", *arguments],
            cwd=self.folder,
            env=environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
