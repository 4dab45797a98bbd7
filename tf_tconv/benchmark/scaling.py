"""How time grows with one number of a layer while the others stay."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from tf_tconv.benchmark.layers import Layer


@dataclasses.dataclass(frozen=True)
class Family:
    """Layers that differ in one number.

    Args:
        name: the number.
        values: what it is.
        layer: makes the layer of a value.
    """

    name: str
    values: Sequence[int]
    layer: Callable[[int], Layer]

    def layers(self) -> Iterator[Layer]:
        """One a value."""
        return map(self.layer, self.values)


def _layer(family: str, value: int, **changed: int) -> Layer:
    usual = Layer(family, str(value), 1, 32, 32, 64, 16, kernel=4, stride=2)
    return dataclasses.replace(usual, **changed)  # type: ignore[arg-type]


FAMILIES = (
    # The kernel is kept, so the useful work stays, while the output grows with the stride.
    Family("stride", (1, 2, 3, 4, 6, 8, 12, 16), lambda s: _layer("stride", s, stride=s)),
    Family(
        "kernel",
        (1, 2, 3, 4, 5, 7, 9, 11, 15, 21, 31),
        lambda k: _layer("kernel", k, kernel=k, in_channels=16),
    ),
    Family(
        "channels",
        (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        lambda c: _layer("channels", c, in_channels=c, out_channels=c, height=16, width=16),
    ),
    Family(
        "size",
        (4, 8, 16, 32, 64, 128, 256, 512),
        lambda n: _layer("size", n, height=n, width=n, in_channels=8, out_channels=8),
    ),
)
"""Stride, kernel, channels and size, each over its range."""
