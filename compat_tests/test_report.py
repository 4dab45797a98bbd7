"""Tables, JSON and exit codes of reports that are made up."""

from __future__ import annotations

import io
import json
import unittest

from parameterized import parameterized
from rich.console import Console

from compat_tests.__main__ import CANNOT_RUN, FAILS, HOLDS, INTERRUPTED, exit_code
from compat_tests.cases.registry import FAMILIES, select_illegal
from compat_tests.judge import Judgement, Verdict
from compat_tests.report import as_json, print_report, shortened
from compat_tests.runner import Finding, Report

PLANE = FAMILIES["plane"]()
EDGE = FAMILIES["edge"]()
ILLEGAL = select_illegal()
EXACT = Judgement(Verdict.EXACT)


def _report(*judgements: Judgement, subject: str = "ours", native: Judgement = EXACT) -> Report:
    """One plane case for each judgement, and one for the native op."""
    findings = [Finding(subject, PLANE[n], found) for n, found in enumerate(judgements)]
    findings.append(Finding("native", PLANE[0], native))
    return Report((subject, "native"), {subject: len(judgements), "native": 1}, findings=findings)


def _printed(report: Report, width: int = 100) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    print_report(console, report)
    return console.export_text().splitlines()


class Tables(unittest.TestCase):
    """What a reader sees."""

    def test_each_verdict_in_its_column(self) -> None:
        verdicts = [
            *[Verdict.EXACT] * 5,
            *[Verdict.CLOSE] * 1,
            *[Verdict.WRONG_VALUES] * 2,
            *[Verdict.WRONG_SHAPE] * 1,
            *[Verdict.REFUSED] * 4,
            *[Verdict.FATAL] * 1,
            *[Verdict.TIMED_OUT] * 1,
        ]
        lines = _printed(_report(*(Judgement(verdict, "so it is") for verdict in verdicts)))
        (plane,) = [line.split() for line in lines if line.startswith("plane")]
        #       cases   computed equal refused wrong fatal
        ours = ["15", "9", "5", "4", "3", "2"]
        self.assertEqual(plane, ["plane", *ours, "1", "1", "·", "·", "·"])

    def test_families_add_up(self) -> None:
        findings = [Finding("ours", case, EXACT) for case in (*PLANE[:7], *EDGE[:5])]
        lines = _printed(Report(("ours",), {"ours": 12}, findings=findings))
        rows = {line.split()[0]: line.split()[1:4] for line in lines if line.strip()}
        self.assertEqual(rows["plane"], ["7", "7", "7"])
        self.assertEqual(rows["edge"], ["5", "5", "5"])
        self.assertEqual(rows["total"], ["12", "12", "12"])

    def test_illegal_calls_have_a_table_of_their_own(self) -> None:
        verdicts = [Verdict.CLEAR, Verdict.CLEAR, Verdict.UNCLEAR, Verdict.ACCEPTED, Verdict.FATAL]
        findings = [
            Finding("ours", case, Judgement(verdict, "because"))
            for case, verdict in zip(ILLEGAL, verdicts, strict=False)
        ]
        lines = _printed(Report(("ours",), {"ours": 5}, findings=findings))
        (row,) = [line.split() for line in lines if line.startswith("illegal ") and "5" in line]
        self.assertEqual(row, ["illegal", "5", "2", "1", "1", "1"])
        self.assertFalse([line for line in lines if "computed" in line])

    def test_alike_findings_are_told_once(self) -> None:
        details = ["size 3 is beyond me", "size 14 is beyond me", "no stride"]
        report = _report(*(Judgement(Verdict.REFUSED, detail) for detail in details))
        text = "\n".join(_printed(report))
        self.assertRegex(text, r"refused +2× +" + PLANE[0].id)
        self.assertEqual(text.count("beyond me"), 1)
        self.assertRegex(text, r"refused +1× +" + PLANE[2].id)

    def test_worst_comes_first(self) -> None:
        order = [Verdict.REFUSED, Verdict.WRONG_VALUES, Verdict.FATAL]
        lines = _printed(_report(*(Judgement(verdict, verdict.value) for verdict in order)))
        told = [line.split()[0] for line in lines if "×" in line]
        self.assertEqual(told, ["fatal", "wrong", "refused"])

    @parameterized.expand([(80,), (100,)])
    def test_fits(self, width: int) -> None:
        report = _report(*[Judgement(Verdict.REFUSED, "a long story " * 60)] * 20)
        self.assertLessEqual(max(map(len, _printed(report, width))), width)

    def test_two_subjects_of_full_size_fit_side_by_side(self) -> None:
        cases = FAMILIES["axis"]() + FAMILIES["explicit"]() + EDGE
        findings = [Finding(name, case, EXACT) for name in ("ours", "native") for case in cases]
        report = Report(("ours", "native"), dict.fromkeys(("ours", "native"), len(cases)))
        report.findings = findings
        (axis,) = [line.split() for line in _printed(report) if line.startswith("axis")]
        self.assertEqual(axis.count("7,560"), 5)

    def test_interruption_is_said(self) -> None:
        report = _report(EXACT)
        self.assertNotIn("interrupted", "\n".join(_printed(report)))
        report.interrupted = True
        self.assertIn("interrupted", "\n".join(_printed(report)))

    def test_subject_that_could_not_run(self) -> None:
        report = Report(("ours",), {"ours": 3}, failures={"ours": "ModuleNotFoundError: none"})
        text = "\n".join(_printed(report))
        self.assertIn("ours could not run", text)
        self.assertIn("ModuleNotFoundError", text)

    def test_shortened(self) -> None:
        message = "{{function_node __wrapped__X}} first line\n  second line"
        self.assertEqual(shortened(message, 80), "first line second line")
        self.assertEqual(shortened(message, 10), "first lin…")


