"""The samples and the comparison that the other tests of the layer rest upon."""

import numpy as np
import pytest
from layer_samples import SAMPLES, assert_exactly, expected_axis, ramp

import tf_tconv
from compat_tests import oracle


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_layer_gives_what_the_oracle_gives(sample):
    outputs = sample.filled()(sample.inputs(), output_size=sample.output_size)
    assert_exactly(outputs, sample.expected())


def test_samples_have_names_of_their_own():
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)


def test_samples_cover_what_changes_the_computation():
    used = set().union(*(sample.arguments for sample in SAMPLES))
    assert used >= {
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "output_padding",
        "data_format",
        "dilation_rate",
        "use_bias",
        "groups",
        "lowering",
    }


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("stride", range(1, 6))
@pytest.mark.parametrize("dilation", range(1, 4))
def test_formula_for_lead_is_the_forward_padding(kernel, stride, dilation):
    """Two derivations of where the default output begins: Keras' for JAX, and forward SAME."""
    for size in range(1, 5):
        output, before = expected_axis(size, kernel, stride, dilation, "same", None, None)
        assert output == size * stride
        assert before == oracle.pad_before(output, kernel, stride, dilation, "SAME")


def test_ramp_has_no_symmetry_to_hide_behind():
    for flip in (0, 1, 2, 3):
        image = ramp(3, 4, 2, 5)
        assert not np.array_equal(image, np.flip(image, flip))
    kernel = ramp(3, 3, 2, 2)
    assert not np.array_equal(kernel, kernel.transpose(1, 0, 2, 3))
    assert not np.array_equal(kernel, kernel.transpose(0, 1, 3, 2))


def right_and_wrong():
    right = ramp(1, 3, 4, 2)
    shifted = np.roll(right, 1, axis=1)
    one_off = right.copy()
    one_off[0, 2, 3, 1] = np.nextafter(right[0, 2, 3, 1], np.float32(9))
    return right, {
        "shifted": shifted,
        "last_bit": one_off,
        "transposed": right.transpose(0, 2, 1, 3),
        "without_an_axis": right[0],
        "not_a_number": np.where(right == 0, np.nan, right),
    }


@pytest.mark.parametrize("fault", right_and_wrong()[1])
def test_comparison_finds_a_planted_fault(fault):
    right, wrong = right_and_wrong()
    assert_exactly(right, right)
    with pytest.raises(AssertionError):
        assert_exactly(wrong[fault], right)


def test_comparison_is_not_content_with_one_number():
    with pytest.raises(AssertionError, match="one number"):
        assert_exactly(np.zeros([2, 3]), np.zeros([2, 3]))


def test_samples_find_a_kernel_left_unreversed():
    """A layer whose kernel is flipped must not pass."""
    (sample,) = (sample for sample in SAMPLES if sample.name == "strided")
    layer = sample.filled()
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel[::-1, ::-1], bias])
    with pytest.raises(AssertionError):
        assert_exactly(layer(sample.inputs()), sample.expected())


def test_the_layer_is_a_public_name():
    assert "Conv2DTranspose" in tf_tconv.__all__
