"""The judge on answers that are known to be right, nearly right and wrong."""

from __future__ import annotations

import unittest
from collections.abc import Callable

import numpy as np
from parameterized import parameterized

from compat_tests.cases.case import Case, Part
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import make_inputs
from compat_tests.judge import Judgement, Verdict, expected, judge, judge_illegal
from compat_tests.oracle import Array
from compat_tests.outcomes import (
    Accepted,
    Answered,
    Died,
    Outcome,
    TimedOut,
    accepted,
    answered,
    raised,
)

CASE = Case(
    "judge",
    batch=2,
    input=(3, 4),
    kernel=(3, 2),
    strides=(2, 3),
    output=(5, 12),
    in_channels=4,
    out_channels=6,
    groups=2,
)


def _answer(case: Case = CASE) -> Answered:
    """The right answer."""
    truth = expected(case, make_inputs(case))
    return Answered(truth, dict.fromkeys(truth, case.dtype))


def _judged(outcome: Outcome, case: Case = CASE) -> Judgement:
    return judge(case, make_inputs(case), outcome)


def _changed(part: Part, change: Callable[[Array], Array]) -> Answered:
    """The right answer with one of its arrays changed."""
    right = _answer()
    arrays = {name: array.astype(np.float64) for name, array in right.arrays.items()}
    return Answered({**arrays, part: change(arrays[part])}, right.dtypes)


def _poisoned(array: Array) -> Array:
    array[1, 1, 1, 0] = np.nan
    return array


class Legal(unittest.TestCase):
    """Verdicts on legal calls."""

    def test_equal_arrays_are_exact(self) -> None:
        self.assertEqual(_judged(_answer()), Judgement(Verdict.EXACT))

    @parameterized.expand(
        [
            ("shifted down", lambda a: np.roll(a, 1, 0)),
            ("shifted right", lambda a: np.roll(a, 1, 1)),
            ("upside down", lambda a: a[::-1]),
            ("mirrored", lambda a: a[:, ::-1]),
            ("channels mixed up", lambda a: a[..., ::-1]),
            ("zero", np.zeros_like),
            ("one off in one place", lambda a: a + (np.arange(a.size) == 3).reshape(a.shape)),
            ("infinite", lambda a: a + np.inf),
            ("not a number", _poisoned),
        ]
    )
    def test_changed_values_are_wrong(self, name: str, change: Callable[[Array], Array]) -> None:
        for part in ("y", "dx", "dw"):
            judgement = _judged(_changed(part, change))
            self.assertIs(judgement.verdict, Verdict.WRONG_VALUES, part)
            self.assertRegex(judgement.detail, r"\[\d+,\d+,\d+,\d+\] is .*, should be .*differ")

    @parameterized.expand(
        [
            ("a row short", lambda a: a[:, :-1]),
            ("transposed", lambda a: a.swapaxes(1, 2)),
            ("flat", np.ravel),
        ]
    )
    def test_changed_shape_is_wrong(self, name: str, change: Callable[[Array], Array]) -> None:
        for part in ("y", "dx", "dw"):
            judgement = _judged(_changed(part, change))
            self.assertIs(judgement.verdict, Verdict.WRONG_SHAPE, part)
            self.assertIn("should be", judgement.detail)

    def test_error_within_the_bound_is_close(self) -> None:
        def nudged(array: Array) -> Array:
            return (array.astype(np.float32) * np.float32(1 + 2**-23)).astype(np.float64)

        for part in ("y", "dx", "dw"):
            judgement = _judged(_changed(part, nudged))
            self.assertIs(judgement.verdict, Verdict.CLOSE, part)
            self.assertIn(judgement.ulps, (1.0, 2.0))  # 2**-23 of a value is 1 to 2 units
            self.assertFalse(judgement.holds)

    def test_what_nothing_reaches_is_zero(self) -> None:
        # Strides above the kernel leave holes, where even the smallest number is wrong.
        case = Case("judge", input=(2, 2), kernel=(1, 1), strides=(3, 3), output=(4, 4))
        right = _answer(case)
        y = right.arrays["y"].astype(np.float64)
        self.assertEqual(y[0, 1, 1, 0], 0)
        y[0, 1, 1, 0] = 1e-30
        judgement = _judged(Answered({**right.arrays, "y": y}, right.dtypes), case)
        self.assertIs(judgement.verdict, Verdict.WRONG_VALUES)

    def test_another_type_is_wrong(self) -> None:
        right = _answer()
        judgement = _judged(Answered(right.arrays, {**right.dtypes, "dx": "float64"}))
        self.assertIs(judgement.verdict, Verdict.WRONG_VALUES)
        self.assertIn("float64, should be float32", judgement.detail)

    def test_half_a_gradient_is_wrong(self) -> None:
        right = _answer()
        arrays = {**right.arrays}
        del arrays["dw"]
        judgement = _judged(Answered(arrays, right.dtypes))
        self.assertIs(judgement.verdict, Verdict.WRONG_SHAPE)
        self.assertIn("filter gradient", judgement.detail)

    def test_missing_gradients_are_said(self) -> None:
        right = _answer()
        judgement = _judged(Answered({"y": right.arrays["y"]}, right.dtypes))
        self.assertEqual(judgement, Judgement(Verdict.EXACT, forward_only=True))

    def test_integers_are_never_close(self) -> None:
        case = Case("judge", input=(2, 2), kernel=(2, 2), dtype="int32", gradients=())
        y = _answer(case).arrays["y"] + 1
        judgement = _judged(Answered({"y": y}, {"y": "int32"}), case)
        self.assertIs(judgement.verdict, Verdict.WRONG_VALUES)

    def test_call_without_an_answer_has_its_verdict(self) -> None:
        refused = _judged(raised(NotImplementedError("not on this machine")))
        self.assertEqual(
            refused, Judgement(Verdict.REFUSED, "NotImplementedError: not on this machine")
        )
        fatal = _judged(Died("signal 6 (SIGABRT)", "Check failed"))
        self.assertEqual(fatal, Judgement(Verdict.FATAL, "signal 6 (SIGABRT): Check failed"))
        late = _judged(TimedOut(2.5))
        self.assertEqual(late, Judgement(Verdict.TIMED_OUT, "no answer within 2.5 s"))

    def test_recorded_answer_keeps_every_bit(self) -> None:
        tiny = np.array([np.nextafter(np.float32(1), np.float32(2))])
        taken = answered({"y": tiny, "dx": np.array([2**31 - 1], np.int32)})
        self.assertEqual(taken.arrays["y"].astype(np.float32).tobytes(), tiny.tobytes())
        self.assertEqual(taken.arrays["dx"].tolist(), [2**31 - 1])
        self.assertEqual(taken.dtypes, {"y": "float32", "dx": "int32"})
        self.assertEqual(answered({"y": np.zeros(1, np.float16)}).dtypes, {"y": "half"})


