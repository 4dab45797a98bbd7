"""What is done for every lowering alike: trimming, channel groups, a bias that it does not add.

Filters come in here in TensorFlow's layout, `[*kernel, out / groups, in]`.
"""

from __future__ import annotations

from tf_tconv.lowerings import Lowering
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import is_one, times
from tf_tconv.phases import fills_phases


def compute(
    ops: Ops,
    lowering: Lowering,
    x: Array,
    filters: Array,
    operation: TransposedConvolution,
    bias: Array | None = None,
) -> Array:
    """The transposed convolution by a lowering.

    Args:
        ops: what an array is.
        lowering: the algorithm.
        x: `[batch, *input cells, in]`; no known size zero.
        filters: `[*kernel, out / groups, in]`.
        operation: what to compute.
        bias: `[out]`, or `None` for none.

    Returns:
        `[batch, *output cells, out]`.
    """
    if lowering.primitive:
        x, filters, operation = trim(ops, x, filters, operation)
    w = by_groups(ops, filters, operation) if lowering.grouped else filters
    if bias is None:
        return lowering.lower(ops, x, w, operation)
    if lowering.biased and all(map(fills_phases, operation.axes)):
        return lowering.lower(ops, x, w, operation, bias)
    return ops.add_bias(lowering.lower(ops, x, w, operation), bias)


def trim(
    ops: Ops, x: Array, filters: Array, operation: TransposedConvolution
) -> tuple[Array, Array, TransposedConvolution]:
    """The same without the inputs and taps that reach no output, where all sizes are known."""
    axes = operation.axes
    if not all(axis.is_known for axis in axes):
        return x, filters, operation
    inputs = [_around(axis.useful_inputs, axis.input_size) for axis in axes]
    taps = [_around(axis.useful_taps, axis.kernel_size) for axis in axes]
    if any(map(any, inputs)):
        x = ops.crop(x, [(0, 0), *inputs, (0, 0)])
    if any(map(any, taps)):
        filters = ops.crop(filters, [*taps, (0, 0), (0, 0)])
    return x, filters, operation.trimmed()


def by_groups(ops: Ops, filters: Array, operation: TransposedConvolution) -> Array:
    """Filters as lowerings have them.

    Args:
        ops: what an array is.
        filters: `[*kernel, out / groups, in]`.
        operation: what is computed.

    Returns:
        `[*kernel, out, in / groups]`, the outputs of a group together.
    """
    groups = operation.groups
    if is_one(groups):
        return filters
    *kernel, per_group, channels = ops.sizes(filters)
    rank, each = len(kernel), ops.quotient(channels, groups)
    filters = ops.reshape(filters, [*kernel, per_group, groups, each])
    filters = ops.transpose(filters, [*range(rank), rank + 1, rank, rank + 2])
    return ops.reshape(filters, [*kernel, times(groups, per_group), each])


def _around(useful: range, size: int) -> tuple[int, int]:
    return useful.start, size - useful.stop
