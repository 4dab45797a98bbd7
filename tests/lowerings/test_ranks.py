"""One, two and three axes, by the definition: what the suite, which has two, does not reach.

The definition is written here once more, as plain loops over the index relation.
"""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from compat_tests.cases.pairwise import covering_rows
from tests.integers import ramp
from tf_tconv.lowerings import NAMES, REGISTRY
from tf_tconv.lowerings.calling import compute
from tf_tconv.lowerings.faces import FILTER_GRADIENT, FORWARD
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import numpy as in_numpy
from tf_tconv.ops import tensorflow as in_tensorflow

AXES = (
    # input, kernel, stride, dilation, crops
    (4, 2, 3, 1, (0, 0)),  # a kernel smaller than the stride
    (3, 3, 3, 1, (1, 0)),  # as large
    (3, 5, 2, 1, (1, 2)),  # larger, and no multiple of it
    (2, 4, 2, 1, (0, 1)),
    (3, 2, 4, 2, (0, -1)),  # dilation and stride share a factor
    (2, 3, 4, 6, (2, 3)),
    (4, 3, 2, 3, (3, 1)),  # and share none
    (3, 3, 2, 1, (-3, 1)),  # cells before the first product
    (2, 2, 3, 1, (1, -7)),  # outputs beyond every tap
    (5, 3, 1, 2, (-1, -2)),
    (4, 4, 1, 1, (6, 0)),  # inputs that reach no output
    (2, 5, 2, 1, (4, 1)),  # taps that reach none
    (1, 1, 2, 1, (0, -1)),
)


def rows(rank):
    """Operations with a batch, so that every two choices meet."""
    factors = {f"axis {n}": AXES for n in range(rank)}
    factors |= {"groups": (1, 2, 3), "channels": ((1, 1), (2, 1), (1, 2)), "batch": (1, 2)}
    factors |= {"use_bias": (False, True)}
    for row in covering_rows(factors):
        sizes, kernel, strides, dilations, crops = zip(
            *(row[f"axis {n}"] for n in range(rank)), strict=True
        )
        into, out = row["channels"]
        operation = TransposedConvolution(
            kernel_size=kernel,
            strides=strides,
            dilations=dilations,
            crops=crops,
            input_size=sizes,
            groups=row["groups"],
            in_channels=into * row["groups"],
            out_channels=out * row["groups"],
            use_bias=row["use_bias"],
        )
        yield operation, row["batch"]


def draw(operation, batch):
    """Input, filters, bias and upstream gradient."""
    out = operation.out_channels
    filters = (*operation.kernel_size, out // operation.groups, operation.in_channels)
    return (
        ramp(batch, *operation.input_size, operation.in_channels, seed=1),
        ramp(*filters, seed=2),
        ramp(out, seed=3) if operation.use_bias else None,
        ramp(batch, *operation.output_size, out, seed=4),
    )


def definition(x, w, g, operation):
    """``y[j s + a d - p0] += x[j] w[a]`` for every input and tap, and its two gradients."""
    y, dx, dw = np.zeros_like(g), np.zeros_like(x), np.zeros_like(w)
    into, out = x.shape[-1] // operation.groups, w.shape[-2]
    for j in itertools.product(*map(range, operation.input_size)):
        for a in itertools.product(*map(range, operation.kernel_size)):
            t = tuple(
                j[n] * operation.strides[n] + a[n] * operation.dilations[n] - before
                for n, (before, _) in enumerate(operation.crops)
            )
            if not all(
                0 <= cell < size for cell, size in zip(t, operation.output_size, strict=True)
            ):
                continue
            for group in range(operation.groups):
                here = (slice(None), *j, slice(group * into, (group + 1) * into))
                there = (slice(None), *t, slice(group * out, (group + 1) * out))
                taps = (*a, slice(None), here[-1])
                y[there] += x[here] @ w[taps].T
                dx[here] += g[there] @ w[taps]
                dw[taps] += g[there].T @ x[here]
    return y, dx, dw


def wrong_results(ops, operation, batch, to=np.asarray):
    """What does not equal the definition, of all lowerings and of all ways to the gradients."""
    x, w, bias, g = draw(operation, batch)
    y, dx, dw = definition(x, w, g, operation)
    if bias is not None:
        y = y + bias
    x, w, g = to(x), to(w), to(g)
    bias = None if bias is None else to(bias)
    results = {name: (compute(ops, REGISTRY[name], x, w, operation, bias), y) for name in NAMES}
    for way in ("convolution", "product") if operation.groups == 1 else ("convolution",):
        results[f"input gradient by {way}"] = FORWARD[way](ops, g, w, operation), dx
        results[f"filter gradient by {way}"] = FILTER_GRADIENT[way](ops, g, x, operation), dw
    return [name for name, (found, right) in results.items() if not np.array_equal(found, right)]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_lowering_and_gradient_equals_the_definition(rank):
    failed = [
        (operation, wrong)
        for operation, batch in rows(rank)
        if (wrong := wrong_results(in_numpy, operation, batch))
    ]
    assert not failed


@pytest.mark.parametrize("rank", [1, 3])
def test_tensorflow_computes_the_same(rank):
    some = list(rows(rank))[:: 2 if rank == 1 else 25]
    assert {operation.groups for operation, _ in some} == {1, 2, 3}
    failed = [
        (operation, wrong)
        for operation, batch in some
        if (wrong := wrong_results(in_tensorflow, operation, batch, to_tensor))
    ]
    assert not failed


def to_tensor(array):
    return tf.constant(array, tf.float32)  # All sums are small integers.


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_rows_hold_what_they_are_meant_to(rank):
    """None is empty, in none are all axes alike, and every axis stands at every place."""
    operations = [operation for operation, _ in rows(rank)]
    assert all(0 not in operation.output_size for operation in operations)
    assert all(operation.trimmed().taps for operation in operations)
    assert {operation.groups for operation in operations} == {1, 2, 3}
    assert {operation.use_bias for operation in operations} == {False, True}
    for place in range(rank):
        assert len({operation.axes[place] for operation in operations}) == len(AXES)
    unequal = [operation for operation in operations if len(set(operation.axes)) == rank]
    assert len(unequal) > len(operations) / 2
