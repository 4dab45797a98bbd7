"""Transposed convolution, forward convolution and filter gradient: three faces of one product.

All three are the trilinear form ``sum y[j s + a d - p0] w[a] x[j]`` with one argument left out, so
each one's derivatives are the other two. Written as three functions whose custom gradients call one
another, they can be differentiated any number of times, backward and forward, and no gradient is
ever taken through a lowering: a training step costs two convolutions more than the forward pass,
whatever the lowering.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import tensorflow as tf

from tf_tconv.lowerings import Lowering
from tf_tconv.lowerings.calling import compute
from tf_tconv.lowerings.faces import (
    filter_gradient_by_convolution,
    filter_gradient_by_product,
    forward_by_convolution,
    forward_by_product,
)
from tf_tconv.operation import Axis, TransposedConvolution
from tf_tconv.ops import tensorflow as ops
from tf_tconv.ops.arithmetic import times
from tf_tconv.ops.tensorflow.accumulation import channel_sums, summed_once
from tf_tconv.ops.tensorflow.filter_gradient import has_op, native_filter_gradient


@dataclass(frozen=True)
class Faces:
    """The three functions of one operation. The channels stand last throughout.

    Args:
        operation: the transposed convolution, with the run's scalars.
        lowering: computes it.
        by_products: which of the other two, forward convolution and filter gradient, are matrix
            products of patches, not convolutions; only for one group and sizes known when traced.
    """

    operation: TransposedConvolution
    lowering: Lowering
    by_products: tuple[bool, bool] = (False, False)

    def transposed(
        self, x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor | None = None
    ) -> tf.Tensor:
        """``y[j s + a d - p0] += x[j] w[a]``, the scatter; and a bias for every cell.

        Args:
            x: `[batch, *input cells, in]`.
            filters: `[*kernel, out / groups, in]`.
            bias: `[out]`, or `None` for none.

        Returns:
            `[batch, *output cells, out]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(x: tf.Tensor, filters: tf.Tensor, *bias: tf.Tensor) -> Any:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                sums = [summed_once("sum", channel_sums, upstream) for _ in bias]
                return here.forward(upstream, filters), here.filter_gradient(upstream, x), *sums

            return here._transposed(x, filters, *bias), gradient

        operands = _local((x, self._inputs), (filters, self._kernel))
        result: tf.Tensor = apply(*operands, *([] if bias is None else _local((bias, (None,)))))
        return result

    def forward(self, y: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
        """``x[j] = sum_a y[j s + a d - p0] w[a]``, the strided convolution whose adjoint this is.

        Args:
            y: `[batch, *output cells, out]`.
            filters: `[*kernel, out / groups, in]`.

        Returns:
            `[batch, *input cells, in]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(y: tf.Tensor, filters: tf.Tensor) -> Any:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                return here.transposed(upstream, filters), here.filter_gradient(y, upstream)

            return here._forward(y, filters), gradient

        result: tf.Tensor = apply(*_local((y, self._outputs), (filters, self._kernel)))
        return result

    def filter_gradient(self, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """``w[a] = sum_j y[j s + a d - p0] x[j]``, the correlation of output with input.

        Args:
            y: `[batch, *output cells, out]`.
            x: `[batch, *input cells, in]`.

        Returns:
            `[*kernel, out / groups, in]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(y: tf.Tensor, x: tf.Tensor) -> Any:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                return here.transposed(x, upstream), here.forward(y, upstream)

            return here._filter_gradient(y, x), gradient

        result: tf.Tensor = apply(*_local((y, self._outputs), (x, self._inputs)))
        return result

    def _here(self) -> Faces:
        """The same, with what is known only at run time as members of the graph now being built.

        As with the tensors of a call, see `_local`.
        """
        if tf.executing_eagerly():
            return self
        axes = [_axis_here(axis) for axis in self.operation.axes]
        operation = self.operation.during_run(axes, _member(self.operation.groups))
        return replace(self, operation=operation)

    def _transposed(
        self, x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor | None = None
    ) -> tf.Tensor:
        operation = self.operation
        channels = times(ops.sizes(filters)[-2], operation.groups)
        shape = [ops.sizes(x)[0], *(axis.output_size for axis in operation.axes), channels]
        if _is_empty(x.shape) or _is_empty(filters.shape) or _is_empty(shape):
            y = tf.zeros(shape, x.dtype)
            return y if bias is None else y + bias
        result: tf.Tensor = compute(ops, self.lowering, x, filters, operation, bias)
        return result

    def _forward(self, y: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
        axes = self.operation.axes
        cells = [axis.input_size for axis in axes]
        shape = [ops.sizes(y)[0], *cells, ops.sizes(filters)[-1]]
        if _is_empty(filters.shape) or _is_empty(shape):
            return tf.zeros(shape, y.dtype)
        if self.by_products[0]:
            by_product: tf.Tensor = forward_by_product(ops, y, filters, self.operation)
            return by_product
        x: tf.Tensor = forward_by_convolution(ops, y, filters, self.operation)
        if all(isinstance(size, int) for size in cells):
            return x
        return x[(slice(None), *(slice(None, size) for size in cells), slice(None))]

    def _filter_gradient(self, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        operation = self.operation
        shape = [
            *operation.kernel_size,
            ops.quotient(ops.sizes(y)[-1], operation.groups),
            ops.sizes(x)[-1],
        ]
        if _is_empty(x.shape) or _is_empty(shape):
            return tf.zeros(shape, x.dtype)
        if self.by_products[1]:
            by_product: tf.Tensor = filter_gradient_by_product(ops, y, x, operation)
            return by_product
        if has_op(operation):
            return native_filter_gradient(y, x, operation, shape)
        by_convolution: tf.Tensor = filter_gradient_by_convolution(ops, y, x, operation)
        return by_convolution

    @property
    def _inputs(self) -> tuple[Any, ...]:
        return None, *(axis.input_size for axis in self.operation.axes), None

    @property
    def _outputs(self) -> tuple[Any, ...]:
        return None, *(axis.output_size for axis in self.operation.axes), None

    @property
    def _kernel(self) -> tuple[Any, ...]:
        return *self.operation.kernel_size, None, None


def _local(*operands: tuple[tf.Tensor, tuple[Any, ...]]) -> list[tf.Tensor]:
    """Tensors as members of the graph now being built, their shapes as far as sizes are known.

    A custom gradient keeps the tensors it was given. One from an outer graph would still be that
    one when the gradient of the gradient is built elsewhere, and forward-mode differentiation of a
    `tf.function` then fails. And a gradient that comes from another graph may have lost its shape:
    the kernel's, say, without which there are no phases.

    Args:
        *operands: each a tensor and its sizes; those that are not ints are not known.
    """
    copies = []
    for tensor, shape in operands:
        copy = tensor if tf.executing_eagerly() else tf.identity(tensor)
        copy.set_shape([size if isinstance(size, int) else None for size in shape])
        copies.append(copy)
    return copies


def _axis_here(axis: Axis) -> Axis:
    """An axis whose sizes of run time, if any, are members of the graph now being built."""
    if axis.is_known:
        return axis
    return replace(axis, **{each.name: _member(getattr(axis, each.name)) for each in fields(axis)})


def _member(size: Any) -> Any:
    """A size as a member of the graph now being built: copied only from another one."""
    if isinstance(size, int):
        return size
    return size if size.graph is tf.compat.v1.get_default_graph() else tf.identity(size)


def _is_empty(shape: Any) -> bool:
    return any(isinstance(size, int) and size == 0 for size in shape)
