"""The reproducers, run as whoever copies one would run it."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from dataclasses import replace
from types import SimpleNamespace

import ml_dtypes
import numpy as np
from parameterized import parameterized

from compat_tests.cases.case import SECOND_ORDER, Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import select
from compat_tests.checking import judged_here
from compat_tests.judge import Judgement, Verdict, expected
from compat_tests.reproduce import reproducer, smallest
from compat_tests.runner import Finding
from compat_tests.subjects.external import External
from compat_tests.subjects.native import Native
from compat_tests.subjects.subject import Script
from compat_tests.worker_process import ROOT

CASE = Case(
    "reproduce",
    batch=2,
    input=(3, 4),
    kernel=(3, 2),
    strides=(2, 3),
    output=(5, 11),
    in_channels=3,
    out_channels=2,
)
EMPTY_BATCH = Case("reproduce", batch=0, input=(2, 2), kernel=(3, 3), in_channels=2, out_channels=3)


def _mutant(name: str) -> External:
    return External(f"compat_tests.mutants:{name}")


def _printed(script: str) -> list[str]:
    """What the script prints; the test fails if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class _DoublePrecision(External):
    """An adapter whose script forgets the type."""

    def script(self, case: Case) -> Script | None:
        return Script("import numpy as np", f"np.zeros({case.output_shape})")


class Scripts(unittest.TestCase):
    """Five lines, that print the two numbers, shapes or types."""

    @parameterized.expand(
        [
            ("float32", "shifted", CASE),
            ("turned", "unreversed", CASE.with_axes_exchanged()),
            ("half", "shifted", replace(CASE, dtype="half")),
            ("bfloat16", "shifted", replace(CASE, dtype="bfloat16")),
            ("int32", "shifted", replace(CASE, dtype="int32", gradients=())),
            ("channels_first", "shifted", replace(CASE, data_format="NCHW")),
            ("explicit", "pads_swapped", replace(CASE, padding=((1, 0), (0, 2)), output=(6, 11))),
            ("not_a_number", "not_a_number", CASE),
        ]
    )
    def test_script_shows_wrong_values(self, name: str, mutant: str, case: Case) -> None:
        subject = _mutant(mutant)
        judgement = judged_here(subject, case)
        self.assertIs(judgement.verdict, Verdict.WRONG_VALUES)
        script = reproducer(subject, case, judgement)
        self.assertEqual(script.count("\n"), 4)
        found, should_be = _printed(script)
        numbers = judgement.numbers
        assert numbers is not None
        place = tuple(int(n) for n in np.argwhere(~(numbers.found == numbers.right))[0])
        named, _, number = found.rpartition(" ")
        self.assertEqual(named, f"y{list(place)} is")
        self.assertEqual(str(float(number)), str(numbers.found[place].astype(np.float64)))
        named, _, number = should_be.rpartition(" ")
        self.assertEqual(named, "should be")
        self.assertEqual(float(number), numbers.right[place])

    def test_script_shows_wrong_values_too_many_to_keep(self) -> None:
        case = replace(CASE, out_channels=12)
        subject = _mutant("shifted")
        judgement = judged_here(subject, case)
        self.assertIsNone(judgement.numbers)
        right = expected(case, make_inputs(case))["y"]
        found, should_be = _printed(reproducer(subject, case, judgement))
        self.assertEqual(found, f"y[0, 0, 0, 0] is {right[0, -1, -1, 0]}")
        self.assertEqual(should_be, f"should be {right[0, 0, 0, 0]}")

    def test_script_shows_wrong_shape(self) -> None:
        subject = _mutant("overlong")
        script = reproducer(subject, CASE, judged_here(subject, CASE))
        self.assertEqual(
            _printed(script), ["shape of y is (2, 5, 12, 2)", "should be (2, 5, 11, 2)"]
        )

    def test_script_shows_wrong_type(self) -> None:
        subject = _DoublePrecision("compat_tests.mutants:right")
        judgement = Judgement(Verdict.WRONG_VALUES, "output is float64, should be float32")
        script = reproducer(subject, CASE, judgement)
        self.assertEqual(_printed(script), ["dtype of y is float64", "should be float32"])

    def test_script_shows_wrong_gradient(self) -> None:
        subject = Native()
        found = subject.compute(EMPTY_BATCH, make_inputs(EMPTY_BATCH))["dx"].shape
        judgement = judged_here(subject, EMPTY_BATCH)
        # oneDNN gives it the output's shape; without oneDNN it is right, and no fault to show.
        self.assertEqual(judgement.holds, found == EMPTY_BATCH.input_shape)
        script = reproducer(subject, EMPTY_BATCH, judgement)
        self.assertEqual(script.count("\n"), 4)
        self.assertEqual(
            _printed(script), [f"shape of dx is {found}", f"should be {EMPTY_BATCH.input_shape}"]
        )

    def test_refusal_is_raised_by_the_script(self) -> None:
        case = replace(CASE, strides=(3, 3), output=(7, 10))
        subject = _mutant("raising")
        judgement = judged_here(subject, case)
        self.assertIs(judgement.verdict, Verdict.REFUSED)
        with self.assertRaisesRegex(AssertionError, "a stride of 3 is beyond me"):
            _printed(reproducer(subject, case, judgement))


