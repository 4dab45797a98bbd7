"""Which lowering computes a call."""

from __future__ import annotations

from typing import Any

from tf_tconv.geometry import check_name
from tf_tconv.lowerings import NAMES, REGISTRY, Lowering


def choose_lowering(lowering: str) -> Lowering:
    """The registered lowering that `lowering` asks for; "auto" never means "native".

    Raises:
        TypeError: not a string.
        ValueError: no such lowering.
    """
    name = check_name("lowering", lowering, ("auto", *NAMES, "native"))
    return REGISTRY["zero_insertion" if name == "auto" else name]


def usable(lowering: Lowering, *axes: Any) -> Lowering:
    """`lowering`, or "zero_insertion" where it needs a kernel size that only the run knows."""
    known = all(isinstance(axis.kernel_size, int) for axis in axes)
    return lowering if known or not lowering.known_kernel else REGISTRY["zero_insertion"]
