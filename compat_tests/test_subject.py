"""What an adapter need not say, because its protocol does."""

from __future__ import annotations

import unittest

from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs
from compat_tests.cases.registry import select_illegal
from compat_tests.subjects.registry import ADAPTERS, resolve
from compat_tests.subjects.subject import Answer, Inexpressible, Subject


class _Least(Subject):
    """An adapter that says what it has to, and nothing more."""

    @property
    def name(self) -> str:
        return "least"

    def describe(self) -> dict[str, str]:
        return {"implementation": "none"}

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        return {}


class Usual(unittest.TestCase):
    """The usual answers."""

    def test_adapter_takes_every_legal_call_and_no_illegal_one(self) -> None:
        least = _Least()
        self.assertIsNone(least.sample)
        self.assertFalse(least.faces_illegal_calls)
        self.assertEqual(least.environment(), {})
        self.assertIsNone(least.script(Case("axis")))
        with self.assertRaisesRegex(Inexpressible, "tf.nn.conv2d_transpose"):
            least.call_illegal(select_illegal()[0])

    def test_only_functions_with_the_native_signature_face_illegal_calls(self) -> None:
        facing = {name for name in ADAPTERS if resolve(name).faces_illegal_calls}
        self.assertEqual(facing, {"ours", "native"})

    def test_name_without_a_variant_means_the_adapters_default(self) -> None:
        named = {name: resolve(name).name for name in ADAPTERS}
        self.assertEqual(named.pop("keras"), "keras:tensorflow")
        self.assertEqual(named, {name: name for name in named})
