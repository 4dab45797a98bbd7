"""Four published decoders that are made of transposed convolutions, in Keras' own layers.

All sizes and channels are those of the papers; `width` scales the channels, for a quick trial.

- DCGAN: A. Radford, L. Metz, S. Chintala, https://arxiv.org/abs/1511.06434v2, figure 1.
- pix2pix: P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, https://arxiv.org/abs/1611.07004v3, 6.1.1.
- FCN-8s: E. Shelhamer, J. Long, T. Darrell, https://arxiv.org/abs/1605.06211v1, figure 3.
- FSRCNN: C. Dong, C. C. Loy, X. Tang, https://arxiv.org/abs/1608.00367v1, FSRCNN(56, 12, 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers


def dcgan_generator(width: float = 1.0) -> Any:
    """The generator of DCGAN: 100 numbers to a picture of 64 x 64, kernel 5, stride 2.

    Args:
        width: of the paper's channels, 1024 to 128, how many to have.

    Returns:
        The model, `[batch, 100]` to `[batch, 64, 64, 3]` in -1..1.
    """
    z = keras.Input((100,), name="z")
    first, *rest = (_scaled(channels, width) for channels in (1024, 512, 256, 128))
    x = layers.Dense(4 * 4 * first, use_bias=False, name="project")(z)
    x = layers.Reshape((4, 4, first), name="reshape")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for index, channels in enumerate(rest, 1):
        x = _up(x, channels, 5, f"up_{index}", use_bias=False)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.Conv2DTranspose(3, 5, strides=2, padding="same", activation="tanh", name="up_4")(x)
    return keras.Model(z, y, name="dcgan")


def pix2pix_unet(width: float = 1.0, size: int = 256) -> Any:
    """The U-Net generator of pix2pix: picture to picture through eight levels, kernel 4, stride 2.

    Args:
        width: of the paper's channels, 64 to 512, how many to have.
        size: of the picture; a power of 2 of which there are as many levels, at most eight.

    Returns:
        The model, `[batch, size, size, 3]` to the same in -1..1.
    """
    levels = min(size.bit_length() - 1, 8)
    down = [_scaled(min(64 * 2**level, 512), width) for level in range(levels)]
    x = picture = keras.Input((size, size, 3), name="picture")
    skips = []
    for level, channels in enumerate(down):
        if level:
            x = layers.LeakyReLU(0.2)(x)
        inner = 0 < level < levels - 1  # The outermost and the innermost have no normalisation.
        x = layers.Conv2D(
            channels, 4, strides=2, padding="same", use_bias=not inner, name=f"down_{level + 1}"
        )(x)
        if inner:
            x = layers.BatchNormalization()(x)
        skips.append(x)
    for level in reversed(range(levels)):
        if level < levels - 1:
            x = layers.Concatenate()([x, skips[level]])
        x = layers.ReLU()(x)
        if not level:
            break
        x = _up(x, down[level - 1], 4, f"up_{level + 1}", use_bias=False)
        x = layers.BatchNormalization()(x)
        if level >= levels - 3:
            x = layers.Dropout(0.5, seed=level)(x)
    y = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh", name="up_1")(x)
    return keras.Model(picture, y, name="pix2pix")


def fcn8s_head(width: float = 1.0, size: int = 512, classes: int = 21) -> Any:
    """The head of FCN-8s: scores of three depths, fused and upsampled, kernels 4, 4 and 16.

    Args:
        width: of VGG-16's channels, how many to have.
        size: of the picture, a multiple of 32; the inputs are an 8th, a 16th and a 32nd of it.
        classes: 21 of PASCAL VOC.

    Returns:
        The model, of "pool3", "pool4" and "fc7" to `[batch, size, size, classes]`.
    """
    pools = [
        keras.Input((size // factor, size // factor, _scaled(channels, width)), name=name)
        for name, factor, channels in (("pool3", 8, 256), ("pool4", 16, 512), ("fc7", 32, 4096))
    ]
    third, fourth, last = (
        layers.Conv2D(classes, 1, name=f"score_{each.name}")(each) for each in pools
    )
    x = layers.Add()([_up(last, classes, 4, "up_2", use_bias=False), fourth])
    x = layers.Add()([_up(x, classes, 4, "up_pool4", use_bias=False), third])
    y = layers.Conv2DTranspose(classes, 16, strides=8, padding="same", use_bias=False, name="up_8")(
        x
    )
    return keras.Model(pools, y, name="fcn8s")


def fsrcnn(width: float = 1.0, size: int = 64, factor: int = 3) -> Any:
    """FSRCNN: a small grey picture made larger, kernel 9, by default with stride 3.

    Args:
        width: of the paper's channels, 56 and 12, how many to have.
        size: of the small picture.
        factor: by which it grows, the stride.

    Returns:
        The model, `[batch, size, size, 1]` to `[batch, factor * size, factor * size, 1]`.
    """
    features, mapped = _scaled(56, width), _scaled(12, width)
    x = picture = keras.Input((size, size, 1), name="picture")
    for index, (channels, kernel) in enumerate(
        [(features, 5), (mapped, 1), *[(mapped, 3)] * 4, (features, 1)], 1
    ):
        x = layers.Conv2D(channels, kernel, padding="same", name=f"conv_{index}")(x)
        x = layers.PReLU(shared_axes=[1, 2], name=f"prelu_{index}")(x)
    y = layers.Conv2DTranspose(1, 9, strides=factor, padding="same", name="up")(x)
    return keras.Model(picture, y, name="fsrcnn")


DECODERS: dict[str, Callable[..., Any]] = {
    "dcgan": dcgan_generator,
    "pix2pix": pix2pix_unet,
    "fcn8s": fcn8s_head,
    "fsrcnn": fsrcnn,
}
"""The builders by their models' names."""


def _scaled(channels: int, width: float) -> int:
    return max(round(channels * width), 1)


def _up(x: Any, channels: int, kernel: int, name: str, **options: Any) -> Any:
    """A transposed convolution that doubles height and width."""
    return layers.Conv2DTranspose(
        channels, kernel, strides=2, padding="same", name=name, **options
    )(x)
