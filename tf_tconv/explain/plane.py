"""What a picture shows of a call: one input channel through one kernel to one output channel."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tf_tconv.explain import numbers
from tf_tconv.explain.numbers import Array, Axes, Window


@dataclass(frozen=True, eq=False)
class Plane:
    """One input channel through one kernel to one output channel: what a picture can show.

    Args:
        geometry: of height and width.
        input: `[height, width]`, int64 or float64.
        filter: the kernel as in the filters, `[height, width]`.
        caption: which example and channels these are; empty where there are no others.
        is_share: whether other input channels add to the same output channel.
    """

    geometry: Axes
    input: Array
    filter: Array
    caption: str = ""
    is_share: bool = False

    @functools.cached_property
    def padded(self) -> Array:
        """The padded input, `[height, width]`."""
        return numbers.pad(self.input[None, ..., None], self.geometry)[0, ..., 0]

    @functools.cached_property
    def kinds(self) -> Array:
        """The `CellKind` of each cell of `padded`."""
        return numbers.padded_kinds(self.geometry)

    @functools.cached_property
    def kernel(self) -> Array:
        """The reversed, dilated kernel, `[height, width]`."""
        return numbers.reverse_kernel(self.filter, self.geometry)

    @functools.cached_property
    def output(self) -> Array:
        """What this channel gives, `[output height, output width]`."""
        return numbers.gather(self.input, self.filter, self.geometry)

    def window(self, cell: tuple[int, int]) -> Window:
        """The window behind one output cell."""
        images, filters = self.input[..., None], self.filter[..., None]
        return numbers.window_at(images, filters, self.geometry, cell, range(1))
