"""Which lowering computes a call."""

from __future__ import annotations

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
