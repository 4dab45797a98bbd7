"""One transposed convolution as a value: what every front end makes and every back end takes.

It holds no tensor and no framework's word: a tuple of axes, the channels, whether there is a bias.
What a framework calls padding, output padding, output size or crop comes down to two signed numbers
an axis: how many of the ``(i - 1) s + k'`` cells that the products span are cut off before the
first and after the last (negative: zeros added there). They are what the forward convolution pads,
and they do not depend on the input size, unless an output size is given.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tf_tconv.entries import check_entries, is_sequence
from tf_tconv.geometry import (
    AxisGeometry,
    Sides,
    Size,
    brief,
    check_integer,
    check_name,
    entry_count,
    lowest_surplus,
)
from tf_tconv.layouts import AXIS_UNITS, LAYOUTS, NAMES_BY_RANK

Axis = AxisGeometry
"""One spatial axis: `tf_tconv.AxisGeometry`, its sizes ints or unknown."""

DEFAULT_RANK = 2


def signed_axis(
    kernel_size: Size,
    stride: int = 1,
    dilation: int = 1,
    crops: tuple[Size, Size] = (0, 0),
    input_size: Size = None,
) -> Axis:
    """The axis that cuts off so many cells (before, after) what its products span.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, output cells from one input cell to the next.
        dilation: ``d``, output cells from one tap to the next.
        crops: cells cut off (before, after); negative: zeros added.
        input_size: ``i``, cells, or `None` where unknown.

    Example:
        >>> axis = signed_axis(kernel_size=3, stride=2, crops=(0, 1))
        >>> axis.lead, axis.trail, axis.surplus, axis.output_size
        (2, 1, 2, None)
    """
    # By the definition: the smallest output of an axis that pads as many cells.
    surplus = lowest_surplus((kernel_size - 1) * dilation + 1, crops)
    output = None if input_size is None else (input_size - 1) * stride + surplus
    return Axis(input_size, kernel_size, stride, dilation, output, *crops, surplus)


@dataclass(frozen=True, init=False)
class TransposedConvolution:
    """A transposed convolution without its weights: axes, channels, and whether it has a bias.

    Two values are equal when the operations are: every framework's ways of saying the same end in
    the same value.

    It is made of `axes`, or of the numbers that they consist of; those that are one number for all
    axes stand for two axes unless another argument says how many there are.

    Args:
        axes: the spatial axes, in order.
        kernel_size: taps, an int or one an axis.
        strides: cells between the outputs of neighbouring inputs, an int or one an axis.
        dilations: cells between neighbouring taps, an int or one an axis.
        crops: ((top, bottom), (left, right)) cells cut off what the products span, which is
            ``(i - 1) s + k'``: the padding of the forward convolution. Negative: zeros added.
        groups: number of independent channel groups, or `None` where unknown.
        in_channels: a multiple of `groups`, or `None` where unknown.
        out_channels: a multiple of `groups`, or `None` where unknown.
        use_bias: whether each output channel has a bias.
        input_size: one entry of at least 0 an axis, or `None` where unknown.
        data_format: the layout of the images, a name of `tf_tconv.layouts.LAYOUTS`; by default the
            one with the channels last.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or crops that leave less than nothing.

    Example:
        >>> operation = TransposedConvolution(
        ...     kernel_size=3, strides=2, crops=((0, 1), (0, 1)), input_size=(3, 5)
        ... )
        >>> operation.output_size
        (6, 10)
        >>> operation.rank
        2
    """

    axes: tuple[Axis, ...]
    groups: Size
    in_channels: Size
    out_channels: Size
    use_bias: bool
    data_format: str

    def __init__(
        self,
        axes: Sequence[Axis] | None = None,
        *,
        kernel_size: Any = None,
        strides: Any = None,
        dilations: Any = None,
        crops: Any = None,
        groups: Size = 1,
        in_channels: Size = None,
        out_channels: Size = None,
        use_bias: bool = True,
        input_size: Any = None,
        data_format: str | None = None,
    ) -> None:
        numbers = (kernel_size, strides, dilations, crops, input_size)
        if axes is not None:
            axes = _check_axes(axes)
        if axes is None or any(number is not None for number in numbers):
            axes = _axes_of(axes, numbers, data_format)
        names = NAMES_BY_RANK[len(axes)]
        data_format = (
            names[0] if data_format is None else check_name("data_format", data_format, names)
        )
        if groups is not None:
            groups = check_integer("groups", groups, 1)
            if in_channels is not None:
                in_channels = check_channels("in_channels", in_channels, groups)
            if out_channels is not None:
                out_channels = check_channels("out_channels", out_channels, groups)
        for name, value in (
            ("axes", axes),
            ("groups", groups),
            ("in_channels", in_channels),
            ("out_channels", out_channels),
            ("use_bias", bool(use_bias)),
            ("data_format", data_format),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_axes(cls, axes: Sequence[Axis], **others: Any) -> TransposedConvolution:
        """The operation with the given axes, each in the form of `signed_axis`.

        Args:
            axes: in order.
            **others: the arguments that are no axis' business.
        """
        if any(axis.input_size is None for axis in axes):  # Then none of them counts as known.
            axes = [with_input(axis, None) for axis in axes]
        return cls(axes, **others)

    def trimmed(self) -> TransposedConvolution:
        """The same output from the inputs and taps alone that reach it; all sizes known."""
        axes = tuple(axis.trimmed() for axis in self.axes)
        return self if axes == self.axes else self.during_run(axes, self.groups)

    def during_run(self, axes: Sequence[Axis], groups: Size) -> TransposedConvolution:
        """The same operation for lowerings, with scalars of a run for what is unknown before it.

        Args:
            axes: the axes, with the run's scalars.
            groups: the number of groups, an int or a scalar.
        """
        running = copy.copy(self)
        object.__setattr__(running, "axes", tuple(axes))
        object.__setattr__(running, "groups", groups)
        return running

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.axes)

    @property
    def kernel_size(self) -> tuple[Size, ...]:
        """Taps, an entry an axis."""
        return tuple(axis.kernel_size for axis in self.axes)

    @property
    def strides(self) -> tuple[int, ...]:
        """Cells between the outputs of neighbouring inputs, an entry an axis."""
        return tuple(axis.stride for axis in self.axes)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Cells between neighbouring taps, an entry an axis."""
        return tuple(axis.dilation for axis in self.axes)

    @property
    def crops(self) -> tuple[tuple[Size, Size], ...]:
        """Cells cut off what the products span, (before, after) an axis; negative: added."""
        return tuple((axis.pad_before, axis.crop_after) for axis in self.axes)

    @property
    def input_size(self) -> tuple[int, ...] | None:
        """An entry an axis, or `None` where one is unknown."""
        sizes = tuple(axis.input_size for axis in self.axes)
        return None if any(size is None for size in sizes) else sizes

    @property
    def output_size(self) -> tuple[int, ...] | None:
        """An entry an axis, or `None` where one is unknown."""
        sizes = tuple(axis.output_size for axis in self.axes)
        return None if any(size is None for size in sizes) else sizes

    @property
    def taps(self) -> int:
        """Cells of the kernel."""
        return math.prod(self.kernel_size)

    @property
    def weights(self) -> int:
        """Numbers in the filters."""
        return int(self.taps * self.in_channels * self.out_channels // self.groups)

    @property
    def pixels(self) -> int:
        """Cells of an input image."""
        return math.prod(axis.input_size for axis in self.axes)

    @property
    def cells(self) -> int:
        """Cells of an output image."""
        return math.prod(axis.output_size for axis in self.axes)


def with_crops(axis: Axis, before: Size, after: Size) -> Axis:
    """The axis in the form of `signed_axis`, with other cells cut off."""
    return signed_axis(
        axis.kernel_size, axis.stride, axis.dilation, (before, after), axis.input_size
    )


def check_channels(argument: str, channels: Any, groups: int) -> int:
    """A number of channels that `groups` divides."""
    channels = check_integer(argument, channels, 1)
    if channels % groups:
        raise ValueError(
            f"groups={groups} does not divide {argument}={channels}; it must be a multiple of "
            "groups."
        )
    return channels


def check_signed(argument: str, cells: Any) -> int:
    """Cells to cut, or to add where negative."""
    return check_integer(argument, cells, -(2**63))


def _check_axes(axes: Any) -> tuple[Axis, ...]:
    if not (is_sequence(axes) and all(isinstance(axis, Axis) for axis in axes)):
        raise TypeError(
            f"axes={brief(axes)} must be a sequence of AxisGeometry; a kernel's size goes by its "
            "name, as in kernel_size=3."
        )
    if len(axes) not in NAMES_BY_RANK:
        raise ValueError(
            f"axes has {entry_count(axes)}; it must have {min(NAMES_BY_RANK)} to "
            f"{max(NAMES_BY_RANK)}, the spatial axes in order."
        )
    return tuple(axes)


def _axes_of(
    axes: Sequence[Axis] | None, numbers: Sequence[Any], data_format: Any
) -> tuple[Axis, ...]:
    """The axes that the numbers of a constructor say; those not given are as in `axes`."""
    rank = _rank_of(axes, numbers, data_format)
    kernel_size, strides, dilations, crops, input_size = numbers
    if axes is None and kernel_size is None:
        raise TypeError("kernel_size is missing; it must be an integer, or one an axis.")
    given = {
        "kernel_size": kernel_size,
        "stride": strides,
        "dilation": dilations,
        "input_size": input_size,
    }
    arguments = {"stride": "strides", "dilation": "dilations"}
    checked: dict[str, Any] = {
        name: [getattr(axis, name) for axis in axes]
        if value is None and axes is not None
        else [{"input_size": None}.get(name, 1)] * rank
        if value is None
        else check_entries(arguments.get(name, name), value, rank, int(name != "input_size"))
        for name, value in given.items()
    }
    if crops is not None:
        sides = _check_crops(crops, rank)
    elif axes is not None:
        sides = [(axis.pad_before, axis.crop_after) for axis in axes]
    else:
        sides = [(0, 0)] * rank
    found = tuple(
        signed_axis(
            checked["kernel_size"][axis],
            checked["stride"][axis],
            checked["dilation"][axis],
            sides[axis],
            checked["input_size"][axis],
        )
        for axis in range(rank)
    )
    for index, axis in enumerate(found):
        if axis.output_size is not None and axis.output_size < 0:
            span = axis.output_size + axis.pad_before + axis.pad_after
            raise ValueError(
                f"crops[{index}]={sides[index]} takes off more than {axis.input_size} input "
                f"{AXIS_UNITS[rank][index]} give: kernel {axis.kernel_size}, stride {axis.stride}, "
                f"dilation {axis.dilation} span {span}; the two sides together may take at most "
                f"{span}, or the input has to be larger."
            )
    return found


def _rank_of(axes: Sequence[Axis] | None, numbers: Sequence[Any], data_format: Any) -> int:
    """How many axes the arguments of a constructor say that there are."""
    if axes is not None:
        return len(axes)
    lengths = [len(number) for number in numbers if is_sequence(number) and len(number) > 1]
    if lengths:
        return lengths[0] if lengths[0] in NAMES_BY_RANK else DEFAULT_RANK
    if isinstance(data_format, str) and data_format.upper() in LAYOUTS:
        return LAYOUTS[data_format.upper()].rank
    *_, crops, _ = numbers
    if is_sequence(crops) and len(crops) == 1:  # A pair is never one for all axes.
        return 1
    return DEFAULT_RANK


def with_input(axis: Axis, input_size: Size) -> Axis:
    """The axis in the form of `signed_axis`, for another input size, or an unknown one."""
    crops = (axis.pad_before, axis.crop_after)
    return signed_axis(axis.kernel_size, axis.stride, axis.dilation, crops, input_size)


def _check_crops(crops: Any, rank: int) -> list[Sides]:
    try:
        pairs = [(before, after) for before, after in crops]
    except (TypeError, ValueError):
        pairs = []
    if len(pairs) != rank:
        sides = {
            1: "((before, after),)",
            2: "((top, bottom), (left, right))",
            3: "((front, back), (top, bottom), (left, right))",
        }[rank]
        raise ValueError(f"crops={brief(crops)} must be {sides} integers.")
    return [
        (
            check_signed(f"crops[{axis}][0]", before),
            check_signed(f"crops[{axis}][1]", after),
        )
        for axis, (before, after) in enumerate(pairs)
    ]
