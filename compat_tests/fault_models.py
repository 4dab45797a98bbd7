"""Transposed convolutions that differ from the one asked for in a known way.

Each function yields the fault models of one kind by name, the likelier first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from compat_tests import oracle
from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array, Indices, Pair


@dataclass(frozen=True, eq=False)
class Formula:
    """A transposed convolution with everything that can be wrong about it.

    Attributes:
        input, kernel, output, strides, dilations, groups: as in a case.
        before: what the forward convolution pads before either axis; may be negative.
        x: which channel of the input stands where the definition has the first, the second, ...
        w: the same for the filters, all elements counted through.
        y: which channel of the definition's output comes out first, second, ...
    """

    input: Pair
    kernel: Pair
    output: Pair
    strides: Pair
    before: Pair
    dilations: Pair
    groups: int
    x: Indices
    w: Indices
    y: Indices

    def moves(self, other: Formula) -> tuple[bool, bool]:
        """Whether products land elsewhere than by another formula, along height and width."""
        height, width = (
            self.before[axis] != other.before[axis]
            or (self.strides[axis] != other.strides[axis] and self.input[axis] > 1)
            or (self.dilations[axis] != other.dilations[axis] and self.kernel[axis] > 1)
            or not np.array_equal(self._taps(axis), other._taps(axis))
            for axis in (0, 1)
        )
        return height, width

    def mixes(self, other: Formula) -> bool:
        """Whether numbers meet that don't by another formula."""
        return not all(np.array_equal(getattr(self, n), getattr(other, n)) for n in ("x", "w", "y"))

    def _taps(self, axis: int) -> Indices:
        """Which tap along an axis stands in each place of the filters."""
        return np.asarray(np.unravel_index(self.w, self.w.shape)[axis])

    def compute(self, part: Part, inputs: Inputs) -> Array:
        """One part of the answer; float64, channels last."""
        sides = ((self.before[0], 0), (self.before[1], 0))  # the rest follows from the sizes
        settings = (self.strides, sides, self.dilations, self.groups)

        def transposed(x: Array, w: Array) -> Array:
            x, w = _floats(x)[..., self.x], _floats(w).ravel()[self.w]
            return oracle.conv2d_transpose(x, w, self.output, *settings)[..., self.y]

        def by_input(g: Array, w: Array) -> Array:
            g, w = _floats(g)[..., np.argsort(self.y)], _floats(w).ravel()[self.w]
            dx = oracle.input_gradient(g, w, self.input, *settings)
            return np.asarray(dx[..., np.argsort(self.x)])

        def by_filters(g: Array, x: Array) -> Array:
            g, x = _floats(g)[..., np.argsort(self.y)], _floats(x)[..., self.x]
            dw = oracle.filter_gradient(g, x, self.kernel, *settings)
            if self.kernel != self.w.shape[:2]:  # taps that the filters don't have can't be mixed
                return dw
            return dw.ravel()[np.argsort(self.w, axis=None)].reshape(inputs.w.shape)

        x, w, g, u, v = inputs.x, inputs.w, inputs.g, inputs.u, inputs.v
        formulas: dict[Part, Callable[[], Array]] = {
            "y": lambda: transposed(x, w),
            "dx": lambda: by_input(g, w),
            "dw": lambda: by_filters(g, x),
            "ddg": lambda: transposed(u, w) + transposed(x, v),
            "ddx": lambda: by_input(g, v),
            "ddw": lambda: by_filters(g, u),
        }
        return formulas[part]()


def formula_of(case: Case) -> Formula:
    """The formula that the case asks for."""
    shape = case.filters_shape
    return Formula(
        input=case.input,
        kernel=case.kernel,
        output=case.output_size,
        strides=case.strides,
        before=(case.pads(0)[0], case.pads(1)[0]),
        dilations=case.dilations,
        groups=case.groups,
        x=np.arange(case.in_channels),
        w=np.arange(int(np.prod(shape))).reshape(shape),
        y=np.arange(case.out_channels),
    )


FaultModels = Iterator[tuple[str, Formula]]


def padding(case: Case, asked: Formula) -> FaultModels:
    """The larger half of the padding on the wrong side, or padding taken for something else."""
    pads = (case.pads(0), case.pads(1))
    top, left = (max(after, 0) for _, after in pads)
    one_axis = ((top, asked.before[1]), (asked.before[0], left))
    for before in dict.fromkeys(((top, left), *one_axis)):
        yield _moved("pads swapped", asked, before)
    if not isinstance(case.padding, str):
        yield _moved("height and width of the padding exchanged", asked, asked.before[::-1])
        lead = tuple(
            (k - 1) * d - before
            for k, d, before in zip(case.kernel, case.dilations, asked.before, strict=True)
        )
        yield _moved("padding put around the input", asked, (lead[0], lead[1]))


