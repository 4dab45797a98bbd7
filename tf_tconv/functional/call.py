"""A call: what is asked, put in order once, and the operation that follows from it and the sizes.

Neither holds input nor filters: a call that is made and one that is only planned are solved alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tf_tconv import unknown
from tf_tconv.dialects.paddings import TF_NN
from tf_tconv.functional.arguments import (
    OutputShape,
    check_data_format,
    check_output_shape,
    check_paddings,
    check_steps,
)
from tf_tconv.functional.conditions import Check
from tf_tconv.functional.consistency import (
    check_channels,
    check_elements,
    check_equal,
    infer_groups,
)
from tf_tconv.functional.requests import Arithmetic, AxisRequest, paddings_together
from tf_tconv.geometry import AxisGeometry, AxisNames, Size, check_integer
from tf_tconv.layouts import AXIS_UNITS, Layout
from tf_tconv.limits import LARGEST
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.arithmetic import times
from tf_tconv.planning.load import Load, load_of
from tf_tconv.unknown import known


@dataclass(frozen=True)
class Request:
    """What is asked, whatever input and filters are.

    Args:
        layout: of input and output.
        axes: what is asked of each spatial axis.
        groups: number of channel groups, `None` to infer it.
        output_shape: what is asked of batch and channels, if anything.
    """

    layout: Layout
    axes: tuple[AxisRequest, ...]
    groups: int | None
    output_shape: OutputShape | None = None

    @property
    def is_known(self) -> bool:
        """Whether no size is left to the run."""
        asked = self.output_shape
        sizes = [axis.output_size for axis in self.axes]
        if asked is not None:
            if asked.checks:
                return False
            sizes += [asked.batch, asked.channels]
        return all(size is None or isinstance(size, int) for size in sizes)


@dataclass(frozen=True)
class Call:
    """A call whose arguments were checked against each other.

    Args:
        operation: what it computes; `None` for what is known only at run time.
        axes: its axes, with the run's scalars for what is known only at run time.
        groups: number of channel groups, likewise.
        shape: `[batch, *output cells, out]`, `None` for what is known only at run time.
        checks: what remains to be checked when it runs.
        load: the call in numbers, for the planner; `None` where they can't be counted.
        assumed: what they assume of sizes known only at run time.
    """

    operation: TransposedConvolution
    axes: tuple[AxisGeometry, ...]
    groups: Size
    shape: tuple[int | None, ...]
    checks: tuple[Check, ...]
    load: Load | None
    assumed: tuple[str, ...]

    @property
    def running(self) -> TransposedConvolution:
        """The operation with the run's scalars, for lowerings."""
        return self.operation.during_run(self.axes, self.groups)

    @property
    def exact_load(self) -> Load | None:
        """The call in numbers, if nothing had to be assumed for that."""
        return None if self.assumed else self.load


def arrange(
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    groups: Any,
    rank: int = 2,
) -> Request:
    """Puts the arguments of `conv2d_transpose` in order and checks each alone."""
    layout = check_data_format(data_format, rank)
    steps = check_steps("strides", strides, layout)
    gaps = (1,) * rank if dilations is None else check_steps("dilations", dilations, layout)
    paddings = check_paddings(padding, layout)
    shape = check_output_shape(output_shape, layout)
    axes = tuple(
        AxisRequest(
            steps[axis],
            gaps[axis],
            paddings[axis],
            shape.cells[axis],
            names=AxisNames(
                shape.arguments[axis + 1],
                f"padding[{position}]" if isinstance(paddings[axis], tuple) else "padding",
                AXIS_UNITS[rank][axis],
                TF_NN[layout.name],
            ),
        )
        for axis, position in enumerate(layout.spatial)
    )
    if groups is not None:
        groups = check_integer("groups", groups, 1, LARGEST)
    return Request(layout, axes, groups, shape)


