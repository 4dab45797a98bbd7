"""torch, JAX and Keras: what they can't be told, and that the rest comes out exact or refused.

They belong to an extra, so each test needs its framework installed. What one of them refuses or
gets wrong is stated here as a rule, which has to hold in both directions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pytest
from packaging.version import Version
from parameterized import parameterized

from compat_tests.cases import axis, channels, edge
from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case
from compat_tests.cases.illegal import cases as illegal_cases
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES, spread
from compat_tests.checking import judged_here, need_installed, told
from compat_tests.judge import Verdict, expected
from compat_tests.oracle import Array
from compat_tests.runner import run
from compat_tests.subjects.calling import tensorflow
from compat_tests.subjects.jax_lax import Jax
from compat_tests.subjects.keras_layer import Keras
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.pytorch import PyTorch
from compat_tests.subjects.registry import resolve
from compat_tests.subjects.subject import Absent, Inexpressible, Subject
from compat_tests.worker_process import ROOT

pytestmark = pytest.mark.peers

Rule = Callable[[Case], bool]

# JAX reads it when it is loaded, and without it has no float64.
os.environ.setdefault("JAX_ENABLE_X64", "1")

HERE: tuple[Subject, ...] = (
    PyTorch(),
    PyTorch("cropped"),
    Jax(),
    Jax("conv_transpose"),
    Keras("tensorflow"),
)
"""Those that this process can run beside each other."""

ELSEWHERE: tuple[Subject, ...] = (Keras("torch"), Keras("jax"))
"""Keras has one backend a process."""

SAMPLES = {
    "torch": 15,
    "torch:cropped": 6,
    "jax": 1,
    "jax:conv_transpose": 1,
    "keras:tensorflow": 15,
}
"""How many cases of each family are judged here; JAX compiles each."""

PLAIN = Case(
    "peers",
    batch=2,
    input=(3, 4),
    kernel=(4, 3),
    strides=(2, 3),
    in_channels=3,
    out_channels=2,
)
"""On both axes SAME pads evenly, so that it can be expressed in every framework."""

ODD = replace(PLAIN, kernel=(3, 3))
"""Along the height, SAME has one zero more at the end."""

NOTHING = replace(PLAIN, input=(0, 4))
"""Images without rows."""


def _outside(case: Case, axis: int) -> tuple[int, int]:
    """What the unpadded output has beyond the case's, before and after it; negative if less."""
    size, stride = case.input[axis], case.strides[axis]
    reach = (size - 1) * stride + (case.kernel[axis] - 1) * case.dilations[axis] + 1
    total = reach - case.output_size[axis]
    if case.padding == "VALID":
        before = 0
    elif case.padding == "SAME":
        before = max(total, 0) // 2
    else:
        before = case.padding[axis][0]
    return before, total - before


def _more_after(case: Case) -> bool:
    return any(before < after for before, after in (_outside(case, 0), _outside(case, 1)))


def _surplus_too_large(case: Case) -> bool:
    """Where torch's output padding would reach both stride and dilation."""
    return any(
        before - after >= max(stride, dilation)
        for (before, after), stride, dilation in zip(
            (_outside(case, 0), _outside(case, 1)), case.strides, case.dilations, strict=True
        )
    )


def _size_at_run_time(case: Case) -> bool:
    return "output_shape" in case.unknown


def _keras_cannot_express(case: Case) -> bool:
    """Keras knows SAME and VALID, no groups, no integers, and not every size."""
    if not isinstance(case.padding, str) or case.groups > 1 or case.dtype == "int32":
        return True
    return _size_at_run_time(case) or _between_two_words(case)


def _between_two_words(case: Case) -> bool:
    """Of an even kernel SAME's default takes no output padding, and any other size takes some."""
    if case.padding == "VALID":
        return False
    multiples = [case.output_size[a] == case.input[a] * case.strides[a] for a in (0, 1)]
    even = [(case.kernel[a] - 1) * case.dilations[a] % 2 == 1 for a in (0, 1)]
    return not all(multiples) and any(m and e for m, e in zip(multiples, even, strict=True))


def _strided_and_dilated(case: Case) -> bool:
    return max(case.strides) > 1 and max(case.dilations) > 1


INEXPRESSIBLE: dict[str, Rule] = {
    "torch": _more_after,
    "torch:cropped": lambda case: False,
    "jax": _size_at_run_time,
    "jax:conv_transpose": lambda case: _size_at_run_time(case) or case.groups > 1,
    "keras:tensorflow": _keras_cannot_express,
}

