"""What a conversion says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tf_tconv.operation import TransposedConvolution


@dataclass(frozen=True)
class SwappedLayer:
    """A layer that was exchanged.

    Args:
        path: its name, after those of the models and layers that it lies in.
        operation: what it computes.
        parameters: numbers in its weights.
        equal: whether the old layer and the new one gave equal results on integers; `None` where
            that was not asked, or where Keras' own layer fails on its arguments.
        made_by: the path of the layer or model whose own code makes it, or `None`. A file holds the
            config of that one alone: loading runs its code, which makes the old kind of layer
            again. The weights are loaded into it; the exchange has to be made again.
    """

    path: str
    operation: TransposedConvolution
    parameters: int
    equal: bool | None
    made_by: str | None = None


@dataclass(frozen=True)
class LeftLayer:
    """A transposed convolution that was left as it is.

    Args:
        path: its name, after those of the models and layers that it lies in.
        kind: the name of its class.
        reason: why it was left.
    """

    path: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Conversion:
    """A converted model, and what is known of it.

    Args:
        model: the new model; the given one where its layers were exchanged in place.
        swapped: the layers exchanged, in the model's order.
        largest_difference: between the outputs of the two models on the same inputs; `None` where
            they were not compared.
        largest_output: the largest magnitude among the old model's outputs, or `None`.
        left: other transposed convolutions, which were left as they are.
    """

    model: Any
    swapped: tuple[SwappedLayer, ...]
    largest_difference: float | None = None
    largest_output: float | None = None
    left: tuple[LeftLayer, ...] = ()
