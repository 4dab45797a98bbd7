"""The ledgers: what a file may say, and that each of the suite's own is sound."""

from __future__ import annotations

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import select, select_illegal
from compat_tests.expected.condition import Condition
from compat_tests.expected.known_differences import FOLDER, KnownDifferences, read_known_differences
from compat_tests.judge import Verdict
from compat_tests.machine import Machine
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
where = { lacks = "avx512_fp16", onednn = true }
"""

HERE = Machine("Linux", "x86_64", instructions=frozenset({"avx2"}))

FILES = [(path.stem,) for path in sorted(FOLDER.glob("*.toml"))]


def _read(text: str) -> KnownDifferences:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.toml")
        path.write_text(text, encoding="utf-8")
        return read_known_differences(path)


class Reading(unittest.TestCase):
    """From text to a ledger, or to a sentence that says what is wrong."""

    def test_good_ledger_is_read(self) -> None:
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
        self.assertTrue(ledger.covers(HERE, {"tensorflow": "2.21.3"}))
        self.assertFalse(ledger.covers(HERE, {"tensorflow": "2.22.0"}))
        self.assertFalse(ledger.covers(HERE, {}))
        self.assertEqual(entry.where, Condition(lacks=("avx512_fp16",), onednn=True))

    def test_entries_that_do_not_hold_are_left_out(self) -> None:
        ledger = _read(GOOD)
        without = replace(HERE, instructions=frozenset({"avx512_fp16"}))
        for machine, onednn, entries in (
            (HERE, "on", 1),
            (HERE, "off", 0),
            (without, "on", 0),
            (without, "off", 0),
        ):
            self.assertEqual(len(ledger.on(machine, {"oneDNN": onednn}).differences), entries)

    def test_entry_that_may_hold_accepts_both_outcomes(self) -> None:
        (entry,) = _read(GOOD).on(HERE, {}).differences
        self.assertEqual(
            entry.verdicts, {Verdict.REFUSED, Verdict.FATAL, Verdict.EXACT, Verdict.CLEAR}
        )

    def test_ledger_covers_one_kind_of_machine(self) -> None:
        ledger = _read(f'{GOOD}\n[where]\nsystem = ["Linux", "Darwin"]\narchitecture = "arm64"\n')
        known = {"tensorflow": "2.21.3"}
        self.assertFalse(ledger.covers(HERE, known))
        self.assertTrue(ledger.covers(replace(HERE, architecture="arm64"), known))
        self.assertEqual(ledger.scope, "tensorflow<2.22,>=2.21, Linux or Darwin, arm64")

    @parameterized.expand(
        [
            ("within", {"tensorflow": "2.21.1"}, True),
            ("before release", {"tensorflow": "2.21.0.dev20260101"}, True),
            ("other", {"tensorflow": "2.22.0"}, False),
            ("not a version", {"tensorflow": "2.21.0-18503-6fec06580ab-releases"}, False),
            ("not told", {}, False),
        ]
    )
    def test_ledger_covers_versions(
        self, name: str, described: dict[str, str], speaks: bool
    ) -> None:
        ledger = _read(GOOD.replace(">=2.21,<2.22", ">2.20,<2.22"))
        self.assertIs(ledger.covers(HERE, described), speaks)

    @parameterized.expand(
        [
            ("no reason", 'reason = "there is no kernel"\n', "", "difference 1: reason is missing"),
            ("no recheck", 'recheck = "with TensorFlow 2.22"\n', "", "recheck is missing"),
            ("unknown key", "link", "url", "unknown key 'url'"),
            ("unknown table", "[applies]", "[versions]", "unknown table 'versions'"),
            ("unknown verdict", '"fatal"', '"bad"', "bad"),
            ("no difference", '["refused", "fatal"]', '"exact"', "exact is not a difference"),
            ("bad trait", "strided", "striding", "no trait 'striding'; there are family, "),
            ("bad pattern", '["*-g2-*"]', "[2]", "2 is neither a pattern"),
            (
                "one pattern for a list of them",  # whose letters would be patterns, "*" among them
                '["plane-*", { dtype = ["half", "int32"], strided = true }]',
                '"plane-*"',
                "difference 1: cases is 'plane-\\*'; it is a list of patterns",
            ),
            ("the same of exceptions", '["*-g2-*"]', '"*-g2-*"', "but is .*; it is a list of"),
            ("no table", "[applies]\ntensorflow", "applies", "applies is .*; it is a table"),
            ("bad version", ">=2.21,<2.22", "new", "new"),
            ("no condition", "lacks =", "without =", "difference 1: where knows no 'without'"),
            ("bad condition", '"avx512_fp16"', "16", "where.lacks is 16; it is a text or a list"),
            ("neither on nor off", "onednn = true", 'onednn = "on"', "it is true or false"),
            ("bad versions", "onednn = true", "versions = 2", "a table of versions by package"),
            ("bad variable", "onednn = true", "settings = { X = '1' }", "a table of values of TF_"),
            ("empty condition", '{ lacks = "avx512_fp16", onednn = true }', "{}", "it is a table"),
        ]
    )
    def test_bad_ledger_is_refused(self, name: str, old: str, new: str, message: str) -> None:
        with self.assertRaisesRegex(ValueError, message):
            _read(GOOD.replace(old, new, 1))


class Own(unittest.TestCase):
    """The files that the suite carries."""

    def test_ledgers_are_found(self) -> None:
        self.assertIn(("native",), FILES)

    @parameterized.expand(FILES)
    def test_belongs_to_a_subject_and_names_calls(self, name: str) -> None:
        ledger = read_known_differences(FOLDER / f"{name}.toml")
        calls: list[Call] = [*select(), *select_illegal()]
        self.assertEqual(ledger.stale(calls), [])
        self.assertTrue(ledger.applies, "it has to say of which versions it speaks")
        for entry in ledger.differences:
            self.assertTrue(any(map(entry.names, calls)), entry.reason)
        self.assertIn(name, {subject.replace(":", "-") for subject, _ in HELP})

    @parameterized.expand(FILES)
    def test_asks_of_the_processor_only_on_one_architecture(self, name: str) -> None:
        """An instruction set that another architecture cannot have is lacking there for nothing."""
        ledger = read_known_differences(FOLDER / f"{name}.toml")
        asking = [c for c in ledger.conditions if c.instructions and not c.architecture]
        self.assertTrue(ledger.where.architecture or not asking)

    def test_native_holds_with_half_instructions_and_without(self) -> None:
        """The calls that were found to differ between the two kinds of processors."""
        native = read_known_differences(FOLDER / "native.toml")
        described = {"tensorflow": "2.21.0", "oneDNN": "on"}
        there, here = (
            native.on(replace(HERE, instructions=frozenset(found)), described)
            for found in ({"avx512f", "avx512bw", "avx512_fp16"}, {"avx512f", "avx512bw"})
        )
        differing = [
            case
            for case in select()
            if (there.entry(case) is None) is not (here.entry(case) is None)
        ]
        self.assertEqual(len(differing), 92)
        for case in differing:
            self.assertEqual(case.dtype, "half")
            self.assertIsInstance(case.padding, str)
            plain = max(case.dilations) == 1 and case.groups == 1 and case.data_format == "NHWC"
            self.assertFalse(plain, case.id)
            entry = here.entry(case)
            assert entry is not None
            self.assertEqual(entry.verdicts, {Verdict.REFUSED})

    def test_no_ledger_excuses_ours(self) -> None:
        self.assertFalse([name for (name,) in FILES if name.startswith("ours")])

    def test_every_adapter_is_listed(self) -> None:
        listed = {subject.partition(":")[0] for subject, _ in HELP}
        self.assertEqual(listed, set(ADAPTERS))
        for subject, _ in HELP:
            if subject != "ours:LOWERING":
                self.assertEqual(resolve(subject).name, subject)
