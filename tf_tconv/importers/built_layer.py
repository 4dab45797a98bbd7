"""An operation and its weights as a layer of ours."""

from __future__ import annotations

from typing import Any

from tf_tconv.dialects import keras as keras_dialect
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.operation import TransposedConvolution

DTYPES = ("float16", "bfloat16", "float32", "float64")
"""Of weights, which are the layer's."""


def built_layer(
    operation: TransposedConvolution,
    kernel: Any,
    bias: Any,
    *,
    data_format: str,
    lowering: str,
    name: str | None,
    dtype: str,
) -> Conv2DTranspose:
    """The layer that performs an operation.

    Args:
        operation: what it is to do.
        kernel: `[height, width, out/groups, in]`.
        bias: `[out]`, or `None`.
        data_format: its layout.
        lowering: its lowering.
        name: its name.
        dtype: its dtype.
    """
    translation = keras_dialect.to_arguments(
        operation, layer="tf_tconv", data_format=data_format, strict=True
    )
    layer = Conv2DTranspose(**translation.arguments, lowering=lowering, name=name, dtype=dtype)
    channels = operation.in_channels
    last = layer.data_format == "channels_last"
    layer.build((None, None, None, channels) if last else (None, channels, None, None))
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return layer
