"""A call in numbers: an operation, on so many images, of numbers so large."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from tf_tconv.geometry import AxisGeometry
from tf_tconv.lowerings import REGISTRY
from tf_tconv.lowerings.calling import by_groups
from tf_tconv.lowerings.faces import FILTER_GRADIENT, FORWARD
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.counting import Counter, Shape, Work, count

ASSUMED_BATCH = 4
"""What a batch known only at run time is planned as."""

ASSUMED_SIZE = 48
"""What a size of the image known only at run time is planned as."""


@dataclass(frozen=True)
class Load:
    """What there is to compute, for a planner.

    Args:
        operation: all its sizes known, and trimmed to what reaches the output.
        batch: images.
        itemsize: bytes of a number.

    Example:
        >>> from tf_tconv.operation import TransposedConvolution
        >>> operation = TransposedConvolution(
        ...     kernel_size=2, strides=2, in_channels=64, out_channels=32, input_size=(8, 8)
        ... )
        >>> Load(operation, batch=1).flops
        1048576
    """

    operation: TransposedConvolution
    batch: int
    itemsize: int = 4

    @cached_property
    def inputs(self) -> int:
        """Numbers in the input."""
        return self.batch * self.operation.pixels * self._channels[0]

    @cached_property
    def outputs(self) -> int:
        """Numbers in the output."""
        return self.batch * self.operation.cells * self._channels[1]

    @property
    def flops(self) -> int:
        """Multiplications and additions of the definition, borders included."""
        return 2 * self.batch * self.operation.pixels * self.operation.weights

    @property
    def _channels(self) -> tuple[int, int]:
        return self.operation.in_channels, self.operation.out_channels

    def images(self, ops: Counter) -> Shape:
        """The input, of which there is only the shape."""
        cells = (axis.input_size for axis in self.operation.axes)
        return ops.given(self.batch, *cells, self.operation.in_channels)

    def filters(self, ops: Counter) -> Shape:
        """The filters, `[*kernel, out / groups, in]`, likewise."""
        out = self.operation.out_channels // self.operation.groups
        return ops.given(*self.operation.kernel_size, out, self.operation.in_channels)

    def result(self, ops: Counter) -> Shape:
        """The output, likewise."""
        cells = (axis.output_size for axis in self.operation.axes)
        return ops.given(self.batch, *cells, self.operation.out_channels)


@lru_cache(maxsize=4096)
def work(load: Load, lowering: str) -> Work | None:
    """What a lowering does; nothing to be counted where it does not consist of primitives."""
    algorithm = REGISTRY[lowering]
    if not algorithm.primitive:
        return None

    def compute(ops: Counter) -> Shape:
        filters = load.filters(ops)
        filters = Shape(by_groups(ops, filters, load.operation).shape, None)
        ops.steps.clear()  # The order of the filters is every lowering's.
        shape: Shape = algorithm.lower(ops, load.images(ops), filters, load.operation)
        return shape

    return count(compute)


@lru_cache(maxsize=4096)
def gradient_work(load: Load, gradient: str, way: str) -> Work:
    """What a gradient takes.

    Args:
        load: of the transposed convolution.
        gradient: "input" or "filters".
        way: "convolution" or "product".
    """
    if gradient == "input":
        return count(
            lambda ops: FORWARD[way](ops, load.result(ops), load.filters(ops), load.operation)
        )
    return count(
        lambda ops: FILTER_GRADIENT[way](ops, load.result(ops), load.images(ops), load.operation)
    )


def load_of(
    operation: TransposedConvolution, batch: int | None, itemsize: int
) -> tuple[Load, tuple[str, ...]] | None:
    """A call in numbers, and what had to be assumed for that.

    Args:
        operation: what is computed; `None` for what is known only at run time.
        batch: images, likewise.
        itemsize: bytes of a number.

    Returns:
        `None` if nothing can be counted: kernel, channels or groups are known only at run time, or
        something is empty.
    """
    channels = (operation.in_channels, operation.out_channels, operation.groups)
    if not all((*operation.kernel_size, *channels)):
        return None
    names = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
    assumed = [] if batch is not None else [f"batch {ASSUMED_BATCH}"]
    axes = []
    for name, axis in zip(names[operation.rank], operation.axes, strict=True):
        if axis.input_size is None:
            assumed.append(f"{name} {ASSUMED_SIZE}")
        axes.append(axis if axis.is_known else _assumed(axis))
    known = operation.during_run(axes, operation.groups).trimmed()
    if not (known.taps and known.pixels and known.cells):
        return None
    return Load(known, ASSUMED_BATCH if batch is None else batch, itemsize), tuple(assumed)


def _assumed(axis: AxisGeometry) -> AxisGeometry:
    """The geometry, with assumptions where sizes are known only at run time."""
    cells = ASSUMED_SIZE if axis.input_size is None else axis.input_size
    surplus = axis.stride if axis.surplus is None else axis.surplus
    output = max((cells - 1) * axis.stride + surplus, 0)
    before, after = axis.pad_before or 0, axis.pad_after or 0
    return AxisGeometry(cells, axis.kernel_size, axis.stride, axis.dilation, output, before, after)
