"""Layers of published models, and calls that are no model's."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import resources

from tf_tconv.geometry import AxisGeometry, transpose_geometry


@dataclass(frozen=True)
class Layer:
    """One transposed convolution to measure.

    Args:
        model: whose.
        name: which of its layers.
        batch: images.
        height: rows of the input.
        width: columns of the input.
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: height and width of the kernel.
        stride: down and across.
        padding: "SAME" or "VALID".
    """

    model: str
    name: str
    batch: int
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    padding: str = "SAME"

    @property
    def title(self) -> str:
        """How it is called in tables."""
        return f"{self.model} {self.name}".strip()

    @property
    def shape(self) -> str:
        """Its numbers, in short."""
        channels = f"{self.in_channels}>{self.out_channels}"
        size = f"{self.batch}x{self.height}x{self.width}"
        return f"{size} {channels} k{self.kernel} s{self.stride}"

    @property
    def axes(self) -> tuple[AxisGeometry, AxisGeometry]:
        """The geometry of height and width."""
        rows, columns = (
            transpose_geometry(size, self.kernel, self.stride, padding=self.padding)
            for size in (self.height, self.width)
        )
        return rows, columns

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """`[batch, height, width, in]`."""
        return self.batch, self.height, self.width, self.in_channels

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """`[height, width, out, in]`."""
        return self.kernel, self.kernel, self.out_channels, self.in_channels

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """`[batch, height, width, out]`, at Keras' default size."""
        rows, columns = self.axes
        return self.batch, rows.output_size, columns.output_size, self.out_channels

    @property
    def flops(self) -> int:
        """Multiplications and additions of the definition, borders included."""
        pixels = self.batch * self.height * self.width
        return 2 * pixels * self.kernel**2 * self.in_channels * self.out_channels

    @property
    def bytes(self) -> int:
        """Of input, filters and output in float32, each once."""
        shapes = self.input_shape, self.filters_shape, self.output_shape
        return 4 * sum(math.prod(shape) for shape in shapes)


def published() -> tuple[Layer, ...]:
    """The layers of published models, from `model_layers.csv`."""
    text = resources.files(__package__).joinpath("model_layers.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Layer(
            row["model"],
            row["layer"],
            padding=row["padding"],
            **{name: int(row[name]) for name in _NUMBERS},
        )
        for row in rows
    )


_NUMBERS = ("batch", "height", "width", "in_channels", "out_channels", "kernel", "stride")
