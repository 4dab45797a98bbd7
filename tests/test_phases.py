"""Phases and blocks of one axis, against the index relation they are derived from."""

import dataclasses
import functools
import itertools
import math

import pytest
import tensorflow as tf

from tf_tconv import legal_output_sizes, transpose_geometry
from tf_tconv.functional.requests import AxisRequest
from tf_tconv.geometry import AxisGeometry
from tf_tconv.ops import tensorflow as ops
from tf_tconv.phases import Block, Window, phase_grid

GRID = [
    (i, k, s, d, padding)
    for i, k, s, d in itertools.product((1, 3), range(1, 6), range(1, 5), (1, 2, 3, 4))
    for padding in ("SAME", "VALID", (1, 0), (3, 4))
]


@functools.cache
def axes():
    """Every axis of the table, trimmed ones too, and its phases in both ways."""
    found = {}
    for i, k, s, d, padding in GRID:
        for o in legal_output_sizes(i, k, s, d, padding):
            axis = transpose_geometry(i, k, s, d, padding, o)
            for form in (axis, axis.trimmed()):
                if min(form.input_size, form.kernel_size, form.output_size) > 0:
                    for grid in (phase_grid(form), phase_grid(form, compact=True)):
                        found[form, grid] = None
    return tuple(found)


def steps(axis, grid):
    return range(grid.first, grid.first + axis.input_size + grid.more)


def cell(axis, grid, step, phase):
    """The output cell of a phase of a step, counted as in step 7 of the derivation."""
    return step * grid.stride + phase + grid.offset - axis.pad_before


def products(axis):
    """Every product that reaches the output: (cell, input, tap)."""
    return {
        (axis.output_index(j, a), j, a)
        for j, a in itertools.product(range(axis.input_size), range(axis.kernel_size))
        if 0 <= axis.output_index(j, a) < axis.output_size
    }


def test_the_steps_cover_the_output_and_crop_says_by_how_much():
    for axis, grid in axes():
        cells = [cell(axis, grid, q, r) for q in steps(axis, grid) for r in range(grid.stride)]
        before, after = grid.crop
        assert cells == list(range(-before, axis.output_size + after)), (axis, grid)
        assert 0 <= before < axis.stride
        assert 0 <= after < axis.stride


def test_position_is_the_index_relation_and_tap_its_inverse():
    for axis, grid in axes():
        found = set()
        for a in range(axis.kernel_size):
            block, phase = grid.position(a)
            assert 0 <= phase < axis.stride
            assert grid.tap(block, phase) == a
            assert block in grid.block_range
            for j in range(axis.input_size):
                assert cell(axis, grid, j + block, phase) == axis.output_index(j, a)
            found.add((block, phase))
        for block, phase in itertools.product(grid.block_range, range(axis.stride)):
            assert (grid.tap(block, phase) is None) == ((block, phase) not in found)


@pytest.mark.parametrize("joined", [False, True])
def test_windows_gather_every_product_once(joined):
    for axis, grid in axes():
        windows = grid.windows(joined)
        gathered = []
        for window in windows:
            # What a convolution at stride 1 does: pad, slide, multiply, the kernel reversed.
            before, after = grid.around(window.blocks)
            padded = [
                j if 0 <= j < axis.input_size else None
                for j in range(-before, axis.input_size + after)
            ]
            for number, q in enumerate(steps(axis, grid)):
                for place, block in enumerate(reversed(window.blocks)):
                    j = padded[number + place * window.blocks.step]
                    for phase in window.phases:
                        a = grid.tap(block, phase)
                        y = cell(axis, grid, q, phase)
                        if j is not None and a is not None and 0 <= y < axis.output_size:
                            gathered.append((y, j, a))
            span = window.blocks[-1] - window.blocks[0]
            assert len(padded) == len(steps(axis, grid)) + span
        assert sorted(gathered) == sorted(products(axis)), (axis, grid)
        phases = [phase for window in windows for phase in window.phases]
        assert phases == sorted(set(phases))


def test_windows_of_one_phase_hold_taps_only():
    for axis, grid in axes():
        for window in grid.windows():
            assert len(window.phases) == 1
            assert None not in [grid.tap(b, window.phases[0]) for b in window.blocks], axis


def test_joined_phases_have_one_window_unless_dilated():
    for axis, grid in axes():
        if axis.dilation == 1:
            (window,) = grid.windows(joined=True)
            assert window.blocks == grid.block_range
        else:
            assert grid.windows(joined=True) == grid.windows()


def test_blocks_scatter_every_product_once():
    for axis, grid in axes():
        scattered = []
        for block in grid.blocks():
            assert sum(grid.missing(block)) == axis.stride - len(block.taps)
            assert grid.missing(block)[1] >= 0
            before, after = grid.around(block.steps)
            # What padding and cropping an image of a step an input does.
            placed = range(-before, axis.input_size + after)
            assert len(placed) == len(steps(axis, grid))
            for j, q in zip(placed, steps(axis, grid), strict=True):
                for phase, a in enumerate(block.taps, start=block.phase):
                    y = cell(axis, grid, q, phase)
                    if 0 <= j < axis.input_size and 0 <= y < axis.output_size:
                        scattered.append((y, j, a))
        assert sorted(scattered) == sorted(products(axis)), (axis, grid)


