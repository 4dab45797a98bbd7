"""Our function in the formats of deployment, every lowering, with sizes known and all open.

A sample in which every lowering meets every family; `python -m compat_tests --subject onnx:ours`
and its like judge more. What is not exact has to be refused, and to stand in the ledger.
"""

from __future__ import annotations

import unittest

import pytest
from parameterized import parameterized

from compat_tests.cases.registry import select
from compat_tests.checking import judged_here, need_installed, told
from compat_tests.expected.known_differences import known_differences_of
from compat_tests.judge import Verdict
from compat_tests.subjects.exported import Export, export
from compat_tests.subjects.ours import lowering_names
from compat_tests.subjects.registry import resolve

FAMILIES = ("dynamic", "explicit", "edge", "channels")

NEEDED = {
    "onnx": ("onnxruntime", "tf2onnx"),
    "openvino": ("openvino", "tf2onnx"),
    "litert": ("ai_edge_litert",),
}

EACH = {"onnx": 8, "openvino": 4, "litert": 8}
"""Cases a lowering, known sizes and open ones in turn."""


class Variants(unittest.TestCase):
    """How the subjects are called."""

    @parameterized.expand(["ours", "ours:subpixel", "ours:open", "ours:subpixel:open"])
    def test_variant_is_recovered_from_its_name(self, variant: str) -> None:
        self.assertEqual(export(variant, "onnx").variant, variant)
        for prefix in NEEDED:
            self.assertEqual(resolve(f"{prefix}:{variant}").name, f"{prefix}:{variant}")

    @parameterized.expand(["ours:open:subpixel", "ours:a:b", "our"])
    def test_other_variants_are_refused(self, variant: str) -> None:
        with self.assertRaisesRegex(ValueError, "onnx has no variant"):
            export(variant, "onnx")

    def test_open_leaves_every_size_open(self) -> None:
        (case,) = select(["channels"], sample=1)
        self.assertEqual(
            Export(open=True).case(case).unknown, ("batch", "height", "width", "output_shape")
        )
        self.assertEqual(Export().case(case), case)

    @parameterized.expand(list(NEEDED))
    def test_one_ledger_covers_all_and_excuses_no_wrong_number(self, prefix: str) -> None:
        ledger = known_differences_of(f"{prefix}:ours:subpixel:open")
        assert ledger is not None
        self.assertEqual(ledger, known_differences_of(f"{prefix}:ours"))
        for entry in ledger.differences:
            self.assertLessEqual(
                entry.verdicts, {Verdict.EXACT, Verdict.REFUSED, Verdict.WRONG_SHAPE}
            )
            if Verdict.WRONG_SHAPE in entry.verdicts:  # Of what has no numbers.
                for case in filter(entry.names, select()):
                    self.assertTrue(0 in case.output_size or case.batch == 0, case.id)


@pytest.mark.slow
@pytest.mark.peers
class Judged(unittest.TestCase):
    """Exact, or refused as the ledger says."""

    @parameterized.expand([(prefix, name) for prefix in NEEDED for name in lowering_names()])
    def test_sample(self, prefix: str, lowering: str) -> None:
        need_installed(*NEEDED[prefix])
        names = lowering_names()
        cases = select(FAMILIES, sample=EACH[prefix] * len(names))[
            names.index(lowering) :: len(names)
        ]
        exact = 0
        for number, case in enumerate(cases):
            subject = resolve(f"{prefix}:{Export(lowering, open=number % 2 == 1).variant}")
            found = judged_here(subject, case)
            exact += found.verdict is Verdict.EXACT
            ledger = known_differences_of(subject.name)
            entry = ledger.entry(case) if ledger else None
            foreseen = entry.verdicts if entry else {Verdict.EXACT}
            self.assertIn(found.verdict, foreseen, f"{subject.name} {case.id}: {told(found)}")
        self.assertGreater(exact, 0)
