"""Arguments with an entry an axis: what is taken, and what is said where it is not."""

import re

import numpy as np
import pytest

from tf_tconv.entries import check_entries, is_sequence


@pytest.mark.parametrize(
    ("value", "rank", "entries"),
    [
        (2, 1, (2,)),
        (2, 3, (2, 2, 2)),
        ((2,), 2, (2, 2)),
        ([3], 1, (3,)),
        ([1, 2], 2, (1, 2)),
        (range(1, 4), 3, (1, 2, 3)),
        (np.array([4, 5]), 2, (4, 5)),
        (np.array([4]), 2, (4, 4)),
        (np.array(4), 2, (4, 4)),
        (np.int64(4), 2, (4, 4)),
        ((np.int32(1), 2), 2, (1, 2)),
    ],
)
def test_an_int_for_all_axes_or_an_entry_each(value, rank, entries):
    found = check_entries("strides", value, rank)
    assert found == entries
    assert {type(entry) for entry in found} == {int}


@pytest.mark.parametrize(
    ("value", "rank", "bounds", "error", "message"),
    [
        ((1, 2), 1, (), ValueError, "=(1, 2) has 2 entries; it must be an integer or 1 integer, "),
        ((1, 2), 1, (), ValueError, "(width,)."),
        ((1, 2, 3), 2, (), ValueError, "=(1, 2, 3) has 3 entries; it must be an integer or 2 "),
        ((1, 2, 3), 2, (), ValueError, "integers, (height, width)."),
        ([1, 2], 3, (), ValueError, "integer or 3 integers, (depth, height, width)."),
        ((), 2, (), ValueError, "=() has 0 entries"),
        (0, 2, (), ValueError, "strides=0 is out of range; it must be an integer of at least 1"),
        ((2, 0), 2, (), ValueError, "strides[1]=0 is out of range"),
        ((0,), 2, (), ValueError, "strides[0]=0 is out of range"),
        (-1, 2, (0,), ValueError, "of at least 0"),
        ((1, 9), 2, (0, 8), ValueError, "strides[1]=9 is out of range; it must be an integer from"),
        (2.0, 2, (), TypeError, "strides=2.0 is a float"),
        ((2, None), 2, (), TypeError, "strides[1]=None is a NoneType"),
        ((2, True), 2, (), TypeError, "strides[1]=True is a bool"),
        ("22", 2, (), TypeError, "strides='22' is a str"),
        (b"22", 2, (), TypeError, "strides=b'22' is a bytes"),
        (np.array([1.0, 2.0]), 2, (), TypeError, "strides[0]="),
        ([[1, 2]], 2, (), TypeError, "strides[0]=[1, 2] is a list"),
        ({1, 2}, 2, (), TypeError, "strides={1, 2} is a set"),  # It has no order.
    ],
)
def test_what_is_no_entry_an_axis_is_refused(value, rank, bounds, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_entries("strides", value, rank, *bounds)


def test_bounds_are_legal_themselves():
    assert check_entries("input_size", (0, 8), 2, 0, 8) == (0, 8)


@pytest.mark.parametrize(
    ("value", "has_entries"),
    [
        ((), True),
        ([1], True),
        (range(2), True),
        (np.ones(2), True),
        (np.array(1), False),
        (np.int64(1), False),
        (1, False),
        (None, False),
        ("12", False),
        (b"12", False),
    ],
)
def test_what_has_entries(value, has_entries):
    assert is_sequence(value) is has_entries
