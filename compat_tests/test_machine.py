"""What is found out about a machine, from texts of machines that are elsewhere."""

from __future__ import annotations

import os
import platform
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from packaging.specifiers import SpecifierSet
from parameterized import parameterized

from compat_tests.expected.condition import Condition
from compat_tests.machine import (
    Machine,
    architecture,
    cores,
    parse_cpuinfo,
    parse_sysctl,
    read_cpuinfo,
    this_machine,
)

EPYC = """\
processor\t: 0
model name\t: AMD EPYC 9V74 80-Core Processor
flags\t\t: fpu avx2 avx512f avx512_bf16
bugs\t\t: sysret_ss_attrs

processor\t: 1
model name\t: AMD EPYC 9V74 80-Core Processor
flags\t\t: fpu avx2 avx512f avx512_bf16
"""
XEON = EPYC.replace("AMD EPYC 9V74", "Xeon").replace("avx512_bf16", "avx512_bf16 avx512_fp16")
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd fphp asimdhp sve bf16
CPU implementer\t: 0x41

processor\t: 1
Features\t: fp asimd fphp asimdhp
"""
INTEL_MAC = """\
machdep.cpu.brand_string: Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz
machdep.cpu.features: FPU SSE4.2 AVX1.0
machdep.cpu.leaf7_features: AVX2 AVX512F
hw.optional.avx512f: 1
hw.optional.avx512vl: 0
"""
APPLE = """\
machdep.cpu.brand_string: Apple M2
hw.optional.arm.FEAT_FP16: 1
hw.optional.arm.FEAT_SME: 0
hw.optional.floatingpoint: 1
"""
X86 = Machine("Linux", "x86_64", instructions=frozenset({"avx2", "avx512f"}))


class Reading(unittest.TestCase):
    """From what a system tells to a name and sets of instructions."""

    @parameterized.expand(
        [
            ("epyc", EPYC, "AMD EPYC 9V74 80-Core Processor", "avx512_bf16", "avx512_fp16"),
            ("xeon", XEON, "Xeon 80-Core Processor", "avx512_fp16", "amx_fp16"),
            ("graviton", GRAVITON, "", "asimdhp", "sve"),  # its second core has none
        ]
    )
    def test_cpuinfo_of_linux_is_read(
        self, name: str, text: str, processor: str, has: str, lacks: str
    ) -> None:
        found, instructions = parse_cpuinfo(text)
        assert instructions is not None
        self.assertEqual(found, processor)
        self.assertIn(has, instructions)
        self.assertNotIn(lacks, instructions)

    @parameterized.expand(
        [("intel", INTEL_MAC, "avx512f", "avx512vl"), ("apple", APPLE, "feat_fp16", "feat_sme")]
    )
    def test_sysctl_of_macos_is_read(self, name: str, text: str, has: str, lacks: str) -> None:
        processor, instructions = parse_sysctl(text)
        assert instructions is not None
        self.assertIn(name, processor.lower())
        self.assertIn(has, instructions)
        self.assertNotIn(lacks, instructions)

    @parameterized.expand(
        [
            ("half", "hw.optional.arm.FEAT_FP16: 1", "arm64", "asimdhp", "bf16"),
            ("bfloat16", "hw.optional.arm.FEAT_BF16: 1", "arm64", "bf16", "asimdhp"),
            ("vectors", "hw.optional.arm.AdvSIMD: 1", "arm64", "asimd", "sve"),
            ("intel", "hw.optional.avx2_0: 1", "x86_64", "avx2", "avx512f"),
        ]
    )
    def test_header_for_macos(
        self, name: str, text: str, architecture: str, has: str, lacks: str
    ) -> None:
        """Its names are not those of Linux, and no reason to say that a set is lacking."""
        _, instructions = parse_sysctl(text)
        facts = Machine("Darwin", architecture, "", instructions).facts()
        (had,) = (fact for fact in facts if fact.startswith("has "))
        (lacked,) = (fact for fact in facts if fact.startswith("lacks "))
        self.assertEqual(had, f"has {has}")
        self.assertIn(lacks, lacked.removeprefix("lacks ").split(", "))

    @parameterized.expand([("empty", ""), ("other", "vendor_id: IBM/S390\n"), ("odd", "a:b:c\n\0")])
    def test_instructions_are_unknown_where_nothing_is_told(self, name: str, text: str) -> None:
        self.assertEqual(parse_cpuinfo(text), ("", None))
        self.assertEqual(parse_sysctl(text), ("", None))

    def test_missing_cpuinfo_is_empty(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(read_cpuinfo(Path(folder, "cpuinfo")), "")
            self.assertEqual(read_cpuinfo(Path(folder)), "")

    @parameterized.expand([("AMD64", "x86_64"), ("aarch64", "arm64"), ("riscv64", "riscv64")])
    def test_architecture_has_one_name(self, told: str, name: str) -> None:
        self.assertEqual(architecture(told), name)

    def test_this_machine_is_described(self) -> None:
        machine = this_machine()
        self.assertEqual(machine.system, platform.system())
        self.assertTrue(machine.architecture)
        self.assertGreater(machine.cores, 0)
        self.assertLessEqual(cores(), os.cpu_count() or 1)


class Asking(unittest.TestCase):
    """Of a machine, with yes, no, or no answer."""

    def test_instructions_are_found_by_any_spelling(self) -> None:
        machine = replace(X86, instructions=frozenset({"avx512fp16", "sse4.2"}))
        for name in ("avx512_fp16", "AVX512FP16", "sse4_2"):
            self.assertIs(machine.has(name), True)
        self.assertIs(machine.has("avx512f"), False)
        self.assertIsNone(replace(X86, instructions=None).has("avx512f"))

    @parameterized.expand(
        [
            ("anywhere", Condition(), True),
            ("has", Condition(has=("avx2", "avx512f")), True),
            ("has not all", Condition(has=("avx2", "amx_fp16")), False),
            ("lacks", Condition(lacks=("avx512_fp16", "amx_fp16")), True),
            ("lacks not all", Condition(lacks=("avx512_fp16", "avx2")), False),
            ("system", Condition(system=("Darwin", "Linux")), True),
            ("other system", Condition(system=("Darwin",)), False),
            ("architecture", Condition(architecture=("x86_64",)), True),
            ("other architecture", Condition(architecture=("arm64",)), False),
            ("onednn", Condition(onednn=True), True),
            ("no onednn", Condition(onednn=False), False),
            ("version", Condition(versions={"tensorflow": SpecifierSet(">=2.20")}), True),
            ("other version", Condition(versions={"tensorflow": SpecifierSet("<2.20")}), False),
            ("version of another", Condition(versions={"torch": SpecifierSet(">=1")}), None),
            ("no setting", Condition(settings={"ONEDNN_MAX_CPU_ISA": ("",)}), True),
            ("setting", Condition(settings={"ONEDNN_MAX_CPU_ISA": ("AVX2",)}), False),
            ("both", Condition(has=("avx2",), system=("Darwin",)), False),
        ]
    )
    def test_condition_holds_where_it_should(
        self, name: str, condition: Condition, answer: bool | None
    ) -> None:
        described = {"tensorflow": "2.21.0", "oneDNN": "on"}
        self.assertIs(condition.holds(X86, described), answer)

    def test_condition_is_unknown_where_the_machine_does_not_tell(self) -> None:
        silent = replace(X86, instructions=None)
        self.assertIsNone(Condition(has=("avx2",)).holds(silent, {}))
        self.assertIsNone(Condition(lacks=("avx2",)).holds(silent, {}))
        self.assertIsNone(Condition(onednn=True).holds(X86, {}))
        self.assertIs(Condition(has=("avx2",), system=("Darwin",)).holds(silent, {}), False)

    def test_facts_name_what_matters(self) -> None:
        machine = replace(
            X86, processor="Xeon", cores=1, settings=(("TF_ENABLE_ONEDNN_OPTS", "0"),)
        )
        told = ", ".join(machine.facts(["avx_ne_convert"]))
        self.assertIn("Xeon, 1 core, has avx2, avx512f, lacks avx512_bf16, avx512_fp16", told)
        self.assertIn("avx_ne_convert", told)
        self.assertTrue(told.endswith("TF_ENABLE_ONEDNN_OPTS=0"))
        told = ", ".join(replace(X86, processor="", instructions=None, cores=4).facts())
        self.assertEqual(told, "unknown processor, 4 cores, instruction sets not told")


if __name__ == "__main__":
    unittest.main()