class Json(unittest.TestCase):
    """What a program sees."""

    def test_everything_is_there(self) -> None:
        report = _report(EXACT, Judgement(Verdict.CLOSE, "by a hair", ulps=1.5))
        report.descriptions["ours"] = {"tensorflow": "2"}
        found = json.loads(json.dumps(as_json(report, {"sample": 2})))
        self.assertEqual(found["settings"], {"sample": 2})
        ours = found["subjects"]["ours"]
        self.assertEqual(ours["description"], {"tensorflow": "2"})
        self.assertEqual(ours["counts"], {"exact": 1, "close": 1})
        self.assertEqual(ours["results"][1]["id"], PLANE[1].id)
        self.assertEqual(ours["results"][1]["ulps"], 1.5)


class ExitCode(unittest.TestCase):
    """Who decides, and how."""

    def test_holds(self) -> None:
        self.assertEqual(exit_code(_report(EXACT, EXACT), ["ours"], False), HOLDS)

    def test_native_is_for_comparison(self) -> None:
        report = _report(EXACT, native=Judgement(Verdict.FATAL))
        self.assertEqual(exit_code(report, ["ours"], False), HOLDS)
        self.assertEqual(exit_code(report, ["ours", "native"], False), FAILS)

    @parameterized.expand(
        [(v.value, v) for v in Verdict if v not in (Verdict.EXACT, Verdict.CLEAR)]
    )
    def test_anything_but_exact_fails(self, name: str, verdict: Verdict) -> None:
        self.assertEqual(exit_code(_report(EXACT, Judgement(verdict)), ["ours"], False), FAILS)

    @parameterized.expand([("ours", False, FAILS), ("a:f", False, HOLDS), ("a:f", True, FAILS)])
    def test_illegal_calls(self, subject: str, errors_count: bool, code: int) -> None:
        report = _report(EXACT, subject=subject)
        report.findings.append(Finding(subject, ILLEGAL[0], Judgement(Verdict.ACCEPTED)))
        report.planned[subject] += 1
        self.assertEqual(exit_code(report, [subject], errors_count), code)

    def test_a_case_that_never_ran_fails(self) -> None:
        report = _report(EXACT)
        report.planned["ours"] += 1
        self.assertEqual(exit_code(report, ["ours"], False), FAILS)

    def test_could_not_run(self) -> None:
        report = _report(EXACT)
        report.failures["ours"] = "no such module"
        self.assertEqual(exit_code(report, ["ours"], False), CANNOT_RUN)

    def test_interrupted(self) -> None:
        report = _report(EXACT)
        report.interrupted = True
        self.assertEqual(exit_code(report, ["ours"], False), INTERRUPTED)
