"""Kernels between the layouts of frameworks; `test_peers` shows that the frameworks agree."""

import numpy as np
import pytest
from integers import ramp

from tf_tconv.dialects import jax, keras, onnx, tf_nn, torch

DIALECTS = [keras, tf_nn, torch, onnx, jax]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__.split(".")[-1])
def test_there_and_back(dialect, groups):
    kernel = ramp(3, 5, 6 // groups, 4)
    weights = dialect.to_weights(kernel, groups=groups)
    np.testing.assert_array_equal(dialect.from_weights(weights, groups=groups), kernel)


@pytest.mark.parametrize("dialect", [torch, onnx])
def test_channels_come_first_in_torch_and_onnx(dialect):
    kernel = ramp(3, 5, 6, 4)
    weights = dialect.to_weights(kernel)
    assert weights.shape == (4, 6, 3, 5)
    assert weights[3, 1, 2, 4] == kernel[2, 4, 1, 3]


def test_jax_reverses_and_swaps():
    kernel = ramp(3, 5, 6, 4)
    weights = jax.to_weights(kernel)
    assert weights.shape == (3, 5, 4, 6)
    assert weights[0, 1, 3, 2] == kernel[2, 3, 2, 3]


def test_jax_groups_stand_in_the_outputs():
    kernel = ramp(3, 5, 3, 4)
    weights = jax.to_weights(kernel, groups=2)
    assert weights.shape == (3, 5, 2, 6)
    # Output 3 + 1 is the second group's output 1, and sees that group's inputs, 2 and 3.
    np.testing.assert_array_equal(weights[0, 0, :, 4], kernel[2, 4, 1, 2:])


@pytest.mark.parametrize("kernel", [ramp(3, 5, 6, 4)])
def test_transpose_kernel_takes_the_kernel_as_it_is(kernel):
    np.testing.assert_array_equal(jax.to_weights(kernel, transpose_kernel=True), kernel)
    np.testing.assert_array_equal(jax.from_weights(kernel, transpose_kernel=True), kernel)


@pytest.mark.parametrize("function", ["from_weights", "to_weights"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__.split(".")[-1])
def test_errors(dialect, function):
    convert = getattr(dialect, function)
    with pytest.raises(ValueError, match=r"rank 3, shape \(3, 5, 6\); it must be of rank 4, \["):
        convert(np.zeros((3, 5, 6)))
    with pytest.raises(ValueError, match=r"groups=3 does not divide .*=4; it must be a multiple"):
        convert(np.zeros((4, 4, 4, 4)), groups=3)


@pytest.mark.parametrize("convert", [jax.from_weights, jax.to_weights])
def test_transpose_kernel_has_no_groups(convert):
    with pytest.raises(ValueError, match="groups=2 and transpose_kernel=True do not go together"):
        convert(np.zeros((3, 3, 2, 2)), groups=2, transpose_kernel=True)
