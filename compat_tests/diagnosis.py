"""What an implementation did instead, told from its wrong numbers."""

from __future__ import annotations

from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array


def diagnose(case: Case, inputs: Inputs, part: Part, found: Array, right: Array) -> str:
    """Names the fault behind a wrong array, where that can be told.

    Args:
        case: what was called.
        inputs: what it was called on.
        part: which array of the answer it is.
        found: what was returned.
        right: what should have been.

    Returns:
        A few words, such as "shifted by (1, 1)"; empty if no known fault explains the numbers.
    """
    return ""
