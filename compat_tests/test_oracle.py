"""The oracle against the native op, the adjoint law, the convolution matrix and worked examples."""

from __future__ import annotations

import unittest
from itertools import product
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from parameterized import parameterized

from compat_tests import oracle
from compat_tests.cases import axis, channels, explicit, plane
from compat_tests.cases.case import Case
from compat_tests.cases.inputs import Inputs, make_inputs
from compat_tests.oracle import Array, AxisPadding

SMALL = 250
"""Elements of an image up to which its convolution matrix is built."""


def _settings(case: Case) -> tuple[Any, ...]:
    return (case.strides, case.padding, case.dilations, case.groups)


def _transpose(case: Case, x: Array, w: Array) -> Array:
    return oracle.conv2d_transpose(x, w, case.output_size, *_settings(case))


def _convolve(case: Case, u: Array, w: Array) -> Array:
    return oracle.forward_convolution(u, w, *_settings(case))


def _assert_adjoint(case: Case, inputs: Inputs) -> None:
    """Both sides of the three laws, on integers, so that they are equal and not just close."""
    x, w, g = inputs.x, inputs.w, inputs.g
    convolved = _convolve(case, g, w)
    assert convolved.shape == x.shape, case.id
    y = _transpose(case, x, w)
    assert y.shape == g.shape, case.id
    pairing = np.sum(g * y)
    assert np.sum(convolved * x) == pairing, f"<conv(g), x> != <g, tconv(x)> in {case.id}"
    dx = oracle.input_gradient(g, w, case.input, *_settings(case))
    assert np.array_equal(dx, convolved), f"the input gradient is not a convolution in {case.id}"
    dw = oracle.filter_gradient(g, x, case.kernel, *_settings(case))
    assert dw.shape == w.shape, case.id
    assert np.sum(dw * w) == pairing, f"<dw, w> != <g, tconv(x, w)> in {case.id}"
    other = np.roll(w.ravel(), 1).reshape(w.shape)
    assert np.sum(dw * other) == np.sum(g * _transpose(case, x, other)), case.id


class AdjointLaw(unittest.TestCase):
    """`<conv(u), v> == <u, tconv(v)>`, and the same for both gradients."""

    @parameterized.expand(
        [
            ("axis", axis.cases),
            ("explicit", explicit.cases),
            ("plane", plane.cases),
            ("channels", channels.cases),
        ]
    )
    def test_adjoint_law_holds_on_the_tables(self, name: str, cases: Any) -> None:
        for case in cases():
            _assert_adjoint(case, make_inputs(case))

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(st.data())
    def test_adjoint_law_holds_on_drawn_cases(self, data: st.DataObject) -> None:
        case = data.draw(_cases())
        _assert_adjoint(case, data.draw(_inputs(case)))


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    """Any small legal case."""
    sizes = st.integers(1, 5)
    pair = st.tuples(sizes, sizes)
    side = st.integers(0, 3)
    sides = st.tuples(side, side)
    groups = draw(st.integers(1, 3))
    case = Case(
        "drawn",
        batch=draw(st.integers(0, 2)),
        input=draw(pair),
        kernel=draw(pair),
        strides=draw(pair),
        dilations=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        padding=draw(st.one_of(st.sampled_from(["SAME", "VALID"]), st.tuples(sides, sides))),
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 3)),
        groups=groups,
    )
    heights, widths = case.legal_output_sizes(0), case.legal_output_sizes(1)
    if not (heights and widths):
        case = Case(**{**case.__dict__, "padding": "VALID"})
        heights, widths = case.legal_output_sizes(0), case.legal_output_sizes(1)
    output = (draw(st.sampled_from(heights)), draw(st.sampled_from(widths)))
    return Case(**{**case.__dict__, "output": output})


