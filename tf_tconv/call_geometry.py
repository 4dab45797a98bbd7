"""The geometry of a call of `conv2d_transpose` whose shapes are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tf_tconv.functional.arguments import check_data_format, check_paddings, check_steps
from tf_tconv.geometry import AxisGeometry, solve_axis


class Axes(NamedTuple):
    """The two spatial axes of a call.

    Args:
        rows: the geometry of the height.
        columns: the geometry of the width.
    """

    rows: AxisGeometry
    columns: AxisGeometry


def call_geometry(
    input_shape: Sequence[int],
    filters_shape: Sequence[int],
    output_shape: Sequence[int],
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
) -> Axes:
    """Both axes of a call, from its arguments and the shapes that it took and gave.

    Args:
        input_shape: 4 integers in the order of `data_format`.
        filters_shape: `[height, width, out_channels/groups, in_channels]`.
        output_shape: 4 integers in the order of `data_format`, as the call gave them.
        strides: in any form that `conv2d_transpose` takes; likewise the rest.
        padding: see `strides`.
        data_format: see `strides`.
        dilations: see `strides`.

    Returns:
        The geometry of height and width.
    """
    layout = check_data_format(data_format)
    steps = check_steps("strides", strides, layout)
    gaps = (1, 1) if dilations is None else check_steps("dilations", dilations, layout)
    paddings = check_paddings(padding, layout)
    return Axes(
        *(
            solve_axis(
                int(input_shape[position]),
                int(filters_shape[axis]),
                steps[axis],
                gaps[axis],
                paddings[axis],
                int(output_shape[position]),
            )
            for axis, position in enumerate(layout.spatial)
        )
    )
