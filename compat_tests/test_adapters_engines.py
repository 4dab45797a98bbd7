"""The inference engines: what they are told, what they can't be told, and what they make of it.

They belong to an extra, so each test needs its engine installed. What an engine is known to get
wrong is stated here as a rule, which has to hold in both directions: an engine that has been fixed
fails these tests, and then its ledger in `expected` has to be brought up to date with them.
"""

from __future__ import annotations

import importlib
import sys
import unittest
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from unittest import mock

import numpy as np
import pytest
from packaging.version import Version
from parameterized import parameterized

from compat_tests import oracle
from compat_tests.cases import axis
from compat_tests.cases.case import Case
from compat_tests.cases.illegal import cases as illegal_cases
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES, spread
from compat_tests.checking import judged_here, need_installed, told
from compat_tests.judge import Judgement, Verdict, expected
from compat_tests.subjects.lite_rt import LiteRt
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.onnx_reference import OnnxReference
from compat_tests.subjects.onnx_runtime import OnnxRuntime
from compat_tests.subjects.open_vino import OpenVino
from compat_tests.subjects.subject import Absent, Inexpressible, Subject

pytestmark = pytest.mark.peers

Rule = Callable[[Case], bool]

SPEECHLESS = "inexpressible"

MENDED = "if the engine has changed, its ledger has to follow, and the rules of this file"

NEEDED = {
    "onnxruntime": "onnxruntime",
    "onnx": "onnx",
    "openvino": "openvino",
    "litert": "ai_edge_litert",
}
"""The package behind a subject, by the part of its name before the colon."""

SUBJECTS: tuple[Subject, ...] = (
    OnnxRuntime(),
    OnnxRuntime("auto_pad"),
    OnnxRuntime("output_shape"),
    OnnxReference(),
    OnnxReference("auto_pad"),
    OnnxReference("output_shape"),
    OpenVino(),
    OpenVino("auto_pad"),
    LiteRt(),
    LiteRt("ours"),
)

SAMPLES = {
    "onnxruntime": (250, tuple(name for name in FAMILIES if name != "models")),
    "onnx": (250, tuple(name for name in FAMILIES if name != "models")),
    "openvino": (60, ("plane", "dtype", "dynamic")),
    "litert": (250, tuple(name for name in FAMILIES if name != "models")),
    "litert:ours": (10, ("axis", "explicit", "plane", "channels", "dtype", "layout")),
}
"""How many cases are judged here, and of which families; compiling and converting takes longer."""

PLAIN = Case(
    "engines",
    batch=2,
    input=(3, 4),
    kernel=(4, 3),
    strides=(2, 3),
    padding="SAME",
    in_channels=4,
    out_channels=6,
)
"""On both axes SAME pads evenly, so that it can be expressed in every framework."""

UNREACHED = replace(PLAIN, kernel=(1, 3), strides=(2, 1))
"""The stride is larger than the kernel, which leaves holes."""

ODD = replace(PLAIN, kernel=(3, 3))
"""Along the height, SAME has one zero to give to one side."""


def _total_padding(case: Case) -> tuple[int, int]:
    """What lies outside the output on both sides of each axis together."""
    return sum(case.pads(0)), sum(case.pads(1))


def _explicit(case: Case) -> bool:
    return not isinstance(case.padding, str)


def _size_at_run_time(case: Case) -> bool:
    return "output_shape" in case.unknown


def _not_the_default(case: Case) -> bool:
    multiples = tuple(i * s for i, s in zip(case.input, case.strides, strict=True))
    return case.padding == "SAME" and case.output_size != multiples


def _dilated(case: Case) -> bool:
    return any(d > 1 and k > 1 for d, k in zip(case.dilations, case.kernel, strict=True))


INEXPRESSIBLE: dict[str, Rule] = {
    "onnxruntime": _size_at_run_time,
    "onnxruntime:auto_pad": lambda c: _size_at_run_time(c) or _explicit(c) or _not_the_default(c),
    "onnxruntime:output_shape": lambda c: _size_at_run_time(c) or _explicit(c),
    "onnx": _size_at_run_time,
    "onnx:auto_pad": lambda c: _size_at_run_time(c) or _explicit(c) or _not_the_default(c),
    "onnx:output_shape": lambda c: _size_at_run_time(c) or _explicit(c),
    "openvino": _size_at_run_time,
    "openvino:auto_pad": _explicit,
    "litert": lambda c: _explicit(c) or _dilated(c) or c.groups > 1,
    "litert:ours": lambda c: False,
}


def _holes(case: Case) -> bool:
    return case.padding == "SAME" and min(_total_padding(case)) < 0


def _several_channels_a_group(case: Case) -> bool:
    return case.groups > 1 and not case.in_channels == case.out_channels == case.groups


