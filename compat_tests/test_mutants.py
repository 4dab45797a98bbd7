"""Every mutant is caught by the families that vary what it depends on, and told from the others.

What is right in a family is said too: there the fault has nothing to show itself by, so only the
families together are a judge. All but the last runs take place in this process.
"""

from __future__ import annotations

import inspect
import re
import unittest
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import numpy as np
from parameterized import parameterized

from compat_tests import gradient_mutants, mutants
from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import Inputs, make_inputs
from compat_tests.cases.registry import select
from compat_tests.checking import assert_hold, judged_here
from compat_tests.judge import Judgement, Verdict, expected, judge
from compat_tests.oracle import Array
from compat_tests.runner import run
from compat_tests.subjects.external import External
from compat_tests.worker import run_call

SAMPLES = {
    "axis": 71,
    "explicit": 31,
    "plane": 31,
    "channels": 23,
    "dtype": 31,
    "layout": 23,
    "edge": 53,
    "gradient": 23,
    "dynamic": 23,
    "capability": 23,
}
"""How many cases of a family are judged. Those of real models are left out: they take seconds."""

MOST = 0.8
"""The share of wrong answers with a diagnosis; the others are too small to tell faults apart."""


@dataclass(frozen=True)
class Fault:
    """What is expected of a mutant.

    Attributes:
        name: the function.
        diagnosis: a regular expression for the beginning of the diagnosis of most wrong answers.
        missed: the families in which nothing, or next to nothing, can show it.
        verdict: what the wrong answers are.
    """

    name: str
    diagnosis: str
    missed: frozenset[str] = frozenset()
    verdict: Verdict = Verdict.WRONG_VALUES


SHIFT = r"shifted by \(-?\d, -?\d\)"

FAULTS = (
    Fault("shifted", SHIFT),
    Fault("unreversed", "kernel not reversed"),
    Fault("pads_swapped", f"pads swapped: {SHIFT}"),
    # It takes SAME.
    Fault("lopsided", f"(pads swapped: )?{SHIFT}", frozenset({"explicit"})),
    # It takes SAME, and a kernel so much smaller than the stride that the output has holes.
    Fault(
        "unclipped",
        SHIFT,
        frozenset({"explicit", "channels", "dtype", "layout", "capability"}),
    ),
    Fault("odd_sizes", f"(pads swapped: )?{SHIFT}"),
    Fault("undilated", "dilation ignored"),
    Fault("input_dilated", "dilation applied to the input"),
    # It takes strides that differ.
    Fault(
        "strides_exchanged", "height and width of the strides exchanged", frozenset({"capability"})
    ),
    # It takes groups.
    Fault(
        "groups_mixed",
        "groups mixed: input channels interleaved",
        frozenset({"axis", "explicit", "plane", "edge"}),
    ),
    Fault("truncated", r"size off by \(-1, 0\)", verdict=Verdict.WRONG_SHAPE),
    Fault("overlong", r"size off by \(0, 1\)", verdict=Verdict.WRONG_SHAPE),
    # It takes sums above 2048: half precision holds all integers below.
    Fault("halved", "computed in half precision", frozenset({"axis", "edge"})),
    Fault("not_a_number", "not a number"),
)
"""Faults that show in every case that depends on what they mistake, in the output already."""

GRADIENT_FAULTS: tuple[tuple[str, Part, Callable[[Array], Array], str], ...] = (
    ("doubled", "dw", lambda dw: 2 * dw, "scaled by 2"),
    ("mirrored", "dw", lambda dw: dw[::-1, ::-1], "kernel not reversed"),
    ("forgetful", "dx", lambda dx: 0 * dx, "all zeros"),
)
"""Faults of `gradient_mutants`: the part that they change, how, and what is said of it."""

OTHERS = {"right", "imprecise", "unsteady", "hanging"}
"""Functions of `mutants` with a test of their own."""

ENDS = {
    "chatty": Verdict.EXACT,
    "slow": Verdict.EXACT,
    "raising": Verdict.REFUSED,
    "only_elsewhere": Verdict.REFUSED,
    "aborting": Verdict.FATAL,
    "greedy": Verdict.FATAL,
}
"""What becomes of a call with a stride of 3; `hanging` has none."""


@cache
def _sample(family: str) -> list[tuple[Case, Inputs, dict[Part, Array]]]:
    """Cases of a family with their inputs and the oracle's answers."""
    judged = []
    for case in select([family], sample=SAMPLES[family]):
        inputs = make_inputs(case)
        judged.append((case, inputs, expected(case, inputs)))
    return judged


def _judged(name: str, family: str) -> list[tuple[Case, Judgement]]:
    """What is held of a mutant on the sample of a family."""
    subject = External(f"compat_tests.mutants:{name}")
    return [
        (case, judge(case, inputs, run_call(subject, case), truth))
        for case, inputs, truth in _sample(family)
    ]


class Judge(unittest.TestCase):
    """The judge, judged."""

    def test_right_is_exact_everywhere(self) -> None:
        for family in SAMPLES:
            for case, found in _judged("right", family):
                self.assertIs(found.verdict, Verdict.EXACT, case.id)
                self.assertEqual(found.forward_only, bool(case.gradients), case.id)

    @parameterized.expand([(fault.name, fault) for fault in FAULTS])
    def test_mutant_is_caught_and_diagnosed(self, name: str, fault: Fault) -> None:
        told: Counter[str] = Counter()
        for family in SAMPLES:
            wrong = [(case, found) for case, found in _judged(name, family) if not found.holds]
            self.assertEqual(not wrong, family in fault.missed, family)
            for case, found in wrong:
                self.assertIs(found.verdict, fault.verdict, case.id)
                known = re.match(fault.diagnosis, found.diagnosis) is not None
                told["as its fault" if known else found.diagnosis] += 1
        self.assertGreaterEqual(told["as its fault"] / told.total(), MOST, told)

    def test_every_fault_has_a_row(self) -> None:
        rows = {fault.name for fault in FAULTS} | ENDS.keys() | OTHERS
        self.assertEqual(_functions(mutants), rows)
        rows = {name for name, *_ in GRADIENT_FAULTS}
        self.assertEqual(_functions(gradient_mutants), rows | {"right"})


