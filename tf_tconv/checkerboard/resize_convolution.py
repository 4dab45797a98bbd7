"""Enlarging without overlap: resizing, then a convolution."""

from __future__ import annotations

import functools
from typing import Any

import keras
import tensorflow as tf

from tf_tconv.geometry import check_integer, check_name, entry_count
from tf_tconv.layers import check_rank_known, kernel_that_fits
from tf_tconv.ops.tensorflow.accumulation import summed_once

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
                f"strides={kwargs['strides']} has no place here: the convolution has stride 1, "
                "and size says by how much to enlarge."
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
                f"size={size} has {entry_count(pair)}; it must be an integer or 2, (height, width)."
            )
        self.size = tuple(check_integer(f"size[{i}]", entry, 1) for i, entry in enumerate(pair))
        self.interpolation = check_name("interpolation", interpolation, INTERPOLATIONS)
        if self.interpolation == "bicubic":
            self.supports_jit = False  # XLA has no bicubic resizing.

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The layer's output; see the class for the argument."""
        check_rank_known("inputs", inputs, self.data_format)
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, `[height, width, in / groups, filters]`, and bias, `[filters]`."""
        channels = input_shape[1 if self.data_format == "channels_first" else -1]
        shape = (*self.kernel_size, (channels or 0) // self.groups, self.filters)
        with kernel_that_fits(self, shape, channels or 0):
            super().build(input_shape)  # Which says what is wrong with unknown channels.

    def call(self, inputs: Any) -> Any:
        """The layer's output; see the class for the argument."""
        first = self.data_format == "channels_first"
        x = keras.ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        _, height, width, _ = keras.ops.shape(x)
        x = self._resized(x, (height * self.size[0], width * self.size[1]))
        x = keras.ops.cast(x, self.compute_dtype)
        if getattr(self.convolution_op, "__func__", None) is ResizeConv2D.convolution_op:
            x = self._convolved(x, self.kernel)
            first_yet = False
        else:  # A subclass's own, which takes and returns what the layer does.
            x = keras.ops.transpose(x, (0, 3, 1, 2)) if first else x
            x = self.convolution_op(x, self.kernel)
            first_yet = first
        if self.use_bias:
            bias = keras.ops.convert_to_tensor(self.bias)
            x = x + (keras.ops.reshape(bias, (1, -1, 1, 1)) if first_yet else bias)
        if first and not first_yet:
            x = keras.ops.transpose(x, (0, 3, 1, 2))
        return x if self.activation is None else self.activation(x)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone, of inputs already resized: what to override, as Keras has it.

        Args:
            inputs: in the layer's layout.
            kernel: `[height, width, in / groups, filters]`.
        """
        first = self.data_format == "channels_first"
        x = self._convolved(keras.ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs, kernel)
        return keras.ops.transpose(x, (0, 3, 1, 2)) if first else x

    def _resized(self, x: Any, size: tuple[Any, Any]) -> Any:
        if all(isinstance(cells, int) for cells in size):
            return keras.ops.image.resize(
                x, size, interpolation=self.interpolation, data_format="channels_last"
            )
        # Keras asks whether a size is positive, which a tensor in a graph cannot say.
        return tf.cast(tf.image.resize(x, tf.stack(size), method=self.interpolation), x.dtype)

    def _convolved(self, x: Any, kernel: Any) -> Any:
        convolve = functools.partial(
            keras.ops.conv,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format="channels_last",
        )
        return summed_once("convolution", convolve, *map(keras.ops.convert_to_tensor, (x, kernel)))

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
