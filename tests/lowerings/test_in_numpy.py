"""Every lowering on every case of the suite, in NumPy: equal to the oracle to the last bit.

Layout, dtype, and what is known only at run time have no meaning there, so the cases that differ in
nothing else are one. What is empty is left out: it is the caller's business, not a lowering's.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from compat_tests import oracle
from compat_tests.cases.case import Case
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES
from tf_tconv.geometry import transpose_geometry
from tf_tconv.lowerings import NAMES, REGISTRY
from tf_tconv.lowerings.calling import compute
from tf_tconv.lowerings.faces import FILTER_GRADIENT, FORWARD
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import numpy as ops

SHARES = {"axis": 8, "explicit": 3}
"""Into how many tests a family is cut, where it is not one."""

PARTS = [(family, share) for family in FAMILIES for share in range(SHARES.get(family, 1))]

LARGEST_IMAGE, MOST_CHANNELS = 8, 3
"""Pixels along an axis, and channels, that a model's layer is cut to: the whole ones are 18 billion
products, and what the layers differ in is kernel, stride and padding."""


def operation_of(case):
    """The operation of a case, its padding solved by the rule."""
    axes = [
        transpose_geometry(size, kernel, stride, dilation, case.axis_padding(axis), output)
        for axis, (size, kernel, stride, dilation, output) in enumerate(
            zip(
                case.input,
                case.kernel,
                case.strides,
                case.dilations,
                case.output or (None, None),
                strict=True,
            )
        )
    ]
    return TransposedConvolution(
        axes,
        groups=case.groups,
        in_channels=case.in_channels,
        out_channels=case.out_channels,
        use_bias=False,
    )


def small(case):
    """A model's layer on a small image, with few channels."""
    if case.family != "models":
        return case
    height, width = (min(size, LARGEST_IMAGE) for size in case.input)
    into, out = (min(count, MOST_CHANNELS) for count in (case.in_channels, case.out_channels))
    return replace(case, batch=1, input=(height, width), in_channels=into, out_channels=out)


def is_empty(case):
    return 0 in (*case.input_shape, *case.filters_shape, *case.output_shape)


@functools.cache
def distinct() -> dict[tuple[TransposedConvolution, int], Case]:
    """The first case of each operation and batch, over all families."""
    found: dict[tuple[TransposedConvolution, int], Case] = {}
    for family in FAMILIES.values():
        for case in map(small, family()):
            if not is_empty(case):
                found.setdefault((operation_of(case), case.batch), replace(case, dtype="float64"))
    return found


def chosen(family: str, share: int) -> Iterator[tuple[TransposedConvolution, Case]]:
    """Every so many-th of a family's cases."""
    of_family = [(key[0], case) for key, case in distinct().items() if case.family == family]
    return iter(of_family[share :: SHARES.get(family, 1)])


def wrong_results(operation, case) -> Iterator[str]:
    """What does not equal the oracle, of all lowerings and of all ways to the gradients."""
    given = make_inputs(case)
    x, w, g = (array.astype(np.float64) for array in (given.x, given.w, given.g))
    settings = (case.strides, case.padding, case.dilations, case.groups)
    y = oracle.conv2d_transpose(x, w, case.output_size, *settings)
    trimmed = operation.trimmed()
    if trimmed.taps and trimmed.pixels:
        for name in NAMES:
            if not np.array_equal(compute(ops, REGISTRY[name], x, w, operation), y):
                yield name
    elif y.any():  # The caller returns zeros and asks no lowering.
        yield "trimmed"
    ways = ("convolution", "product") if case.groups == 1 else ("convolution",)
    dx = oracle.input_gradient(g, w, case.input, *settings)
    dw = oracle.filter_gradient(g, x, case.kernel, *settings)
    for way in ways:
        if not np.array_equal(FORWARD[way](ops, g, w, operation), dx):
            yield f"input gradient by {way}"
        if not np.array_equal(FILTER_GRADIENT[way](ops, g, x, operation), dw):
            yield f"filter gradient by {way}"


@pytest.mark.parametrize(("family", "share"), PARTS, ids=[f"{f}-{n}" for f, n in PARTS])
def test_every_lowering_and_gradient_equals_the_oracle_on_every_case(family, share):
    failed = [
        f"{case.id}: {', '.join(wrong)}"
        for operation, case in chosen(family, share)
        if (wrong := list(wrong_results(operation, case)))
    ]
    assert not failed, f"{len(failed)} cases: " + "; ".join(failed[:10])


def test_each_operation_is_judged_once_and_none_is_lost():
    judged = [case for part in PARTS for _, case in chosen(*part)]
    assert len(judged) == len(set(judged)) == len(distinct())
    kept = {(operation_of(case), case.batch) for case in judged}
    for family in FAMILIES.values():
        for case in map(small, family()):
            assert is_empty(case) or (operation_of(case), case.batch) in kept


def test_the_rule_pads_what_the_oracle_pads():
    for operation, _ in distinct():
        case = distinct()[operation, _]
        assert operation.output_size == case.output_size
        assert operation.crops == (case.pads(0), case.pads(1))
