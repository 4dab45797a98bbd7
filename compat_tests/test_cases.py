"""The tables: complete, legal, deterministic, and made of numbers that can show a fault."""

from __future__ import annotations

import pickle
import tempfile
import unittest
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from parameterized import parameterized

from compat_tests.cases import dynamic, gradient, models
from compat_tests.cases.case import DTYPES, SECOND_ORDER, Case
from compat_tests.cases.covering import chosen_calls
from compat_tests.cases.illegal import BASE
from compat_tests.cases.inputs import PRECISION_BITS, Inputs, make_inputs, random_inputs
from compat_tests.cases.pairwise import covering_rows
from compat_tests.cases.registry import (
    CAPABILITY,
    FAMILIES,
    ILLEGAL,
    MEANINGS,
    select,
    select_illegal,
)
from compat_tests.judge import expected
from compat_tests.oracle import Array

NAMES = [(name,) for name in FAMILIES]
SMALL = [(name,) for name in FAMILIES if name != "models"]


def _arrays(case: Case, inputs: Inputs) -> tuple[Array, ...]:
    """The arrays that enter the case's answer."""
    first = (inputs.x, inputs.w, inputs.g)
    return (*first, inputs.u, inputs.v) if case.gradients == SECOND_ORDER else first


class Families(unittest.TestCase):
    """What holds of every table."""

    def test_axis_is_exhaustive(self) -> None:
        cases = FAMILIES["axis"]()
        self.assertEqual(len(cases), 7560)
        # 6 inputs, 7 kernels, 3 dilations, 2 paddings, 2 orientations, and s outputs for stride s
        self.assertEqual(6 * 7 * 3 * 2 * 2 * sum(range(1, 6)), 7560)

    def test_at_least_twelve_thousand(self) -> None:
        self.assertGreaterEqual(len(select()), 12_000)

    def test_each_has_a_meaning_of_one_line(self) -> None:
        self.assertEqual(list(MEANINGS), [*FAMILIES, ILLEGAL])
        for name, meaning in MEANINGS.items():
            self.assertRegex(meaning, r"^[^\n]{10,75}$", name)

    @parameterized.expand(NAMES)
    def test_has_a_test_file_under_its_mark(self, name: str) -> None:
        source = Path(__file__).with_name(f"test_{name}.py").read_text(encoding="utf-8")
        self.assertIn(f"\npytestmark = pytest.mark.{name}\n", source)

    def test_ids_are_unique(self) -> None:
        ids = [case.id for case in select()] + [case.id for case in select_illegal()]
        self.assertEqual(len(ids), len(set(ids)))

    @parameterized.expand(NAMES)
    def test_families_are_deterministic(self, name: str) -> None:
        first, second = FAMILIES[name](), FAMILIES[name]()
        self.assertEqual(first, second)
        for one, other in zip(first[::50], second[::50], strict=True):
            self.assertEqual(pickle.dumps(make_inputs(one)), pickle.dumps(make_inputs(other)))

    @parameterized.expand(NAMES)
    def test_every_case_is_legal(self, name: str) -> None:
        cases = FAMILIES[name]()
        self.assertEqual([case.id for case in cases if not case.is_legal()], [])
        self.assertEqual({case.family for case in cases}, {name})

    @parameterized.expand(NAMES)
    def test_ids_are_plain_words(self, name: str) -> None:
        for case in FAMILIES[name]():
            self.assertRegex(case.id, r"^[a-z0-9.-]+$")

    def test_explicit_has_crops_beyond_the_kernel(self) -> None:
        def lead(case: Case, axis: int) -> int:
            side = case.axis_padding(axis)
            assert not isinstance(side, str)
            return (case.kernel[axis] - 1) * case.dilations[axis] - side[0]

        cases = FAMILIES["explicit"]()
        for axis in (0, 1):
            self.assertGreater(sum(lead(case, axis) < 0 for case in cases), 100)

    def test_explicit_has_every_pair_of_sides(self) -> None:
        cases = FAMILIES["explicit"]()
        for axis in (0, 1):
            pairs = {case.axis_padding(axis) for case in cases}
            self.assertGreaterEqual(pairs, {(b, a) for b in range(5) for a in range(5)})

    def test_planes_differ_in_everything(self) -> None:
        for case in FAMILIES["plane"]():
            for pair in (case.input, case.kernel, case.strides, case.dilations):
                self.assertNotEqual(pair[0], pair[1], case.id)

    def test_each_call_is_asked_for_each_gradient(self) -> None:
        asked = _varied(gradient.cases(), lambda case: replace(case, gradients=()))
        for call, cases in asked.items():
            self.assertEqual(tuple(case.gradients for case in cases), gradient.ASKED, call.id)

    def test_each_call_is_traced_without_each_size(self) -> None:
        traced = _varied(dynamic.cases(), lambda case: replace(case, unknown=()))
        for call, cases in traced.items():
            self.assertEqual(tuple(case.unknown for case in cases), dynamic.UNKNOWN, call.id)
        for name, holds in {
            "kernel below the stride": lambda case: case.kernel[0] < case.strides[0],
            "kernel above the stride": lambda case: case.kernel[0] > case.strides[0] > 1,
            "dilated and strided": lambda case: case.dilations[1] > 1 and case.strides[1] > 1,
            "grouped": lambda case: case.groups > 1,
            "channels first": lambda case: case.data_format == "NCHW",
            "explicit padding": lambda case: not isinstance(case.padding, str),
            "default output": lambda case: case.output is None,
            "nothing in it": lambda case: 0 in case.input_shape,
        }.items():
            self.assertGreater(sum(map(holds, traced)), 2, name)

    def test_every_combination_of_capabilities(self) -> None:
        cases = FAMILIES[CAPABILITY]()
        # 2 dilations, 2 strides, 3 groups, 2 layouts, and gradients for all but integers
        counts = {dtype: 24 if dtype == "int32" else 48 for dtype in DTYPES}
        self.assertEqual(Counter(case.dtype for case in cases), counts)
        self.assertEqual(len(set(cases)), len(cases))


