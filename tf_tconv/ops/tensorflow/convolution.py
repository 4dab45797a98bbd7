"""`tf.nn.conv2d` with any padding, of any rank, and right for empty tensors too."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tf_tconv.geometry import Size, effective_kernel_size
from tf_tconv.ops.tensorflow.accumulation import accumulator, summed_once
from tf_tconv.ops.tensorflow.padding import grow, pad_or_crop
from tf_tconv.ops.tensorflow.sizes import maximum, quotient, reshape, sizes

Pair = tuple[Size, Size]


def conv(
    x: tf.Tensor,
    w: tf.Tensor,
    pads: Sequence[Pair],
    *,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    loose: bool = False,
) -> tf.Tensor:
    """The convolution of `x`, padded or cropped, with `w`; see `tf_tconv.ops.Ops.conv`.

    One of one axis is a `tf.nn.conv2d` of a single row. One of three is a sum of them, a tap of the
    first axis each: TensorFlow's own knows neither groups nor dilation on CPUs.
    """
    rank = len(pads)
    strides, dilations = list(strides or [1] * rank), list(dilations or [1] * rank)
    if rank == 2:
        return _convolve(x, w, pads, strides, dilations, loose)
    if rank == 1:
        batch, *cells = sizes(x)
        x, w = reshape(x, [batch, 1, *cells]), tf.expand_dims(w, 0)
        y = _convolve(x, w, [(0, 0), *pads], [1, *strides], [1, *dilations], loose)
        return y if loose else reshape(y, [s for axis, s in enumerate(sizes(y)) if axis != 1])
    return _sum_of_planes(x, w, pads, strides, dilations)


def _sum_of_planes(
    x: tf.Tensor,
    w: tf.Tensor,
    pads: Sequence[Pair],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tf.Tensor:
    """A convolution of three axes as one of two for each tap of the first, added up."""
    x = pad_or_crop(x, [(0, 0), pads[0], (0, 0), (0, 0), (0, 0)])
    batch, depth, *cells, channels = sizes(x)
    taps, stride, dilation = sizes(w)[0], strides[0], dilations[0]
    planes = quotient(maximum(depth - (taps - 1) * dilation - 1 + stride, 0), stride)
    wide = accumulator(x.dtype)
    parts = []
    for tap in range(taps):
        start = tap * dilation
        seen = x[:, start : start + (planes - 1) * stride + 1 : stride]
        seen = reshape(seen, [batch * planes, *cells, channels])
        y = _convolve(
            tf.cast(seen, wide), tf.cast(w[tap], wide), pads[1:], strides[1:], dilations[1:], False
        )
        parts.append(reshape(y, [batch, planes, *sizes(y)[1:]]))
    return tf.cast(tf.add_n(parts), x.dtype)


def _convolve(
    x: tf.Tensor,
    w: tf.Tensor,
    pads: Sequence[Pair],
    strides: Sequence[int],
    dilations: Sequence[int],
    loose: bool,
) -> tf.Tensor:
    """The convolution of images.

    With oneDNN the op returns a wrong shape, or memory that nobody wrote, where its input or output
    is empty (TensorFlow 2.21). A size known only at run time may turn out to be zero: there the
    input is padded up to one kernel, and the result cut back to its true size. Sizes known to be
    zero are the caller's business.
    """
    kernel = sizes(w)[:2]
    spans = [effective_kernel_size(k, d) for k, d in zip(kernel, dilations, strict=True)]
    explicit = [[0, 0], *(list(pair) for pair in pads), [0, 0]]
    if not all(_fits_attribute(*pair) for pair in zip(pads, spans, strict=True)):
        x, explicit = pad_or_crop(x, [(0, 0), *pads, (0, 0)]), [[0, 0]] * 4
    batch, *spatial, _ = sizes(x)
    padded = [size + sum(pair) for size, pair in zip(spatial, explicit[1:3], strict=True)]
    if not all(isinstance(size, int) for size in (*padded, *spans)):
        channels = sizes(x)[3]
        x = grow(x, [span - sum(pair) for span, pair in zip(spans, explicit[1:3], strict=True)])
        # LiteRT's converter concludes of paddings known only at run time that no size is known.
        x = reshape(x, [*sizes(x)[:3], channels])
    padding = explicit if any(map(any, explicit)) else "VALID"
    y = summed_once(
        "convolution",
        lambda x, w: tf.nn.conv2d(x, w, strides, padding, dilations=dilations),
        x,
        w,
    )
    true = [
        quotient(maximum(size - span + stride, 0), stride)
        for size, span, stride in zip(padded, spans, strides, strict=True)
    ]
    if not all(isinstance(size, int) for size in true):
        y = y[:, : true[0], : true[1], :]
    if not (isinstance(batch, int) or loose):
        # What an empty batch has instead. The size that is no constant keeps the reshape from being
        # optimised away, as one to the shape that the convolution claims to have would be.
        height, width = true
        y = tf.reshape(y, [batch, height + tf.minimum(batch, 0), width, sizes(y)[3]])
    return y


def _fits_attribute(pads: Pair, span: Size) -> bool:
    """Whether the op's attribute, which spares a copy of `x`, can say this padding.

    It holds non-negative integers. And at windows that see padding alone, TensorFlow 2.16 reads
    past the image with oneDNN, now and then to a segmentation fault.
    """
    known = all(isinstance(size, int) for size in (*pads, span))
    return known and all(0 <= cells < span for cells in pads)
