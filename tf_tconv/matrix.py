"""Transposed convolution as a matrix: that of the forward convolution, transposed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tf_tconv.argument_order import formerly_strides_first
from tf_tconv.functional.arguments import check_data_format, check_tensor
from tf_tconv.functional.consistency import FILTERS_AXES
from tf_tconv.functional.plan import call_of
from tf_tconv.geometry import AxisGeometry, a_type, brief, check_integer, entry_count
from tf_tconv.layouts import LAYOUTS, Layout

Array = NDArray[Any]

MOST_ELEMENTS = 2**27
"""Of a dense matrix, and entries of a sparse one: a gigabyte of float64."""


class SparseMatrix(NamedTuple):
    """A matrix by its entries, no place twice; `scipy.sparse.coo_matrix` takes it as it is.

    Args:
        rows: of each entry, int64.
        columns: of each entry, int64.
        values: of each entry.
        shape: (rows, columns) of the matrix.

    Example:
        >>> filters = np.ones([2, 2, 1, 1], np.float32)
        >>> sparse = convolution_matrix((100, 100), filters, strides=2, sparse=True)
        >>> sparse.shape, len(sparse.values)
        ((10000, 40000), 40000)
    """

    rows: Array
    columns: Array
    values: Array
    shape: tuple[int, int]

    def dense(self) -> Array:
        """The matrix as an array of `shape`.

        Raises:
            ValueError: it would be too large.
        """
        if math.prod(self.shape) > MOST_ELEMENTS:
            raise ValueError(
                f"the matrix has {self.shape[0]} x {self.shape[1]} elements; at most "
                f"{MOST_ELEMENTS} are made at once. Ask for its entries: sparse=True."
            )
        matrix = np.zeros(self.shape, self.values.dtype)
        matrix[self.rows, self.columns] = self.values
        return matrix


@formerly_strides_first
def convolution_matrix(
    input_shape: Any,
    filters: Any,
    output_shape: Any = None,
    strides: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    *,
    groups: int | None = None,
    sparse: bool = False,
) -> Any:
    """The matrix `C` of the forward convolution; the transposed convolution is `C.T`.

    For one example `x`, ``C.T @ x.ravel()`` is the transposed convolution, flattened, and for a
    batch ``x.reshape(batch, -1) @ C`` is. For an image `u` of the output's size, ``C @ u.ravel()``
    is the forward convolution. `C.T` has the shape of an inverse of `C`, which is why it restores
    sizes, but it is none: it does not restore values.

    The arguments come in the order of `conv2d_transpose`. The order that they had before, strides,
    padding, output_shape, is still understood by position: the third argument is the strides where
    it is the last and none are named, and where the fourth is a padding.

    Args:
        input_shape: of the *transposed* convolution's input, so of the rows of `C`: (height,
            width); the shape of an example in the order of `data_format`; or of a batch, whose size
            makes no difference.
        filters: `[height, width, out_channels/groups, in_channels]`, as for `conv2d_transpose`.
        output_shape: as for `conv2d_transpose`, and so is all below: 2 entries (height, width), 4
            entries, or `None` for the default size.
        strides: cells between the outputs of neighbouring inputs.
        padding: "SAME", "VALID" or explicit.
        data_format: "NHWC" or "NCHW": the order in which `x` and the output are flattened.
        dilations: `None` means 1.
        groups: number of channel groups; `None` infers it from `output_shape`.
        sparse: whether to return the entries that are not zero by construction.

    Returns:
        An array of `filters`' dtype, `[input cells, output cells]`, channels included in both; or
        with `sparse` a `SparseMatrix`.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, sizes that do not fit, or a matrix too large.

    Example:
        >>> x = np.array([[1, 2], [3, 4]], np.float32)
        >>> filters = np.array([[1, 0], [0, 1]], np.float32).reshape(2, 2, 1, 1)
        >>> matrix = convolution_matrix(x.shape, filters, strides=1, padding="VALID")
        >>> matrix.shape
        (4, 9)
        >>> (matrix.T @ x.ravel()).reshape(3, 3)
        array([[1., 2., 0.],
               [3., 5., 2.],
               [0., 3., 4.]], dtype=float32)

    Source:
        Dumoulin & Visin, section 4.1 of https://arxiv.org/abs/1603.07285v2.
    """
    layout = check_data_format(data_format)
    tensor = check_tensor("filters", filters, FILTERS_AXES[layout.rank])
    values = tf.get_static_value(tensor)
    if values is None:
        raise TypeError("filters has no values while a graph is traced; a matrix is made of them.")
    batch, example = _input_shape(input_shape, values.shape[-1], layout)
    _, call = call_of(
        [batch, *example],
        values.shape,
        output_shape,
        strides,
        padding,
        layout.name,
        dilations,
        groups=groups,
        dtype=tensor.dtype,
    )
    entries = matrix_entries(values, call.axes, call.groups, layout.name)
    return entries if sparse else entries.dense()


def matrix_entries(
    filters: Array, axes: Sequence[AxisGeometry], groups: int = 1, data_format: str = "NHWC"
) -> SparseMatrix:
    """The matrix of the forward convolution, for a geometry already known.

    Args:
        filters: `[*kernel, out_channels/groups, in_channels]`.
        axes: the geometry of each spatial axis.
        groups: number of channel groups.
        data_format: a name of `tf_tconv.layouts.LAYOUTS`: the order of flattening.

    Returns:
        The entries.

    Raises:
        ValueError: too many entries.
    """
    *_, per_group, in_channels = filters.shape
    products = math.prod(axis.input_size * axis.kernel_size for axis in axes)
    if products * per_group * in_channels > MOST_ELEMENTS:
        raise ValueError(
            f"the matrix has {products * per_group * in_channels} entries; at most "
            f"{MOST_ELEMENTS} are made. Ask for that of a smaller input: the pattern repeats."
        )
    landings = [_landings(axis) for axis in axes]
    *places, inner, local = np.ix_(
        *(range(len(landing[0])) for landing in landings), range(in_channels), range(per_group)
    )
    inputs, taps, outputs = (
        [landing[part][place] for landing, place in zip(landings, places, strict=True)]
        for part in range(3)
    )
    outer = inner // (in_channels // groups) * per_group + local
    layout = LAYOUTS[data_format]
    input_size = (*(axis.input_size for axis in axes), in_channels)
    output_size = (*(axis.output_size for axis in axes), per_group * groups)
    values = filters[(*taps, local, inner)]
    input_cells = _flat(input_size, (*inputs, inner), layout)
    output_cells = _flat(output_size, (*outputs, outer), layout)
    return SparseMatrix(
        np.broadcast_to(input_cells, values.shape).ravel(),
        np.broadcast_to(output_cells, values.shape).ravel(),
        values.ravel(),
        (math.prod(input_size), math.prod(output_size)),
    )


def _landings(axis: AxisGeometry) -> tuple[Array, Array, Array]:
    """Input cell, tap and output cell of every product of one axis that is not dropped."""
    # The index relation consists of operators only, so it serves arrays as well.
    pairs: Any = np.indices((axis.input_size, axis.kernel_size)).reshape(2, -1)
    j, a = pairs
    t: Any = axis.output_index(j, a)
    kept = (t >= 0) & (t < axis.output_size)
    return j[kept], a[kept], t[kept]


def _flat(sizes: Sequence[int], cell: Sequence[Array], layout: Layout) -> Array:
    """The index of a cell in an image flattened in the order of a layout.

    Args:
        sizes: the spatial sizes, then the channels.
        cell: an index for each of them.
        layout: the order.
    """
    index: Array = np.zeros((), np.int64)
    for position in layout.from_channels_last[1:]:
        index = index * sizes[position - 1] + cell[position - 1]
    return index


def _input_shape(
    input_shape: Any, channels: int, layout: Layout
) -> tuple[int | None, tuple[int, ...]]:
    """The batch, `None` if not said, and the shape of an example in the order of a layout."""
    if isinstance(input_shape, tf.TensorShape):
        input_shape = input_shape.as_list() if input_shape.rank is not None else None
    if not isinstance(input_shape, (Sequence, np.ndarray)) or isinstance(input_shape, (str, bytes)):
        raise TypeError(
            f"input_shape={brief(input_shape)} is {a_type(input_shape)}; it must be "
            f"(height, width), the shape of an example, or that of a batch, {layout.name}."
        )
    if len(input_shape) not in (2, 3, 4):
        raise ValueError(
            f"input_shape={brief(input_shape)} has {entry_count(input_shape)}; it must have 2 "
            f"(height, width), 3 (an example) or 4 (a batch), in the order of {layout.name}."
        )
    entries = list(input_shape)
    batch = entries.pop(0) if len(entries) == 4 else None
    if batch is not None:
        batch = check_integer("input_shape[0]", batch, 0)
    offset = 1 if len(input_shape) == 4 else 0
    sizes = [
        check_integer(f"input_shape[{index + offset}]", entry, 0)
        for index, entry in enumerate(entries)
    ]
    if len(sizes) == 2:
        sizes.insert(layout.channel - 1, channels)
    return batch, tuple(sizes)
