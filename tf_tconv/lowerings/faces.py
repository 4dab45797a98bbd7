"""The other two faces of the product, each by a convolution or by a product of patches.

Transposed convolution, forward convolution and filter gradient are the trilinear form
``sum y[j s + a d - p0] w[a] x[j]`` with one argument left out, so each one's derivatives are the
other two. XLA on CPUs computes the filter gradient of a convolution several times slower than it
gathers and multiplies; elsewhere TensorFlow has an op for it.
"""

from __future__ import annotations

import math
from types import MappingProxyType

from tf_tconv.geometry import pad_behind
from tf_tconv.lowerings.parts.padding import pad_or_crop
from tf_tconv.lowerings.parts.patches import patches
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import Array, Ops
from tf_tconv.ops.arithmetic import times


def forward_by_convolution(
    ops: Ops, y: Array, filters: Array, operation: TransposedConvolution
) -> Array:
    """``x[j] = sum_a y[j s + a d - p0] w[a]``, the strided convolution whose adjoint this is.

    Args:
        ops: what an array is.
        y: `[batch, *output cells, out]`.
        filters: `[*kernel, out / groups, in]`.
        operation: the transposed convolution.

    Returns:
        `[batch, *input cells, in]`; where the sizes are known only at run time, maybe more cells.
    """
    pads = [(axis.pad_before, pad_behind(axis, ops.maximum)) for axis in operation.axes]
    return ops.conv(y, filters, pads, strides=operation.strides, dilations=operation.dilations)


def forward_by_product(
    ops: Ops, y: Array, filters: Array, operation: TransposedConvolution
) -> Array:
    """The same, for one group and known sizes."""
    *_, out, channels = ops.sizes(filters)
    matrix = ops.reshape(filters, [operation.taps * out, channels])
    x = ops.matmul(patches(ops, y, operation), matrix)
    cells = [axis.input_size for axis in operation.axes]
    return ops.reshape(x, [ops.sizes(y)[0], *cells, channels])


def filter_gradient_by_convolution(
    ops: Ops, y: Array, x: Array, operation: TransposedConvolution
) -> Array:
    """``w[a] = sum_j y[j s + a d - p0] x[j]``, the correlation of output with input.

    The sum over ``j`` is a convolution of `y` with `x` for its kernel: batch and channels change
    places, and so do stride and dilation.

    Args:
        ops: what an array is.
        y: `[batch, *output cells, out]`.
        x: `[batch, *input cells, in]`; no size zero.
        operation: the transposed convolution.

    Returns:
        `[*kernel, out / groups, in]`.
    """
    rank = operation.rank
    # To the cell: one more and the convolution would find another tap.
    crops = [(axis.pad_before, axis.crop_after) for axis in operation.axes]
    y = pad_or_crop(ops, y, [(0, 0), *crops, (0, 0)])
    y, x = ops.grown(y, x, [axis.effective_kernel for axis in operation.axes])
    batch, *cells, out = ops.sizes(y)
    groups, per_group = operation.groups, ops.quotient(out, operation.groups)
    spatial = range(1, 1 + rank)
    y = ops.reshape(y, [batch, *cells, groups, per_group])
    y = ops.transpose(y, [rank + 2, *spatial, rank + 1, 0])
    y = ops.reshape(y, [per_group, *cells, times(groups, batch)])
    kernel = ops.transpose(x, [*spatial, 0, rank + 1])
    filters = ops.conv(
        y, kernel, [(0, 0)] * rank, strides=operation.dilations, dilations=operation.strides
    )
    return ops.transpose(filters, [*spatial, 0, rank + 1])


def filter_gradient_by_product(
    ops: Ops, y: Array, x: Array, operation: TransposedConvolution
) -> Array:
    """The same, for one group and known sizes."""
    *sizes, channels = ops.sizes(x)
    gathered = patches(ops, y, operation)
    product = ops.matmul(gathered, ops.reshape(x, [math.prod(sizes), channels]), transpose_a=True)
    return ops.reshape(product, [*operation.kernel_size, ops.sizes(y)[-1], channels])


FORWARD = MappingProxyType({"convolution": forward_by_convolution, "product": forward_by_product})
"""The gradient with respect to the input, by either way."""

FILTER_GRADIENT = MappingProxyType(
    {"convolution": filter_gradient_by_convolution, "product": filter_gradient_by_product}
)
"""The gradient with respect to the filters, by either way."""