REFUSED: dict[str, tuple[Rule, ...]] = {
    "torch": (
        lambda case: case.dtype == "int32",
        lambda case: 0 in case.output_size,
        _surplus_too_large,
    ),
    "torch:cropped": (lambda case: case.dtype == "int32",),
    "jax": (),
    "jax:conv_transpose": (),
    "keras:tensorflow": (_strided_and_dilated,),
}
"""What they have words for, and don't take; everything else comes out exact."""


def _need(test: unittest.TestCase, subject: Subject) -> None:
    """Skips the test if the subject's framework is not installed; fails it if it has to be."""
    frameworks = [part for part in subject.name.split(":") if part in ("torch", "jax", "keras")]
    for framework in frameworks:
        need_installed(framework)


def _each(*subjects: Subject) -> list[tuple[str, Subject]]:
    """A row for each subject, with a name for the test."""
    return [(subject.name.replace(":", "_"), subject) for subject in subjects]


def _sample(subject: Subject) -> tuple[Case, ...]:
    """Cases of images that aren't empty, and that TensorFlow's op takes where it is underneath."""
    families = (cases() for family, cases in FAMILIES.items() if family != "models")
    kept = [[case for case in cases if 0 not in case.input] for cases in families]
    if subject.name == "keras:tensorflow":
        kept = [[case for case in cases if _always_taken(case)] for cases in kept]
    return tuple(case for cases in kept for case in spread(tuple(cases), SAMPLES[subject.name]))


def _always_taken(case: Case) -> bool:
    """Whether TensorFlow's op takes a call that gets as far, on every machine."""
    usual = case.batch > 0 and case.data_format == "NHWC" and case.dtype == "float32"
    return usual and (max(case.dilations) == 1 or _strided_and_dilated(case))


class Samples(unittest.TestCase):
    """Every sampled case comes out as a rule of this file says."""

    @parameterized.expand(_each(*HERE))
    def test_comes_out_as_predicted(self, name: str, subject: Subject) -> None:
        _need(self, subject)
        met: Counter[Rule | None] = Counter()
        unforeseen = []
        for case in _sample(subject):
            found = judged_here(subject, case)
            inexpressible = INEXPRESSIBLE[subject.name](case)
            rule = next((rule for rule in REFUSED[subject.name] if rule(case)), None)
            wanted = Verdict.REFUSED if inexpressible or rule else Verdict.EXACT
            if (found.inexpressible, found.verdict) != (inexpressible, wanted):
                unforeseen.append(f"{case.id}: {told(found)}")
            elif inexpressible:
                self.assertGreater(len(found.detail.split()), 3, case.id)
            else:
                met[rule] += 1
        self.assertEqual(unforeseen, [])
        self.assertGreater(met[None], 0)
        for rule in REFUSED[subject.name]:
            self.assertGreater(met[rule], 0, "a rule that no sampled case meets")

    @parameterized.expand(_each(*ELSEWHERE))
    def test_comes_out_exact_elsewhere(self, name: str, subject: Subject) -> None:
        _need(self, subject)
        cases = (
            replace(PLAIN, gradients=SECOND_ORDER),
            replace(PLAIN, dtype="float64", data_format="NCHW", gradients=("dw",)),
            replace(PLAIN, dtype="bfloat16", output=(5, 12), kernel=(3, 3)),
            replace(PLAIN, padding="VALID", output=(9, 14), gradients=()),
            replace(PLAIN, strides=(1, 1), dilations=(2, 3), unknown=("batch", "height")),
        )
        report = run({subject.name: cases}, jobs=1)
        self.assertEqual(report.failures, {})
        backend = subject.name.partition(":")[2]
        self.assertEqual(report.descriptions[subject.name]["backend"], backend)
        verdicts = {finding.call.id: finding.judgement.verdict for finding in report.findings}
        self.assertEqual(verdicts, {case.id: Verdict.EXACT for case in cases})