def _moved_by_the_odd_zero(case: Case) -> bool:
    """Whether it shows when the larger half of the padding comes first."""
    if case.padding != "SAME":
        return False
    (height, width), inputs = (max(n, 0) for n in _total_padding(case)), make_inputs(case)
    y, moved = (
        oracle.conv2d_transpose(
            inputs.x, inputs.w, case.output_size, case.strides, padding, case.dilations, case.groups
        )
        for padding in (
            case.padding,
            ((height - height // 2, height // 2), (width - width // 2, width // 2)),
        )
    )
    return not np.array_equal(y, moved)


OTHERWISE: dict[str, tuple[tuple[Verdict, Rule], ...]] = {
    "onnxruntime": ((Verdict.REFUSED, lambda c: c.dtype in ("bfloat16", "float64", "int32")),),
    "onnxruntime:auto_pad": (
        (Verdict.REFUSED, lambda c: c.dtype in ("bfloat16", "float64", "int32")),
        (Verdict.WRONG_SHAPE, _holes),
    ),
    "onnxruntime:output_shape": (
        (Verdict.REFUSED, lambda c: c.dtype in ("bfloat16", "float64", "int32")),
    ),
    "onnx": ((Verdict.REFUSED, _several_channels_a_group),),
    "onnx:auto_pad": (
        (Verdict.REFUSED, _several_channels_a_group),
        (Verdict.WRONG_VALUES, _holes),
    ),
    "onnx:output_shape": ((Verdict.REFUSED, _several_channels_a_group),),
    "openvino": (),
    "openvino:auto_pad": (
        (Verdict.REFUSED, lambda c: c.unknown == ("output_shape",)),
        (Verdict.WRONG_VALUES, _moved_by_the_odd_zero),
    ),
    "litert": ((Verdict.REFUSED, lambda c: c.dtype != "float32"),),
    "litert:ours": ((Verdict.REFUSED, lambda c: c.dtype != "float32"),),
}
"""What becomes of cases that don't come out exact, first match first."""


def _predicted(name: str, case: Case) -> str:
    """What becomes of a case by the rules."""
    if INEXPRESSIBLE[name](case):
        return SPEECHLESS
    rules = OTHERWISE[name]
    return next((verdict for verdict, rule in rules if rule(case)), Verdict.EXACT).value


def _found(judgement: Judgement) -> str:
    """What became of a case, in the same terms."""
    return SPEECHLESS if judgement.inexpressible else judgement.verdict.value


def _package(subject: Subject) -> str:
    return NEEDED[subject.name.partition(":")[0]]


def _each(*subjects: Subject) -> list[tuple[str, Subject]]:
    """A row for each subject, with a name for the test."""
    return [(subject.name.replace(":", "_"), subject) for subject in subjects]


class Engines(unittest.TestCase):
    """Skips a test whose engine is not installed; fails it if it has to be."""

    def need(self, subject: Subject) -> None:
        need_installed(_package(subject))

    def assert_verdict(self, subject: Subject, case: Case, verdict: Verdict) -> None:
        found = judged_here(subject, case)
        self.assertEqual(_found(found), verdict.value, f"{case.id}: {told(found)}; {MENDED}")


class Samples(Engines):
    """Every sampled case comes out exact, or as a rule of this file says."""

    @parameterized.expand(_each(*SUBJECTS))
    def test_comes_out_as_predicted(self, name: str, subject: Subject) -> None:
        self.need(subject)
        met: Counter[str] = Counter()
        otherwise = []
        for case in _sample(subject):
            foreseen, found = _predicted(subject.name, case), judged_here(subject, case)
            met[foreseen] += 1
            if _found(found) != foreseen:
                otherwise.append(f"{case.id} is not {foreseen} but {told(found)}")
        self.assertEqual(otherwise, [], MENDED)
        self.assertGreater(met["exact"], 0)
        if subject.name != "litert:ours":  # of which there are too few to meet every rule
            rules = {verdict.value for verdict, _ in OTHERWISE[subject.name]}
            self.assertEqual(set(met), rules | {"exact", SPEECHLESS}, "a rule that no case meets")


def _sample(subject: Subject) -> tuple[Case, ...]:
    """Cases in which something is computed.

    What engines make of nothing at all is for the runner to find out, in a process of its own:
    OpenVINO has crashed there.
    """
    count, families = SAMPLES.get(subject.name) or SAMPLES[subject.name.partition(":")[0]]
    cases = (case for family in families for case in _table(family))
    computed = (c for c in cases if 0 not in (c.batch, *c.input, *c.output_size))
    return spread(tuple(computed), count)


@cache
def _table(family: str) -> tuple[Case, ...]:
    """The cases of a family, made once for all subjects."""
    return FAMILIES[family]()


class Words(Engines):
    """How many calls the words of an engine fail for."""

    def test_auto_pad_alone_makes_one_size_of_each_stride(self) -> None:
        shapes = len(axis.KERNELS) * len(axis.INPUTS) * len(axis.DILATIONS)
        turned = 2
        other_sizes = sum(stride - 1 for stride in axis.STRIDES)
        inexpressible = [
            case for case in _table("axis") if OnnxRuntime("auto_pad").script(case) is None
        ]
        self.assertEqual(len(inexpressible), turned * shapes * other_sizes)
        self.assertEqual({case.padding for case in inexpressible}, {"SAME"})

    def test_pads_and_output_shape_say_all_of_it(self) -> None:
        for words in ("pads", "output_shape"):
            inexpressible = [
                case for case in _table("axis") if OnnxRuntime(words).script(case) is None
            ]
            self.assertEqual(inexpressible, [])

    def test_transpose_conv_dilates_no_kernel_but_one_that_is_a_single_tap(self) -> None:
        self.need(LiteRt())
        cases = [case for case in _table("axis") if max(case.strides) == 2]
        inexpressible = 0
        for case in cases:
            try:
                LiteRt().model(case, make_inputs(case))
            except Inexpressible:
                inexpressible += 1
        turned, paddings, sizes_of_stride_2 = 2, 2, 2
        kernels, dilations = len(axis.KERNELS) - 1, len(axis.DILATIONS) - 1
        self.assertEqual(
            inexpressible,
            turned * paddings * sizes_of_stride_2 * len(axis.INPUTS) * kernels * dilations,
        )
        self.assertLess(inexpressible, len(cases))

    @parameterized.expand(_each(*SUBJECTS))
    def test_has_no_words_for_an_illegal_call(self, name: str, subject: Subject) -> None:
        self.assertFalse(subject.faces_illegal_calls)
        with self.assertRaises(Inexpressible):
            subject.call_illegal(illegal_cases()[0])


class Scripts(Engines):
    """The text makes the call that was judged."""

    @parameterized.expand(_each(*(s for s in SUBJECTS if not isinstance(s, LiteRt))))
    def test_script_computes_the_answer(self, name: str, subject: Subject) -> None:
        self.need(subject)
        for case in (
            PLAIN,
            replace(PLAIN, in_channels=3, out_channels=3, groups=3, padding="VALID"),
            replace(PLAIN, data_format="NCHW", dilations=(1, 2), padding="VALID"),
            replace(PLAIN, dtype="half", batch=1, in_channels=1),
        ):
            self.assert_script(subject, case, subject.script(case).call)  # type: ignore[union-attr]

    @parameterized.expand(_each(*(s for s in SUBJECTS if ":" in s.name and "litert" not in s.name)))
    def test_no_script_without_words(self, name: str, subject: Subject) -> None:
        self.assertIsNone(subject.script(replace(PLAIN, padding=((1, 1), (0, 0)), output=(6, 12))))

    def test_openvino_calls_same_lower_what_others_call_same_upper(self) -> None:
        subject = OpenVino("auto_pad")
        self.need(subject)
        script = subject.script(ODD)
        assert script is not None
        self.assert_script(subject, ODD, script.call.replace("same_upper", "same_lower"))

    def assert_script(self, subject: Subject, case: Case, call: str) -> None:
        script = subject.script(case)
        assert script is not None
        inputs = make_inputs(case)
        dtype = numpy_dtype(case.dtype)
        names = {"x": inputs.x.astype(dtype), "w": inputs.w.astype(dtype)}
        exec(script.imports, names)
        y = eval(call, names)
        self.assertEqual(y.dtype, dtype)
        np.testing.assert_array_equal(y, expected(case, inputs)["y"])


class Faults(Engines):
    """The faults that the rules above name, on one call each, and the words that avoid them."""

    def test_onnx_runtime_loses_the_end_of_an_output_with_holes(self) -> None:
        self.need(OnnxRuntime())
        self.assert_verdict(OnnxRuntime("auto_pad"), UNREACHED, Verdict.WRONG_SHAPE)
        self.assert_verdict(OnnxRuntime("output_shape"), UNREACHED, Verdict.EXACT)
        self.assert_verdict(OnnxRuntime(), UNREACHED, Verdict.EXACT)

    def test_reference_evaluator_shifts_an_output_with_holes(self) -> None:
        self.need(OnnxReference())
        self.assert_verdict(OnnxReference("auto_pad"), UNREACHED, Verdict.WRONG_VALUES)
        self.assert_verdict(OnnxReference("output_shape"), UNREACHED, Verdict.EXACT)

    def test_reference_evaluator_knows_groups_of_one_channel_only(self) -> None:
        self.need(OnnxReference())
        for inner, outer in ((2, 4), (4, 2), (4, 4)):
            grouped = replace(PLAIN, in_channels=inner, out_channels=outer, groups=2)
            self.assert_verdict(OnnxReference(), grouped, Verdict.REFUSED)
        depthwise = replace(PLAIN, in_channels=2, out_channels=2, groups=2)
        self.assert_verdict(OnnxReference(), depthwise, Verdict.EXACT)

    def test_openvino_gives_the_odd_zero_to_the_other_side(self) -> None:
        self.need(OpenVino())
        self.assert_verdict(OpenVino("auto_pad"), ODD, Verdict.WRONG_VALUES)
        self.assert_verdict(OpenVino(), ODD, Verdict.EXACT)

    def test_openvino_leaves_the_output_of_nothing_unwritten(self) -> None:
        self.need(OpenVino())
        nothing = replace(PLAIN, input=(0, 4), padding="VALID", output=(3, 12))
        found = judged_here(OpenVino("auto_pad"), nothing)
        self.assertIs(found.verdict, Verdict.WRONG_VALUES, told(found))
        assert found.numbers is not None
        self.assertEqual(len(np.unique(found.numbers.found)), 1, "not what was put there")


class Models(Engines):
    """What the models hold that LiteRT is given."""

    @parameterized.expand(
        [
            ("plain", PLAIN),
            ("holes", UNREACHED),
            ("unknown", replace(PLAIN, unknown=("batch", "height", "width", "output_shape"))),
        ]
    )
    def test_operator_is_the_one_judged(self, name: str, case: Case) -> None:
        self.need(LiteRt())
        self.assertEqual(_operators(LiteRt(), case), ["TRANSPOSE_CONV"])
        self.assert_verdict(LiteRt(), case, Verdict.EXACT)

    @parameterized.expand(
        [
            ("plain", PLAIN),
            ("stride_1", replace(PLAIN, strides=(1, 1))),
            ("dilated_groups", replace(PLAIN, dilations=(2, 2), groups=2)),
            ("channels_first", replace(PLAIN, data_format="NCHW")),
            ("cropped", replace(PLAIN, padding=((5, 0), (1, 4)), output=(3, 7))),
        ]
    )
    def test_ours_needs_no_transposed_convolution(self, name: str, case: Case) -> None:
        self.need(LiteRt())
        operators = _operators(LiteRt("ours"), case)
        # Which of the products it is depends on the lowering that "auto" chooses for the case.
        products = {"CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL"}
        self.assertTrue(products & set(operators), operators)
        usual = {"ADD_N", "PAD", "RESHAPE", "STRIDED_SLICE", "TRANSPOSE"}
        self.assertLessEqual(set(operators), products | usual)

    def test_onnx_names_what_is_unknown(self) -> None:
        script = OnnxRuntime().script(replace(PLAIN, unknown=("batch", "height", "width")))
        assert script is not None
        self.assertIn("float[batch, 4, height, width] x", script.call)


def _operators(subject: LiteRt, case: Case) -> list[str]:
    """The names of a model's operators, in order."""
    tables = importlib.import_module("ai_edge_litert.schema_py_generated")
    model = tables.ModelT.InitFromPackedBuf(subject.model(case, make_inputs(case)))
    names = {code: name for name, code in vars(tables.BuiltinOperator).items()}
    (graph,) = model.subgraphs
    return [names[model.operatorCodes[node.opcodeIndex].builtinCode] for node in graph.operators]


class Presence(Engines):
    """An engine that is there says its version; one that isn't says so."""

    @parameterized.expand(_each(*SUBJECTS))
    def test_describes_itself(self, name: str, subject: Subject) -> None:
        self.need(subject)
        package = NEEDED[subject.name.partition(":")[0]].replace("_", "-")
        described = subject.describe()
        self.assertGreater(Version(described[package]), Version("0"))
        self.assertIn("implementation", described)

    @parameterized.expand(_each(*SUBJECTS))
    def test_says_that_it_is_absent(self, name: str, subject: Subject) -> None:
        prefix = subject.name.partition(":")[0]
        missing = NEEDED[prefix] + (".interpreter" if prefix == "litert" else "")
        # None in the place of a module is how Python itself notes that there is none.
        with (
            mock.patch.dict(sys.modules, {missing: None}),
            self.assertRaisesRegex(Absent, r"^[\w-]+ is not installed$"),
        ):
            subject.describe()

    @parameterized.expand([(OnnxRuntime,), (OnnxReference,), (OpenVino,), (LiteRt,)])
    def test_knows_its_variants(self, adapter: Callable[[str], Subject]) -> None:
        with self.assertRaisesRegex(ValueError, "no variant 'other'; there are "):
            adapter("other")