def _one_image_and_channel(case: Case) -> Array:
    """The first image of the output, and of that the first channel of each group."""
    inputs = make_inputs(case)
    part = replace(case, batch=1, out_channels=case.groups, gradients=())
    return expected(part, replace(inputs, x=inputs.x[:1], w=inputs.w[:, :, :1]))["y"]


def _varied(cases: Iterable[Case], without: Callable[[Case], Case]) -> dict[Case, list[Case]]:
    """The cases by what is left of them `without` what varies, in their order."""
    found: dict[Case, list[Case]] = {}
    for case in cases:
        found.setdefault(without(case), []).append(case)
    return found


class Models(unittest.TestCase):
    """The table of published layers, and how it is read."""

    def test_every_row_is_named(self) -> None:
        lines = models.TABLE.read_text(encoding="utf-8").splitlines()
        header, *rows = [line.split(",") for line in lines if not line.startswith("#")]
        named = ", ".join(models.names().values())
        for row in rows:
            self.assertEqual(len(row), len(header), row)
            self.assertTrue(all(row), row)
            self.assertIn(f"{row[0]} {row[1]}", named)

    def test_every_case_has_a_name(self) -> None:
        self.assertEqual(list(models.names()), [case.id for case in models.cases()])

    def test_equal_layers_are_one_case(self) -> None:
        header = (
            "model,layer,batch,height,width,in_channels,out_channels,kernel,stride,padding,source"
        )
        sizes = "1,8,6,4,2,3,2,VALID,somewhere"
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "layers.csv")
            table.write_text(
                f"# a comment, with a comma\n{header}\nA,up1,{sizes}\nB,last,{sizes}\n"
            )
            with mock.patch.object(models, "TABLE", table):
                (case,) = models.cases()
                names = models.names()
        self.assertEqual(case.id, "models-i8x6-k3x3-s2x2-d1x1-valid-odefault-c4to2")
        self.assertEqual(names, {case.id: "A up1, B last"})


