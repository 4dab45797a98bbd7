"""Transposed convolution by its definition, in NumPy alone.

Symbols, for one axis (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning",
https://arxiv.org/abs/1603.07285, with TensorFlow's padding):

    i   input size          k   kernel size       k' = (k-1)d + 1, the kernel's effective size
    o   output size         d   dilation          p0 zeros before, p1 zeros after
    s   stride

Derivation. A forward convolution takes an image `u` of size `o` to an image `v` of size `i`:

    v[j] = sum over a of  u[j*s + a*d - p0] * w[a]          (u is zero outside 0..o-1)

That is a linear map. The transposed convolution is its adjoint, the map `x -> y` for which
`<v(u), x> == <u, y(x)>` holds for every `u` and `x`. Collect the factors of `u[t]` on the left:

    y[t] = sum over all (j, a) with  j*s + a*d - p0 == t  of  x[j] * w[a]

So every input `x[j]` scatters a scaled copy of the kernel to `j*s - p0` and what falls outside
`0..o-1` is dropped. The same relation `t = j*s + a*d - p0` between input index, tap and output
index also gives the two gradients, because `y` is linear in `x` and in `w`. It is stated once, in
`landing`; `conv2d_transpose`, `input_gradient` and `filter_gradient` derive from it.
`forward_convolution`, the other side of the adjoint law, does not use it: it pads and gathers.

Which `p0` and which `o` are possible is the forward convolution's business too: it is the one that
was padded, and several sizes `o` give the same `i` once the stride exceeds one.

Layout here: images `[batch, height, width, channels]`; filters
`[kernel_height, kernel_width, out_channels / groups, in_channels]`. Input channel `c` belongs to
group `c // (in_channels / groups)` and reaches that group's slice of the output channels only.
Pairs are `(height, width)`. Integers are computed in int64, everything else in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Indices = NDArray[np.int64]
Pair = tuple[int, int]
Padding = Literal["SAME", "VALID"] | tuple[Pair, Pair]
AxisPadding = Literal["SAME", "VALID"] | Pair


def landing(
    input_size: int, output_size: int, tap: int, stride: int, dilation: int, pad_before: int
) -> tuple[Indices, Indices]:
    """States the index relation of one axis: which inputs land where through one tap.

    Args:
        input_size: `i`.
        output_size: `o`.
        tap: `a`, the index into the kernel.
        stride: `s`.
        dilation: `d`.
        pad_before: `p0`, the forward convolution's padding before the image.

    Returns:
        Two int64 arrays `[pairs]` of one length: `j`, the inputs whose target is inside the output,
        and `t = j*s + a*d - p0`, their targets. No target occurs twice.
    """
    j = np.arange(input_size, dtype=np.int64)
    t = j * stride + tap * dilation - pad_before
    inside = (t >= 0) & (t < output_size)
    return j[inside], t[inside]


def conv2d_transpose(
    x: Array,
    w: Array,
    output_size: Pair,
    strides: Pair = (1, 1),
    padding: Padding = "SAME",
    dilations: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Scatters every input pixel, scaled by the kernel, into the output.

    Args:
        x: the input, `[batch, input_height, input_width, in_channels]`.
        w: the filters, `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        output_size: `(output_height, output_width)`; must be one of `legal_output_sizes`.
        strides: `(row stride, column stride)`.
        padding: of the forward convolution: "SAME", "VALID" or `((top, bottom), (left, right))`.
        dilations: `(row dilation, column dilation)`.
        groups: how many groups the channels fall into.

    Returns:
        `[batch, output_height, output_width, out_channels]`, int64 or float64.
    """
    x = _split_channels(_promote(x), groups)
    w = _split_filters(_promote(w), groups)
    y = np.zeros((groups, x.shape[1], *output_size, w.shape[3]), np.result_type(x, w))
    for a, here, there in _taps(x, w, output_size, strides, padding, dilations):
        out_by_in = w[a][:, None, None]
        y[there] += x[here] @ out_by_in.swapaxes(-1, -2)
    return _join_channels(y)


