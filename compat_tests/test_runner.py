"""The runner on mutants: each fault is found, and costs no more than its case."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from parameterized import parameterized
from typer.testing import CliRunner

from compat_tests import mutants
from compat_tests.__main__ import app
from compat_tests.cases.case import Case
from compat_tests.cases.registry import select
from compat_tests.judge import Verdict
from compat_tests.machine import Machine
from compat_tests.outcomes import Answered, Died
from compat_tests.runner import MEMORY, Report, run
from compat_tests.worker_process import ROOT, WorkerProcess

FAMILIES = ["axis", "plane", "channels", "layout", "dtype"]
CASES = select(FAMILIES, sample=40)
STRIDE_3 = [case for case in CASES if 3 in case.strides]
WAIT_SECONDS = 60.0
"""Far more than a worker needs to start: what is waited for is a fact, not a time."""


def _subject(name: str) -> str:
    return f"compat_tests.mutants:{name}"


def _run(name: str, cases: Sequence[Case] = CASES, jobs: int = 2, timeout: float = 60) -> Report:
    return run({_subject(name): cases}, jobs=jobs, timeout=timeout)


def _verdicts(report: Report) -> Counter[Verdict]:
    return Counter(finding.judgement.verdict for finding in report.findings)


class Planted(unittest.TestCase):
    """One fault each."""

    def test_some_cases_have_stride_3(self) -> None:
        self.assertGreater(len(STRIDE_3), 2)
        self.assertLess(len(STRIDE_3), len(CASES))

    @parameterized.expand([("right",), ("chatty",)])
    def test_right_is_exact_on_every_call(self, name: str) -> None:
        report = _run(name)
        self.assertEqual(_verdicts(report), {Verdict.EXACT: len(CASES)})
        self.assertEqual([f.call.id for f in report.findings], [case.id for case in CASES])
        self.assertTrue(report.complete(_subject(name)))
        forward_only = [f.call.id for f in report.findings if f.judgement.forward_only]
        self.assertEqual(forward_only, [case.id for case in CASES if case.gradients])

    @parameterized.expand([("shifted",), ("unreversed",), ("not_a_number",)])
    def test_wrong_values_are_found(self, name: str) -> None:
        found = _verdicts(_run(name))
        self.assertLessEqual(set(found), {Verdict.WRONG_VALUES, Verdict.EXACT})
        # A single tap is its own reverse, and a single pixel its own shift.
        self.assertGreater(found[Verdict.WRONG_VALUES], len(CASES) // 2)

    def test_wrong_shape_is_found(self) -> None:
        found = _verdicts(_run("truncated"))
        self.assertGreater(found[Verdict.WRONG_SHAPE], len(CASES) // 2)

    def test_error_in_the_last_bit_is_close(self) -> None:
        report = _run("imprecise", select(["plane"], sample=20))
        self.assertEqual(_verdicts(report), {Verdict.CLOSE: 20})
        self.assertTrue(all(f.judgement.ulps > 0 for f in report.findings))

    @parameterized.expand(
        [
            ("raising", Verdict.REFUSED, "NotImplementedError: a stride of 3 is beyond me"),
            ("aborting", Verdict.FATAL, "SIGABRT"),
            ("hanging", Verdict.TIMED_OUT, "no answer within 3 s"),
        ]
    )
    def test_call_that_is_lost_costs_itself_only(
        self, name: str, verdict: Verdict, reason: str
    ) -> None:
        cases = STRIDE_3[:3] + [case for case in CASES if 3 not in case.strides]
        report = _run(name, cases, timeout=3)
        lost = {f.call.id: f.judgement for f in report.findings if not f.judgement.holds}
        self.assertEqual(set(lost), {case.id for case in STRIDE_3[:3]})
        for judgement in lost.values():
            self.assertIs(judgement.verdict, verdict)
            self.assertIn(reason, judgement.detail)
        self.assertEqual(len(report.findings), len(cases))

    def test_module_that_is_not_installed_is_absent(self) -> None:
        report = run({"no_such_package:function": CASES, _subject("right"): CASES[:5]})
        self.assertEqual(set(report.absent), {"no_such_package:function"})
        self.assertEqual(report.failures, {})
        self.assertEqual(_verdicts(report), {Verdict.EXACT: 5})

    def test_missing_function_is_a_failure(self) -> None:
        report = run({_subject("absent"): CASES, _subject("right"): CASES[:5]})
        self.assertEqual(set(report.failures), {_subject("absent")})
        self.assertIn("absent", report.failures[_subject("absent")])
        self.assertEqual(_verdicts(report), {Verdict.EXACT: 5})


class Memory(unittest.TestCase):
    """A blow-up."""

    def test_call_that_is_lost_costs_itself_only(self) -> None:
        cases = STRIDE_3[:2] + [case for case in CASES if 3 not in case.strides]
        report = run({_subject("greedy"): cases}, memory=2**30)
        lost = {f.call.id: f.judgement for f in report.findings if not f.judgement.holds}
        self.assertEqual(set(lost), {case.id for case in STRIDE_3[:2]})
        for judgement in lost.values():
            self.assertIs(judgement.verdict, Verdict.FATAL)
            self.assertRegex(judgement.detail, "MemoryError|SIGKILL|SIGABRT")


class Elsewhere(unittest.TestCase):
    """A subject in the environment of another Python."""

    def test_subject_runs_in_another_python(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # The same interpreter by another name, as a second environment would take minutes.
            other = Path(folder, "python")
            other.write_text(f'#!/bin/sh\nCOMPAT_ELSEWHERE=yes exec "{sys.executable}" "$@"\n')
            other.chmod(0o755)
            name = f"{_subject('only_elsewhere')}@{other}"
            report = run({name: CASES[:6], _subject("only_elsewhere"): CASES[:6]})
        verdicts = {(f.subject, f.judgement.verdict) for f in report.findings}
        self.assertEqual(
            verdicts,
            {(name, Verdict.EXACT), (_subject("only_elsewhere"), Verdict.REFUSED)},
        )

    def test_missing_python_is_a_failure(self) -> None:
        report = run({f"{_subject('right')}@/no/such/python": CASES[:6]})
        (reason,) = report.failures.values()
        self.assertIn("/no/such/python can't be run", reason)


class Resumed(unittest.TestCase):
    """A run that goes on from where an earlier one ended."""

    def test_makes_only_the_calls_that_are_left(self) -> None:
        subject = _subject("right")
        earlier = run({subject: CASES[:10]})
        started = mock.Mock()
        again = run({subject: CASES[:10]}, listener=started, earlier=earlier)
        self.assertEqual(again.findings, earlier.findings)
        started.started.assert_not_called()
        whole = run({subject: CASES}, listener=started, earlier=earlier)
        started.started.assert_called_once()
        self.assertEqual([f.call.id for f in whole.findings], [case.id for case in CASES])
        self.assertEqual(_verdicts(whole), {Verdict.EXACT: len(CASES)})

    def test_another_version_is_another_run(self) -> None:
        subject = _subject("right")
        earlier = run({subject: CASES[:10]})
        earlier.descriptions[subject] = {**earlier.descriptions[subject], "numpy": "0.9"}
        again = run({subject: CASES}, earlier=earlier)
        self.assertIn("numpy was 0.9, is ", again.failures[subject])

    def test_resume_on_the_command_line(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder, "results.json")
            options = ["--family", "plane", "--json", str(results)]
            self._run(_command("right", *options, "--sample", "20"), 0)
            document = json.loads(results.read_text(encoding="utf-8"))
            subject = document["subjects"][_subject("right")]
            subject["results"] = subject["results"][:5]
            # A verdict that no new call would get shows whether the old one was taken over.
            subject["results"][0]["verdict"] = "wrong values"
            results.write_text(json.dumps(document), encoding="utf-8")
            self._run(_command("right", *options, "--sample", "20", "--resume"), 1)
            document = json.loads(results.read_text(encoding="utf-8"))
            counts = document["subjects"][_subject("right")]["counts"]
            self.assertEqual(counts, {"exact": 19, "wrong values": 1})
            done = self._run(_command("right", "--sample", "20", "--resume"), 2)
            self.assertIn("--resume needs --json", done.stderr)

    def _run(self, command: list[str], code: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done


@unittest.skipUnless(sys.platform == "linux", "elsewhere every call is made where it was loaded")
class Forked(unittest.TestCase):
    """The process that has loaded a framework outlives the calls that it forks off."""

    def test_an_abort_is_told_and_the_next_call_is_made(self) -> None:
        worker = WorkerProcess(_subject("aborting"), 60, MEMORY)
        try:
            worker.load()
            (fine, *_) = [case for case in CASES if case not in STRIDE_3]
            before = worker.ask(fine)
            died = worker.ask(STRIDE_3[0])
            after = worker.ask(fine)
        finally:
            worker.close()
        self.assertIsInstance(before, Answered)
        self.assertIsInstance(died, Died)
        assert isinstance(died, Died)
        self.assertIn("SIGABRT", died.cause)
        self.assertIsInstance(after, Answered)

    def test_a_call_does_not_outlive_the_process_that_forked_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder, "pid")
            with mock.patch.dict(os.environ, {mutants.PID_FILE: str(note)}):
                worker = WorkerProcess(_subject("slow"), 60, MEMORY)
                try:
                    worker.load()
                    worker.ask(CASES[0])
                    child = int(note.read_text())
                    self.assertNotEqual(child, worker.pid)
                    os.kill(worker.pid, signal.SIGKILL)
                    self.assertIsInstance(worker.ask(CASES[1]), Died)
                finally:
                    worker.close()
            with self.assertRaises(ProcessLookupError):
                for _ in range(100):
                    os.kill(child, 0)
                    time.sleep(0.05)


class Killed(unittest.TestCase):
    """Ends from outside."""

    def test_worker_killed_by_hand_loses_one_case(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder, "pid")
            killer = threading.Thread(target=_kill_named_in, args=(note,))
            killer.start()
            with mock.patch.dict(os.environ, {mutants.PID_FILE: str(note)}):
                report = _run("slow", jobs=1)
            killer.join()
        self.assertEqual(_verdicts(report), {Verdict.EXACT: len(CASES) - 1, Verdict.FATAL: 1})
        (lost,) = [f for f in report.findings if f.judgement.verdict is Verdict.FATAL]
        self.assertIn("SIGKILL", lost.judgement.detail)

    @parameterized.expand(
        [
            ("ctrl_c", signal.SIGINT, False),
            ("ctrl_c_where_it_was_ignored", signal.SIGINT, True),
            ("terminated", signal.SIGTERM, False),
            ("terminated_where_it_was_ignored", signal.SIGTERM, True),
        ]
    )
    def test_interrupted_run_leaves_a_readable_report(
        self, name: str, by: signal.Signals, ignored: bool
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            note, results = Path(folder, "pid"), Path(folder, "results.json")
            command = _command("slow", "--family", "axis", "--json", str(results))
            with subprocess.Popen(
                # What a shell does for its background jobs; ignored signals are inherited.
                [
                    "sh",
                    "-c",
                    f"trap '{'' if ignored else '-'}' INT TERM; exec \"$@\"",
                    "sh",
                    *command,
                ],
                cwd=ROOT,
                env={**os.environ, mutants.PID_FILE: str(note)},
                stdout=subprocess.PIPE,
                encoding="utf-8",
            ) as process:
                try:
                    _wait_for(note)
                    time.sleep(1)  # a few cases, of which each takes 0.05 s
                    process.send_signal(by)
                    output, _ = process.communicate(timeout=WAIT_SECONDS)
                finally:
                    process.kill()  # it has thousands of cases to go if it was not interrupted
            report = json.loads(results.read_text(encoding="utf-8"))
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", output)
        self.assertIn("compat_tests.mutants:slow", output)
        self.assertTrue(report["interrupted"])
        (subject,) = report["subjects"].values()
        self.assertGreater(len(subject["results"]), 0)
        self.assertLess(len(subject["results"]), subject["planned"])
        self.assertEqual(set(subject["counts"]), {"exact"})


def _wait_for(note: Path) -> None:
    """Waits until the mutant has written its process id."""
    end = time.monotonic() + WAIT_SECONDS
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < end, "the mutant never ran"
        time.sleep(0.02)


def _kill_named_in(note: Path) -> None:
    """Kills the process whose id is in the file, once it is there."""
    _wait_for(note)
    os.kill(int(note.read_text()), signal.SIGKILL)


def _command(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "compat_tests", "--subject", _subject(name), *options]


class CommandLine(unittest.TestCase):
    """Exit codes and output of `python -m compat_tests`."""

    @parameterized.expand(
        [
            ("right", 0, "equal"),
            ("shifted", 1, "wrong values"),
            ("unreversed", 1, "wrong values"),
            ("not_a_number", 1, "nan"),
            ("imprecise", 1, "close"),
            ("raising", 1, "beyond me"),
            ("aborting", 1, "SIGABRT"),
            ("hanging", 1, "timed out"),
            ("absent", 2, "could not run"),
        ]
    )
    @pytest.mark.slow
    def test_exit_code(self, name: str, code: int, shown: str) -> None:
        options = ["--family", "plane", "--sample", "12", "--timeout", "3"]
        done = self._run(_command(name, *options))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(shown, done.stdout)

    def test_machine_is_told_and_decides_what_is_known(self) -> None:
        """The same answer of a stand-in for a framework, on two machines."""
        subject, case = _subject("raising"), STRIDE_3[0]
        ledger = (
            f'[[difference]]\nverdict = "refused"\ncases = ["{case.id}"]\n'
            'reason = "no half"\nrecheck = "never"\nwhere = { lacks = ["avx512_fp16"] }\n'
        )
        machine = Machine("Linux", "x86_64", "Some CPU", frozenset({"avx512f"}))
        richer = replace(machine, instructions=frozenset({"avx512f", "avx512_fp16"}))
        with tempfile.TemporaryDirectory() as folder:
            known = Path(folder, "known.toml")
            known.write_text(ledger, encoding="utf-8")
            options = ["--subject", subject, "--case", case.id, "--expected", str(known)]
            for here, code in ((machine, 0), (richer, 1)):
                with mock.patch("compat_tests.__main__.this_machine", return_value=here):
                    done = CliRunner().invoke(app, options)
                self.assertEqual(done.exit_code, code, done.output)
                self.assertRegex(done.output, r"Some CPU · .*(has|lacks) .*avx512_fp16")

    @parameterized.expand(
        [
            ("subject", ["--subject", "nobody"], "nobody"),
            ("variant", ["--subject", "native:fast"], "fast"),
            ("family", ["--subject", _subject("right"), "--family", "plain"], "plain"),
            ("case", ["--subject", _subject("right"), "--case", "axis-1"], "axis-1"),
        ]
    )
    def test_unknown_names_exit_2(self, name: str, options: list[str], shown: str) -> None:
        done = self._run([sys.executable, "-m", "compat_tests", *options])
        self.assertEqual(done.returncode, 2)
        self.assertIn(shown, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_one_case_and_its_json(self) -> None:
        case = CASES[0]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "results.json")
            done = self._run(_command("shifted", "--case", case.id, "--json", str(path)))
            report = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(case.id, done.stdout)
        subject = report["subjects"][_subject("shifted")]
        self.assertEqual([result["id"] for result in subject["results"]], [case.id])
        self.assertEqual(subject["results"][0]["verdict"], "wrong values")
        self.assertIn("numpy", subject["description"])

    @pytest.mark.slow
    def test_illegal_calls_when_asked_for(self) -> None:
        done = self._run(_command("right", "--case", "illegal-filters-*"))
        self.assertEqual(done.returncode, 0)  # a function from outside answers for legal calls
        self.assertIn("unclear", done.stdout)
        done = self._run(_command("right", "--family", "illegal", "--case", "illegal-filters-*"))
        self.assertEqual(done.returncode, 1)

    def test_list_names_subjects_and_families(self) -> None:
        done = self._run([sys.executable, "-m", "compat_tests", "--list"])
        self.assertEqual(done.returncode, 0)
        for word in ("native:xla", "ours:layer", "axis", "7,560"):
            self.assertIn(word, done.stdout)

    def test_fits_a_hundred_columns(self) -> None:
        done = self._run(_command("shifted", "--subject", _subject("right"), "--sample", "30"))
        told, copied = done.stdout.split("  to see the first:\n")
        # What is to be copied is left as it is: five lines, of any width.
        lines = told.splitlines() + copied.splitlines()[5:]
        self.assertLessEqual(max(map(len, lines)), 100)
        self.assertIn("judged by the output alone", done.stdout)

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
