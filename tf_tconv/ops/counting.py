"""Shapes only: what a lowering does, counted while it runs.

Each function makes a shape and notes what an implementation would do for it: a convolution, a
product, or numbers moved and not multiplied. Nothing is computed. What lives at the same time is
counted by the life of the shapes themselves: as with any array, what nothing refers to any more is
gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tf_tconv.geometry import effective_kernel_size


@dataclass(frozen=True)
class Convolution:
    """One convolution.

    Args:
        windows: pixels of its result.
        taps: cells of its kernel that lie on the image at each of them.
        depth: input channels that one output channel sees.
        channels: output channels.
        read: numbers in its input.
        padded: windows of so many taps that it would multiply if it did so with its padding too;
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
    """One product of a batch of matrices.

    Args:
        batch: matrices.
        rows: of the left operand and the result.
        depth: what is summed over.
        columns: of the right operand and the result.
        left: different matrices on the left.
        right: different matrices on the right.
    """

    batch: int
    rows: int
    depth: int
    columns: int
    left: int = 1
    right: int = 1

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.batch * self.rows * self.depth * self.columns

    @property
    def moved(self) -> int:
        """Numbers read and written, each once."""
        read = self.left * self.rows + self.right * self.columns
        return read * self.depth + self.written

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
        held: numbers in arrays that live at the same time beside input, filters and output, at
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
        """Numbers in the largest array that a step makes."""
        return max((step.written for step in self.steps), default=0)


class _Memory:
    """Numbers in a piece of memory, given back when the last shape that lies in it is gone."""

    __slots__ = ("counter", "numbers")

    def __init__(self, counter: Counter, numbers: int) -> None:
        self.counter, self.numbers = counter, numbers
        counter.live += numbers
        counter.most = max(counter.most, counter.live)

    def __del__(self) -> None:
        self.counter.live -= self.numbers