def input_gradient(
    g: Array,
    w: Array,
    input_size: Pair,
    strides: Pair = (1, 1),
    padding: Padding = "SAME",
    dilations: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Gradient of `sum(g * conv2d_transpose(x, w))` with respect to `x`.

    Args:
        g: the upstream gradient, `[batch, output_height, output_width, out_channels]`.
        w: the filters, `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        input_size: `(input_height, input_width)`.
        strides, padding, dilations, groups: as in `conv2d_transpose`.

    Returns:
        `[batch, input_height, input_width, in_channels]`, int64 or float64.
    """
    g, w = _promote(g), _promote(w)
    output_size = (g.shape[1], g.shape[2])
    g = _split_channels(g, groups)
    w = _split_filters(w, groups)
    dx = np.zeros((groups, g.shape[1], *input_size, w.shape[4]), np.result_type(g, w))
    for a, here, there in _taps(dx, w, output_size, strides, padding, dilations):
        out_by_in = w[a][:, None, None]
        dx[here] += g[there] @ out_by_in
    return _join_channels(dx)


def filter_gradient(
    g: Array,
    x: Array,
    kernel_size: Pair,
    strides: Pair = (1, 1),
    padding: Padding = "SAME",
    dilations: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Gradient of `sum(g * conv2d_transpose(x, w))` with respect to `w`.

    Args:
        g: the upstream gradient, `[batch, output_height, output_width, out_channels]`.
        x: the input, `[batch, input_height, input_width, in_channels]`.
        kernel_size: `(kernel_height, kernel_width)`.
        strides, padding, dilations, groups: as in `conv2d_transpose`.

    Returns:
        `[kernel_height, kernel_width, out_channels / groups, in_channels]`, int64 or float64.
    """
    g, x = _promote(g), _promote(x)
    output_size = (g.shape[1], g.shape[2])
    g = _split_channels(g, groups)
    x = _split_channels(x, groups)
    group_out, group_in = g.shape[4], x.shape[4]
    dw = np.zeros((*kernel_size, groups, group_out, group_in), np.result_type(g, x))
    for a, here, there in _taps(x, dw, output_size, strides, padding, dilations):
        pixels = x[here].shape[1] * x[here].shape[2] * x[here].shape[3]
        out_by_pixel = g[there].reshape(groups, pixels, group_out).swapaxes(-1, -2)
        dw[a] = out_by_pixel @ x[here].reshape(groups, pixels, group_in)
    return dw.swapaxes(2, 3).reshape(*kernel_size, group_out, groups * group_in)


def forward_convolution(
    u: Array,
    w: Array,
    strides: Pair = (1, 1),
    padding: Padding = "SAME",
    dilations: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """The forward convolution whose adjoint is `conv2d_transpose`, by padding and gathering.

    Written without `landing`, so that the adjoint law compares two derivations.

    Args:
        u: an image of the transposed convolution's output size,
            `[batch, output_height, output_width, out_channels]`.
        w: the transposed convolution's filters,
            `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        strides, padding, dilations, groups: as in `conv2d_transpose`.

    Returns:
        `[batch, input_height, input_width, in_channels]`, int64 or float64.
    """
    u, w = _promote(u), _promote(w)
    sizes, widths = [], [(0, 0)]
    for axis in (0, 1):
        o, k, s, d = u.shape[1 + axis], w.shape[axis], strides[axis], dilations[axis]
        mode = axis_padding(padding, axis)
        size = forward_output_size(o, k, s, d, mode)
        before = pad_before(o, k, s, d, mode)
        reach = (size - 1) * s + (k - 1) * d + 1 if size else 0
        sizes.append(size)
        widths.append((before, max(reach - before - o, 0)))
    padded = np.pad(u, [*widths, (0, 0)])
    group_out, group_in = w.shape[2], w.shape[3] // groups
    v = np.zeros((u.shape[0], sizes[0], sizes[1], w.shape[3]), np.result_type(u, w))
    for ah in range(w.shape[0]):
        for aw in range(w.shape[1]):
            top, left = ah * dilations[0], aw * dilations[1]
            window = padded[:, top :: strides[0], left :: strides[1]][:, : sizes[0], : sizes[1]]
            for group in range(groups):
                outer = slice(group * group_out, (group + 1) * group_out)
                inner = slice(group * group_in, (group + 1) * group_in)
                v[..., inner] += window[..., outer] @ w[ah, aw, :, inner]
    return v


def forward_output_size(
    image_size: int, kernel_size: int, stride: int, dilation: int, padding: AxisPadding
) -> int:
    """Size that the forward convolution makes of an image, one axis; may come out negative.

    Args:
        image_size: the size `o` of the image that it reads.
        kernel_size: `k`.
        stride: `s`.
        dilation: `d`.
        padding: "SAME", "VALID" or `(before, after)`.

    Returns:
        `ceil(o/s)` for SAME, `ceil((o-k'+1)/s)` for VALID, `floor((o+b+a-k')/s) + 1` for explicit
        padding; by the formula alone, so zero or less where the kernel does not fit.
    """
    effective = (kernel_size - 1) * dilation + 1
    if padding == "SAME":
        return -(-image_size // stride)
    if padding == "VALID":
        return -(-(image_size - effective + 1) // stride)
    before, after = padding
    return (image_size + before + after - effective) // stride + 1


def legal_output_sizes(
    input_size: int, kernel_size: int, stride: int, dilation: int, padding: AxisPadding
) -> tuple[int, ...]:
    """All sizes `o >= 0` of which the forward convolution makes `input_size`, by trying them.

    Args:
        input_size: `i`, zero included.
        kernel_size: `k`.
        stride: `s`.
        dilation: `d`.
        padding: "SAME", "VALID" or `(before, after)`.

    Returns:
        The sizes in ascending order; `s` of them unless some would be negative.
    """
    beyond_reach = input_size * stride + kernel_size * dilation + stride
    return tuple(
        o
        for o in range(beyond_reach + 1)
        if forward_output_size(o, kernel_size, stride, dilation, padding) == input_size
    )


def default_output_size(
    input_size: int, kernel_size: int, stride: int, dilation: int, padding: AxisPadding
) -> int:
    """The size that Keras takes when none is asked for: `i*s` for SAME, all of the reach for VALID.

    Args:
        input_size: `i`.
        kernel_size: `k`.
        stride: `s`.
        dilation: `d`.
        padding: "SAME" or "VALID"; Keras has no explicit padding.

    Returns:
        `i*s` for SAME, `(i-1)s + max(k', s)` for VALID.

    Raises:
        ValueError: for explicit padding.
    """
    effective = (kernel_size - 1) * dilation + 1
    if padding == "SAME":
        return input_size * stride
    if padding == "VALID":
        return (input_size - 1) * stride + max(effective, stride)
    raise ValueError(f"padding={padding!r}: Keras defines a default size for SAME and VALID only")


def pad_before(
    output_size: int, kernel_size: int, stride: int, dilation: int, padding: AxisPadding
) -> int:
    """Zeros `p0` that the forward convolution puts before an image of size `output_size`.

    SAME pads just enough for `ceil(o/s)` windows, `P = max((ceil(o/s)-1)*s + k' - o, 0)` in all,
    and puts the smaller half before: `floor(P/2)`. Only `o` enters, not `i`.

    Args:
        output_size: `o`.
        kernel_size: `k`.
        stride: `s`.
        dilation: `d`.
        padding: "SAME", "VALID" or `(before, after)`.

    Returns:
        `p0`.
    """
    if padding == "SAME":
        effective = (kernel_size - 1) * dilation + 1
        windows = -(-output_size // stride)
        return max((windows - 1) * stride + effective - output_size, 0) // 2
    if padding == "VALID":
        return 0
    return padding[0]


def axis_padding(padding: Padding, axis: int) -> AxisPadding:
    """The padding of one axis, 0 for height and 1 for width."""
    return padding if isinstance(padding, str) else padding[axis]


_Window = tuple[slice, slice, Indices, Indices]


def _taps(
    x: Array, w: Array, output_size: Pair, strides: Pair, padding: Padding, dilations: Pair
) -> Iterator[tuple[Pair, _Window, _Window]]:
    """Yields every tap with the input pixels it reads and the output pixels they land on.

    Args:
        x: anything of shape `[groups, batch, input_height, input_width, ...]`.
        w: anything of shape `[kernel_height, kernel_width, ...]`.
        output_size: `(output_height, output_width)`.
        strides, padding, dilations: as in `conv2d_transpose`.

    Yields:
        `(ah, aw)`, an index into `x` and an index into the output, which select blocks
        `[groups, batch, rows, columns, ...]` of one size.
    """
    kernel = w.shape[:2]
    landings: list[list[tuple[Indices, Indices]]] = []
    for axis in (0, 1):
        i, o, k = x.shape[2 + axis], output_size[axis], kernel[axis]
        s, d = strides[axis], dilations[axis]
        before = pad_before(o, k, s, d, axis_padding(padding, axis))
        landings.append([landing(i, o, a, s, d, before) for a in range(k)])
    for ah, (jh, th) in enumerate(landings[0]):
        for aw, (jw, tw) in enumerate(landings[1]):
            every = slice(None)
            yield (ah, aw), (every, every, jh[:, None], jw), (every, every, th[:, None], tw)


def _promote(array: Array) -> Array:
    """The array in int64 if it holds integers, in float64 otherwise."""
    array = np.asarray(array)
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)


def _split_channels(image: Array, groups: int) -> Array:
    """`[batch, height, width, channels]` to `[groups, batch, height, width, channels / groups]`."""
    channels = image.shape[3]
    split = image.reshape(*image.shape[:3], groups, channels // groups)
    return np.ascontiguousarray(np.moveaxis(split, 3, 0))


def _join_channels(image: Array) -> Array:
    """`[groups, batch, height, width, channels / groups]` to `[batch, height, width, channels]`."""
    groups, batch, height, width, channels = image.shape
    return np.moveaxis(image, 0, 3).reshape(batch, height, width, groups * channels)


def _split_filters(w: Array, groups: int) -> Array:
    """`[kh, kw, out / groups, in]` to `[kh, kw, groups, out / groups, in / groups]`."""
    return w.reshape(*w.shape[:3], groups, w.shape[3] // groups).swapaxes(2, 3)
