"""The comparison of a layer with its source finds what is wrong, and nothing else."""

import numpy as np
import pytest
from integers import ramp

from compat_tests import oracle
from tf_tconv.dialects import TransposedConvolution
from tf_tconv.importers import comparison
from tf_tconv.importers.built_layer import DTYPES, built_layer

OPERATION = TransposedConvolution(
    kernel_size=(3, 4),
    strides=(2, 3),
    crops=((1, 0), (0, 1)),
    groups=2,
    in_channels=8,
    out_channels=6,
)
KERNEL, BIAS = ramp(3, 4, 3, 8) / 4, ramp(6, seed=1) / 4


def layer(dtype="float32", kernel=KERNEL, **arguments):
    arguments = {"data_format": "channels_last", "lowering": "auto", **arguments}
    return built_layer(OPERATION, kernel, BIAS, name=None, dtype=dtype, **arguments)


def source(change=lambda y, x: y, kernel=KERNEL, crops=OPERATION.crops):
    """The definition, in float64, and what is changed of its result."""

    def run(images):
        sizes = [
            (cells - 1) * axis.stride + axis.surplus
            for cells, axis in zip(images.shape[2:], OPERATION.axes, strict=True)
        ]
        y = oracle.conv2d_transpose(
            images.transpose(0, 2, 3, 1), kernel, sizes, OPERATION.strides, crops, groups=2
        )
        return change((y + BIAS).transpose(0, 3, 1, 2), images)

    return run


def rounded(dtype):
    """To half precision and back; NumPy has no bfloat16, which is float32 with fewer bits."""
    if dtype == "bfloat16":
        bits = lambda y: y.astype(np.float32).view(np.uint32)  # noqa: E731
        return lambda y, x: (bits(y) & np.uint32(0xFFFF0000)).view(np.float32).astype(float)
    return lambda y, x: y.astype(dtype).astype(float)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_what_is_equal_but_for_rounding_passes(dtype, layout):
    ours = layer(dtype, data_format=layout)
    assert comparison.difference(ours, OPERATION, source(rounded(dtype))) is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "other",
    [
        source(crops=((0, 1), (0, 1))),
        source(crops=((1, 0), (1, 0))),
        source(kernel=KERNEL[::-1]),
        source(kernel=KERNEL[:, ::-1]),
        source(kernel=KERNEL[:, :, ::-1]),
        source(kernel=np.roll(KERNEL, 1, axis=3)),
        source(lambda y, x: y * 1.05),
        source(lambda y, x: np.maximum(y, 0)),
        source(lambda y, x: y - BIAS.reshape(-1, 1, 1)),
        source(lambda y, x: y if x.shape[2] % 2 else y + 0.1),
        source(lambda y, x: y if x.shape[3] % 2 else y + 0.1),
        source(lambda y, x: y[:, :, :-1]),
    ],
    ids=[
        *("one row up", "one column left", "flipped rows", "flipped columns", "outputs", "inputs"),
        *("scaled", "rectified", "without bias", "odd rows", "odd columns", "cropped"),
    ],
)
def test_what_is_wrong_is_found_in_every_dtype(dtype, other):
    told = comparison.difference(layer(dtype), OPERATION, other)
    assert told.startswith("on images of shape (6, 8, ")


def test_a_coarser_source_may_differ_by_its_rounding():
    thirds = KERNEL / 3
    run, ours = source(rounded("float16"), kernel=thirds), layer("float64", kernel=thirds)
    assert comparison.difference(ours, OPERATION, run)
    assert comparison.difference(ours, OPERATION, run, spacing=2.0**-10) is None


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_weights_that_are_not_finite_hide_no_other(value):
    kernel = KERNEL.copy()
    kernel[0, 0, 0, 0] = value
    ours = layer(kernel=kernel)
    with np.errstate(invalid="ignore"):
        assert comparison.difference(ours, OPERATION, source(kernel=kernel)) is None
        flipped = source(kernel=kernel[:, :, ::-1])
        assert comparison.difference(ours, OPERATION, flipped)


def test_what_native_refuses_on_this_processor_is_compared_without_it():
    ours = layer("float16", lowering="native", data_format="channels_first")
    assert comparison.difference(ours, OPERATION, source(rounded("float16"))) is None
    assert comparison.difference(ours, OPERATION, source(kernel=KERNEL[::-1]))


def test_sizes_leave_an_output():
    for crops, kernel in ((((9, 9), (0, 5)), 1), (((0, 0), (30, 0)), (2, 9))):
        operation = TransposedConvolution(kernel_size=kernel, strides=(1, 4), crops=crops)
        for size in comparison.probe_sizes(operation):
            for cells, axis in zip(size, operation.axes, strict=True):
                assert (cells - 1) * axis.stride + axis.surplus >= 1
    (a, b), (c, d) = comparison.probe_sizes(OPERATION)
    assert a % 2 != c % 2
    assert b % 2 != d % 2
