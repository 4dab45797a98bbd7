"""Kernels for transposed convolutions that start without a checkerboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tf_tconv.functional.arguments import check_steps
from tf_tconv.geometry import check_integer, entry_count
from tf_tconv.layouts import LAYOUTS

AXES = "[height, width, out_channels/groups, in_channels]"


@keras.saving.register_keras_serializable(package="tf_tconv", name="ICNR")
class ICNR(keras.initializers.Initializer):
    """A random kernel that is the same in every phase: it starts as nearest-neighbour resizing.

    Of a smaller kernel, every tap is repeated `strides` times along each axis. So the layer begins
    as a convolution with the smaller kernel whose output is enlarged, each cell to a block of
    `strides` cells, which has no checkerboard; training is free to leave from there.

    Args:
        strides: of the layer, a number or (height, width). They have to divide the kernel's size.
        initializer: of the smaller kernel, in any form Keras takes.

    Raises:
        TypeError: strides of the wrong type.
        ValueError: strides out of range; when called, a kernel they do not divide.

    Example:
        >>> kernel = ICNR(strides=2, initializer=keras.initializers.RandomNormal(seed=1))(
        ...     (4, 4, 1, 1)
        ... )
        >>> bool(keras.ops.all(kernel[0::2, 0::2] == kernel[1::2, 1::2]))
        True

    Source:
        Aitken et al., "Checkerboard artifact free sub-pixel convolution",
        https://arxiv.org/abs/1707.02937, carried over from sub-pixel to transposed convolution.
    """

    def __init__(self, strides: Any = 2, initializer: Any = "glorot_uniform") -> None:
        self.strides = check_steps("strides", strides, LAYOUTS["NHWC"])
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """A kernel.

        Args:
            shape: `[height, width, out_channels/groups, in_channels]`.
            dtype: of the kernel; `None` means Keras' default.

        Returns:
            A tensor.
        """
        height, width, *channels = _kernel_shape(shape)
        for size, stride, name in zip(
            (height, width), self.strides, ("height", "width"), strict=True
        ):
            if size % stride:
                below, above = size // stride * stride, -(-size // stride) * stride
                near = f"{below} or {above}" if below else f"{above}"
                raise ValueError(
                    f"the kernel {name} {size} is not a multiple of the stride {stride}, so its "
                    f"phases have unequal numbers of taps and cannot be equal; near are {near}."
                )
        small = (height // self.strides[0], width // self.strides[1], *channels)
        kernel = self.initializer(small, dtype=dtype)
        for axis, stride in enumerate(self.strides):
            kernel = keras.ops.repeat(kernel, stride, axis=axis)
        return kernel

    def get_config(self) -> dict[str, Any]:
        """Every argument of the constructor."""
        return {
            "strides": self.strides,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable(package="tf_tconv", name="BilinearUpsampling")
class BilinearUpsampling(keras.initializers.Initializer):
    """The kernel that enlarges every channel by bilinear interpolation.

    With padding "same" and a kernel of ``2 s - s mod 2`` taps, the layer equals
    `tf.image.resize(..., "bilinear")` by a factor of `s` away from the borders, so a constant image
    stays constant there.

    Args:
        strides: of the layer, a number or (height, width); `None` takes those that go with the size
            of the kernel, half of it rounded up.
        groups: of the layer. Input channel `c` of a group goes to its output channel `c`, so there
            must be as many output as input channels.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range; when called, a kernel that does not go with it.

    Example:
        >>> kernel = BilinearUpsampling()((4, 4, 1, 1))
        >>> kernel[:, :, 0, 0].numpy().tolist()[0]
        [0.0625, 0.1875, 0.1875, 0.0625]

    Source:
        Long, Shelhamer & Darrell, "Fully convolutional networks", https://arxiv.org/abs/1411.4038;
        `upsample_filt` of its `surgery.py`, at commit 0b07df9 of
        https://github.com/shelhamer/fcn.berkeleyvision.org.
    """

    def __init__(self, strides: Any = None, groups: int = 1) -> None:
        self.strides = None if strides is None else check_steps("strides", strides, LAYOUTS["NHWC"])
        self.groups = check_integer("groups", groups, 1)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """The kernel.

        Args:
            shape: `[height, width, out_channels/groups, in_channels]`.
            dtype: of the kernel; `None` means Keras' default.

        Returns:
            A tensor.
        """
        *size, out_channels, in_channels = _kernel_shape(shape)
        if out_channels * self.groups != in_channels:
            raise ValueError(
                f"a kernel of shape {tuple(shape)} maps {in_channels} input to "
                f"{out_channels * self.groups} output channels (groups={self.groups}); enlarging "
                "channel by channel needs as many of one as of the other."
            )
        factors = [-(-taps // 2) for taps in size] if self.strides is None else self.strides
        for taps, stride, name in zip(size, factors, ("height", "width"), strict=True):
            if self.strides is not None and taps != 2 * stride - stride % 2:
                raise ValueError(
                    f"the kernel {name} {taps} does not go with the stride {stride}: bilinear "
                    f"interpolation by {stride} takes {2 * stride - stride % 2} taps."
                )
        rows, columns = map(_triangle, size, factors)
        same = np.arange(in_channels) % out_channels == np.arange(out_channels)[:, None]
        kernel = np.einsum("a,b,oc->aboc", rows, columns, same.astype(np.float64))
        return keras.ops.convert_to_tensor(kernel, dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Every argument of the constructor."""
        return {"strides": self.strides, "groups": self.groups}


def _triangle(taps: int, factor: int) -> Any:
    """The weights of linear interpolation, which fall to zero `factor` cells from the middle."""
    middle = (taps - 1) / 2
    return 1 - np.abs(np.arange(taps) - middle) / factor


def _kernel_shape(shape: Sequence[int]) -> Sequence[int]:
    if len(shape) != 4:
        raise ValueError(
            f"shape={tuple(shape)} has {entry_count(shape)}; a kernel of a 2-D transposed "
            f"convolution has 4, {AXES}."
        )
    return shape
