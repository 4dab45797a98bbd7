"""Transposed convolution, forward convolution and filter gradient: three faces of one product.

All three are the trilinear form ``sum y[j s + a d - p0] w[a] x[j]`` with one argument left out, so
each one's derivatives are the other two. Written as three functions whose custom gradients call one
another, they can be differentiated any number of times, backward and forward, and no gradient is
ever taken through a lowering: a training step costs two convolutions more than the forward pass,
whatever the lowering.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import AxisGeometry
from tf_tconv.lowerings.accumulation import channel_sums, summed_once
from tf_tconv.lowerings.convolution import convolve
from tf_tconv.lowerings.padding import grow, pad_or_crop, padding_name
from tf_tconv.lowerings.patches import patches
from tf_tconv.lowerings.shapes import is_one, maximum, quotient, sizes, times


@dataclass(frozen=True)
class TransposeProduct:
    """What the three faces share. Layout is NHWC throughout.

    Args:
        rows: geometry of the height, an `AxisGeometry` or `RunTimeAxis`.
        columns: geometry of the width.
        groups: number of independent channel groups, a scalar tensor if only the run knows it.
        lower: `(x, filters, bias, rows, columns, groups) -> y`, computes the transposed
            convolution; the bias may be None.
        by_products: which of the other two, forward convolution and filter gradient, are matrix
            products of patches, not convolutions; only for one group and sizes known when traced.
    """

    rows: Any
    columns: Any
    groups: Any
    lower: Callable[..., Any]
    by_products: tuple[bool, bool] = (False, False)

    def transposed(self, x: Any, filters: Any, bias: Any = None) -> Any:
        """``y[j s + a d - p0] += x[j] w[a]``, the scatter; and a bias for every cell.

        Args:
            x: `[batch, input height, input width, in]`.
            filters: `[kernel height, kernel width, out / groups, in]`.
            bias: `[out]`, or `None` for none.

        Returns:
            `[batch, output height, output width, out]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(x: Any, filters: Any, *bias: Any) -> Any:
            def gradient(upstream: Any) -> tuple[Any, ...]:
                sums = [summed_once("sum", channel_sums, upstream) for _ in bias]
                return here.forward(upstream, filters), here.filter_gradient(upstream, x), *sums

            return here._transposed(x, filters, *bias), gradient

        operands = _local((x, self._inputs), (filters, self._kernel))
        return apply(*operands, *([] if bias is None else _local((bias, (None,)))))

    def forward(self, y: Any, filters: Any) -> Any:
        """``x[j] = sum_a y[j s + a d - p0] w[a]``, the strided convolution whose adjoint this is.

        Args:
            y: `[batch, output height, output width, out]`.
            filters: `[kernel height, kernel width, out / groups, in]`.

        Returns:
            `[batch, input height, input width, in]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(y: Any, filters: Any) -> Any:
            def gradient(upstream: Any) -> tuple[Any, Any]:
                return here.transposed(upstream, filters), here.filter_gradient(y, upstream)

            return here._forward(y, filters), gradient

        return apply(*_local((y, self._outputs), (filters, self._kernel)))

    def filter_gradient(self, y: Any, x: Any) -> Any:
        """``w[a] = sum_j y[j s + a d - p0] x[j]``, the correlation of output with input.

        Args:
            y: `[batch, output height, output width, out]`.
            x: `[batch, input height, input width, in]`.

        Returns:
            `[kernel height, kernel width, out / groups, in]`.
        """
        here = self._here()

        @tf.custom_gradient
        def apply(y: Any, x: Any) -> Any:
            def gradient(upstream: Any) -> tuple[Any, Any]:
                return here.transposed(x, upstream), here.forward(y, upstream)

            return here._filter_gradient(y, x), gradient

        return apply(*_local((y, self._outputs), (x, self._inputs)))

    def _here(self) -> TransposeProduct:
        """The same, with what only the run knows as members of the graph now being built.

        As with the tensors of a call, see `_local`.
        """
        return replace(
            self,
            rows=_axis_here(self.rows),
            columns=_axis_here(self.columns),
            groups=_member(self.groups),
        )

    def _transposed(self, x: Any, filters: Any, bias: Any = None) -> Any:
        batch, *_ = sizes(x)
        channels = times(sizes(filters)[2], self.groups)
        shape = [batch, self.rows.output_size, self.columns.output_size, channels]
        if _is_empty(x.shape) or _is_empty(filters.shape) or _is_empty(shape):
            y = tf.zeros(shape, x.dtype)
            return y if bias is None else y + bias
        return self.lower(x, filters, bias, self.rows, self.columns, self.groups)

    def _forward(self, y: Any, filters: Any) -> Any:
        batch, *_ = sizes(y)
        shape = [batch, self.rows.input_size, self.columns.input_size, sizes(filters)[3]]
        if _is_empty(filters.shape) or _is_empty(shape):
            return tf.zeros(shape, y.dtype)
        if self.by_products[0]:
            matrix = tf.reshape(filters, [-1, shape[3]])
            gathered = patches(y, self.rows, self.columns)
            return tf.reshape(summed_once("product", tf.matmul, gathered, matrix), shape)
        x = convolve(y, filters, *self._pads, self._strides, self._dilations)
        if all(isinstance(size, int) for size in shape[1:3]):
            return x
        return x[:, : shape[1], : shape[2], :]

    def _filter_gradient(self, y: Any, x: Any) -> Any:
        shape = [
            self.rows.kernel_size,
            self.columns.kernel_size,
            quotient(sizes(y)[3], self.groups),
            sizes(x)[3],
        ]
        if _is_empty(x.shape) or _is_empty(shape):
            return tf.zeros(shape, x.dtype)
        if self.by_products[1]:
            pixels = tf.reshape(x, [-1, shape[3]])
            gathered = patches(y, self.rows, self.columns)
            multiply = functools.partial(tf.matmul, transpose_a=True)
            return tf.reshape(summed_once("product", multiply, gathered, pixels), shape)
        known = all(isinstance(size, int) for size in shape[:2])
        if not is_one(self.groups) or self._dilations != (1, 1) or not known:
            return self._filter_gradient_by_convolution(y, x)
        padding = padding_name(*self._axes)
        if padding is None:
            # Not by attribute: `tf.vectorized_map` loses the explicit padding of the op below.
            y, padding = pad_or_crop(y, *self._pads), "VALID"
        y, x = self._with_a_window(y, x, padding)
        strides = self._strides
        if shape[:2] == [1, 1]:
            # With oneDNN the op below writes past its buffer for one tap and a stride.
            y, strides = y[:, :: strides[0], :: strides[1]], (1, 1)
        return summed_once(
            "filter_gradient",
            lambda y, x: tf.raw_ops.Conv2DBackpropFilter(
                input=y,
                filter_sizes=tf.stack([tf.cast(size, tf.int32) for size in shape]),
                out_backprop=x,
                strides=[1, *strides, 1],
                padding=padding,
            ),
            y,
            x,
        )

    def _filter_gradient_by_convolution(self, y: Any, x: Any) -> Any:
        """The filter gradient where TensorFlow's own is refused on CPUs: dilation and groups.

        Also for a kernel of a size known only at run time, which may be the one tap that
        TensorFlow's own does not survive.

        The sum over ``j`` is a convolution of `y` with `x` for its kernel: batch and channels
        change places, and so do stride and dilation.
        """
        # To the cell: one more and the convolution would find another tap.
        y = pad_or_crop(y, *((axis.pad_before, _missing_behind(axis)) for axis in self._axes))
        y, x = self._with_a_window(y, x, "VALID")
        batch, height, width, out = sizes(y)
        if not isinstance(batch, int):
            # The batch becomes input channels, and of those a convolution needs at least one.
            more = [[0, maximum(1 - batch, 0)], [0, 0], [0, 0], [0, 0]]
            y, x, batch = tf.pad(y, more), tf.pad(x, more), maximum(batch, 1)
        groups, per_group = self.groups, quotient(out, self.groups)
        y = tf.reshape(y, [batch, height, width, groups, per_group])
        y = tf.transpose(y, [4, 1, 2, 3, 0])
        y = tf.reshape(y, [per_group, height, width, times(groups, batch)])
        kernel = tf.transpose(x, [1, 2, 0, 3])
        filters = convolve(y, kernel, strides=self._dilations, dilations=self._strides)
        return tf.transpose(filters, [1, 2, 0, 3])

    def _with_a_window(self, y: Any, x: Any, padding: str) -> tuple[Any, Any]:
        """`y` and `x`, grown by zeros to one window where a size known at run time is zero."""
        _, *cells, _ = sizes(x)
        if all(isinstance(size, int) for size in cells):
            return y, x
        x = grow(x, (1, 1))
        same = padding == "SAME"
        return grow(y, [1 if same else axis.effective_kernel for axis in self._axes]), x

    @property
    def _inputs(self) -> tuple[Any, ...]:
        return None, self.rows.input_size, self.columns.input_size, None

    @property
    def _outputs(self) -> tuple[Any, ...]:
        return None, self.rows.output_size, self.columns.output_size, None

    @property
    def _kernel(self) -> tuple[Any, ...]:
        return self.rows.kernel_size, self.columns.kernel_size, None, None

    @property
    def _axes(self) -> tuple[Any, Any]:
        return self.rows, self.columns

    @property
    def _strides(self) -> tuple[int, int]:
        return self.rows.stride, self.columns.stride

    @property
    def _dilations(self) -> tuple[int, int]:
        return self.rows.dilation, self.columns.dilation

    @property
    def _pads(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """What makes the forward convolution of the output have the input's size."""
        rows, columns = ((axis.pad_before, _pad_behind(axis)) for axis in self._axes)
        return rows, columns


def _missing_behind(axis: Any) -> Any:
    """Cells (to crop, if negative) from the end of the output to the end of the last window."""
    return axis.effective_kernel - axis.surplus - axis.pad_before


def _pad_behind(axis: Any) -> Any:
    """Cells to pad (or crop) behind the output so that it has the input's number of windows."""
    missing = _missing_behind(axis)
    if not isinstance(missing, int):
        return maximum(missing, 0)  # A legal output has no whole stride too many.
    # Less than a stride too many makes no further window and need not be cropped.
    return missing if missing >= 0 else -(-missing // axis.stride * axis.stride)


def _local(*operands: tuple[tf.Tensor, tuple[Any, ...]]) -> list[tf.Tensor]:
    """Tensors as members of the graph now being built, their shapes as far as sizes are known.

    A custom gradient keeps the tensors it was given. One from an outer graph would still be that
    one when the gradient of the gradient is built elsewhere, and forward-mode differentiation of a
    `tf.function` then fails. And a gradient that comes from another graph may have lost its shape:
    the kernel's, say, without which there are no phases.

    Args:
        *operands: each a tensor and its sizes; those that are not integers are not known.
    """
    copies = []
    for tensor, shape in operands:
        copy = tensor if tf.executing_eagerly() else tf.identity(tensor)
        copy.set_shape([size if isinstance(size, int) else None for size in shape])
        copies.append(copy)
    return copies


def _axis_here(axis: Any) -> Any:
    """An axis whose sizes of run time, if any, are members of the graph now being built."""
    if isinstance(axis, AxisGeometry):
        return axis
    return replace(axis, **{each.name: _member(getattr(axis, each.name)) for each in fields(axis)})


def _member(size: Any) -> Any:
    """A size as a member of the graph now being built: copied only from another one."""
    if isinstance(size, int) or tf.executing_eagerly():
        return size
    return size if size.graph is tf.compat.v1.get_default_graph() else tf.identity(size)


def _is_empty(shape: Any) -> bool:
    return any(isinstance(size, int) and size == 0 for size in shape)
