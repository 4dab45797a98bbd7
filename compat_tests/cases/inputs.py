"""The numbers that a case is computed on: deterministic, and able to show a fault.

Integers come first. As long as every partial sum of products is representable, any order of
summation gives the same bits, so an implementation can be asked for equality. Ramps make the
numbers differ along every axis and under every flip, so that a kernel left unreversed or an image
shifted by one pixel can't pass for the right one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compat_tests.cases.case import Case
from compat_tests.oracle import Array

PRECISION_BITS = {"half": 11, "bfloat16": 8, "float32": 24, "float64": 53, "int32": 31}
"""Integers up to 2**bits are representable in the type, and so are all sums that stay below."""

_LARGEST_PRODUCT = 45 * 44
"""Of two numbers of different ramps of `make_inputs`."""

_SMALL = np.array([2, -1, 0, 1, 1, 2, -1, 0, 0, 1, -1, 2, 1], np.int64)
"""For types of few bits: one period, of a prime length so that no image size falls in step."""


@dataclass(frozen=True)
class Inputs:
    """What a case is computed on, channels last whatever the case's `data_format`.

    Attributes:
        x: the input, `[batch, input_height, input_width, in_channels]`.
        w: the filters, `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        g: the upstream gradient, `[batch, output_height, output_width, out_channels]`.
        u: for second order, a direction shaped as `x`.
        v: for second order, a direction shaped as `w`.
    """

    x: Array
    w: Array
    g: Array
    u: Array
    v: Array

    def absolute(self) -> Inputs:
        """The same with every number's sign dropped."""
        return Inputs(abs(self.x), abs(self.w), abs(self.g), abs(self.u), abs(self.v))


def make_inputs(case: Case) -> Inputs:
    """Integer ramps for the case.

    Args:
        case: any legal case.

    Returns:
        int64 arrays whose products, summed in whatever order, stay representable in the type of the
        case: below 2**24 for float32.
    """
    if _longest_sum(case) * _LARGEST_PRODUCT >= 2 ** PRECISION_BITS[case.dtype]:
        return Inputs(
            x=_small(case.input_shape, 0),
            w=_small(case.filters_shape, 4),
            g=_small(case.output_shape, 9),
            u=_small(case.input_shape, 7),
            v=_small(case.filters_shape, 2),
        )
    return Inputs(
        x=ramp(case.input_shape, 61),
        w=ramp(case.filters_shape, 53),
        g=ramp(case.output_shape, 59),
        u=ramp(case.input_shape, 47),
        v=ramp(case.filters_shape, 43),
    )


def random_inputs(case: Case, seed: int = 0) -> Inputs:
    """Normally distributed numbers, rounded to what the type of the case can hold.

    Args:
        case: any legal case of a floating type.
        seed: another one gives other numbers; the case's id enters as well.

    Returns:
        float64 arrays that convert to the type of the case without rounding, so that the oracle and
        the implementation start from the same numbers.
    """
    generator = np.random.default_rng([seed, zlib.crc32(case.id.encode())])
    bits = PRECISION_BITS[case.dtype]

    def draw(shape: tuple[int, ...]) -> NDArray[np.float64]:
        return round_to_bits(generator.standard_normal(shape), bits)

    shapes = (case.input_shape, case.filters_shape, case.output_shape)
    return Inputs(*map(draw, (*shapes, case.input_shape, case.filters_shape)))


def ramp(shape: tuple[int, ...], modulus: int) -> NDArray[np.int64]:
    """Counts through the array in steps of one, from `-(modulus // 4)`, starting over at `modulus`.

    Args:
        shape: any shape.
        modulus: a prime, so that rows and channels don't fall in step with it.

    Returns:
        int64 array of that shape.
    """
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (index % modulus - modulus // 4).reshape(shape)


def round_to_bits(values: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """The values rounded to a significand of so many bits, of any shape."""
    significand, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(significand, bits)), exponent - bits)


def _longest_sum(case: Case) -> int:
    """How many products one number of the answer adds up at most; second order adds two sums."""
    taps = case.kernel[0] * case.kernel[1]
    channels = max(case.in_channels, case.out_channels) // case.groups
    return max(2 * taps * channels, case.batch * case.input[0] * case.input[1], 1)


def _small(shape: tuple[int, ...], start: int) -> NDArray[np.int64]:
    """Walks through `_SMALL` from an entry of its own for each array; int64 of that shape."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    return np.asarray(_SMALL[(index + start) % len(_SMALL)]).reshape(shape)