def _functions(module: ModuleType) -> set[str]:
    """The public functions that a module defines."""
    return {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


class Conditions(unittest.TestCase):
    """Faults that show under certain conditions show under no other."""

    def test_copied_recipe_is_wrong_exactly_where_it_should_be(self) -> None:
        subject = External("compat_tests.mutants:lopsided")
        judged = 0
        for case in select(["axis"]):
            (size, _), (kernel, _), (stride, _) = case.input, case.kernel, case.strides
            upright = (case.input[1], case.kernel[1], case.strides[1]) == (1, 1, 1)
            if upright and case.padding == "SAME" and case.dilations == (1, 1):
                known = case.output == (size * stride, 1)
                right_for_1 = stride == 1 and kernel % 2 == 1
                right_for_2 = stride == 2 and kernel >= 2
                right_for_3 = stride == 3 and kernel % 2 == 0 and kernel >= 4
                trivial = case.input == case.output == (1, 1) and kernel == 1
                right = not known or right_for_1 or right_for_2 or right_for_3 or trivial
                found = judged_here(subject, replace(case, gradients=()))
                self.assertEqual(found.holds, right, case.id)
                judged += known
        self.assertGreater(judged, 200)

    def test_unclipped_is_wrong_only_for_kernels_below_the_stride(self) -> None:
        for case, found in _judged("unclipped", "axis"):
            axis = 0 if case.strides[1] == 1 else 1
            effective = (case.kernel[axis] - 1) * case.dilations[axis] + 1
            if not found.holds:
                self.assertLess(effective, case.strides[axis], case.id)

    def test_odd_sizes_is_wrong_only_for_odd_sizes(self) -> None:
        for case, found in _judged("odd_sizes", "axis"):
            self.assertEqual(
                found.holds, max(case.output_size) % 2 == 0 or case.output_size == (1, 1)
            )


class LessThanWrong(unittest.TestCase):
    """Faults that are small or rare."""

    def test_error_in_the_last_bit_is_close(self) -> None:
        for family in ("axis", "plane", "layout"):
            verdicts = Counter(found.verdict for _, found in _judged("imprecise", family))
            self.assertLessEqual(verdicts.keys(), {Verdict.CLOSE, Verdict.EXACT})
            self.assertGreater(verdicts[Verdict.CLOSE], verdicts[Verdict.EXACT])

    def test_fault_in_every_third_call_is_caught(self) -> None:
        # A third of 102 calls: that none is wrong happens once in 10**18 runs.
        found = [f for family in ("axis", "plane") for _, f in _judged("unsteady", family)]
        verdicts = Counter(judgement.verdict for judgement in found)
        self.assertEqual(verdicts.keys(), {Verdict.WRONG_VALUES, Verdict.EXACT})
        for judgement in found:
            if not judgement.holds:
                self.assertRegex(judgement.detail, r"\(1 of \d+ differ\)")
                self.assertEqual(judgement.diagnosis, "")


class Gradients(unittest.TestCase):
    """Faults that show in no output."""

    def test_right_is_exact(self) -> None:
        subject = External("compat_tests.gradient_mutants:right")
        for family, sample in (("gradient", 15), ("plane", 7), ("layout", 7), ("dynamic", 2)):
            assert_hold(subject, select([family], sample=sample))

    @parameterized.expand(GRADIENT_FAULTS)
    def test_caught_where_asked_for(
        self, name: str, part: Part, change: Callable[[Array], Array], diagnosis: str
    ) -> None:
        subject = External(f"compat_tests.gradient_mutants:{name}")
        told: Counter[str] = Counter()
        for case, inputs, truth in _sample("gradient"):
            found = judge(case, inputs, run_call(subject, case), truth)
            right = truth.get(part)
            if right is None or np.array_equal(change(right), right):
                self.assertIs(found.verdict, Verdict.EXACT, case.id)
            else:
                self.assertIs(found.verdict, Verdict.WRONG_VALUES, case.id)
                told[found.diagnosis] += 1
        self.assertGreater(told.total(), 10)
        self.assertGreaterEqual(told[diagnosis] / told.total(), MOST, told)


class Outcomes(unittest.TestCase):
    """Calls that end in their own ways, each in a worker."""

    cases = select(["axis"], sample=1, ids=["axis-*-s3x1-*-same-*"])

    def test_each_outcome_has_its_verdict(self) -> None:
        names = {f"compat_tests.mutants:{name}": verdict for name, verdict in ENDS.items()}
        report = run(dict.fromkeys(names, self.cases), memory=2**30)
        found = {finding.subject: finding.judgement.verdict for finding in report.findings}
        self.assertEqual(found, names)

    def test_call_without_an_end_times_out(self) -> None:
        report = run({"compat_tests.mutants:hanging": self.cases}, timeout=2)
        (finding,) = report.findings
        self.assertIs(finding.judgement.verdict, Verdict.TIMED_OUT)
