"""Enlarging without overlap: resizing, then a convolution."""

from __future__ import annotations

from typing import Any

import keras

from tf_tconv.geometry import check_integer, check_name

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


@keras.saving.register_keras_serializable(package="tf_tconv", name="ResizeConv2D")
class ResizeConv2D(keras.layers.Conv2D):
    """Resizing followed by a convolution of stride 1, which reaches all cells alike.

    The alternative to a strided transposed convolution. A `keras.layers.Conv2D` in all else:
    weights, activation, regularizers and so on; without `strides`, and with padding "same" by
    default.

    Args:
        filters: output channels; a multiple of `groups`.
        kernel_size: taps, an integer or (height, width).
        size: how many times as many rows and columns, an integer or (height, width).
        interpolation: "nearest", "bilinear" or "bicubic".
        padding: of the convolution, "same" or "valid".
        data_format: "channels_last", "channels_first", or `None` for Keras' configured one.
        dilation_rate: of the convolution, an integer or (height, width).
        groups: number of independent channel groups; divides the input channels and `filters`.
        activation: a Keras activation, or `None`.
        use_bias: whether to add a bias to each output channel.
        **kwargs: initializers, regularizers and constraints of kernel and bias, as for
            `keras.layers.Conv2D`; `name`, `dtype` and `trainable`, as for every Keras layer.

    Call arguments:
        inputs: `[batch, height, width, in]`, or `[batch, in, height, width]` for "channels_first".

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range.

    Example:
        >>> layer = ResizeConv2D(8, kernel_size=3, size=2, interpolation="bilinear")
        >>> tuple(layer(keras.ops.ones([1, 5, 6, 4])).shape), tuple(layer.kernel.shape)
        ((1, 10, 12, 8), (3, 3, 4, 8))

    Source:
        https://doi.org/10.23915/distill.00003, "Better Upsampling".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        size: Any = (2, 2),
        interpolation: str = "nearest",
        padding: str = "same",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        if "strides" in kwargs:
            raise TypeError(
                f"strides={kwargs['strides']} has no place here: the convolution has stride 1; by "
                "how much to enlarge says size."
            )
        super().__init__(
            filters,
            kernel_size,
            padding=check_name("padding", padding, ("same", "valid")),
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            **kwargs,
        )
        pair = size if isinstance(size, (list, tuple)) else (size, size)
        if len(pair) != 2:
            raise ValueError(
                f"size={size} has {len(pair)} entries; it must be an integer or 2, (height, width)."
            )
        self.size = tuple(check_integer(f"size[{i}]", entry, 1) for i, entry in enumerate(pair))
        self.interpolation = check_name("interpolation", interpolation, INTERPOLATIONS)
        if self.interpolation == "bicubic":
            self.supports_jit = False  # XLA has no bicubic resizing.

    def call(self, inputs: Any) -> Any:
        """The layer's output; see the class for the argument."""
        first = self.data_format == "channels_first"
        x = keras.ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        _, height, width, _ = keras.ops.shape(x)
        x = keras.ops.image.resize(
            x,
            (height * self.size[0], width * self.size[1]),
            interpolation=self.interpolation,
            data_format="channels_last",
        )
        x = keras.ops.conv(
            keras.ops.cast(x, self.compute_dtype),
            self.kernel,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format="channels_last",
        )
        if self.use_bias:
            x = x + keras.ops.convert_to_tensor(self.bias)
        if first:
            x = keras.ops.transpose(x, (0, 3, 1, 2))
        return x if self.activation is None else self.activation(x)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The output's shape, `None` where unknown."""
        shape = list(input_shape)
        start = 2 if self.data_format == "channels_first" else 1
        for axis, times in enumerate(self.size, start):
            shape[axis] = None if shape[axis] is None else shape[axis] * times
        return tuple(super().compute_output_shape(shape))

    def get_config(self) -> dict[str, Any]:
        """Every argument of the constructor."""
        config = super().get_config()
        del config["strides"]
        return {**config, "size": self.size, "interpolation": self.interpolation}