class _KernelError(Exception):
    """Stands for the errors of TensorFlow's kernels, which are not ValueErrors."""


class Illegal(unittest.TestCase):
    """Verdicts on calls that ought to be refused."""

    case = IllegalCase("strides", {"strides": -1}, "ValueError", "strides")

    @parameterized.expand(
        [
            ("clear", ValueError("strides=-1 must be positive"), Verdict.CLEAR),
            ("type", TypeError("strides must be integers"), Verdict.CLEAR),
            ("subclass", UnicodeError("strides"), Verdict.CLEAR),
            ("says nothing", ValueError("-1 is out of range"), Verdict.UNCLEAR),
            ("part of a word", ValueError("bad my_strides_attr"), Verdict.UNCLEAR),
            ("from a kernel", _KernelError("strides"), Verdict.UNCLEAR),
        ]
    )
    def test_error_of_an_illegal_call_is_judged(
        self, name: str, error: Exception, verdict: Verdict
    ) -> None:
        self.assertIs(judge_illegal(self.case, raised(error)).verdict, verdict)

    def test_accepted_illegal_call_says_what_was_returned(self) -> None:
        judgement = judge_illegal(self.case, accepted(np.zeros((2, 3))))
        self.assertEqual(judgement, Judgement(Verdict.ACCEPTED, "returned ndarray of shape (2, 3)"))
        self.assertIs(judge_illegal(self.case, Accepted("NoneType")).verdict, Verdict.ACCEPTED)

    def test_lost_illegal_call_has_its_verdict(self) -> None:
        self.assertIs(judge_illegal(self.case, Died("signal 6")).verdict, Verdict.FATAL)
        self.assertIs(judge_illegal(self.case, TimedOut(1)).verdict, Verdict.TIMED_OUT)
