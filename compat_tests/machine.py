"""What the machine is on which a run is made: the one place of the suite that asks.

Whoever needs to know takes a `Machine`, so that a test can hand over another one.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux tells of its processors."""

SETTINGS = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA")
"""Variables that change what the same processor answers."""

NOTABLE = {
    "x86_64": ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_fp16"),
    "arm64": ("asimd", "asimdhp", "bf16", "sve"),
}
"""Instruction sets that decide what frameworks do with types shorter than float32."""

MACOS_NAMES = {
    "advsimd": "asimd",
    "neon": "asimd",
    "feat_fp16": "asimdhp",
    "neon_fp16": "asimdhp",
    "feat_bf16": "bf16",
    "feat_sve": "sve",
    "avx2_0": "avx2",
}
"""What Linux calls the instruction sets that macOS spells otherwise."""

ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}
"""One name for each, as systems have several."""


@dataclass(frozen=True)
class Machine:
    """A machine, as far as results depend on it.

    Attributes:
        system: the operating system, as `platform.system` names it.
        architecture: such as "x86_64" or "arm64".
        processor: its name, for a reader; empty if it is not told.
        instructions: the instruction sets of the processor, as Linux spells them; None if the
            system doesn't tell.
        cores: the number of cores that this process may use.
        settings: those of `SETTINGS` that are set.
    """

    system: str
    architecture: str
    processor: str = ""
    instructions: frozenset[str] | None = None
    cores: int = 1
    settings: tuple[tuple[str, str], ...] = ()

    def has(self, instructions: str) -> bool | None:
        """Whether the processor has an instruction set; None if that is not known."""
        if self.instructions is None:
            return None
        return _bare(instructions) in {_bare(name) for name in self.instructions}

    def setting(self, name: str) -> str:
        """A setting's value; empty if it is not set."""
        return dict(self.settings).get(name, "")

    def facts(self, asked: Iterable[str] = ()) -> list[str]:
        """What there is to say, for the header of a run.

        Args:
            asked: instruction sets that matter beside those of `NOTABLE`.

        Returns:
            A phrase each.
        """
        notable = dict.fromkeys((*NOTABLE.get(self.architecture, ()), *asked))
        found = {name: self.has(name) for name in notable}
        told = [self.processor or "unknown processor", f"{self.cores} cores"]
        if self.cores == 1:
            told[1] = "1 core"
        if self.instructions is None:
            told.append("instruction sets not told")
        for verb, answer in (("has", True), ("lacks", False)):
            if names := [name for name, known in found.items() if known is answer]:
                told.append(f"{verb} {', '.join(names)}")
        return [*told, *(f"{name}={value}" for name, value in self.settings)]


@cache
def this_machine() -> Machine:
    """The machine that this process runs on."""
    system = platform.system()
    cpuinfo = read_cpuinfo(CPUINFO)
    name, instructions = parse_cpuinfo(cpuinfo)
    if not cpuinfo and system == "Darwin":
        name, instructions = parse_sysctl(_sysctl())
    return Machine(
        system,
        architecture(platform.machine()),
        name or platform.processor(),
        instructions,
        cores(),
        tuple((name, os.environ[name]) for name in SETTINGS if name in os.environ),
    )


def cores() -> int:
    """How many cores this process may use, of those that the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def architecture(name: str) -> str:
    """The one name of an architecture that `platform.machine` has told."""
    return ARCHITECTURES.get(name.lower(), name.lower())


def read_cpuinfo(path: Path) -> str:
    """The file's text; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str] | None]:
    """Reads `/proc/cpuinfo`.

    Args:
        text: its text.

    Returns:
        The processor's name, empty if it has none, and the instruction sets that all its cores
        have, None if they are not told.
    """
    lines = [line.partition(":") for line in text.splitlines()]
    names = [told.strip() for key, _, told in lines if key.strip() in ("model name", "Processor")]
    # x86 calls them flags, Arm features; big and little cores may differ.
    sets = [set(told.split()) for key, _, told in lines if key.strip() in ("flags", "Features")]
    return (names or [""])[0], frozenset(set.intersection(*sets)) if sets else None


def parse_sysctl(text: str) -> tuple[str, frozenset[str] | None]:
    """Reads what `sysctl -a machdep.cpu hw.optional` says on macOS.

    Args:
        text: what it printed.

    Returns:
        As `parse_cpuinfo`.
    """
    pairs = [re.split(r":\s*", line, maxsplit=1) for line in text.splitlines() if ":" in line]
    values = dict(pair for pair in pairs if len(pair) == 2)
    listed = [
        word
        for key in ("machdep.cpu.features", "machdep.cpu.leaf7_features")
        for word in values.get(key, "").split()
    ]
    single = [
        key.rpartition(".")[2]
        for key, value in values.items()
        if key.startswith("hw.optional.") and value.strip() == "1"
    ]
    told = {word.lower() for word in (*listed, *single)}
    found = frozenset(told | {MACOS_NAMES[word] for word in told & MACOS_NAMES.keys()})
    return values.get("machdep.cpu.brand_string", "").strip(), found or None


def _sysctl() -> str:
    """What macOS tells of its processor; nothing if it cannot be asked."""
    command = ["sysctl", "-a", "machdep.cpu", "hw.optional"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _bare(name: str) -> str:
    """A name without what systems spell differently: AVX512_FP16, avx512fp16."""
    return re.sub(r"[._-]", "", name.lower())
