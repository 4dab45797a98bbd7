"""`tf.nn.conv2d` with any padding, and right for empty tensors too."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_tconv.geometry import effective_kernel_size
from tf_tconv.lowerings.accumulation import summed_once
from tf_tconv.lowerings.padding import grow, pad_or_crop
from tf_tconv.lowerings.shapes import maximum, quotient, reshape, sizes

Pair = tuple[Any, Any]


def convolve(
    x: Any,
    w: Any,
    rows: Pair = (0, 0),
    columns: Pair = (0, 0),
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    reshaped: bool = False,
) -> Any:
    """The convolution of `x`, padded or cropped, with `w`.

    With oneDNN the op returns a wrong shape, or memory that nobody wrote, where its input or output
    is empty (TensorFlow 2.21). A size known only at run time may turn out to be zero: there the
    input is padded up to one kernel, and the result cut back to its true size. Sizes known to be
    zero are the caller's business.

    Args:
        x: `[batch, height, width, in]`.
        w: `[kernel height, kernel width, in / groups, out]`.
        rows: zeros (before, after) the height; negative: cells to crop.
        columns: likewise for the width.
        strides: cells (down, across) from one window to the next.
        dilations: cells (down, across) from one tap to the next.
        reshaped: whether the caller reshapes the result to sizes of its own, whatever it has.

    Returns:
        `[batch, windows down, windows across, out]`; of an empty batch that nobody knew to be
        empty, if `reshaped`, nothing, in any shape.
    """
    kernel = sizes(w)[:2]
    spans = [effective_kernel_size(k, d) for k, d in zip(kernel, dilations, strict=True)]
    explicit = [[0, 0], list(rows), list(columns), [0, 0]]
    if not all(_fits_attribute(*pair) for pair in zip((rows, columns), spans, strict=True)):
        x, explicit = pad_or_crop(x, rows, columns), [[0, 0]] * 4
    batch, *spatial, _ = sizes(x)
    padded = [size + sum(pads) for size, pads in zip(spatial, explicit[1:3], strict=True)]
    if not all(isinstance(size, int) for size in (*padded, *spans)):
        channels = sizes(x)[3]
        x = grow(x, [span - sum(pads) for span, pads in zip(spans, explicit[1:3], strict=True)])
        # LiteRT's converter concludes of paddings that only the run knows that no size is known.
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
    if not (isinstance(batch, int) or reshaped):
        # What an empty batch has instead. The size that is no constant keeps the reshape from being
        # optimised away, as one to the shape that the convolution claims to have would be.
        height, width = true
        y = tf.reshape(y, [batch, height + tf.minimum(batch, 0), width, sizes(y)[3]])
    return y


def _fits_attribute(pads: Pair, span: Any) -> bool:
    """Whether the op's attribute, which spares a copy of `x`, can say this padding.

    It holds non-negative integers. And at windows that see padding alone, TensorFlow 2.16 reads
    past the image with oneDNN, now and then to a segmentation fault.
    """
    known = all(isinstance(size, int) for size in (*pads, span))
    return known and all(0 <= cells < span for cells in pads)
