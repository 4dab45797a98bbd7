"""One legal call of transposed convolution, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from compat_tests import oracle
from compat_tests.oracle import AxisPadding, Padding, Pair

Dtype = Literal["half", "bfloat16", "float32", "float64", "int32"]
DataFormat = Literal["NHWC", "NCHW"]

Part = Literal["y", "dx", "dw", "ddg", "ddx", "ddw"]
Unknown = Literal["batch", "height", "width", "output_shape"]

FIRST_ORDER: tuple[Part, ...] = ("dx", "dw")
SECOND_ORDER: tuple[Part, ...] = ("dx", "dw", "ddg", "ddx", "ddw")

DTYPES: tuple[Dtype, ...] = ("half", "bfloat16", "float32", "float64", "int32")


@dataclass(frozen=True)
class Case:
    """A legal call. Pairs are `(height, width)`, whatever `data_format` says.

    Attributes:
        family: the table that the case belongs to.
        batch: batch size of input and output.
        input: size of the input.
        kernel: size of the kernel.
        strides: stride of each axis.
        dilations: dilation of each axis.
        padding: of the forward convolution, "SAME", "VALID" or `((top, bottom), (left, right))`.
        output: size of the output, or None where the call leaves it to the default.
        in_channels: channels of the input, over all groups.
        out_channels: channels of the output, over all groups.
        groups: into how many groups the channels fall; divides both channel counts.
        dtype: TensorFlow's name for the type of input, filters and output.
        data_format: the layout in which the implementation is called.
        gradients: what is asked for beside the output "y". With an upstream gradient `g`: "dx" and
            "dw", the gradients of `sum(g * y)` by input and filters. With directions `u` and `v`
            beside: "ddg", "ddx" and "ddw", those of `sum(u * dx) + sum(v * dw)` by `g`, input and
            filters.
        unknown: what is not known yet when the call is traced or compiled, where the implementation
            has such a phase; "output_shape" comes as a tensor.
    """

    family: str
    batch: int = 1
    input: Pair = (1, 1)
    kernel: Pair = (1, 1)
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    padding: Padding = "SAME"
    output: Pair | None = None
    in_channels: int = 1
    out_channels: int = 1
    groups: int = 1
    dtype: Dtype = "float32"
    data_format: DataFormat = "NHWC"
    gradients: tuple[Part, ...] = FIRST_ORDER
    unknown: tuple[Unknown, ...] = ()

    @cached_property
    def id(self) -> str:
        """The values in readable order, usual ones left out; free of spaces and brackets."""
        parts = [self.family]
        for letter, pair in (
            ("i", self.input),
            ("k", self.kernel),
            ("s", self.strides),
            ("d", self.dilations),
        ):
            parts.append(f"{letter}{pair[0]}x{pair[1]}")
        if isinstance(self.padding, str):
            parts.append(self.padding.lower())
        else:
            parts.append("pad" + ".".join(str(n) for side in self.padding for n in side))
        parts.append("odefault" if self.output is None else f"o{self.output[0]}x{self.output[1]}")
        parts.append(f"c{self.in_channels}to{self.out_channels}")
        if self.groups != 1:
            parts.append(f"g{self.groups}")
        if self.batch != 1:
            parts.append(f"n{self.batch}")
        if self.dtype != "float32":
            parts.append(self.dtype)
        if self.data_format != "NHWC":
            parts.append(self.data_format.lower())
        if self.gradients != FIRST_ORDER:
            second = self.gradients == SECOND_ORDER
            parts.append("second" if second else ".".join(self.gradients) or "forward")
        if self.unknown:
            parts.append("unknown" + ".".join(name.partition("_")[0] for name in self.unknown))
        return "-".join(parts)

    @property
    def output_size(self) -> Pair:
        """Size of the output, the default one worked out."""
        if self.output is not None:
            return self.output
        return (self._default_output_size(0), self._default_output_size(1))

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """`[batch, input_height, input_width, in_channels]`."""
        return (self.batch, *self.input, self.in_channels)

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """`[kernel_height, kernel_width, out_channels / groups, in_channels]`."""
        return (*self.kernel, self.out_channels // self.groups, self.in_channels)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """`[batch, output_height, output_width, out_channels]`."""
        return (self.batch, *self.output_size, self.out_channels)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The arrays that belong to a whole answer."""
        return ("y", *self.gradients)

    @property
    def products(self) -> int:
        """How many products the forward pass takes at most: a measure of the case's cost."""
        cells = self.batch * self.input[0] * self.input[1] * self.kernel[0] * self.kernel[1]
        return cells * self.in_channels * self.out_channels // self.groups

    def pads(self, axis: int) -> Pair:
        """What the forward convolution pads before and after one axis, 0 for height, 1 for width.

        The second may be negative, where a larger output leaves cells that no kernel reaches.
        """
        size, kernel, stride, dilation = (
            pair[axis] for pair in (self.input, self.kernel, self.strides, self.dilations)
        )
        output = self.output_size[axis]
        before = oracle.pad_before(output, kernel, stride, dilation, self.axis_padding(axis))
        return before, (size - 1) * stride + (kernel - 1) * dilation + 1 - output - before

    def axis_padding(self, axis: int) -> AxisPadding:
        """The padding of one axis, 0 for height and 1 for width."""
        return oracle.axis_padding(self.padding, axis)

    def legal_output_sizes(self, axis: int) -> tuple[int, ...]:
        """All output sizes that the other values allow on one axis, 0 for height, 1 for width."""
        return oracle.legal_output_sizes(
            self.input[axis],
            self.kernel[axis],
            self.strides[axis],
            self.dilations[axis],
            self.axis_padding(axis),
        )

    def is_legal(self) -> bool:
        """Whether some forward convolution has this case as its adjoint."""
        sizes = all(self.output_size[a] in self.legal_output_sizes(a) for a in (0, 1))
        divides = self.in_channels % self.groups == 0 and self.out_channels % self.groups == 0
        return sizes and divides

    def with_axes_exchanged(self) -> Case:
        """The same case with height and width exchanged."""
        return replace(
            self,
            input=self.input[::-1],
            kernel=self.kernel[::-1],
            strides=self.strides[::-1],
            dilations=self.dilations[::-1],
            padding=self.padding if isinstance(self.padding, str) else self.padding[::-1],
            output=None if self.output is None else self.output[::-1],
        )

    def _default_output_size(self, axis: int) -> int:
        return oracle.default_output_size(
            self.input[axis],
            self.kernel[axis],
            self.strides[axis],
            self.dilations[axis],
            self.axis_padding(axis),
        )
