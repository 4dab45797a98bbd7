"""What a lowering does for given sizes, counted: convolutions, matrix products, copies.

Each lowering states its work beside its code, from the same phases. The counts are plain
arithmetic; what they cost is for `tf_tconv.lowerings.costs` to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from tf_tconv.geometry import AxisRelations


@dataclass(frozen=True)
class Sizes:
    """A call in numbers.

    Args:
        batch: images.
        rows: the geometry of the height.
        columns: the geometry of the width.
        height: rows of the input.
        width: columns of the input.
        in_channels: channels of the input.
        out_channels: channels of the output.
        groups: channel groups.
        itemsize: bytes of a number.
    """

    batch: int
    rows: AxisRelations
    columns: AxisRelations
    height: int
    width: int
    in_channels: int
    out_channels: int
    groups: int = 1
    itemsize: int = 4

    @property
    def pixels(self) -> int:
        """Cells of all input images."""
        return self.batch * self.height * self.width

    @property
    def taps(self) -> int:
        """Cells of the kernel."""
        return int(self.rows.kernel_size * self.columns.kernel_size)

    @property
    def inputs(self) -> int:
        """Numbers in the input."""
        return self.pixels * self.in_channels

    @property
    def weights(self) -> int:
        """Numbers in the filters."""
        return self.taps * self.in_channels * self.out_channels // self.groups

    @property
    def outputs(self) -> int:
        """Numbers in the output."""
        rows, columns = (
            max((size - 1) * axis.stride + axis.surplus, 0)
            for size, axis in ((self.height, self.rows), (self.width, self.columns))
        )
        return int(self.batch * rows * columns) * self.out_channels

    @property
    def flops(self) -> int:
        """Multiplications and additions of the definition, borders included."""
        return 2 * self.pixels * self.weights


@dataclass(frozen=True)
class Convolution:
    """One `tf.nn.conv2d` at stride 1, or one that does the same multiplications.

    Args:
        windows: pixels of its result.
        taps: cells of its kernel.
        depth: input channels that one output channel sees.
        channels: output channels.
        read: numbers in its input.
        padded: windows of all taps that it would multiply if it did so with its padding too;
            `windows` if it has none to speak of.
    """

    windows: int
    taps: int
    depth: int
    channels: int
    read: int
    padded: int

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.windows * self.taps * self.depth * self.channels

    @property
    def written(self) -> int:
        """Numbers in its result."""
        return self.windows * self.channels

    @property
    def moved(self) -> int:
        """Numbers read and written, each once."""
        return self.read + self.taps * self.depth * self.channels + self.written


@dataclass(frozen=True)
class Product:
    """One `tf.matmul`, of a batch of matrices.

    Args:
        batch: matrices.
        rows: of the left operand and the result.
        depth: what is summed over.
        columns: of the right operand, given transposed, and of the result.
        right: different matrices on the right.
    """

    batch: int
    rows: int
    depth: int
    columns: int
    right: int = 1

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.batch * self.rows * self.depth * self.columns

    @property
    def moved(self) -> int:
        """Numbers read and written, each once."""
        left = self.batch // self.right * self.rows * self.depth
        return left + self.right * self.depth * self.columns + self.written

    @property
    def written(self) -> int:
        """Numbers in its result."""
        return self.batch * self.rows * self.columns


@dataclass(frozen=True)
class Copy:
    """Numbers moved and not multiplied: pads, concatenations, transposes, sums.

    Args:
        read: numbers read.
        written: numbers written.
        run: how many of them stay beside each other.
    """

    read: int
    written: int
    run: int

    @property
    def flops(self) -> int:
        """None."""
        return 0

    @property
    def moved(self) -> int:
        """Numbers read and written."""
        return self.read + self.written


Step = Convolution | Product | Copy


@dataclass(frozen=True)
class Work:
    """What a lowering does for one call.

    Args:
        steps: in order.
        held: numbers in tensors that live at the same time beside input, filters and output, at
            their most.
    """

    steps: tuple[Step, ...]
    held: int

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return sum(step.flops for step in self.steps)

    @property
    def moved(self) -> int:
        """Numbers read and written."""
        return sum(step.moved for step in self.steps)

    @property
    def largest(self) -> int:
        """Numbers in the largest tensor that a step makes."""
        return max(step.written for step in self.steps)
