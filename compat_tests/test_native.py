"""The native op as a second witness: where it answers, it has to agree with the oracle."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

import numpy as np
import pytest
from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import FAMILIES
from compat_tests.checking import grouped, judged_here, told
from compat_tests.judge import Verdict
from compat_tests.subjects.native import Native


def _float32() -> list[Case]:
    """All float32 cases in which something is computed, and this process is safe.

    Of an empty image or batch the native op with oneDNN returns gradients of a wrong shape: those
    of the output's. The adjoint law vouches for the oracle there.
    """
    return [
        case
        for cases in FAMILIES.values()
        for case in cases()
        if case.dtype == "float32"
        and np.prod(case.input_shape)
        and np.prod(case.output_shape)
        and not _pads_a_whole_kernel(case)
        and not _strides_with_a_single_tap(case)
    ]


def _pads_a_whole_kernel(case: Case) -> bool:
    """Where TensorFlow 2.16's gradient reads past the image, now and then to a crash.

    The runner judges these too, in a process of their own.
    """
    return not isinstance(case.padding, str) and any(
        max(pads) >= (taps - 1) * dilation + 1
        for pads, taps, dilation in zip(case.padding, case.kernel, case.dilations, strict=True)
    )


def _strides_with_a_single_tap(case: Case) -> bool:
    """Where oneDNN's filter gradient writes past its workspace, now and then to a crash.

    https://github.com/uxlfoundation/oneDNN/issues/6035; the runner judges these too.
    """
    whole = tuple(n * stride for n, stride in zip(case.input, case.strides, strict=True))
    return case.kernel == (1, 1) and case.strides != (1, 1) and case.output_size == whole


def _always_answered(case: Case) -> bool:
    """What the native op computes on every machine, with oneDNN and without."""
    plain = case.dilations == (1, 1) and case.groups == 1 and case.data_format == "NHWC"
    return plain and isinstance(case.padding, str)


def _group(case: Case) -> str:
    name = f"{case.family}_s{max(case.strides)}"
    return f"{name}_k{max(case.kernel)}" if case.family in ("axis", "models") else name


class SecondWitness(unittest.TestCase):
    """Forward and gradients, equal to the last bit or refused."""

    @parameterized.expand(grouped(["native"], _float32(), _group))
    @pytest.mark.slow
    def test_native_op_agrees_where_it_answers(
        self, name: str, variant: str, cases: Sequence[Case]
    ) -> None:
        native = Native()
        judged = [(case, judged_here(native, case)) for case in cases]
        disagreeing = [
            f"{case.id}: {told(found)}"
            for case, found in judged
            if found.verdict not in (Verdict.EXACT, Verdict.REFUSED)
        ]
        self.assertEqual(disagreeing, [])
        refused = [
            f"{case.id}: {told(found)}"
            for case, found in judged
            if found.verdict is Verdict.REFUSED and _always_answered(case)
        ]
        self.assertEqual(refused, [])

    def test_most_cases_are_answered_by_the_native_op(self) -> None:
        answered = sum(map(_always_answered, _float32()))
        self.assertGreater(answered, 2500)