class Numbers(unittest.TestCase):
    """What holds of the inputs of every case."""

    @parameterized.expand(NAMES)
    def test_no_flip_goes_unseen(self, name: str) -> None:
        for case in FAMILIES[name]():
            for array in _arrays(case, make_inputs(case)):
                for axis in range(4):
                    if array.size and array.shape[axis] > 1:
                        flipped = np.flip(array, axis)
                        self.assertFalse(np.array_equal(array, flipped), f"{case.id} axis {axis}")

    @parameterized.expand(NAMES)
    def test_channels_differ(self, name: str) -> None:
        for case in FAMILIES[name]():
            for array in _arrays(case, make_inputs(case)):
                if array.size:
                    planes = {array[..., c].tobytes() for c in range(array.shape[3])}
                    # Of few bits, or of sums as long as models have them, few numbers are exact.
                    if PRECISION_BITS[case.dtype] >= 24 and name != "models":
                        self.assertEqual(len(planes), array.shape[3], case.id)
                    elif array.shape[3] > 1:
                        self.assertGreater(len(planes), 1, case.id)

    @parameterized.expand(SMALL)
    def test_sums_are_exact_in_the_type(self, name: str) -> None:
        self.assert_sums_are_exact(name)

    @pytest.mark.slow
    def test_sums_are_exact_in_the_type_of_models(self) -> None:
        self.assert_sums_are_exact("models")

    def assert_sums_are_exact(self, name: str) -> None:
        """That sums of the absolute products stay below what the type holds."""
        for case in FAMILIES[name]():
            inputs = make_inputs(case)
            absolute = inputs.absolute()
            for part in expected(case, absolute).values():
                if part.size:
                    self.assertLess(int(part.max()), 2 ** PRECISION_BITS[case.dtype], case.id)

    @parameterized.expand(NAMES)
    def test_the_right_answer_is_not_zero(self, name: str) -> None:
        answers = [
            _one_image_and_channel(case)
            for case in FAMILIES[name]()
            if np.prod(case.input_shape) and np.prod(case.output_shape)
        ]
        self.assertGreater(len(answers), 10)
        # Explicit padding may crop all that the kernel reaches; that is rare.
        self.assertGreater(sum(bool(np.any(y)) for y in answers), 0.9 * len(answers))

    @parameterized.expand([("half", 11), ("bfloat16", 8), ("float32", 24), ("float64", 53)])
    def test_random_numbers_fit_the_type(self, dtype: str, bits: int) -> None:
        case = next(case for case in FAMILIES["dtype"]() if case.dtype == dtype)
        numbers = random_inputs(case)
        for array in (numbers.x, numbers.w, numbers.g):
            significand = np.ldexp(np.frexp(array)[0], bits)
            self.assertTrue(np.array_equal(significand, np.rint(significand)))
            self.assertGreater(len(np.unique(array)), array.size // 2)
        self.assertTrue(np.array_equal(numbers.x, random_inputs(case).x))
        self.assertFalse(np.array_equal(numbers.x, random_inputs(case, seed=1).x))


class Selection(unittest.TestCase):
    """Choosing from the tables."""

    @parameterized.expand([(1,), (5,), (11,), (100,), (5000,)])
    def test_sample_is_spread_over_the_families(self, count: int) -> None:
        sample = select(sample=count)
        self.assertEqual(len(sample), count)
        self.assertEqual(sample, select(sample=count))
        self.assertEqual(len(set(sample)), count)
        if count >= len(FAMILIES):
            self.assertEqual({case.family for case in sample}, set(FAMILIES))

    def test_larger_sample_than_there_are(self) -> None:
        self.assertEqual(select(["plane"], sample=10**6), FAMILIES["plane"]())

    def test_cases_are_selected_by_id_and_pattern(self) -> None:
        case = FAMILIES["plane"]()[3]
        self.assertEqual(select(ids=[case.id]), (case,))
        chosen = select(ids=["plane-*", "edge-*"])
        self.assertEqual({case.family for case in chosen}, {"plane", "edge"})

    def test_unknown_names_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "plain"):
            select(["plain"])
        with self.assertRaisesRegex(ValueError, "no-such-case"):
            select(ids=["no-such-case"])
        with self.assertRaisesRegex(ValueError, "sample=0"):
            select(sample=0)


MIXED = (
    *("kernel", "strides", "dilations", "padding", "input", "groups", "batch"),
    *("dtype", "data_format", "gradients", "unknown"),
)


class Pairwise(unittest.TestCase):
    """The designs behind some families, and behind what TensorFlow is tried on."""

    def test_every_two_choices_meet(self) -> None:
        factors = {"a": range(5), "b": range(4), "c": range(3), "d": "xyz"}
        rows = covering_rows(factors)
        for one, other in combinations(factors, 2):
            met = {(row[one], row[other]) for row in rows}
            self.assertEqual(met, {(p, q) for p in factors[one] for q in factors[other]})
        self.assertLess(len(rows), 5 * 4 * 2)

    @parameterized.expand([("dtype",), ("plane",), ("dynamic",)])
    def test_chosen_cases_meet_every_variant_and_every_value_that_they_can(self, name: str) -> None:
        cases, variants = FAMILIES[name](), ("one", "two", "three", "four")
        chosen = chosen_calls(cases, variants)
        self.assertEqual(chosen, chosen_calls(cases, variants))
        self.assertEqual(len(set(chosen)), len(chosen))
        for one in MIXED:
            values = {getattr(case, one) for case in cases}
            met = {(getattr(case, one), variant) for case, variant in chosen}
            self.assertEqual(met, set(product(values, variants)), one)
            for other in MIXED:
                possible = {(getattr(case, one), getattr(case, other)) for case in cases}
                found = {(getattr(case, one), getattr(case, other)) for case, _ in chosen}
                self.assertEqual(found, possible, f"{one} and {other}")
        self.assertLess(len(chosen), len(cases) * len(variants) / 2)


class Illegal(unittest.TestCase):
    """The table of calls that must be refused."""

    def test_each_changes_the_legal_call(self) -> None:
        for case in select_illegal():
            self.assertTrue(case.changes, case.id)
            known = {*BASE, "data_format", "dilations", "name", "groups", "lowering"}
            self.assertLessEqual(set(case.changes), known, case.id)
            self.assertIn(case.error, ("ValueError", "TypeError"))
            self.assertTrue(case.message, case.id)

    def test_illegal_calls_can_be_sent_to_a_worker(self) -> None:
        for case in select_illegal():
            self.assertEqual(pickle.loads(pickle.dumps(case)).id, case.id)
