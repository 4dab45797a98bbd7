"""Sizes that nobody knows: whatever is computed from one is unknown too."""

import operator

import pytest

from tf_tconv.geometry import AxisGeometry
from tf_tconv.phases import phase_grid
from tf_tconv.unknown import UNKNOWN, known, maximum, quotient


@pytest.mark.parametrize(
    "compute", [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod]
)
def test_what_is_computed_from_an_unknown_size_is_unknown(compute):
    assert compute(UNKNOWN, 3) is UNKNOWN
    assert compute(3, UNKNOWN) is UNKNOWN
    assert compute(UNKNOWN, UNKNOWN) is UNKNOWN
    assert -UNKNOWN is UNKNOWN


@pytest.mark.parametrize("compute", [maximum, quotient])
def test_functions_of_sizes(compute):
    assert compute(UNKNOWN, 3) is UNKNOWN
    assert compute(UNKNOWN, UNKNOWN) is UNKNOWN
    assert compute(3, UNKNOWN) is UNKNOWN


def test_functions_of_ints():
    assert (maximum(-2, 3), maximum(3, -2)) == (3, 3)
    assert (quotient(7, 2), quotient(-7, 2)) == (3, -4)


def test_known_sizes_are_ints():
    assert [known(size) for size in (0, -1, 5, UNKNOWN, None)] == [0, -1, 5, None, None]
    assert repr(UNKNOWN) == "unknown"


def test_an_unknown_size_is_compared_with_nothing():
    """So that no branch is taken on a size that nobody knows."""
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError):
            compare(UNKNOWN, 3)


def test_the_geometry_takes_it_for_a_size():
    axis = AxisGeometry(UNKNOWN, 3, 2, 1, UNKNOWN * 2, 0, 1, surplus=2)
    assert not axis.is_known
    assert (axis.lead, axis.trail, axis.crop_after) == (2, 1, 1)
    assert phase_grid(axis).more == 0  # Steps are as many as inputs, however many these are.