class Arrays(unittest.TestCase):
    """The second line makes the very numbers that the case was judged on."""

    @parameterized.expand([("plane",), ("axis",), ("dtype",), ("channels",), ("edge",)])
    def test_arrays_of_a_script_equal_the_inputs(self, family: str) -> None:
        names = {"np": np, "tf": SimpleNamespace(constant=lambda array: array)}
        for case in select([family], sample=40):
            fault = Judgement(Verdict.WRONG_SHAPE, "no filter gradient was returned")
            lines = reproducer(Native(), case, fault).splitlines()
            if not case.gradients:
                self.assertEqual(len(lines), 1, case.id)
                lines = reproducer(Native(), case, Judgement(Verdict.REFUSED)).splitlines()
            self.assertEqual(len(lines), 5, case.id)
            made: dict[str, np.ndarray] = {}
            exec(lines[1], names, made)
            inputs = make_inputs(case)
            self.assertEqual(list(made), ["x", "w", "g"] if case.gradients else ["x", "w"])
            for name, array in made.items():
                self.assertEqual(array.dtype, _numpy_type(case), case.id)
                wanted = getattr(inputs, name)
                self.assertEqual(array.shape, wanted.shape, case.id)
                self.assertTrue(np.array_equal(array.astype(np.int64), wanted), case.id)


def _numpy_type(case: Case) -> np.dtype:
    names = {"half": np.float16, "bfloat16": ml_dtypes.bfloat16}
    return np.dtype(names.get(case.dtype, case.dtype))


class OneLine(unittest.TestCase):
    """Where five lines can't show it."""

    @parameterized.expand(
        [
            ("no_gradients", "input gradient[0,0,0,0] is 1, should be 2 (1 of 2 differ)"),
            ("second_order", "second-order gradient by the input has shape (1,), should be (2,)"),
        ]
    )
    def test_command_stands_in_for_a_missing_script(self, name: str, detail: str) -> None:
        subject = _mutant("shifted")
        script = reproducer(subject, CASE, Judgement(Verdict.WRONG_VALUES, detail))
        self.assertEqual(
            script,
            f"python -m compat_tests --subject compat_tests.mutants:shifted --case {CASE.id}",
        )

    def test_adapter_without_script_gets_the_command(self) -> None:
        second = replace(CASE, gradients=SECOND_ORDER)
        script = reproducer(Native(), second, Judgement(Verdict.REFUSED, "no kernel"))
        self.assertEqual(script, f"python -m compat_tests --subject native --case {second.id}")


class Smallest(unittest.TestCase):
    """The example of many."""

    def test_fewest_products_then_fewest_numbers(self) -> None:
        sizes = ((4, 4), (2, 3), (3, 2), (2, 6))
        cases = [Case("reproduce", input=size, kernel=(2, 2)) for size in sizes]
        wider = [replace(case, strides=(2, 2)) for case in cases]
        findings = [
            Finding("native", case, Judgement(Verdict.REFUSED)) for case in (*wider, *cases)
        ]
        self.assertIs(smallest(findings).call, cases[1])

    def test_illegal_calls_come_before_legal_ones(self) -> None:
        rows = [IllegalCase(name, {}, "ValueError", "strides") for name in ("b", "a")]
        findings = [Finding("native", row, Judgement(Verdict.UNCLEAR)) for row in rows]
        self.assertIs(smallest(findings).call, rows[0])
