"""Tables, conclusions, exit codes and documents of sample reports."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from packaging.specifiers import SpecifierSet
from parameterized import parameterized
from rich.console import Console

from compat_tests.cases.registry import FAMILIES, select_illegal
from compat_tests.conclusion import (
    CANNOT_RUN,
    FAILS,
    HOLDS,
    INTERRUPTED,
    conclude,
    exit_code,
    under_judgement,
)
from compat_tests.document import as_document, read_report, write_document
from compat_tests.expected.condition import ANYWHERE, Condition
from compat_tests.expected.known_differences import (
    Difference,
    KnownDifferences,
    Pattern,
    read_known_differences,
)
from compat_tests.judge import Judgement, Numbers, Verdict
from compat_tests.machine import Machine
from compat_tests.pages.reading import shortened
from compat_tests.runner import Finding, Report
from compat_tests.terminal import print_report

PLANE = FAMILIES["plane"]()
EDGE = FAMILIES["edge"]()
ILLEGAL = select_illegal()
EXACT = Judgement(Verdict.EXACT)
HALF = Machine("Linux", "x86_64", instructions=frozenset({"avx512f", "avx512_fp16"}))
NO_HALF = replace(HALF, instructions=frozenset({"avx512f"}))
NOT_TOLD = replace(HALF, instructions=None)
ARM = Machine("Linux", "arm64", instructions=frozenset({"asimd"}))
NO_WORDS = Judgement(Verdict.REFUSED, "there is no word for it", inexpressible=True)


def _report(*judgements: Judgement, subject: str = "ours", native: Judgement = EXACT) -> Report:
    """One plane case for each judgement, and one for the native op."""
    findings = [Finding(subject, PLANE[n], found) for n, found in enumerate(judgements)]
    findings.append(Finding("native", PLANE[0], native))
    return Report((subject, "native"), {subject: len(judgements), "native": 1}, findings=findings)


def _ledger(
    *cases: str,
    verdict: Verdict = Verdict.REFUSED,
    version: str = ">=2",
    entry: Condition = ANYWHERE,
    whole: Condition = ANYWHERE,
) -> KnownDifferences:
    """A ledger for TensorFlow 2 with one entry."""
    patterns = tuple(Pattern(ids=pattern) for pattern in cases)
    only = Difference(frozenset({verdict}), patterns, (), "it never could", "", "next year", entry)
    return KnownDifferences(
        Path("native.toml"), {"tensorflow": SpecifierSet(version)}, (only,), whole
    )


def _printed(
    report: Report, width: int = 100, named: str = "", **ledgers: KnownDifferences
) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    deciding = under_judgement(report.subjects, named.split())
    print_report(console, report, conclude(report, ledgers, machine=HALF), deciding)
    return console.export_text().splitlines()


def _code(
    report: Report,
    *named: str,
    errors_count: bool = False,
    strict: bool = False,
    machine: Machine | None = None,
    **ledgers: KnownDifferences,
) -> int:
    conclusions = conclude(report, ledgers, errors_count, machine or HALF)
    return exit_code(report, conclusions, named, strict)


class Tables(unittest.TestCase):
    """What a reader sees."""

    def test_each_verdict_in_its_column(self) -> None:
        verdicts = [
            *[Verdict.EXACT] * 5,
            *[Verdict.CLOSE] * 1,
            *[Verdict.WRONG_VALUES] * 2,
            *[Verdict.WRONG_SHAPE] * 1,
            *[Verdict.FATAL] * 1,
            *[Verdict.TIMED_OUT] * 1,
            *[Verdict.REFUSED] * 4,
        ]
        judgements = [Judgement(verdict, "so it is") for verdict in verdicts]
        lines = _printed(_report(*judgements, NO_WORDS, NO_WORDS))
        rows = [line.split() for line in lines if line.startswith("ours ")]
        #       calls equal close wrong fatal refused no words
        self.assertEqual(rows[0], ["ours", "17", "5", "1", "3", "2", "4", "2"])
        native = [line.split() for line in lines if line.startswith("native ")]
        self.assertEqual(native[0], ["native", "1", "1", "·", "·", "·", "·", "·"])

    def test_families_are_shares_of_what_could_be_put(self) -> None:
        findings = [Finding("ours", case, EXACT) for case in (*PLANE[:7], *EDGE[:5])]
        findings.append(Finding("ours", PLANE[7], NO_WORDS))
        findings.append(Finding("ours", EDGE[5], Judgement(Verdict.REFUSED, "no")))
        lines = _printed(Report(("ours",), {"ours": 14}, findings=findings))
        rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
        self.assertEqual(rows["plane"], ["7"])
        self.assertEqual(rows["edge"], ["5", "of", "6"])

    def test_illegal_calls_have_a_table_of_their_own(self) -> None:
        verdicts = [Verdict.CLEAR, Verdict.CLEAR, Verdict.UNCLEAR, Verdict.ACCEPTED, Verdict.FATAL]
        findings = [
            Finding("ours", case, Judgement(verdict, "because"))
            for case, verdict in zip(ILLEGAL, verdicts, strict=False)
        ]
        lines = _printed(Report(("ours",), {"ours": 5}, findings=findings))
        (row,) = [line.split() for line in lines if line.startswith("ours ")]
        self.assertEqual(row, ["ours", "5", "2", "1", "1", "1"])
        self.assertFalse([line for line in lines if "legal calls" in line and "il" not in line])

    def test_alike_findings_are_told_once(self) -> None:
        details = ["size 3 is beyond me", "size 14 is beyond me", "no stride"]
        report = _report(*(Judgement(Verdict.REFUSED, detail) for detail in details))
        text = "\n".join(_printed(report))
        self.assertRegex(text, rf"refused +2× +({PLANE[0].id}|{PLANE[1].id})")
        self.assertEqual(text.count("beyond me"), 1)
        self.assertRegex(text, r"refused +1× +" + PLANE[2].id)

    def test_worst_comes_first(self) -> None:
        order = [Verdict.REFUSED, Verdict.WRONG_VALUES, Verdict.FATAL]
        lines = _printed(_report(*(Judgement(verdict, verdict.value) for verdict in order)))
        told = [line.split()[0] for line in lines if "×" in line]
        self.assertEqual(told, ["fatal", "wrong", "refused"])

    def test_diagnosis_is_told(self) -> None:
        wrong = Judgement(Verdict.WRONG_VALUES, "1 of 2 differ", diagnosis="shifted by (1, 0)")
        self.assertIn("shifted by (1, 0): 1 of 2 differ", "\n".join(_printed(_report(wrong))))

    @parameterized.expand([(80,), (100,)])
    def test_tables_fit_the_width(self, width: int) -> None:
        report = _report(*[Judgement(Verdict.FATAL, "a long story " * 60)] * 20)
        lines = _printed(report, width)
        # What follows is to be copied, and is left as it is.
        told = lines[: lines.index("  to see the first:")]
        self.assertLessEqual(max(map(len, told)), width)

    def test_many_subjects_fit(self) -> None:
        subjects = tuple(f"ours:lowering_{n}" for n in range(12))
        findings = [Finding(s, case, EXACT) for s in subjects for case in (*PLANE, *EDGE)]
        report = Report(subjects, dict.fromkeys(subjects, len(PLANE + EDGE)), findings=findings)
        lines = _printed(report)
        self.assertLessEqual(max(map(len, lines)), 100)
        shares = [cell for line in lines if line.startswith("plane") for cell in line.split()[1:]]
        self.assertEqual(shares, [str(len(PLANE))] * 12)

    def test_interruption_is_said(self) -> None:
        report = _report(EXACT)
        self.assertNotIn("interrupted", "\n".join(_printed(report)))
        report.interrupted = True
        self.assertIn("interrupted", "\n".join(_printed(report)))

    def test_absent_and_failed_subjects_are_said(self) -> None:
        report = Report(("ours", "torch"), {"ours": 3, "torch": 3})
        report.failures["ours"] = "ImportError: none"
        report.absent["torch"] = "torch is not installed"
        text = "\n".join(_printed(report))
        self.assertIn("could not run: ImportError: none", text)
        self.assertIn("absent: torch is not installed", text)

    def test_sample_is_said(self) -> None:
        report = _report(EXACT)
        report.samples["ours"] = 1
        self.assertIn("took a sample of 1 legal cases", "\n".join(_printed(report)))

    def test_known_differences_are_counted_and_not_told(self) -> None:
        report = _report(EXACT, native=Judgement(Verdict.REFUSED, "never mind"))
        report.descriptions["native"] = {"tensorflow": "2.21.0"}
        text = "\n".join(_printed(report, native=_ledger("plane-*")))
        self.assertIn("1 differences are known: native.toml", text)
        self.assertNotIn("never mind", text)

    def test_long_messages_are_shortened(self) -> None:
        message = "{{function_node __wrapped__X}} first line\n  second line"
        self.assertEqual(shortened(message, 80), "first line second line")
        self.assertEqual(shortened(message, 10), "first lin…")


class ExitCode(unittest.TestCase):
    """Who decides, and how."""

    def test_all_exact_exits_0(self) -> None:
        self.assertEqual(_code(_report(EXACT, EXACT)), HOLDS)

    @parameterized.expand(
        [(v.value, v) for v in Verdict if v not in (Verdict.EXACT, Verdict.CLEAR)]
    )
    def test_anything_but_exact_fails(self, name: str, verdict: Verdict) -> None:
        self.assertEqual(_code(_report(EXACT, Judgement(verdict))), FAILS)

    def test_inexpressible_call_is_not_a_failure(self) -> None:
        self.assertEqual(_code(_report(EXACT, NO_WORDS)), HOLDS)

    @parameterized.expand([("ours", False, FAILS), ("a:f", False, HOLDS), ("a:f", True, FAILS)])
    def test_illegal_calls_decide_for_ours_and_where_asked(
        self, subject: str, errors_count: bool, code: int
    ) -> None:
        report = _report(EXACT, subject=subject)
        report.findings.append(Finding(subject, ILLEGAL[0], Judgement(Verdict.ACCEPTED)))
        report.planned[subject] += 1
        self.assertEqual(_code(report, errors_count=errors_count), code)

    def test_a_case_that_never_ran_fails(self) -> None:
        report = _report(EXACT)
        report.planned["ours"] += 1
        self.assertEqual(_code(report), FAILS)

    def test_subject_that_could_not_run_exits_2(self) -> None:
        report = _report(EXACT)
        report.failures["ours"] = "no such module"
        self.assertEqual(_code(report), CANNOT_RUN)
        self.assertEqual(_code(report, "native"), CANNOT_RUN)

    def test_a_framework_that_could_not_run_decides_only_if_named(self) -> None:
        report = _report(EXACT)
        report.failures["native"] = "no such module"
        self.assertEqual(_code(report), HOLDS)
        self.assertEqual(_code(report, strict=True), CANNOT_RUN)
        self.assertEqual(_code(report, "ours", "native"), CANNOT_RUN)

    def test_absent_decides_only_if_named(self) -> None:
        report = _report(EXACT)
        report.subjects = ("ours", "native", "torch")
        report.planned["torch"] = 5
        report.absent["torch"] = "not installed"
        self.assertEqual(_code(report), HOLDS)
        self.assertEqual(_code(report, strict=True), HOLDS)
        self.assertEqual(_code(report, "torch"), CANNOT_RUN)

    def test_nothing_was_judged_where_ours_is_absent(self) -> None:
        report = _report()
        report.absent["ours"] = "not installed"
        self.assertEqual(_code(report), CANNOT_RUN)

    @parameterized.expand(
        [
            ("the suite's own choice", "ours ours:xla native native:xla", "", "ours ours:xla"),
            ("all", "ours litert litert:ours torch", "", "ours litert:ours"),
            ("one framework", "native", "native", "native"),
            ("two frameworks", "torch jax", "torch jax", "torch jax"),
            ("beside a framework", "ours native", "ours native", "ours"),
            (
                "from outside",
                "my.kernels:tconv native",
                "my.kernels:tconv native",
                "my.kernels:tconv",
            ),
            ("elsewhere", "ours@/opt/python native", "native", "ours@/opt/python"),
        ]
    )
    def test_deciding_subjects(self, name: str, subjects: str, named: str, deciding: str) -> None:
        found = under_judgement(subjects.split(), named.split())
        self.assertEqual(found, set(deciding.split()))

    @parameterized.expand([(v.value, v) for v in Verdict if v is not Verdict.CLEAR])
    def test_a_framework_beside_ours_decides_nothing(self, name: str, verdict: Verdict) -> None:
        report = _report(EXACT, native=Judgement(verdict, "so it is"))
        wrong = verdict is not Verdict.EXACT
        self.assertEqual(_code(report), HOLDS)
        self.assertEqual(_code(report, "ours", "native"), HOLDS)
        self.assertEqual(_code(report, strict=True), FAILS if wrong else HOLDS)
        report = replace(report, subjects=("native",), planned={"native": 1})
        report.findings = report.findings[1:]
        self.assertEqual(_code(report, "native"), FAILS if wrong else HOLDS)

    def test_ours_fails_whatever_else_holds(self) -> None:
        report = _report(Judgement(Verdict.WRONG_VALUES))
        for named in ((), ("ours",), ("ours", "native"), ("native",)):
            self.assertEqual(_code(report, *named), FAILS)

    def test_interrupted_run_exits_130(self) -> None:
        report = _report(EXACT)
        report.interrupted = True
        self.assertEqual(_code(report), INTERRUPTED)


class Known(unittest.TestCase):
    """Findings on a framework compared with a ledger, strictly in both directions."""

    def setUp(self) -> None:
        self.report = self._native(Judgement(Verdict.REFUSED, "no"))

    def _native(self, judgement: Judgement) -> Report:
        """One case for the native op alone."""
        description = {"native": {"tensorflow": "2.21.0"}}
        findings = [Finding("native", PLANE[0], judgement)]
        return Report(("native",), {"native": 1}, description, findings=findings)

    def _code(self, report: Report, **settings: Any) -> int:
        return _code(report, "native", **settings)

    def test_known_difference_holds(self) -> None:
        self.assertEqual(self._code(self.report, native=_ledger(PLANE[0].id)), HOLDS)

    def test_unknown_difference_fails(self) -> None:
        self.assertEqual(self._code(self.report), FAILS)
        self.assertEqual(self._code(self.report, native=_ledger(PLANE[1].id)), FAILS)

    def test_known_difference_with_another_verdict_fails(self) -> None:
        ledger = _ledger(PLANE[0].id, verdict=Verdict.FATAL)
        self.assertEqual(self._code(self.report, native=ledger), FAILS)
        (finding,) = conclude(self.report, {"native": ledger})["native"].contradicting
        complaint = ledger.complaint(finding)
        self.assertIn("is refused; native.toml expects fatal: it never could", complaint)

    def test_known_difference_that_is_fixed_fails(self) -> None:
        report = self._native(EXACT)
        self.assertEqual(self._code(report, native=_ledger("plane-*")), FAILS)
        text = "\n".join(_printed(report, named="native", native=_ledger("plane-*")))
        self.assertRegex(text, rf"exact +1× +{PLANE[0].id}")
        self.assertIn("not as known", text)
        self.assertIn(f"--subject native --case {PLANE[0].id}", text)
        self.assertRegex(text, "change the entry of compat_tests/expected/native.toml")

    def test_stale_pattern_is_told_and_fails_when_strict(self) -> None:
        ledger = _ledger(PLANE[0].id, "plane-of-old-*")
        self.assertEqual(self._code(self.report, native=ledger), HOLDS)
        self.assertEqual(self._code(self.report, native=ledger, strict=True), FAILS)
        text = " ".join("\n".join(_printed(self.report, native=ledger)).split())
        self.assertIn("'plane-of-old-*' matches no call", text)

    def test_inexpressible_call_contradicts_no_ledger(self) -> None:
        ledger = _ledger("plane-*", verdict=Verdict.WRONG_VALUES)
        self.assertEqual(self._code(self._native(NO_WORDS), native=ledger), HOLDS)

    def test_another_version_decides_only_if_named(self) -> None:
        ledger = _ledger(PLANE[0].id, version=">=3")
        report = _report(EXACT, native=Judgement(Verdict.REFUSED, "no"))
        self.assertEqual(_code(report, native=ledger), HOLDS)
        self.assertEqual(_code(report, native=ledger, strict=True), HOLDS)
        self.assertEqual(self._code(self.report, native=ledger), FAILS)
        text = "\n".join(_printed(self.report, native=ledger))
        self.assertIn("speaks of tensorflow>=3 only", text)

    def test_another_kind_of_machine_decides_only_if_named(self) -> None:
        ledger = _ledger(PLANE[0].id, whole=Condition(architecture=("arm64",)))
        report = _report(EXACT, native=Judgement(Verdict.REFUSED, "no"))
        self.assertEqual(_code(report, native=ledger, strict=True), HOLDS)
        self.assertEqual(self._code(self.report, native=ledger), FAILS)
        self.assertEqual(self._code(self.report, native=ledger, machine=ARM), HOLDS)
        text = "\n".join(_printed(report, native=ledger))
        self.assertIn("speaks of tensorflow>=2, arm64 only", text)
        self.assertIn("1 is not as known, which decides nothing here\n", re.sub(" +\n", "\n", text))
        self.assertIn("widen what compat_tests/expected/native.toml speaks of", text)

    @parameterized.expand(
        [
            ("where_it_holds", NO_HALF, Verdict.REFUSED, HOLDS),
            ("where_it_holds_and_is_fixed", NO_HALF, Verdict.EXACT, FAILS),
            ("elsewhere", HALF, Verdict.EXACT, HOLDS),
            ("elsewhere_and_refused", HALF, Verdict.REFUSED, FAILS),
            ("where_nobody_can_say", NOT_TOLD, Verdict.REFUSED, HOLDS),
            ("where_nobody_can_say_and_exact", NOT_TOLD, Verdict.EXACT, HOLDS),
            ("where_nobody_can_say_and_wrong", NOT_TOLD, Verdict.WRONG_VALUES, FAILS),
        ]
    )
    def test_entry_for_some_processors(
        self, name: str, machine: Machine, verdict: Verdict, code: int
    ) -> None:
        ledger = _ledger(PLANE[0].id, entry=Condition(lacks=("avx512_fp16",)))
        report = self._native(Judgement(verdict))
        self.assertEqual(self._code(report, native=ledger, machine=machine, strict=True), code)

    def test_what_is_not_known_is_told_with_the_way_to_see_and_to_enter_it(self) -> None:
        report = _report(EXACT, native=Judgement(Verdict.REFUSED, "not today"))
        report.descriptions["native"] = {"tensorflow": "2.21.0"}
        ledger = _ledger(PLANE[1].id)
        text = "\n".join(_printed(report, native=ledger))
        self.assertIn("1 is not as known, which decides nothing here: --strict fails on it", text)
        self.assertRegex(text, rf"refused +1× +{PLANE[0].id}\n +not today")
        self.assertIn("tf.nn.conv2d_transpose(x, w, ", text)
        self.assertIn("add to compat_tests/expected/native.toml:", text)
        entry = text[text.index("[[difference]]") :].partition("\n\n")[0]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "native.toml")
            path.write_text('[applies]\ntensorflow = ">=2"\n' + entry, encoding="utf-8")
            fixed = read_known_differences(path)
        self.assertEqual(_code(report, native=fixed, machine=NO_HALF, strict=True), HOLDS)

    def test_no_ledger_is_recomfixed_for_ours(self) -> None:
        text = "\n".join(_printed(_report(Judgement(Verdict.REFUSED, "no"))))
        self.assertNotIn("[[difference]]", text)

    def test_exception_to_a_pattern_is_not_covered(self) -> None:
        ledger = _ledger("plane-*")
        entry = replace(ledger.differences[0], but=(Pattern(ids=PLANE[0].id),))
        self.assertTrue(entry.names(PLANE[1]))
        self.assertFalse(entry.names(PLANE[0]))


class Documents(unittest.TestCase):
    """What a program sees, and reads back."""

    def setUp(self) -> None:
        right = np.arange(4.0).reshape(1, 2, 2, 1)
        self.wrong = Judgement(
            Verdict.WRONG_VALUES,
            "all differ",
            diagnosis="shifted by (1, 0)",
            numbers=Numbers("y", right + 1, right),
        )
        close = Judgement(Verdict.CLOSE, "by a hair", ulps=1.5)
        self.report = _report(EXACT, close, self.wrong, NO_WORDS)
        self.report.descriptions["ours"] = {"tensorflow": "2"}

    def test_document_holds_the_whole_report(self) -> None:
        found = json.loads(json.dumps(as_document(self.report, {"sample": 2}, {})))
        self.assertEqual(found["settings"], {"sample": 2})
        ours = found["subjects"]["ours"]
        self.assertEqual(ours["description"], {"tensorflow": "2"})
        self.assertEqual(ours["counts"], {"exact": 1, "close": 1, "wrong values": 1, "refused": 1})
        exact, close, wrong, no_words = ours["results"]
        self.assertEqual(exact, {"id": PLANE[0].id, "verdict": "exact"})
        self.assertEqual(close["ulps"], 1.5)
        self.assertEqual(wrong["numbers"]["right"], [[[[0], [1]], [[2], [3]]]])
        self.assertIn("reproducer", wrong)
        self.assertTrue(no_words["inexpressible"])
        self.assertNotIn("reproducer", no_words)

    def test_numbers_that_json_cannot_hold(self) -> None:
        bad = replace(
            self.wrong, numbers=Numbers("y", np.full((1, 1, 1, 1), np.nan), np.ones((1, 1, 1, 1)))
        )
        found = as_document(_report(bad), {}, {})
        text = json.dumps(found, allow_nan=False)
        self.assertIn("nan", text)

    def test_known_differences_carry_their_reason(self) -> None:
        ledger = _ledger(PLANE[2].id, verdict=Verdict.WRONG_VALUES)
        found = as_document(self.report, {}, {"ours": ledger})["subjects"]["ours"]
        self.assertEqual(found["results"][2]["expected"], "it never could")
        self.assertEqual(found["ledger"]["expected"], 1)

    @unittest.skipUnless(hasattr(os, "mkfifo"), "no such file on this system")
    def test_pipe_stays_a_pipe(self) -> None:
        document = as_document(self.report, {}, {})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "pipe")
            os.mkfifo(path)
            with ThreadPoolExecutor(1) as reader:
                got = reader.submit(path.read_text, encoding="utf-8")
                write_document(path, document)
                self.assertEqual(json.loads(got.result(10)), document)
            self.assertTrue(path.is_fifo())

    def test_link_stays_a_link(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            link, path = Path(folder, "link"), Path(folder, "report.json")
            link.symlink_to(path)
            write_document(link, as_document(self.report, {}, {}))
            self.assertTrue(link.is_symlink())
            self.assertTrue(path.is_file())

    def test_document_is_read_back(self) -> None:
        calls = {"ours": PLANE[:3], "native": PLANE[:1]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "results.json")
            write_document(path, as_document(self.report, {}, {}))
            self.assertEqual([child.name for child in Path(folder).iterdir()], ["results.json"])
            again = read_report(path, calls)
        self.assertEqual(again.findings, [f for f in self.report.findings if f.call in PLANE[:3]])
        self.assertEqual(again.descriptions, self.report.descriptions)
        numbers = again.findings[2].judgement.numbers
        assert numbers is not None
        self.assertTrue(np.array_equal(numbers.found, np.arange(4.0).reshape(1, 2, 2, 1) + 1))

    @parameterized.expand([("no json", "{"), ("other json", "[]"), ("no subjects", "{}")])
    def test_file_that_is_not_a_document_is_refused(self, name: str, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "results.json")
            path.write_text(text, encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "holds no results"):
                read_report(path, {"ours": PLANE[:3]})
