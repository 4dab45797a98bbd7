"""One transposed convolution in no framework's words: what every dialect is translated through.

Along one axis the products of input and kernel span ``(i - 1) s + k'`` cells. What a framework
calls padding, output padding, output size or crop comes down to two signed numbers: how many of
those cells are cut off before the first and after the last (negative: zeros added there). They are
what the forward convolution pads, and they do not depend on the input size, unless an output size
is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tf_tconv.dialects.pairs import Pair, Sides, axis_name, check_input_size, check_pair
from tf_tconv.geometry import (
    DEFAULT_NAMES,
    AskedAxis,
    AxisNames,
    AxisRelations,
    Padding,
    PaddingWords,
    Unreachable,
    brief,
    check_integer,
    check_name,
    lowest_surplus,
    solve_axis,
)

DATA_FORMATS = ("NHWC", "NCHW")


@dataclass(frozen=True)
class TransposedAxis(AxisRelations):
    """One axis of a `TransposedConvolution`, its input size known or not.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, output cells from one input cell to the next.
        dilation: ``d``, output cells from one tap to the next.
        pad_before: cells cut off before the first; negative: zeros added.
        pad_after: cells cut off after the last; negative: zeros added.
        input_size: ``i``, cells, or `None` where unknown.

    Example:
        >>> axis = TransposedAxis(kernel_size=3, stride=2, pad_after=1)
        >>> axis.lead, axis.trail, axis.surplus
        (2, 1, 2)
    """

    kernel_size: int
    stride: int = 1
    dilation: int = 1
    pad_before: int = 0
    pad_after: int = 0
    input_size: int | None = None

    @property
    def surplus(self) -> int:
        """``o - (i - 1) s``: what of the output the strides do not account for."""
        return int(lowest_surplus(self.effective_kernel, (self.pad_before, self.pad_after)))

    @property
    def output_size(self) -> int | None:
        """``o``, cells, or `None` where the input size is unknown."""
        return (
            None if self.input_size is None else (self.input_size - 1) * self.stride + self.surplus
        )

    def asked(self, unit: str) -> AskedAxis:
        """The axis as one whose padding reaches its size."""
        sides = (max(self.pad_before, 0), max(self.pad_after, 0))
        return AskedAxis(
            *(self.kernel_size, self.stride, self.dilation, sides),
            *(self.input_size, self.output_size, unit),
        )


def solve(
    kernel_size: int,
    stride: int,
    dilation: int,
    padding: Padding,
    *,
    input_size: int | None = None,
    output_size: int | None = None,
    output_padding: int | None = None,
    names: AxisNames = DEFAULT_NAMES,
) -> TransposedAxis:
    """The axis that a padding gives by the rule of `tf_tconv.geometry`.

    Args:
        kernel_size: ``k``, taps.
        stride: ``s``, cells.
        dilation: ``d``, cells.
        padding: "SAME", "VALID" or (before, after).
        input_size: ``i``; needed with `output_size` only.
        output_size: ``o``, or `None` for what follows from `output_padding`.
        output_padding: ``q``, or `None` for Keras' default size.
        names: what the caller calls the arguments.

    Returns:
        The `TransposedAxis`.

    Raises:
        ValueError: a size that the axis does not reach, or one that needs an unknown input size.

    Example:
        >>> solve(3, 2, 1, "SAME").pad_after
        1
        >>> solve(3, 2, 1, "SAME", input_size=3, output_size=5).pad_after
        1
        >>> solve(3, 2, 1, "SAME", input_size=3, output_size=5).pad_before
        1
    """
    if output_size is None:
        # Nothing else depends on the input size: any that leaves an output will do.
        cells = 1 + (sum(padding) if isinstance(padding, tuple) else 0)
    elif input_size is None:
        raise ValueError(
            f"{names.output_size}={output_size} decides the padding only together with the input "
            "size, and that is unknown; give input_size."
        )
    else:
        cells = input_size
    solved = solve_axis(
        cells, kernel_size, stride, dilation, padding, output_size, output_padding, names
    )
    after = solved.effective_kernel - 1 - solved.trail
    return TransposedAxis(kernel_size, stride, dilation, solved.pad_before, after, input_size)


def solve_both(
    solve_one: Callable[[int], TransposedAxis], words: PaddingWords
) -> list[TransposedAxis]:
    """Rows and columns; an error of one of them says the padding of both.

    Args:
        solve_one: gives the axis 0 or 1.
        words: how the dialect writes their padding.

    Raises:
        ValueError: a size that one of them does not reach.
    """
    found: list[TransposedAxis] = []
    asked: list[AskedAxis] = []
    wrong: list[Unreachable] = []
    for axis in (0, 1):
        try:
            found.append(solve_one(axis))
            asked.append(found[-1].asked(axis_name(axis)))
        except ValueError as error:
            unreachable = Unreachable.of(error)
            if unreachable is None:
                raise
            wrong.append(unreachable)
            asked += unreachable.axes
    if wrong:
        raise Unreachable(wrong[0].sentence, tuple(asked)).error(words)
    return found


@dataclass(frozen=True, kw_only=True)
class TransposedConvolution:
    """A transposed convolution of images, without its weights: what the dialects translate.

    Two values are equal when the operations are: every framework's ways of saying the same end in
    the same value.

    Args:
        kernel_size: taps, an integer or (height, width).
        strides: cells between the outputs of neighbouring inputs, an integer or (height, width).
        dilations: cells between neighbouring taps, an integer or (height, width).
        crops: ((top, bottom), (left, right)) cells cut off what the products span, which is
            ``(i - 1) s + k'``: the padding of the forward convolution. Negative: zeros added.
        groups: number of independent channel groups.
        in_channels: a multiple of `groups`, or `None` where unknown.
        out_channels: a multiple of `groups`, or `None` where unknown.
        use_bias: whether each output channel has a bias.
        input_size: (height, width) of at least 0, or `None` where unknown.
        data_format: "NHWC" or "NCHW", the layout of the images.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or crops that leave less than nothing.

    Example:
        >>> operation = TransposedConvolution(
        ...     kernel_size=3, strides=2, crops=((0, 1), (0, 1)), input_size=(3, 5)
        ... )
        >>> operation.output_size
        (6, 10)
    """

    kernel_size: Pair
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    crops: tuple[Sides, Sides] = ((0, 0), (0, 0))
    groups: int = 1
    in_channels: int | None = None
    out_channels: int | None = None
    use_bias: bool = True
    input_size: Pair | None = None
    data_format: str = "NHWC"

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "kernel_size": check_pair("kernel_size", self.kernel_size),
            "strides": check_pair("strides", self.strides),
            "dilations": check_pair("dilations", self.dilations),
            "crops": _check_crops(self.crops),
            "groups": check_integer("groups", self.groups, 1),
            "use_bias": bool(self.use_bias),
            "input_size": check_input_size(self.input_size),
            "data_format": check_name("data_format", self.data_format, DATA_FORMATS),
        }
        for argument in ("in_channels", "out_channels"):
            channels = getattr(self, argument)
            if channels is not None:
                checked[argument] = check_channels(argument, channels, checked["groups"])
        for argument, value in checked.items():
            object.__setattr__(self, argument, value)
        for index, axis in enumerate(self.axes):
            if axis.output_size is not None and axis.output_size < 0:
                span = axis.output_size + axis.pad_before + axis.pad_after
                raise ValueError(
                    f"crops[{index}]={self.crops[index]} takes off more than {axis.input_size} "
                    f"input {axis_name(index)} give: kernel {axis.kernel_size}, stride "
                    f"{axis.stride}, dilation {axis.dilation} span {span}; the two sides together "
                    f"may take at most {span}, or the input has to be larger."
                )

    @classmethod
    def from_axes(
        cls, axes: Sequence[TransposedAxis], **channels_and_layout: Any
    ) -> TransposedConvolution:
        """The operation with the given rows and columns.

        Args:
            axes: rows and columns.
            **channels_and_layout: the arguments that are no axis' business.
        """
        rows, columns = axes
        sizes = (rows.input_size, columns.input_size)
        return cls(
            kernel_size=(rows.kernel_size, columns.kernel_size),
            strides=(rows.stride, columns.stride),
            dilations=(rows.dilation, columns.dilation),
            crops=((rows.pad_before, rows.pad_after), (columns.pad_before, columns.pad_after)),
            input_size=None if None in sizes else sizes,  # type: ignore[arg-type]
            **channels_and_layout,
        )

    @property
    def axes(self) -> tuple[TransposedAxis, TransposedAxis]:
        """Rows and columns."""
        rows, columns = (
            TransposedAxis(
                self.kernel_size[axis],
                self.strides[axis],
                self.dilations[axis],
                *self.crops[axis],
                None if self.input_size is None else self.input_size[axis],
            )
            for axis in (0, 1)
        )
        return rows, columns

    @property
    def output_size(self) -> Pair | None:
        """(height, width) of the output, or `None` where the input's is unknown."""
        rows, columns = (axis.output_size for axis in self.axes)
        return None if rows is None or columns is None else (rows, columns)


def check_channels(argument: str, channels: Any, groups: int) -> int:
    """A number of channels that `groups` divides."""
    channels = check_integer(argument, channels, 1)
    if channels % groups:
        raise ValueError(
            f"groups={groups} does not divide {argument}={channels}; it must be a multiple of "
            "groups."
        )
    return channels


def _check_crops(crops: Any) -> tuple[Sides, Sides]:
    legal = "((top, bottom), (left, right)) integers"
    try:
        (top, bottom), (left, right) = crops
    except (TypeError, ValueError):
        raise ValueError(f"crops={brief(crops)} must be {legal}.") from None
    sides = [
        check_signed(f"crops[{axis}][{side}]", cells)
        for axis, pair in enumerate(((top, bottom), (left, right)))
        for side, cells in enumerate(pair)
    ]
    return (sides[0], sides[1]), (sides[2], sides[3])


def check_signed(argument: str, cells: Any) -> int:
    """Cells to cut, or to add where negative."""
    return check_integer(argument, cells, -(2**63))
