"""The diagnosis on faults made on purpose, on numbers that mean nothing, and on broken arrays."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
from parameterized import parameterized

from compat_tests import oracle
from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import Inputs, make_inputs, random_inputs, round_to_bits
from compat_tests.cases.registry import select
from compat_tests.diagnosis import diagnose
from compat_tests.judge import expected
from compat_tests.oracle import Array, Padding

SMALL = ("axis", "explicit", "plane", "channels", "dtype", "layout", "edge", "gradient")
"""Families without large cases."""

Wrong = Callable[[Case, Array, Array], Array]

CASE = Case(
    "diagnosis",
    batch=2,
    input=(3, 4),
    kernel=(3, 3),
    strides=(2, 1),
    dilations=(1, 2),
    padding=((1, 0), (0, 2)),
    output=(6, 6),
    in_channels=4,
    out_channels=6,
    groups=2,
)
"""Unequal in all that can be mistaken."""

SAME = replace(CASE, padding="SAME", output=(6, 4), strides=(2, 1), dilations=(2, 3))
"""Its padding depends on the rest."""


def _computed(case: Case, x: Array, w: Array) -> Array:
    return oracle.conv2d_transpose(
        x, w, case.output_size, case.strides, case.padding, case.dilations, case.groups
    )


def _with(**changes: Any) -> Wrong:
    """Computes another case."""
    return lambda case, x, w: _computed(replace(case, **changes), x, w)


def _padded(top: int, left: int) -> Padding:
    return ((top, 0), (left, 0))


def _interleaved(channels: Array, axis: int) -> Array:
    """Channels 0, 2, 4, ... first."""
    even, odd = ([slice(None)] * channels.ndim for _ in range(2))
    even[axis], odd[axis] = slice(0, None, 2), slice(1, None, 2)
    return np.concatenate((channels[tuple(even)], channels[tuple(odd)]), axis)


def _woven(channels: Array) -> Array:
    """The first half of the channels into the even ones."""
    first, second = np.split(channels, 2, 3)
    return np.stack((first, second), 4).reshape(channels.shape)


def _moved(y: Array) -> Array:
    """Down by one, zeros above."""
    return np.pad(y, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]


MISTAKES: tuple[tuple[str, Case, Wrong], ...] = (
    ("shifted by (2, 0)", CASE, _with(padding=_padded(-1, 0))),
    ("shifted by (0, 1)", CASE, _with(padding=_padded(1, -1))),
    ("shifted by (-1, 2)", CASE, _with(padding=_padded(2, -2))),
    ("pads swapped: shifted by (1, -2)", CASE, _with(padding=_padded(0, 2))),
    ("pads swapped: shifted by (0, -2)", CASE, _with(padding=_padded(1, 2))),
    ("pads swapped: shifted by (-1, 0)", SAME, _with(padding=_padded(2, 3))),
    ("padding put around the input: shifted by (0, -4)", CASE, _with(padding=_padded(1, 4))),
    ("kernel not reversed", CASE, lambda c, x, w: _computed(c, x, w[::-1, ::-1])),
    ("kernel not reversed along the height", CASE, lambda c, x, w: _computed(c, x, w[::-1])),
    ("kernel not reversed along the width", CASE, lambda c, x, w: _computed(c, x, w[:, ::-1])),
    ("dilation ignored", CASE, _with(dilations=(1, 1))),
    ("dilation ignored", SAME, _with(dilations=(1, 1))),
    ("dilation ignored", SAME, _with(dilations=(1, 1), padding=_padded(1, 3))),
    ("dilation ignored along the height", SAME, _with(dilations=(1, 3))),
    ("dilation ignored along the width", SAME, _with(dilations=(2, 1))),
    ("dilation applied to the input", CASE, _with(strides=(2, 2), dilations=(1, 1))),
    ("dilation applied to the input", SAME, _with(strides=(4, 3), dilations=(1, 1))),
    ("strides and dilations exchanged", SAME, _with(strides=(2, 3), dilations=(2, 1))),
    ("strides ignored", CASE, _with(strides=(1, 1))),
    ("height and width of the strides exchanged", CASE, _with(strides=(1, 2))),
    ("height and width of the dilations exchanged", CASE, _with(dilations=(2, 1))),
    (
        "height and width of the padding exchanged: shifted by (1, -1)",
        CASE,
        _with(padding=((0, 2), (1, 0))),
    ),
    (
        "height and width of the strides, dilations and padding exchanged",
        CASE,
        _with(strides=(1, 2), dilations=(2, 1), padding=((0, 2), (1, 0))),
    ),
    (
        "height and width of the kernel exchanged",
        CASE,
        lambda c, x, w: _computed(c, x, w.swapaxes(0, 1)),
    ),
    (
        "groups mixed: input channels interleaved",
        CASE,
        lambda c, x, w: _computed(c, _interleaved(x, 3), w),
    ),
    (
        "groups mixed: output channels interleaved",
        CASE,
        lambda c, x, w: _woven(_computed(c, x, w)),
    ),
    (
        "groups mixed: input and output channels interleaved",
        CASE,
        lambda c, x, w: _woven(_computed(c, _interleaved(x, 3), w)),
    ),
    (
        "groups mixed: filters interleaved",
        CASE,
        lambda c, x, w: _computed(c, x, _interleaved(w, 3)),
    ),
    (
        "groups mixed: input channels and filters interleaved",
        CASE,
        lambda c, x, w: _computed(c, _interleaved(x, 3), _interleaved(w, 3)),
    ),
    (
        "groups mixed: all channels interleaved",
        CASE,
        lambda c, x, w: _woven(_computed(c, _interleaved(x, 3), _interleaved(w, 3))),
    ),
    (
        "groups mixed: each takes another's input",
        CASE,
        lambda c, x, w: _computed(c, np.roll(x, 2, 3), w),
    ),
    (
        "in and out channels of the filters exchanged",
        CASE,
        lambda c, x, w: _computed(c, x, w.reshape(3, 3, 4, 3).swapaxes(2, 3)),
    ),
    ("scaled by 2", CASE, lambda c, x, w: 2 * _computed(c, x, w)),
    ("scaled by -0.25", CASE, lambda c, x, w: _computed(c, x, w) / -4),
    ("all zeros", CASE, lambda c, x, w: 0 * _computed(c, x, w)),
)
"""What a wrong implementation computes of `x` and `w`; linear in both, as the right one is."""


def _answer(case: Case, inputs: Inputs, wrong: Wrong) -> dict[Part, Array]:
    """The output, and both gradients by the definition of a gradient of a linear map."""

    def gradient(function: Callable[[Array], Array], like: Array) -> Array:
        units = np.eye(like.size).reshape(like.size, *like.shape)
        return np.array([np.sum(inputs.g * function(u)) for u in units]).reshape(like.shape)

    return {
        "y": wrong(case, inputs.x, inputs.w),
        "dx": gradient(lambda x: wrong(case, x, inputs.w), inputs.x),
        "dw": gradient(lambda w: wrong(case, inputs.x, w), inputs.w),
    }


def _told(case: Case, part: Part, change: Callable[[Array], Array]) -> str:
    """The diagnosis of the right numbers, changed."""
    inputs = make_inputs(case)
    right = expected(case, inputs)[part]
    return diagnose(case, inputs, part, change(right.copy()), right)


class FaultModels(unittest.TestCase):
    """Whole implementations that are wrong, in their outputs and in their gradients."""

    def test_cases_of_faults_are_legal(self) -> None:
        self.assertTrue(CASE.is_legal())
        self.assertTrue(SAME.is_legal())
        self.assertEqual([SAME.pads(axis) for axis in (0, 1)], [(1, 2), (3, 3)])

    @parameterized.expand(MISTAKES)
    def test_named(self, phrase: str, case: Case, wrong: Wrong) -> None:
        inputs = make_inputs(case)
        truth = expected(case, inputs)
        for part, found in _answer(case, inputs, wrong).items():
            self.assertEqual(diagnose(case, inputs, part, found, truth[part]), phrase, part)

    @parameterized.expand([(phrase, wrong) for phrase, case, wrong in MISTAKES if case is CASE][:8])
    def test_fault_is_named_on_floats(self, phrase: str, wrong: Wrong) -> None:
        inputs = make_inputs(CASE)
        truth = expected(CASE, inputs)
        off = 1 + 2.0**-24 * np.cos(np.arange(truth["y"].size)).reshape(CASE.output_shape)
        found = wrong(CASE, inputs.x, inputs.w) * off
        self.assertEqual(diagnose(CASE, inputs, "y", found, truth["y"]), phrase)

    @parameterized.expand([(1, 0), (0, -1), (3, 4)])
    def test_shift_of_each_part_is_named(self, down: int, right: int) -> None:
        wrong = _with(padding=_padded(1 - down, -right))
        inputs = make_inputs(CASE)
        truth = expected(CASE, inputs)
        for part, found in _answer(CASE, inputs, wrong).items():
            reached = part != "dw" or max(down, right) < 3  # taps are searched less far
            phrase = f"shifted by {(down, right)}" if reached else ""
            self.assertIn(phrase, diagnose(CASE, inputs, part, found, truth[part]), part)


class Changes(unittest.TestCase):
    """Right numbers that something happened to."""

    @parameterized.expand(
        [
            (
                "not a number",
                lambda y: np.where(np.arange(y.size).reshape(y.shape) == 5, np.nan, y),
            ),
            ("infinite", lambda y: y / 0.0),
            ("numbers as of memory never written", lambda y: y + (y == y[0, 0, 0, 0]) * 1e36),
            ("numbers as of memory never written", lambda y: np.where(y == y.max(), 1e-41, y)),
            ("all zeros", np.zeros_like),
            ("+7 everywhere", lambda y: y + 7),
            ("shifted by (1, 0)", _moved),
            ("shifted by (1, -1)", lambda y: np.roll(y, (1, -1), (1, 2))),
            ("height and width exchanged", lambda y: y.swapaxes(1, 2)),
            ("zeros in places", lambda y: y * (np.arange(y.size).reshape(y.shape) % 5 > 0)),
            ("computed in half precision", lambda y: y.astype(np.float16).astype(np.float64)),
            ("computed in bfloat16", lambda y: round_to_bits(y, 8)),
            ("of rank 1 instead of 4", np.ravel),
            ("of rank 0 instead of 4", np.sum),
            ("channels first instead of last", lambda y: np.moveaxis(y, 3, 1)),
            ("size off by (-1, 0), the rest equal", lambda y: y[:, :-1]),
            ("size off by (-1, 0), cropped on the wrong side", lambda y: y[:, 1:]),
            ("size off by (-2, -1), cropped on the wrong side", lambda y: y[:, :-2, 1:]),
            ("size off by (0, -6)", lambda y: y[:, :, :0]),
            ("size off by (1, 0), the rest equal", lambda y: np.pad(y, _border(0, 1))),
            ("size off by (1, 0), extended on the wrong side", lambda y: np.pad(y, _border(1, 0))),
            ("size off by (-2, 0)", lambda y: y[:, :-2] + np.arange(6)),
            ("of the shape of the input", lambda y: y[:, :3, :4, :4]),
            ("batch size 1 instead of 2", lambda y: y[:1]),
            ("height 7 instead of 6, channels 1 instead of 6", lambda y: np.ones((2, 7, 6, 1))),
        ]
    )
    def test_named(self, phrase: str, change: Callable[[Array], Array]) -> None:
        with np.errstate(all="ignore"):
            self.assertEqual(_told(CASE, "y", change), phrase)

    def test_wrong_size_and_shift_are_both_named(self) -> None:
        inputs = make_inputs(CASE)
        right = expected(CASE, inputs)["y"]
        longer = replace(CASE, output=(7, 6), padding=_padded(1, -1))
        found = _computed(longer, inputs.x, inputs.w)
        told = diagnose(CASE, inputs, "y", found, right)
        self.assertEqual(told, "size off by (1, 0), shifted by (0, 1)")

    def test_filters_with_exchanged_axes_are_named(self) -> None:
        self.assertEqual(
            _told(CASE, "dw", lambda dw: dw.swapaxes(2, 3)),
            "out channels 4 instead of 3, in channels 3 instead of 4",
        )
        self.assertEqual(
            _told(replace(CASE, kernel=(1, 3)), "dw", lambda dw: dw.swapaxes(0, 1)),
            "height and width exchanged",
        )

    def test_computed_in_single_precision_is_named(self) -> None:
        double = replace(CASE, dtype="float64")
        inputs = random_inputs(double)
        right = expected(double, inputs)["y"]
        found = right.astype(np.float32).astype(np.float64)
        self.assertEqual(
            diagnose(double, inputs, "y", found, right), "computed in single precision"
        )


def _border(before: int, after: int) -> tuple[tuple[int, int], ...]:
    """Of height, for `np.pad`."""
    return ((0, 0), (before, after), (0, 0), (0, 0))


class NoDiagnosis(unittest.TestCase):
    """Nothing is said where nothing can be known."""

    def test_right_numbers_get_no_diagnosis(self) -> None:
        for family in ("axis", "plane", "channels", "edge"):
            for case in select([family], sample=40):
                for part in case.parts:
                    self.assertEqual(_told(case, part, lambda right: right), "", case.id)

    @parameterized.expand([("y",), ("dx",), ("dw",)])
    def test_meaningless_numbers_get_no_diagnosis(self, part: Part) -> None:
        generator = np.random.default_rng(1)
        for family in ("axis", "plane", "channels", "layout", "explicit"):
            for case in select([family], sample=12):
                shape = expected(case, make_inputs(case))[part].shape
                noise = generator.integers(-99, 99, shape).astype(np.float64)
                told = _told(case, part, lambda right, noise=noise: noise)  # type: ignore[misc]
                self.assertEqual(told, "", case.id)

    @parameterized.expand(
        [
            ("raised", lambda right, ends: right + ends),
            ("lost", lambda right, ends: right * ~ends),
            ("kept", lambda right, ends: right * ends),
        ]
    )
    def test_two_wrong_numbers_get_no_diagnosis(
        self, name: str, spoil: Callable[[Array, Array], Array]
    ) -> None:
        def spoiled(right: Array) -> Array:
            index = np.arange(right.size).reshape(right.shape)
            return spoil(right, (index == 0) | (index == right.size - 1))

        for case in select(["plane", "layout"], sample=40):
            for part in case.parts:
                if np.any(spoiled(expected(case, make_inputs(case))[part])):
                    self.assertEqual(_told(case, part, spoiled), "", case.id)

    def test_errors_that_only_look_like_rounding_get_no_diagnosis(self) -> None:
        small = Case("diagnosis", input=(4, 4))
        found = _told(small, "y", lambda right: right + np.resize([1, 0, 0, 0, 0, 0], right.shape))
        self.assertEqual(found, "")

    def test_error_in_the_last_bit_gets_no_diagnosis(self) -> None:
        self.assertEqual(_told(CASE, "y", lambda right: right * (1 + 2.0**-23)), "")

    def test_two_exchanged_rows_get_no_diagnosis(self) -> None:
        two = Case("diagnosis", input=(2, 4), in_channels=2, out_channels=3)
        self.assertEqual(_told(two, "y", lambda right: right[:, ::-1]), "")

    @parameterized.expand([(2, 1), (3, 0), (3, 2)])
    def test_another_tap_on_one_row_gets_no_diagnosis(self, taps: int, tap: int) -> None:
        row = Case("diagnosis", input=(1, 5), kernel=(taps, 1), in_channels=2, out_channels=3)
        inputs = make_inputs(row)
        # Any shift, and a kernel left unreversed, would leave one of the other taps.
        found = inputs.x @ inputs.w[tap, 0].T
        self.assertEqual(diagnose(row, inputs, "y", found, expected(row, inputs)["y"]), "")

    def test_single_pixel_gets_no_diagnosis(self) -> None:
        one = Case("diagnosis", kernel=(3, 3), output=(1, 1), in_channels=4, out_channels=5)
        self.assertTrue(one.is_legal())
        inputs = make_inputs(one)
        right = expected(one, inputs)["y"]
        for row in range(3):  # another tap is what a shift and a kernel left unreversed would give
            found = inputs.x @ inputs.w[row, 0].T
            self.assertEqual(diagnose(one, inputs, "y", found, right), "")

    def test_second_order_gets_a_diagnosis_only_if_one_fits(self) -> None:
        case = replace(CASE, gradients=("ddg", "ddx", "ddw"))
        for part in case.gradients:
            self.assertEqual(_told(case, part, lambda right: right**2 % 97), "")
            self.assertEqual(_told(case, part, lambda right: 3 * right), "scaled by 3")


class BrokenArrays(unittest.TestCase):
    """Whatever was returned, the diagnosis is a text."""

    SHAPES = ((), (0,), (3,), (2, 0, 3), (1, 1, 1, 1), (0, 2, 2, 0), (1, 2, 3, 4, 5), (2, 9, 1, 3))

    def test_any_shape_and_any_number_gives_a_text(self) -> None:
        for case in select(SMALL, sample=3 * len(SMALL)):
            inputs = make_inputs(case)
            for part, right in expected(case, inputs).items():
                for shape in (*self.SHAPES, right.shape, right[:, :-1].shape, right[1:].shape):
                    for found in _arrays(shape):
                        self.assertIsInstance(diagnose(case, inputs, part, found, right), str)


def _arrays(shape: tuple[int, ...]) -> list[Array]:
    """Arrays of one shape, among them such as overflow in any computation."""
    size = int(np.prod(shape))
    counted = np.arange(size, dtype=np.int64).reshape(shape)
    extreme = np.resize([1e308, -1e308, 1e-320], size).reshape(shape)
    return [counted, extreme, *(np.full(shape, value) for value in (np.nan, np.inf, 1.0))]


class LargeArrays(unittest.TestCase):
    """Nothing is computed again, but what can be compared is."""

    def test_large_arrays_are_diagnosed_without_the_oracle(self) -> None:
        large = Case("diagnosis", input=(20, 20), kernel=(5, 5), in_channels=16, out_channels=16)
        inputs = make_inputs(large)
        right = expected(large, inputs)["y"]
        with mock.patch.object(oracle, "conv2d_transpose", side_effect=AssertionError):
            told = [
                diagnose(large, inputs, "y", found, right)
                for found in (2 * right, np.roll(right, 1, 1), right[:, 1:], right**2 % 97)
            ]
        self.assertEqual(
            told,
            [
                "scaled by 2",
                "shifted by (1, 0)",
                "size off by (-1, 0), cropped on the wrong side",
                "",
            ],
        )