def reversal(case: Case, asked: Formula) -> FaultModels:
    """A correlation of the input with the kernel as it is."""
    yield "kernel not reversed", replace(asked, w=asked.w[::-1, ::-1])
    if min(case.kernel) > 1:
        yield "kernel not reversed along the height", replace(asked, w=asked.w[::-1])
        yield "kernel not reversed along the width", replace(asked, w=asked.w[:, ::-1])


def dilation(case: Case, asked: Formula) -> FaultModels:
    """The kernel's taps next to each other."""
    high, wide = case.dilations
    yield from _with(case, asked, "dilation ignored", asked.strides, (1, 1))
    if min(case.dilations) > 1:
        yield from _with(case, asked, "dilation ignored along the height", asked.strides, (1, wide))
        yield from _with(case, asked, "dilation ignored along the width", asked.strides, (high, 1))


def input_dilation(case: Case, asked: Formula) -> FaultModels:
    """The dilation between the inputs, beside the stride or instead of it."""
    (sh, sw), (dh, dw) = case.strides, case.dilations
    if case.dilations != (1, 1):
        named = "dilation applied to the input"
        yield from _with(case, asked, named, (sh * dh, sw * dw), (1, 1))
        yield from _with(case, asked, named, case.dilations, (1, 1))


def exchanged_axes(case: Case, asked: Formula) -> FaultModels:
    """Height for width in one of the settings, or in all of them."""
    turned = case.with_axes_exchanged()
    named = "height and width of the {} exchanged"
    yield from _with(case, asked, named.format("strides"), turned.strides, case.dilations)
    yield from _with(case, asked, named.format("dilations"), case.strides, turned.dilations)
    yield (
        named.format("strides, dilations and padding"),
        replace(
            asked,
            strides=turned.strides,
            dilations=turned.dilations,
            before=asked.before[::-1],
        ),
    )
    if case.kernel[0] == case.kernel[1]:
        yield named.format("kernel"), replace(asked, w=asked.w.swapaxes(0, 1))


def strides(case: Case, asked: Formula) -> FaultModels:
    """Each taken for the other, or the inputs next to each other."""
    named = "strides and dilations exchanged"
    yield from _with(case, asked, named, case.dilations, case.strides)
    yield from _with(case, asked, "strides ignored", (1, 1), case.dilations)


def groups(case: Case, asked: Formula) -> FaultModels:
    """Channel `c` taken for one of group `c % groups`, or the groups in another order."""
    if case.groups == 1:
        return
    x, w, y = (_interleaved(order, case.groups) for order in (asked.x, asked.w, asked.y))
    wrong = "groups mixed"
    yield f"{wrong}: input channels interleaved", replace(asked, x=x)
    yield f"{wrong}: output channels interleaved", replace(asked, y=np.argsort(y))
    yield f"{wrong}: input and output channels interleaved", replace(asked, x=x, y=np.argsort(y))
    yield f"{wrong}: filters interleaved", replace(asked, w=w)
    yield f"{wrong}: input channels and filters interleaved", replace(asked, x=x, w=w)
    yield f"{wrong}: all channels interleaved", replace(asked, x=x, w=w, y=np.argsort(y))
    for shift in (1, -1):
        rolled = np.roll(asked.x, shift * case.in_channels // case.groups)
        yield f"{wrong}: each takes another's input", replace(asked, x=rolled)


def filters(case: Case, asked: Formula) -> FaultModels:
    """The filters read as `[kernel_height, kernel_width, in_channels, out_channels / groups]`."""
    rows, columns, outer, inner = asked.w.shape
    turned = asked.w.reshape(rows, columns, inner, outer).swapaxes(2, 3)
    yield "in and out channels of the filters exchanged", replace(asked, w=turned)


def _moved(named: str, asked: Formula, before: Pair) -> tuple[str, Formula]:
    """The formula with other padding, and by how much that shifts its output."""
    shift = (asked.before[0] - before[0], asked.before[1] - before[1])
    return f"{named}: shifted by {shift}", replace(asked, before=before)


def _with(case: Case, asked: Formula, named: str, strides: Pair, dilations: Pair) -> FaultModels:
    """The formula with these strides and dilations, its padding as asked or adapted to them."""
    if (strides, dilations) == (case.strides, case.dilations):
        return
    changed = replace(asked, strides=strides, dilations=dilations)
    yield named, changed
    top, left = (
        oracle.pad_before(
            case.output_size[a], case.kernel[a], strides[a], dilations[a], case.axis_padding(a)
        )
        for a in (0, 1)
    )
    if (top, left) != asked.before:
        yield named, replace(changed, before=(top, left))


def _interleaved(order: Indices, groups: int) -> Indices:
    """The last axis, read as `[channels / groups, groups]`, sorted by group."""
    channels = order.shape[-1]
    split = order.reshape(*order.shape[:-1], channels // groups, groups)
    return np.asarray(split.swapaxes(-1, -2).reshape(order.shape))


def _floats(integers: Array) -> Array:
    """In float64, which NumPy multiplies much faster, and which holds the same numbers."""
    return integers.astype(np.float64)
