"""No refused cell: dtype x stride x dilation x groups x padding x layout x mode, and gradients."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle
from compat_tests.cases.pairwise import covering_rows

MODES = {"eager": None, "graph": False, "xla": True}
FLOATS = ("float16", "bfloat16", "float32", "float64")
CELLS = list(
    itertools.product(
        [(1, 1), (2, 3)],  # strides
        [(1, 1), (2, 1), (3, 2)],  # dilations
        ["SAME", "VALID", ((1, 0), (0, 2))],
        ["NHWC", "NCHW"],
    )
)


def inputs(strides, dilations, padding, groups):
    """x, w and the upstream gradient: few and small terms, so that half holds every sum exactly."""
    x = ramp(1, 3, 2, 4, low=-1, high=2)
    w = ramp(3, 2, 4 // groups, 4, seed=1, low=-1, high=2)
    height, width = (
        oracle.legal_output_sizes(
            x.shape[1 + axis],
            w.shape[axis],
            strides[axis],
            dilations[axis],
            oracle.axis_padding(padding, axis),
        )[-1]
        for axis in (0, 1)
    )
    return x, w, ramp(1, height, width, 4, seed=2, low=-1, high=2)


def truth(strides, dilations, padding, groups, gradients):
    """What the definition gives: y and, if asked for, dx and dw."""
    x, w, g = inputs(strides, dilations, padding, groups)
    geometry = (strides, padding, dilations, groups)
    y = oracle.conv2d_transpose(x, w, g.shape[1:3], *geometry)
    if not gradients:
        return [y]
    dx = oracle.input_gradient(g, w, x.shape[1:3], *geometry)
    return [y, dx, oracle.filter_gradient(g, x, w.shape[:2], *geometry)]


def ours(strides, dilations, padding, layout, groups, dtype, gradients, lowering="auto"):
    """The same from `tf_tconv`, images back in NHWC."""
    x, w, g = (tf.cast(array, dtype) for array in inputs(strides, dilations, padding, groups))
    size = g.shape[1:3]
    if not isinstance(padding, str):
        padding = [[0, 0], *padding, [0, 0]]
    if layout == "NCHW":
        x, g = (tf.transpose(image, [0, 3, 1, 2]) for image in (x, g))
        padding = padding if isinstance(padding, str) else [[0, 0], *padding[:3]]
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = tf_tconv.conv2d_transpose(
            x, w, list(size), strides, padding, layout, dilations, groups=groups, lowering=lowering
        )
    found = [y, *tape.gradient(y, [x, w], output_gradients=g)] if gradients else [y]
    if layout == "NCHW":
        found[:2] = [tf.transpose(image, [0, 2, 3, 1]) for image in found[:2]]
    return found


def assert_right(found, wanted, dtype, cell):
    """That all arrays of a cell are of the type and equal to the last bit."""
    for name, got, want in zip(("y", "dx", "dw")[: len(wanted)], found, wanted, strict=True):
        assert got.dtype == dtype, (name, *cell)
        np.testing.assert_array_equal(
            got.numpy().astype(np.float64), want, err_msg=str((name, *cell)), strict=True
        )


@pytest.mark.parametrize(
    "mode",
    ["eager", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("graph", "xla"))],
)
@pytest.mark.parametrize("dtype", [*FLOATS, "int32"])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_cells(dtype, groups, mode):
    gradients = dtype in FLOATS

    def all_cells():
        return [ours(*cell, groups, dtype, gradients) for cell in CELLS]

    if MODES[mode] is not None:
        all_cells = tf.function(all_cells, jit_compile=MODES[mode], autograph=False)
    for cell, found in zip(CELLS, all_cells(), strict=True):
        assert_right(found, truth(*cell[:3], groups, gradients), dtype, cell)


FACTORS = {
    "lowering": tf_tconv.lowerings.NAMES,
    "groups": (1, 2, 4),
    "dtype": (*FLOATS, "int32"),
    "mode": ("graph", "xla"),
}
PAIRWISE = [tuple(row.values()) for row in covering_rows(FACTORS)]
OTHERS = [row for row in itertools.product(*FACTORS.values()) if row not in PAIRWISE]


@pytest.mark.slow
@pytest.mark.parametrize(
    tuple(FACTORS),
    [*PAIRWISE, *(pytest.param(*row, marks=pytest.mark.exhaustive) for row in OTHERS)],
)
def test_cells_of_each_lowering(lowering, groups, dtype, mode):
    """Forward only: no gradient is taken through a lowering. Eagerly, compat_tests goes further."""
    cells = [cell for cell in CELLS if cell[3] == "NHWC"]

    @tf.function(jit_compile=MODES[mode], autograph=False)
    def all_cells():
        return [ours(*cell, groups, dtype, False, lowering) for cell in cells]

    for cell, found in zip(cells, all_cells(), strict=True):
        assert_right(found, truth(*cell[:3], groups, False), dtype, cell)