class Words(unittest.TestCase):
    """How many calls each fails for want of words, counted by formula."""

    @parameterized.expand(
        [
            ("torch_axis", PyTorch(), axis.cases(), _more_after),
            ("torch_edge", PyTorch(), edge.cases(), _more_after),
            ("torch_explicit", PyTorch(), FAMILIES["explicit"](), _more_after),
            ("keras_plane", Keras(), FAMILIES["plane"](), _keras_cannot_express),
            ("keras_edge", Keras(), edge.cases(), _keras_cannot_express),
        ]
    )
    def test_inexpressible_cases_follow_a_rule(
        self, name: str, subject: Subject, cases: Sequence[Case], rule: Rule
    ) -> None:
        inexpressible = [case.id for case in cases if subject.script(case) is None]
        self.assertEqual(inexpressible, [case.id for case in cases if rule(case)])
        self.assertGreater(len(inexpressible), 0)
        self.assertLess(len(inexpressible), len(cases))

    def test_groups_are_what_jax_conv_transpose_and_keras_lack(self) -> None:
        grouped = sum(groups > 1 for _, _, groups in channels.CHANNELS)
        wanted = grouped * len(channels.BATCHES) * len(channels.GEOMETRIES)
        for subject in (Jax("conv_transpose"), Keras()):
            inexpressible = [case for case in channels.cases() if subject.script(case) is None]
            self.assertEqual(len(inexpressible), wanted)
            self.assertTrue(all(case.groups > 1 for case in inexpressible))

    @parameterized.expand(_each(PyTorch("cropped"), Jax(), Jax("conv_transpose")))
    def test_has_words_for_every_geometry(self, name: str, subject: Subject) -> None:
        for family in ("axis", "explicit", "plane", "edge"):
            inexpressible = [case for case in FAMILIES[family]() if subject.script(case) is None]
            self.assertEqual(inexpressible, [])

    def test_keras_has_words_for_every_size_along_one_axis(self) -> None:
        self.assertEqual([case for case in axis.cases() if Keras().script(case) is None], [])

    @parameterized.expand(_each(Jax(), Jax("conv_transpose"), Keras()))
    def test_takes_no_size_known_only_at_run_time(self, name: str, subject: Subject) -> None:
        _need(self, subject)
        case = replace(PLAIN, unknown=("output_shape",))
        self.assertTrue(judged_here(subject, case).inexpressible)

    @parameterized.expand(_each(*HERE))
    def test_has_no_words_for_an_illegal_call(self, name: str, subject: Subject) -> None:
        self.assertFalse(subject.faces_illegal_calls)
        with self.assertRaises(Inexpressible):
            subject.call_illegal(illegal_cases()[0])