def test_blocks_are_few_unless_dilated():
    for axis, grid in axes():
        if axis.dilation == 1:
            assert [block.index for block in grid.blocks()] == list(grid.block_range)
        else:
            assert len(grid.blocks()) == axis.kernel_size


def test_the_first_phase_is_the_first_cell_unless_fewer_blocks_are_asked_for():
    cropped = 0
    for axis in {axis for axis, _ in axes()}:
        plain, compact = phase_grid(axis), phase_grid(axis, compact=True)
        assert plain.crop[0] == 0
        if compact != plain:
            cropped += 1
            assert axis.dilation == 1
            assert len(compact.block_range) < len(plain.block_range)
        if axis.dilation == 1:
            assert len(compact.block_range) == math.ceil(axis.kernel_size / axis.stride)
    assert cropped > 20  # The grid does hold such axes.


@pytest.mark.parametrize(
    ("k", "s", "compact", "windows"),
    [
        (2, 2, False, [Window(range(0, 1), range(0, 1)), Window(range(1, 2), range(0, 1))]),
        (3, 2, False, [Window(range(0, 1), range(0, 2)), Window(range(1, 2), range(0, 1))]),
        (5, 2, False, [Window(range(0, 1), range(0, 2)), Window(range(1, 2), range(-1, 2))]),
        (5, 2, True, [Window(range(0, 2), range(-1, 2))]),
        (4, 2, True, [Window(range(0, 2), range(0, 2))]),
        (16, 8, True, [Window(range(0, 8), range(0, 2))]),
        (1, 4, True, [Window(range(0, 1), range(0, 1))]),
    ],
)
def test_windows_of_common_layers(k, s, compact, windows):
    grid = phase_grid(transpose_geometry(6, k, s), compact)
    assert list(grid.windows(joined=compact)) == windows


def test_dilation_that_shares_a_factor_with_the_stride_leaves_holes():
    """Stride 4, dilation 6: only even cells are reached, and each phase is dilated by 3."""
    grid = phase_grid(transpose_geometry(9, 5, 4, 6, "VALID"))
    assert grid.windows() == (
        Window(range(0, 1), range(0, 7, 3)),
        Window(range(2, 3), range(1, 5, 3)),
    )


def test_blocks_of_a_kernel_that_is_no_multiple_of_the_stride():
    grid = phase_grid(transpose_geometry(4, 5, 2, padding="VALID"))
    assert grid.blocks() == (
        Block(0, range(0, 2), 0),
        Block(1, range(2, 4), 0),
        Block(2, range(4, 5), 0),
    )


def test_a_huge_stride_or_dilation_costs_no_walk_over_it():
    axis = AxisGeometry(2, 3, 2**40, 2**35, 2**41, 7, 0)
    for compact in (False, True):
        grid = phase_grid(axis, compact)
        assert len(grid.windows()) == 3
        assert len(grid.windows(joined=True)) == 3
        assert len(grid.blocks()) == 3
    grid = phase_grid(AxisGeometry(2, 3, 2**40, 1, 2**41, 1, 0), compact=True)
    (window,) = grid.windows(joined=True)
    assert window == Window(range(0, 3), range(0, 1))


def run_time_axis(padding, output_size=None, **sizes):
    request = AxisRequest(stride=2, dilation=1, padding=padding, output_size=output_size)
    return request.solve(tf.constant(4, tf.int64), sizes.get("kernel_size", 5), ops)[0]


@pytest.mark.parametrize("padding", ["SAME", "VALID", (1, 2)])
@pytest.mark.parametrize("compact", [False, True])
def test_of_an_unknown_input_size_all_but_the_size_is_known(padding, compact):
    """So a model for images of any size gets the graph of one for images of a known size."""
    axis = run_time_axis(padding)
    assert tf.is_tensor(axis.output_size)
    known = transpose_geometry(4, 5, 2, 1, padding)
    assert phase_grid(axis, compact, ops.quotient) == phase_grid(known, compact)


@pytest.mark.parametrize("output_size", [7, 8])
def test_of_an_unknown_output_size_the_phases_are_known(output_size):
    axis = run_time_axis("SAME", tf.constant(output_size, tf.int64))
    unknown = phase_grid(axis, quotient=ops.quotient)
    assert unknown.offset == 0
    axis = transpose_geometry(4, 5, 2, 1, "SAME", output_size)
    grid = dataclasses.replace(
        unknown,
        first=int(unknown.first),
        more=int(unknown.more),
        crop=tuple(map(int, unknown.crop)),
    )
    cells = [cell(axis, grid, q, r) for q in steps(axis, grid) for r in range(grid.stride)]
    before, after = grid.crop
    assert cells == list(range(-before, axis.output_size + after))
    assert before < axis.stride
    assert after < axis.stride
