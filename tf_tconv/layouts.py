"""The layouts of images: where batch, channels and the spatial axes stand, by TensorFlow's names.

The one table. Frameworks that have other words for a layout translate them to these.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Layout:
    """Where the axes of an image batch stand.

    Args:
        name: TensorFlow's, a letter an axis.
        spatial: the positions of the spatial axes, in order.
        channel: the position of the channels.

    Example:
        >>> LAYOUTS["NCHW"].spatial, LAYOUTS["NCHW"].channel
        ((2, 3), 1)
    """

    name: str
    spatial: tuple[int, ...]
    channel: int

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.spatial)

    @property
    def channels_last(self) -> bool:
        """Whether the channels stand last."""
        return self.channel == self.rank + 1

    @property
    def to_channels_last(self) -> tuple[int, ...]:
        """The order that brings the channels to the end."""
        return (0, *self.spatial, self.channel)

    @property
    def from_channels_last(self) -> tuple[int, ...]:
        """The order that brings the channels from the end to their place."""
        order = self.to_channels_last
        return tuple(order.index(position) for position in range(len(order)))


def _layout(name: str) -> Layout:
    spatial = tuple(position for position, letter in enumerate(name) if letter not in "NC")
    return Layout(name, spatial, name.index("C"))


NAMES_BY_RANK = MappingProxyType({1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")})
"""By the number of spatial axes, the layout with channels last and the one with channels first."""

LAYOUTS = MappingProxyType(
    {name: _layout(name) for names in NAMES_BY_RANK.values() for name in names}
)

AXIS_UNITS = MappingProxyType(
    {1: ("cells",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}
)
"""By the number of spatial axes, what the cells of each are called in messages."""
