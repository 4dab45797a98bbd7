"""The plan of a call, without making it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_tconv.functional.arguments import DTYPES, check_data_format, check_shape, input_axes
from tf_tconv.functional.call import Call, Request, arrange, solve
from tf_tconv.functional.consistency import FILTERS_AXES
from tf_tconv.geometry import Size, check_name
from tf_tconv.planning import Plan, check_lowering, explain
from tf_tconv.planning.choices import remembered
from tf_tconv.planning.costs import BACKENDS
from tf_tconv.unknown import UNKNOWN


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
        input_shape: 4 entries in the order of `data_format`; None where known only at run time.
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
    if backend is None:
        from tf_tconv.planning.engine import engine

        backend = engine()
    return explain(name, call.operation, call.load, call.assumed, backend, remembered)


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
) -> tuple[Request, Call]:
    """A call that is not made: what it asks, and what follows from that; see `plan`."""
    layout = check_data_format(data_format)
    image = check_shape("input_shape", input_shape, input_axes(layout))
    filters = check_shape("filters_shape", filters_shape, FILTERS_AXES[layout.rank])
    request = arrange(output_shape, strides, padding, layout.name, dilations, groups)
    itemsize = DTYPES[check_dtype(dtype)]
    return request, solve(request, in_plan(image), in_plan(filters), itemsize)


def in_plan(shape: Sequence[int | None]) -> list[Size]:
    """A shape as `solve` takes it where there is no run."""
    return [UNKNOWN if size is None else size for size in shape]


def check_dtype(dtype: Any) -> str:
    """The name of a supported type, from its name, TensorFlow's or NumPy's."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None:
        name = getattr(dtype, "__name__", dtype)
    return check_name("dtype", name, DTYPES)
