"""This machine's processor by name, and how much of it is ours."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return platform.processor() or platform.machine()
    lines = [line.partition(":") for line in text.splitlines()]
    names = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    if names.get("model name"):
        return names["model name"]
    # Arm's have numbers instead.
    parts = [
        names[part] for part in ("CPU implementer", "CPU part", "CPU variant") if part in names
    ]
    return " ".join(parts) or platform.machine()


def cpus_allowed() -> int:
    """How many processors this process may use: of all, those that it is bound to, if it is."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    if hasattr(os, "process_cpu_count"):  # Python 3.13.
        return os.process_cpu_count() or 1
    return os.cpu_count() or 1