def solve(
    request: Request,
    input_sizes: Sequence[Size],
    filters: Sequence[Size],
    itemsize: int,
    arithmetic: Arithmetic = unknown,
    use_bias: bool = False,
) -> Call:
    """The operation of a call, its axes solved, and what the run has to check.

    Args:
        request: what is asked.
        input_sizes: in the order of the layout: ints, scalars of the run, or `UNKNOWN`.
        filters: sizes of `[*kernel, out / groups, in]`, likewise.
        itemsize: bytes of a number.
        arithmetic: of sizes.
        use_bias: whether a bias is added.

    Raises:
        ValueError: what does not fit together.
    """
    given = (tuple(input_sizes), tuple(filters))
    if request.is_known and all(isinstance(size, int) for sizes in given for size in sizes):
        return _solve_known(request, *given, itemsize, use_bias)
    return _solve(request, *given, itemsize, arithmetic, use_bias)


@lru_cache(maxsize=4096)
def _solve_known(
    request: Request,
    input_sizes: tuple[int, ...],
    filters: tuple[int, ...],
    itemsize: int,
    use_bias: bool,
) -> Call:
    return _solve(request, input_sizes, filters, itemsize, unknown, use_bias)


def _solve(
    request: Request,
    input_sizes: tuple[Size, ...],
    filters: tuple[Size, ...],
    itemsize: int,
    arithmetic: Arithmetic,
    use_bias: bool,
) -> Call:
    layout, asked = request.layout, request.output_shape
    batch, in_channels = input_sizes[0], input_sizes[layout.channel]
    image = [input_sizes[position] for position in layout.spatial]
    *kernel, per_group, _ = filters
    checks: tuple[Check, ...] = () if asked is None else asked.checks
    groups: Size = request.groups
    if groups is None:
        groups, inferred = (
            (1, ()) if asked is None else infer_groups(in_channels, filters, asked, arithmetic)
        )
        checks += inferred
    checks = (*check_channels(in_channels, filters, groups, arithmetic), *checks)
    if asked is not None:
        checks += check_equal(asked.arguments[0], asked.batch, batch, "is not the batch of input")
    if not isinstance(groups, int):
        assert asked is not None
        out_channels = asked.channels  # What the groups were inferred from, and checked.
    else:
        out_channels = times(per_group, groups)
        if asked is not None:
            rule = f"is not filters.shape[{len(kernel)}] times {groups} group{'s' * (groups > 1)}"
            checks += check_equal(asked.arguments[-1], asked.channels, out_channels, rule)
    solved = []
    with paddings_together(request.axes, list(zip(image, kernel, strict=True))):
        for each, size, taps in zip(request.axes, image, kernel, strict=True):
            axis, later = each.solve(size, taps, arithmetic)
            solved.append(axis)
            checks += later
    name = request.axes[0].names.output_size.partition("[")[0]
    checks += check_elements(name, batch, solved, out_channels)
    shape = (
        _first_known(batch, asked and asked.batch),
        *(
            _first_known(axis.output_size, each.output_size)
            for axis, each in zip(solved, request.axes, strict=True)
        ),
        _first_known(out_channels, asked and asked.channels),
    )
    operation = TransposedConvolution(
        [_before_the_run(axis) for axis in solved],
        groups=known(groups),
        in_channels=known(in_channels) or known(filters[-1]),
        out_channels=known(out_channels) or None,
        use_bias=use_bias,
        data_format=layout.name,
    )
    load, assumed = load_of(operation, shape[0], itemsize) or (None, ())
    return Call(operation, tuple(solved), groups, shape, checks, load, assumed)


def _before_the_run(axis: AxisGeometry) -> AxisGeometry:
    """An axis by its crops, so that equal operations are equal; `None` for what the run knows."""
    found = AxisGeometry(
        known(axis.input_size),
        known(axis.kernel_size),
        axis.stride,
        axis.dilation,
        known(axis.output_size),
        known(axis.pad_before),
        known(axis.pad_after),
        known(axis.surplus),
    )
    return replace(found, pad_after=found.crop_after)


def _first_known(*candidates: Any) -> int | None:
    return next((size for size in candidates if isinstance(size, int)), None)
