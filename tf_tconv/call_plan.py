"""The plan of a call, without making it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.backend import backend as backend_here
from tf_tconv.functional import Arguments, Call, arrange, solve
from tf_tconv.geometry import check_name
from tf_tconv.lowerings.costs import BACKENDS
from tf_tconv.memory import remembered
from tf_tconv.planning import Plan, check_lowering, explain


def plan(
    input_shape: Sequence[int | None],
    filters_shape: Sequence[int | None],
    output_shape: Any = None,
    strides: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    *,
    groups: int | None = None,
    lowering: str = "auto",
    dtype: Any = "float32",
    backend: str | None = None,
) -> Plan:
    """Which lowering computes a call of `conv2d_transpose`, and why.

    Args:
        input_shape: 4 entries in the order of `data_format`; None for what only the run knows.
        filters_shape: `[height, width, out_channels/groups, in_channels]`.
        output_shape: as `conv2d_transpose` takes it, and likewise the arguments up to `lowering`.
        strides: down and across, cells.
        padding: "SAME", "VALID" or explicit.
        data_format: "NHWC" or "NCHW".
        dilations: down and across, cells.
        groups: channel groups.
        lowering: "auto", or a name whose work is to be compared with the others'.
        dtype: of the input.
        backend: "onednn", "plain" (TensorFlow without oneDNN) or "xla"; None for the one that would
            compute here.

    Returns:
        The plan: the chosen lowering, the reason, and every candidate with its FLOPs, bytes,
        temporaries and estimated cost. As text it is a table.

    Raises:
        TypeError: as `conv2d_transpose`.
        ValueError: as `conv2d_transpose`.

    Example:
        >>> found = plan([1, 8, 8, 64], [2, 2, 32, 64], strides=2)
        >>> found.flops, len(found.candidates)
        (1048576, 8)

    Source:
        The lowerings and their counts: docs/lowerings.md; the coefficients of the costs:
        benchmarks/fit_costs.py.
    """
    if backend is not None:
        backend = check_name("backend", backend, BACKENDS)
    name = check_lowering(lowering)
    _, call = call_of(
        input_shape,
        filters_shape,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
        groups=groups,
        dtype=dtype,
    )
    return explain(
        name,
        call.sizes,
        call.known_kernel,
        call.assumed,
        backend or backend_here(),
        remembered,
        call.known_groups,
    )


def call_of(
    input_shape: Sequence[int | None],
    filters_shape: Sequence[int | None],
    output_shape: Any = None,
    strides: Any = 1,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    *,
    groups: int | None = None,
    dtype: Any = "float32",
) -> tuple[Arguments, Call]:
    """A call that is not made: its arguments in order, and what follows from them; see `plan`."""
    with tf.Graph().as_default():
        x, filters = (
            tf.compat.v1.placeholder(dtype, list(shape)) for shape in (input_shape, filters_shape)
        )
        arguments = arrange(
            x, filters, output_shape, strides, padding, data_format, dilations, groups
        )
        return arguments, solve(arguments)
