"""The ledgers: what a file may say, and that each of the suite's own is sound."""

from __future__ import annotations

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import select, select_illegal
from compat_tests.expected.ledger import FOLDER, Ledger, read_ledger
from compat_tests.judge import Verdict
from compat_tests.runner import Call
from compat_tests.subjects.registry import ADAPTERS, HELP, resolve

GOOD = """
[applies]
tensorflow = ">=2.21,<2.22"

[[difference]]
verdict = ["refused", "fatal"]
cases = ["plane-*", { dtype = ["half", "int32"], strided = true }]
but = ["*-g2-*"]
reason = "there is no kernel"
link = "https://example.org/1"
recheck = "with TensorFlow 2.22"
"""

FILES = [(path.stem,) for path in sorted(FOLDER.glob("*.toml"))]


def _read(text: str) -> Ledger:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.toml")
        path.write_text(text)
        return read_ledger(path)


class Reading(unittest.TestCase):
    """From text to a ledger, or to a sentence that says what is wrong."""

    def test_good(self) -> None:
        ledger = _read(GOOD)
        (entry,) = ledger.differences
        self.assertEqual(entry.verdicts, {Verdict.REFUSED, Verdict.FATAL})
        case = Case("dtype", strides=(1, 2), dtype="half")
        self.assertTrue(entry.names(case))
        self.assertFalse(entry.names(replace(case, strides=(1, 1))))
        self.assertFalse(entry.names(replace(case, dtype="float64")))
        self.assertFalse(entry.names(replace(case, groups=2)))
        self.assertTrue(entry.names(replace(case, dtype="float64", family="plane")))
        self.assertFalse(entry.names(select_illegal()[0]))
        self.assertTrue(ledger.speaks_of({"tensorflow": "2.21.3"}))
        self.assertFalse(ledger.speaks_of({"tensorflow": "2.22.0"}))
        self.assertFalse(ledger.speaks_of({}))

    @parameterized.expand(
        [
            ("no reason", 'reason = "there is no kernel"\n', "", "difference 1: reason is missing"),
            ("no recheck", 'recheck = "with TensorFlow 2.22"\n', "", "recheck is missing"),
            ("unknown key", "link", "url", "unknown key 'url'"),
            ("unknown table", "[applies]", "[versions]", "unknown table 'versions'"),
            ("unknown verdict", '"fatal"', '"bad"', "bad"),
            ("no difference", '["refused", "fatal"]', '"exact"', "exact is no difference"),
            ("bad trait", "strided", "striding", "no trait 'striding'; there are family, "),
            ("bad pattern", '["*-g2-*"]', "[2]", "2 is no pattern"),
            ("bad version", ">=2.21,<2.22", "new", "new"),
        ]
    )
    def test_bad(self, name: str, old: str, new: str, message: str) -> None:
        with self.assertRaisesRegex(ValueError, message):
            _read(GOOD.replace(old, new, 1))


class Own(unittest.TestCase):
    """The files that the suite carries."""

    def test_there_are_some(self) -> None:
        self.assertIn(("native",), FILES)

    @parameterized.expand(FILES)
    def test_belongs_to_a_subject_and_names_calls(self, name: str) -> None:
        ledger = read_ledger(FOLDER / f"{name}.toml")
        calls: list[Call] = [*select(), *select_illegal()]
        self.assertEqual(ledger.stale(calls), [])
        self.assertTrue(ledger.applies, "it has to say of which versions it speaks")
        for entry in ledger.differences:
            self.assertTrue(any(map(entry.names, calls)), entry.reason)
        self.assertIn(name, {subject.replace(":", "-") for subject, _ in HELP})

    def test_none_excuses_ours(self) -> None:
        self.assertFalse([name for (name,) in FILES if name.startswith("ours")])

    def test_every_adapter_is_listed(self) -> None:
        listed = {subject.partition(":")[0] for subject, _ in HELP}
        self.assertEqual(listed, set(ADAPTERS))
        for subject, _ in HELP:
            if subject != "ours:LOWERING":
                self.assertEqual(resolve(subject).name, subject)