@st.composite
def _inputs(draw: st.DrawFn, case: Case) -> Inputs:
    """Any integers, few enough values to shrink well."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    limit = draw(st.sampled_from([1, 3, 1000]))

    def numbers(shape: tuple[int, ...]) -> Array:
        return generator.integers(-limit, limit + 1, shape)

    shapes = (case.input_shape, case.filters_shape, case.output_shape)
    return Inputs(*map(numbers, (*shapes, case.input_shape, case.filters_shape)))


class ConvolutionMatrix(unittest.TestCase):
    """The forward convolution as a matrix, transposed, is the transposed convolution."""

    @parameterized.expand([("plane", plane.cases), ("channels", channels.cases)])
    def test_transposed(self, name: str, cases: Any) -> None:
        small = [case for case in cases() if 0 < np.prod(case.output_shape) <= SMALL]
        self.assertGreater(len(small), 20)
        for case in small:
            inputs = make_inputs(case)
            size = int(np.prod(case.output_shape))
            units = np.eye(size, dtype=np.int64).reshape(size, *case.output_shape)
            columns = [_convolve(case, unit, inputs.w).ravel() for unit in units]
            matrix = np.stack(columns, axis=1)
            y = matrix.T @ inputs.x.ravel()
            self.assertTrue(
                np.array_equal(y.reshape(case.output_shape), _transpose(case, inputs.x, inputs.w)),
                case.id,
            )


class PaddedImage(unittest.TestCase):
    """One axis of the forward convolution as a matrix, read off a padded image pixel by pixel.

    Nothing of the oracle is used to make it: no sizes, no padding, no index relation.
    """

    @parameterized.expand([("axis", axis.cases, 3), ("explicit", explicit.cases, 2)])
    def test_transposed(self, name: str, cases: Any, step: int) -> None:
        lines = [case for case in cases() if _one_column(case)][::step]
        self.assertGreater(len(lines), 500)
        for case in lines:
            inputs = make_inputs(case)
            channels = (case.out_channels, case.in_channels)
            matrix = np.zeros((case.input[0], case.output_size[0], *channels), np.int64)
            for row, window in enumerate(_windows(case)):
                for tap, pixel in enumerate(window):
                    if pixel is not None:
                        matrix[row, pixel] += inputs.w[tap, 0]
            y = np.einsum("jtoc,jc->to", matrix, inputs.x[0, :, 0])
            found = _transpose(case, inputs.x, inputs.w)
            self.assertTrue(np.array_equal(found[0, :, 0], y), case.id)


def _one_column(case: Case) -> bool:
    """Whether there is nothing to do along the width."""
    unpadded = isinstance(case.padding, str) or case.padding[1] == (0, 0)
    return unpadded and case.input[1] == case.kernel[1] == case.output_size[1] == 1


def _windows(case: Case) -> list[list[int | None]]:
    """Which pixel of the image every tap reads in each step of the convolution along the height.

    The padding of SAME is TensorFlow's: as much as the last window lacks, half of it before, and
    the odd one after.

    Returns:
        A list a step of one entry a tap; None where the tap reads a padded zero.
    """
    size, taps = case.output_size[0], range(case.kernel[0])
    stride, dilation = case.strides[0], case.dilations[0]
    before = after = 0
    if case.padding == "SAME":
        last = (size - 1) // stride * stride + taps[-1] * dilation
        lacking = max(last - (size - 1), 0)
        before, after = lacking // 2, lacking - lacking // 2
    elif case.padding != "VALID":
        (before, after), _ = case.padding
    padded: list[int | None] = [None] * before + list(range(size)) + [None] * after
    starts = range(0, len(padded) - taps[-1] * dilation, stride)
    return [[padded[start + tap * dilation] for tap in taps] for start in starts]


class NativeOp(unittest.TestCase):
    """What the native op does on every machine: groups, dilation and layouts apart."""

    @parameterized.expand([(p.lower(), p) for p in ("SAME", "VALID")])
    def test_oracle_agrees_with_the_native_op(self, name: str, padding: Any) -> None:
        grid = product(((3, 2), (1, 4)), ((1, 1), (3, 2), (4, 5)), ((1, 1), (2, 1), (2, 3)))
        for size, kernel, strides in grid:
            case = Case(
                "native",
                batch=2,
                input=size,
                kernel=kernel,
                strides=strides,
                padding=padding,
                in_channels=3,
                out_channels=2,
            )
            inputs = make_inputs(case)
            x = tf.constant(inputs.x, tf.float32)
            w = tf.constant(inputs.w, tf.float32)
            heights, widths = case.legal_output_sizes(0), case.legal_output_sizes(1)
            for output in product(heights, widths):
                native = tf.nn.conv2d_transpose(x, w, [2, *output, 2], strides, padding)
                y = oracle.conv2d_transpose(inputs.x, inputs.w, output, strides, padding)
                self.assertTrue(np.array_equal(native.numpy(), y), f"{case.id} to {output}")


class WorkedExamples(unittest.TestCase):
    """Small enough to follow by hand."""

    image = np.arange(1, 10).reshape(1, 3, 3, 1)

    def test_identity_kernel_adds_the_image_moved_down_and_right(self) -> None:
        kernel = np.array([[1, 0], [0, 1]]).reshape(2, 2, 1, 1)
        y = oracle.conv2d_transpose(self.image, kernel, (4, 4), padding="VALID")
        by_hand = [[1, 2, 3, 0], [4, 6, 8, 3], [7, 12, 14, 6], [0, 7, 8, 9]]
        self.assertEqual(y[0, :, :, 0].tolist(), by_hand)

    def test_odd_zero_goes_to_the_beginning(self) -> None:
        kernel = np.array([[0, 1, 0], [1, 2, 1], [0, 1, 0]]).reshape(3, 3, 1, 1)
        y = oracle.conv2d_transpose(self.image, kernel, (6, 6), strides=(2, 2))
        by_hand = [
            [0, 1, 0, 2, 0, 3],
            [1, 2, 3, 4, 5, 6],
            [0, 5, 0, 7, 0, 9],
            [4, 8, 9, 10, 11, 12],
            [0, 11, 0, 13, 0, 15],
            [7, 14, 15, 16, 17, 18],
        ]
        self.assertEqual(y[0, :, :, 0].tolist(), by_hand)

    def test_groups_keep_to_themselves(self) -> None:
        x = np.array([[[[1, 10]]]])
        w = np.array([[[[1, 2], [3, 4], [5, 6]]]])  # three outputs a group, two inputs
        y = oracle.conv2d_transpose(x, w, (1, 1), groups=2)
        self.assertEqual(y.ravel().tolist(), [1, 3, 5, 20, 40, 60])

    def test_padding_beyond_the_kernel_crops(self) -> None:
        x = np.array([1, 2, 3, 4]).reshape(1, 4, 1, 1)
        w = np.array([1]).reshape(1, 1, 1, 1)
        y = oracle.conv2d_transpose(x, w, (1, 1), padding=((2, 1), (0, 0)))
        self.assertEqual(y.ravel().tolist(), [3])


class Sizes(unittest.TestCase):
    """The sizes found by trying against the sizes by formula."""

    @parameterized.expand(
        [
            ("same", "SAME"),
            ("valid", "VALID"),
            *((f"{b}_{a}", (b, a)) for b in (0, 3) for a in (1, 2)),
        ]
    )
    def test_legal_output_sizes(self, name: str, padding: AxisPadding) -> None:
        for i, k, s, d in product(range(0, 7), range(1, 6), range(1, 6), range(1, 4)):
            reach = (i - 1) * s + (k - 1) * d + 1
            if padding == "SAME":
                first = (i - 1) * s + 1
            elif padding == "VALID":
                first = reach
            else:
                first = reach - int(padding[0]) - int(padding[1])
            formula = tuple(o for o in range(first, first + s) if o >= 0)
            self.assertEqual(oracle.legal_output_sizes(i, k, s, d, padding), formula, (i, k, s, d))

    def test_same_pads_less_before(self) -> None:
        self.assertEqual(oracle.pad_before(6, 3, 2, 1, "SAME"), 0)  # one zero, and it goes after
        self.assertEqual(oracle.pad_before(5, 3, 2, 1, "SAME"), 1)
        self.assertEqual(oracle.pad_before(6, 6, 1, 1, "SAME"), 2)
        self.assertEqual(oracle.pad_before(6, 2, 5, 1, "SAME"), 0)  # a kernel below its stride

    def test_explicit_padding_has_no_default_size(self) -> None:
        with self.assertRaisesRegex(ValueError, "padding"):
            oracle.default_output_size(3, 3, 2, 1, (1, 1))


class Numbers(unittest.TestCase):
    """Integers stay integers, and floats are computed in float64."""

    def test_integers_stay_integers_and_floats_become_float64(self) -> None:
        x, w = np.ones((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 1), np.float32)
        self.assertEqual(oracle.conv2d_transpose(x, w, (2, 2)).dtype, np.float64)
        integers = oracle.conv2d_transpose(x.astype(np.int32), w.astype(np.int32), (2, 2))
        self.assertEqual(integers.dtype, np.int64)