class Scripts(unittest.TestCase):
    """The text makes the call that was judged."""

    @parameterized.expand(
        [
            (f"{subject}_{name}".replace(":", "_"), subject, case)
            for subject in ("torch", "torch:cropped", "jax", "jax:conv_transpose", "keras")
            for name, case in (
                ("plain", PLAIN),
                ("channels_first", replace(PLAIN, data_format="NCHW", kernel=(3, 2))),
                ("groups", replace(PLAIN, in_channels=4, out_channels=6, groups=2)),
                ("explicit", replace(PLAIN, padding=((2, 1), (1, 1)), output=(5, 11))),
                ("bfloat16", replace(PLAIN, dtype="bfloat16", padding="VALID", output=(9, 14))),
                ("odd", replace(PLAIN, kernel=(3, 5), output=(5, 11), padding="SAME")),
            )
            if resolve(subject).script(case) is not None
        ]
    )
    def test_script_computes_the_answer(self, name: str, subject: str, case: Case) -> None:
        adapter = resolve(subject)
        _need(self, adapter)
        found = judged_here(adapter, case)
        if found.verdict is Verdict.REFUSED and subject == "keras" and not _always_taken(case):
            # TensorFlow's op underneath takes it on some machines only, and the text's no more.
            with self.assertRaises(tensorflow().errors.OpError):
                assert_script(adapter, case)
            return
        self.assertIs(found.verdict, Verdict.EXACT, told(found))
        assert_script(adapter, case)

    @parameterized.expand(_each(*ELSEWHERE))
    def test_script_chooses_the_backend(self, name: str, subject: Subject) -> None:
        _need(self, subject)
        case = replace(PLAIN, dtype="float64", data_format="NCHW")
        assert_elsewhere = (
            "from compat_tests.test_adapters_peers import *; "
            f"assert_script(resolve({subject.name!r}), {case!r})"
        )
        chosen = {"KERAS_BACKEND", "JAX_ENABLE_X64"}
        environment = {key: text for key, text in os.environ.items() if key not in chosen}
        done = subprocess.run(
            [sys.executable, "-c", assert_elsewhere],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_second_order_takes_more_lines(self) -> None:
        for subject in (*HERE, *ELSEWHERE):
            self.assertIsNone(subject.script(replace(PLAIN, gradients=SECOND_ORDER)))


def assert_script(subject: Subject, case: Case) -> None:
    """Runs a script with its gradients, and compares with the oracle's answer.

    Args:
        subject: whose script.
        case: has a script, and gradients of first order.

    Raises:
        AssertionError: if type or numbers of an array differ.
    """
    script = subject.script(case)
    assert script is not None
    inputs = make_inputs(case)
    names: dict[str, Any] = {"np": np}
    with mock.patch.dict(os.environ):
        exec(script.imports, names)
        for name, array in {"x": inputs.x, "w": inputs.w, "g": inputs.g}.items():
            names["given"] = array.astype(numpy_dtype(case.dtype))
            names[name] = eval(script.tensor.replace("{}", "given"), names)
        names["y"] = eval(script.call, names)
        exec(f"f = lambda x, w: {script.call}; dx, dw = {script.gradients}", names)
    right = expected(case, inputs)
    assert tuple(right) == ("y", *FIRST_ORDER)
    for part, array in right.items():
        found: Array = eval(script.array.replace("{}", part), names)
        assert found.dtype == numpy_dtype(case.dtype), f"{part} is {found.dtype}"
        np.testing.assert_array_equal(found, array, err_msg=part)


class Faults(unittest.TestCase):
    """What each is known to refuse or get wrong, on one call."""

    def assert_verdict(self, subject: Subject, case: Case, verdict: Verdict, words: str) -> None:
        _need(self, subject)
        found = judged_here(subject, case)
        self.assertIs(found.verdict, verdict, f"{subject.name} {case.id}: {told(found)}")
        self.assertIn(words, found.detail)

    def test_torch_leaves_no_more_than_a_stride_unreached(self) -> None:
        case = replace(PLAIN, strides=(1, 1), padding=((1, 0), (0, 0)), output=(5, 6))
        self.assert_verdict(PyTorch(), case, Verdict.REFUSED, "output padding must be smaller")
        self.assert_verdict(PyTorch("cropped"), case, Verdict.EXACT, "")

    def test_torch_takes_no_image_without_rows(self) -> None:
        for subject in (PyTorch(), PyTorch("cropped")):
            self.assert_verdict(subject, NOTHING, Verdict.REFUSED, "Only zero batch")

    def test_jax_gives_rows_to_an_image_without_rows(self) -> None:
        subject = Jax("conv_transpose")
        self.assert_verdict(subject, NOTHING, Verdict.WRONG_SHAPE, "(2, 1, 12, 2)")
        self.assert_verdict(Jax(), NOTHING, Verdict.EXACT, "")

    def test_keras_refuses_strides_with_dilations(self) -> None:
        case = replace(PLAIN, dilations=(1, 2))
        self.assert_verdict(Keras(), case, Verdict.REFUSED, "dilation_rate > 1")


class Presence(unittest.TestCase):
    """A framework that is there says its version; one that isn't says so."""

    @parameterized.expand(_each(*HERE))
    def test_describes_itself(self, name: str, subject: Subject) -> None:
        _need(self, subject)
        described = subject.describe()
        package = subject.name.partition(":")[0]
        self.assertGreater(Version(described[package]), Version("0"))
        self.assertIn("implementation", described)

    @parameterized.expand(
        [
            ("torch", PyTorch(), "torch"),
            ("jax", Jax(), "jax"),
            ("keras", Keras(), "keras"),
            ("keras_torch", Keras("torch"), "torch"),
        ]
    )
    def test_says_that_it_is_absent(self, name: str, subject: Subject, missing: str) -> None:
        # None there makes an import fail as if there were no such module.
        absent = mock.patch.dict(sys.modules, {missing: None})
        with absent, self.assertRaisesRegex(Absent, f"^{missing} is not installed$"):
            subject.describe()

    def test_keras_with_another_backend_is_not_judged_as_this_one(self) -> None:
        _need(self, Keras("jax"))
        with self.assertRaisesRegex(RuntimeError, "tensorflow"):
            Keras("jax").describe()

    @parameterized.expand([(PyTorch,), (Jax,), (Keras,)])
    def test_knows_its_variants(self, adapter: Callable[[str], Subject]) -> None:
        with self.assertRaisesRegex(ValueError, "no variant 'other'"):
            adapter("other")

    def test_is_resolved_by_its_name(self) -> None:
        for subject in (*HERE, *ELSEWHERE):
            self.assertEqual(resolve(subject.name).name, subject.name)


if __name__ == "__main__":
    unittest.main()
