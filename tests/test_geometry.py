"""The rule of one axis, against the forward convolution it is the adjoint of."""

import dataclasses
import itertools
import math
import pickle

import pytest

from tf_tconv import AxisGeometry, legal_output_sizes, transpose_geometry
from tf_tconv.geometry import a_type, with_article

GRID = [
    (i, k, s, d, padding)
    for i, k, s, d in itertools.product(range(1, 6), range(1, 6), range(1, 5), range(1, 4))
    for padding in ("SAME", "VALID", (0, 0), (1, 0), (0, 2), (3, 4))
]


def forward_size(output: int, kernel: int, stride: int, padding: object) -> int:
    """What the forward convolution makes of `output` cells, by TensorFlow's documented formulas."""
    if padding == "SAME":
        return math.ceil(output / stride)
    before, after = (0, 0) if padding == "VALID" else padding
    return max((output + before + after - kernel) // stride + 1, 0)


def forward_padding(output: int, kernel: int, stride: int, padding: object) -> tuple[int, int]:
    """What the forward convolution pads, by TensorFlow's documented formulas."""
    if padding == "SAME":
        if output == 0:
            total = max(kernel - stride, 0)
        elif output % stride:
            total = max(kernel - output % stride, 0)
        else:
            total = max(kernel - stride, 0)
        return total // 2, total - total // 2
    return (0, 0) if padding == "VALID" else padding


@pytest.mark.parametrize("kernel", range(1, 6))
def test_legal_sizes_are_those_the_forward_convolution_maps_back(kernel):
    for i, k, s, d, padding in GRID:
        if k != kernel:
            continue
        effective = (k - 1) * d + 1
        wanted = [o for o in range(80) if forward_size(o, effective, s, padding) == i]
        assert list(legal_output_sizes(i, k, s, d, padding)) == wanted, (i, k, s, d, padding)


@pytest.mark.parametrize("kernel", range(1, 6))
def test_padding_is_the_forward_convolutions(kernel):
    for i, k, s, d, padding in GRID:
        if k != kernel:
            continue
        for o in legal_output_sizes(i, k, s, d, padding):
            axis = transpose_geometry(i, k, s, d, padding, o)
            assert (axis.pad_before, axis.pad_after) == forward_padding(
                o, (k - 1) * d + 1, s, padding
            ), axis


def test_zero_insertion_form_reaches_the_cells_that_the_scatter_does():
    """Two derivations: where products are scattered to, and what a sliding window gathers."""
    for i, k, s, d, padding in GRID:
        for o in legal_output_sizes(i, k, s, d, padding):
            axis = transpose_geometry(i, k, s, d, padding, o)
            scattered = {
                (axis.output_index(j, a), j, a)
                for j, a in itertools.product(range(i), range(k))
                if 0 <= axis.output_index(j, a) < o
            }
            dilated = [j // s if j % s == 0 else None for j in range((i - 1) * s + 1)]
            padded = [None] * max(axis.lead, 0) + dilated + [None] * max(axis.trail, 0)
            padded = padded[max(-axis.lead, 0) : len(padded) - max(-axis.trail, 0)]
            assert len(padded) == o + axis.effective_kernel - 1
            gathered = {
                (cell, padded[cell + tap * d], k - 1 - tap)
                for cell, tap in itertools.product(range(o), range(k))
                if padded[cell + tap * d] is not None
            }
            assert gathered == scattered, axis
            for cell in range(o):
                assert axis.contributions(cell) == tuple(
                    sorted((j, a) for y, j, a in scattered if y == cell)
                )


def test_trimmed_axis_says_the_same_of_fewer_inputs_and_taps():
    trimmed = 0
    for i, k, s, d, padding in GRID:
        for o in legal_output_sizes(i, k, s, d, padding):
            axis = transpose_geometry(i, k, s, d, padding, o)
            small = axis.trimmed()
            trimmed += (small.input_size, small.kernel_size) != (i, k)
            j0, a0 = axis.useful_inputs.start, axis.useful_taps.start
            assert small.output_size == o
            for cell in range(o):
                moved = tuple((j - j0, a - a0) for j, a in axis.contributions(cell))
                assert small.contributions(cell) == moved, axis
    assert trimmed > 100  # The grid does hold inputs and taps that reach nothing.


def test_a_huge_dilation_leaves_one_tap():
    axis = transpose_geometry(5, 3, dilation=2**40)
    assert axis.trimmed() == AxisGeometry(5, 1, 1, 1, 5, 0, 0)


def test_the_odd_zero_stands_at_the_beginning():
    axis = transpose_geometry(3, kernel_size=3, stride=2, output_size=6)
    assert (axis.pad_before, axis.pad_after) == (0, 1)
    assert (axis.lead, axis.trail) == (2, 1)


@pytest.mark.parametrize(
    ("axis", "lead", "trail"),
    [
        (transpose_geometry(4, 2, 1, 1, (3, 0)), -2, 1),
        (transpose_geometry(4, 2, 1, 1, (0, 3)), 1, -2),
        (transpose_geometry(2, 2, 5, 1, "VALID", output_size=11), 1, 5),
    ],
)
def test_lead_and_trail_crop_or_extend(axis, lead, trail):
    assert (axis.lead, axis.trail) == (lead, trail)


def test_a_kernel_smaller_than_the_stride_leaves_holes():
    axis = transpose_geometry(3, kernel_size=2, stride=4)
    empty = [cell for cell in range(axis.output_size) if not axis.contributions(cell)]
    assert empty == [2, 3, 6, 7, 10, 11]


@pytest.mark.parametrize("k", range(1, 8))
@pytest.mark.parametrize("d", [1, 2, 3])
def test_sizes_by_keras_formulas(k, d):
    effective = (k - 1) * d + 1
    for i, s in itertools.product(range(1, 6), range(1, 6)):
        assert transpose_geometry(i, k, s, d).output_size == i * s
        valid = transpose_geometry(i, k, s, d, "VALID")
        assert valid.output_size == (i - 1) * s + max(effective, s)
        for q in range(s):
            same = transpose_geometry(i, k, s, d, "SAME", output_padding=q)
            assert same.output_size == (i - 1) * s + effective % 2 + q
            valid = transpose_geometry(i, k, s, d, "VALID", output_padding=q)
            assert valid.output_size == (i - 1) * s + effective + q


@pytest.mark.parametrize("k", [2, 4, 6])
@pytest.mark.parametrize("s", [1, 2, 3])
def test_even_kernel_same_without_output_padding_pads_as_keras_on_jax(k, s):
    """No forward SAME convolution has this size, yet the formula does have an answer."""
    axis = transpose_geometry(4, k, s, padding="SAME", output_padding=0)
    assert axis.output_size == 3 * s
    assert axis.lead == min((k - 2 + 1) // 2, k - 1)
    assert axis.lead + axis.trail == k - 2


@pytest.mark.parametrize("p", [0, 1, 2])
def test_sizes_by_torch_formula(p):
    for i, k, s, d in itertools.product(range(2, 6), range(1, 5), range(1, 4), range(1, 4)):
        for q in range(max(s, d)):
            size = (i - 1) * s - 2 * p + d * (k - 1) + q + 1
            if size >= 0 and (i - 1) * s + d * (k - 1) + s >= 2 * p:
                axis = transpose_geometry(i, k, s, d, (p, p), output_padding=q)
                assert (axis.output_size, axis.pad_before) == (size, p)


def test_an_empty_input_gives_an_empty_or_zero_output():
    assert transpose_geometry(0, 3, 2).output_size == 0
    assert transpose_geometry(0, 3, 2, 1, "VALID").output_size == 1
    assert legal_output_sizes(0, 3, 2) == range(0, 1)
    assert legal_output_sizes(0, 3, 2, 1, "VALID") == range(1, 3)


def test_geometry_is_an_immutable_value():
    axis = transpose_geometry(5, 3, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        axis.stride = 3
    assert axis == transpose_geometry(5, 3, 2)
    assert len({axis, transpose_geometry(5, 3, 2)}) == 1
    assert pickle.loads(pickle.dumps(axis)) == axis
    names = [field.name for field in dataclasses.fields(axis)]
    assert names == [
        "input_size",
        "kernel_size",
        "stride",
        "dilation",
        "output_size",
        "pad_before",
        "pad_after",
        "surplus",
    ]


def test_padding_names_in_any_case():
    assert transpose_geometry(5, 3, 2, padding="same") == transpose_geometry(5, 3, 2)


ILLEGAL = [
    ({"input_size": -1}, ValueError, r"input_size=-1 is out of range; .* at least 0"),
    ({"input_size": 2.0}, TypeError, r"input_size=2.0 is a float; .* at least 0"),
    ({"input_size": True}, TypeError, r"input_size=True is a bool; .* at least 0"),
    ({"input_size": None}, TypeError, r"input_size=None is a NoneType; .* at least 0"),
    ({"kernel_size": 0}, ValueError, r"kernel_size=0 is out of range; .* at least 1"),
    ({"kernel_size": float("nan")}, TypeError, r"kernel_size=nan is a float; .* at least 1"),
    ({"stride": 0}, ValueError, r"stride=0 is out of range; .* at least 1"),
    ({"stride": "2"}, TypeError, r"stride='2' is a str; .* at least 1"),
    ({"dilation": -3}, ValueError, r"dilation=-3 is out of range; .* at least 1"),
    ({"padding": "VAILD"}, ValueError, r'padding="VAILD" is unknown; .*Did you mean "VALID"'),
    ({"padding": 1}, TypeError, r'padding=1 is an int; .*"SAME", "VALID" or a pair'),
    ({"padding": (1,)}, ValueError, r"padding=\(1,\) has 1 entry; .* pair"),
    ({"padding": (1, -1)}, ValueError, r"padding\[1\]=-1 is out of range; .* at least 0"),
    ({"padding": (9, 9)}, ValueError, r"padding=\(9, 9\) takes off more .* at most 12\."),
    ({"output_size": 8}, ValueError, r"output_size=8 cannot come from 5 input cells: .* 9\.\.10\."),
    ({"output_size": -1}, ValueError, r"output_size=-1 is out of range; .* at least 0"),
    ({"output_padding": 2}, ValueError, r"output_padding=2 is out of range; .* from 0 to 1"),
    (
        {"output_size": 9, "output_padding": 0},
        ValueError,
        r"output_size=9 and output_padding=0 both fix",
    ),
]


@pytest.mark.parametrize(("changes", "error", "message"), ILLEGAL)
def test_illegal_arguments_are_explained(changes, error, message):
    with pytest.raises(error, match=message):
        transpose_geometry(**{"input_size": 5, "kernel_size": 3, "stride": 2, **changes})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("int", "an int"),
        ("str", "a str"),
        ("NoneType", "a NoneType"),
        ("EagerTensor", "an EagerTensor"),
        ("InputLayer", "an InputLayer"),
        ("ndarray", "an ndarray"),
        ("Node", "a Node"),
        ("uint8", "a uint8"),
        ("Unit", "a Unit"),
        ("UpSampling2D", "an UpSampling2D"),
        ("User", "a User"),
        ("Unknown", "an Unknown"),
    ],
)
def test_names_of_types_have_the_article_that_is_spoken(name, said):
    assert with_article(name) == said
    assert a_type(type(name, (), {})()) == said