class Shape:
    """An array of which there is only the shape."""

    __slots__ = ("memory", "shape")

    def __init__(self, shape: Sequence[int], memory: _Memory | None) -> None:
        self.shape, self.memory = tuple(shape), memory

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Counter:
    """The functions of `tf_tconv.ops.Ops` on shapes, and what they would have done."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.live = 0
        self.most = 0

    def given(self, *shape: int) -> Shape:
        """An operand, which is there anyway."""
        return Shape(shape, None)

    def _new(self, shape: Sequence[int], step: Step) -> Shape:
        self.steps.append(step)
        return Shape(shape, _Memory(self, math.prod(shape)))

    def _moved(self, x: Shape, shape: Sequence[int], run: int) -> Shape:
        numbers = math.prod(shape)
        return self._new(shape, Copy(min(x.numbers, numbers), numbers, max(run, 1)))

    def sizes(self, x: Shape) -> list[int]:
        """The dimensions of `x`."""
        return list(x.shape)

    def maximum(self, a: int, b: int) -> int:
        """The larger of two sizes."""
        return max(a, b)

    def quotient(self, a: int, b: int, least: int = 0) -> int:
        """The integer part of a size over another, rounded down."""
        return a // b

    def reshape(self, x: Shape, shape: Sequence[int]) -> Shape:
        """The same memory in another shape."""
        return Shape(shape, x.memory)

    def transpose(self, x: Shape, order: Sequence[int]) -> Shape:
        """Axes in another order; what stays at the end stays together."""
        shape = [x.shape[axis] for axis in order]
        moved = [axis for axis, size in enumerate(x.shape) if size > 1]
        if [axis for axis in order if x.shape[axis] > 1] == moved:
            return Shape(shape, x.memory)  # Nothing but axes of one entry changed places.
        run, axis = 1, len(order) - 1
        while axis >= 0 and order[axis] == axis:
            run *= x.shape[axis]
            axis -= 1
        return self._moved(x, shape, run)

    def pad(self, x: Shape, amounts: Sequence[tuple[int, int]]) -> Shape:
        """More memory; whole stretches of the innermost axis padded stay together."""
        shape = [size + sum(pair) for size, pair in zip(x.shape, amounts, strict=True)]
        return self._moved(x, shape, _run(x.shape, x.shape, amounts))

    def crop(self, x: Shape, amounts: Sequence[tuple[int, int]]) -> Shape:
        """Less memory, likewise."""
        shape = [max(size - sum(pair), 0) for size, pair in zip(x.shape, amounts, strict=True)]
        return self._moved(x, shape, _run(shape, shape, amounts))

    def concat(self, parts: Sequence[Shape], axis: int) -> Shape:
        """The parts in new memory, each in stretches of its own size along the axis."""
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        run = math.prod(shape[axis:]) // len(parts)
        numbers = math.prod(shape)
        return self._new(shape, Copy(numbers, numbers, max(run, 1)))

    def take(self, x: Shape, indices: Sequence[int]) -> Shape:
        """Entries of the first axis, each of which stays together."""
        each = math.prod(x.shape[1:])
        numbers = len(indices) * each
        return self._new([len(indices), *x.shape[1:]], Copy(numbers, numbers, max(each, 1)))

    def tile(self, x: Shape, multiples: Sequence[int]) -> Shape:
        """`x` so many times along each axis."""
        shape = [size * times for size, times in zip(x.shape, multiples, strict=True)]
        return self._moved(x, shape, x.shape[-1])

    def reverse(self, x: Shape, axis: int) -> Shape:
        """The same numbers in another order."""
        return self._moved(x, x.shape, math.prod(x.shape[axis + 1 :]))

    def widen(self, x: Shape) -> Shape:
        """Nothing, of float32."""
        return x

    def like(self, y: Shape, x: Shape) -> Shape:
        """Nothing, of float32."""
        return y

    def add(self, parts: Sequence[Shape]) -> Shape:
        """All parts are read and one is written."""
        if len(parts) == 1:
            return parts[0]
        numbers = parts[0].numbers
        return self._new(parts[0].shape, Copy(len(parts) * numbers, numbers, max(numbers, 1)))

    def add_bias(self, y: Shape, bias: Shape, *, loose: bool = False) -> Shape:
        """Nothing: what a convolution writes anyway."""
        return y

    def grown(self, y: Shape, x: Shape, least: Sequence[int]) -> tuple[Shape, Shape]:
        """Both as they are: their sizes are known."""
        return y, x

    def matmul(
        self, a: Shape, b: Shape, *, transpose_a: bool = False, transpose_b: bool = False
    ) -> Shape:
        """A batch of products; a transposed operand is read as it is."""
        depth, rows = a.shape[-2:] if transpose_a else a.shape[-2:][::-1]
        columns = b.shape[-2] if transpose_b else b.shape[-1]
        leading = _broadcast(a.shape[:-2], b.shape[:-2])
        matrices = math.prod(leading)
        left, right = math.prod(a.shape[:-2]), math.prod(b.shape[:-2])
        if right == 1:  # One matrix of all rows.
            step = Product(1, matrices * rows, depth, columns)
        else:
            step = Product(matrices, rows, depth, columns, left, right)
        return self._new([*leading, rows, columns], step)

    def conv(
        self,
        x: Shape,
        w: Shape,
        pads: Sequence[tuple[int, int]],
        *,
        strides: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        loose: bool = False,
    ) -> Shape:
        """A convolution, its padding and its crop included.

        All taps of all windows count, as borders are few; but a window finds no more taps on its
        image than that has cells.
        """
        *kernel, depth, out = w.shape
        strides = strides or [1] * len(kernel)
        dilations = dilations or [1] * len(kernel)
        spatial = [size + sum(pair) for size, pair in zip(x.shape[1:-1], pads, strict=True)]
        windows = [
            max((size - effective_kernel_size(k, d) + s) // s, 0)
            for size, k, s, d in zip(spatial, kernel, strides, dilations, strict=True)
        ]
        found = [min(k, size) for k, size in zip(kernel, x.shape[1:-1], strict=True)]
        pixels, taps = x.shape[0] * math.prod(windows), math.prod(found)
        padded = pixels * math.prod(kernel) // max(taps, 1)
        shape = [x.shape[0], *windows, out]
        return self._new(shape, Convolution(pixels, taps, depth, out, x.numbers, padded))


def count(compute: Callable[[Any], Shape]) -> Work:
    """What a function does, by the steps that it takes.

    Args:
        compute: takes the `Counter` for its `ops` and returns the result.

    Example:
        >>> work = count(lambda ops: ops.matmul(ops.given(2, 3), ops.given(3, 4)))
        >>> work.flops, work.moved, work.held
        (48, 26, 0)
    """
    counter = Counter()
    result = compute(counter)
    return Work(tuple(counter.steps), max(counter.most - result.numbers, 0))


def _run(shape: Sequence[int], kept: Sequence[int], amounts: Sequence[tuple[int, int]]) -> int:
    """Numbers that stay beside each other where each axis but the innermost is changed."""
    run = 1
    for size, pair in zip(reversed(kept), reversed(amounts), strict=True):
        run *= size
        if pair[0] or pair[1]:
            break
    return run


def _broadcast(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Leading axes as NumPy broadcasts them."""
    length = max(len(a), len(b))
    pairs = zip([1] * (length - len(a)) + [*a], [1] * (length - len(b)) + [*b], strict=True)
    return [y if x == 1 else x for x, y in pairs]
