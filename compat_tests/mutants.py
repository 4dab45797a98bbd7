"""Implementations with a known fault each, and one without, to judge the judge by.

All take and return NumPy arrays, with the signature of `tf.nn.conv2d_transpose`. Those that mistake
the geometry compute the definition of another call than the one they got.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from compat_tests import oracle
from compat_tests.cases.case import Case, DataFormat
from compat_tests.oracle import Array, Padding

PID_FILE = "COMPAT_TESTS_MUTANT_PID_FILE"
"""Environment variable naming the file that `slow` writes its process id to."""

ELSEWHERE = "COMPAT_ELSEWHERE"
"""Environment variable without which `only_elsewhere` does nothing."""

BLOCK = 2**26
"""Bytes that `greedy` takes at a time."""


def right(
    input: Array,
    filters: Array,
    output_shape: Sequence[int],
    strides: Sequence[int],
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1),
    name: str | None = None,
) -> Array:
    """The definition itself, in whichever layout.

    Args:
        input: `[batch, height, width, in_channels]`, or channels second for NCHW.
        filters: `[kernel_height, kernel_width, out_channels / groups, in_channels]`.
        output_shape: four entries, in the order of the layout.
        strides: two entries.
        padding: "SAME", "VALID" or four pairs in the order of the layout.
        data_format: "NHWC" or "NCHW".
        dilations: two entries.
        name: has no effect.

    Returns:
        Array of `output_shape`.
    """
    call = _call(input, filters, output_shape, strides, padding, data_format, dilations)
    return _computed(call, input, filters)


def shifted(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Off by one pixel in both directions."""
    axes = (1, 2) if kwargs["data_format"] == "NHWC" else (2, 3)
    return np.roll(right(input, filters, *args, **kwargs), 1, axes)


def unreversed(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Computes with the kernel the wrong way round."""
    return right(input, filters[::-1, ::-1], *args, **kwargs)


def pads_swapped(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Pads before what should be padded after, so that the larger half is on the wrong side."""
    call = _call(input, filters, *args, **kwargs)
    top, left = (max(call.pads(axis)[1], 0) for axis in (0, 1))
    return _computed(replace(call, padding=((top, 0), (left, 0))), input, filters)


def lopsided(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Follows a widely copied recipe for SAME with an output of `input * stride`.

    It puts `s-1` zeros between the inputs and `s-1` before the first, then `k-1` around it all with
    the larger half after. That is right for stride 1 with odd kernels, for stride 2 with kernels
    from 2 and for stride 3 with even kernels from 4; never beyond.
    """
    call = _call(input, filters, *args, **kwargs)
    multiple = (call.input[0] * call.strides[0], call.input[1] * call.strides[1])
    if call.padding == "SAME" and call.output == multiple:
        axes = zip(call.kernel, call.strides, call.dilations, strict=True)
        top, left = (-(-(k - 1) * d // 2) - (s - 1) for k, s, d in axes)
        call = replace(call, padding=((top, 0), (left, 0)))
    return _computed(call, input, filters)


def unclipped(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """For SAME, pads by a negative number where the kernel is smaller than the stride."""
    call = _call(input, filters, *args, **kwargs)
    if call.padding == "SAME":
        axes = zip(call.input, call.kernel, call.strides, call.dilations, strict=True)
        reach = ((i - 1) * s + (k - 1) * d + 1 for i, k, s, d in axes)
        top, left = ((n - o) // 2 for n, o in zip(reach, call.output_size, strict=True))
        call = replace(call, padding=((top, 0), (left, 0)))
    return _computed(call, input, filters)


def odd_sizes(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Off by one pixel along an axis on which the output has an odd size from 3."""
    call = _call(input, filters, *args, **kwargs)
    odd = [size > 1 and size % 2 for size in call.output_size]
    top, left = (call.pads(axis)[0] - odd[axis] for axis in (0, 1))
    return _computed(replace(call, padding=((top, 0), (left, 0))), input, filters)


def undilated(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Ignores the dilation."""
    call = _call(input, filters, *args, **kwargs)
    return _computed(replace(call, dilations=(1, 1)), input, filters)


def input_dilated(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Dilates the input, beside the stride, instead of the kernel."""
    call = _call(input, filters, *args, **kwargs)
    (sh, sw), (dh, dw) = call.strides, call.dilations
    wrong = replace(call, strides=(sh * dh, sw * dw), dilations=(1, 1))
    return _computed(wrong, input, filters)


def strides_exchanged(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Takes the strides for `(width, height)`."""
    call = _call(input, filters, *args, **kwargs)
    return _computed(replace(call, strides=call.strides[::-1]), input, filters)


def groups_mixed(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Takes input channel `c` for one of group `c % groups`."""
    call = _call(input, filters, *args, **kwargs)
    interleaved = np.arange(call.in_channels).reshape(-1, call.groups).T.ravel()
    axis = 3 if call.data_format == "NHWC" else 1
    return _computed(call, np.take(input, interleaved, axis), filters)


def truncated(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Loses the last row."""
    y = right(input, filters, *args, **kwargs)
    return y[:, :-1] if kwargs["data_format"] == "NHWC" else y[:, :, :-1]


def overlong(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Makes a column too many."""
    call = _call(input, filters, *args, **kwargs)
    (top, _), (left, _) = call.pads(0), call.pads(1)
    high, wide = call.output_size
    wider = replace(call, padding=((top, 0), (left, 0)), output=(high, wide + 1))
    return _computed(wider, input, filters)


def halved(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Computes in half precision, whatever the type."""
    y = right(input, filters, *args, **kwargs)
    with np.errstate(over="ignore"):
        return y.astype(np.float16)


def not_a_number(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right but for one element, which is not a number where the type has such a thing."""
    y = right(input, filters, *args, **kwargs)
    if input.dtype.kind not in "iu":
        y.flat[-1:] = np.nan
    return y


def imprecise(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right but for the last bit of a float32."""
    y = right(input, filters, *args, **kwargs).astype(np.float32)
    return y * np.float32(1 + 2**-23)


def unsteady(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right, but for the first number in about every third call."""
    y = right(input, filters, *args, **kwargs)
    y.flat[:1] += os.urandom(1)[0] % 3 == 0
    return y


def chatty(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right, and prints, also past Python."""
    print("computing", flush=True)
    os.write(1, b"\x00\x00 computed \xff\n")
    return right(input, filters, *args, **kwargs)


def raising(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Refuses stride 3."""
    if 3 in kwargs["strides"]:
        raise NotImplementedError("a stride of 3 is beyond me")
    return right(input, filters, *args, **kwargs)


def aborting(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Takes the process with it on stride 3."""
    if 3 in kwargs["strides"]:
        os.abort()
    return right(input, filters, *args, **kwargs)


def hanging(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Never returns on stride 3."""
    while 3 in kwargs["strides"]:
        time.sleep(1)
    return right(input, filters, *args, **kwargs)


def greedy(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Takes all the memory that it can get on stride 3."""
    taken = []
    while 3 in kwargs["strides"]:
        taken.append(np.ones(BLOCK, np.uint8))
    return right(input, filters, *args, **kwargs)


def only_elsewhere(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right in an environment that has the variable `ELSEWHERE`, and refuses in any other."""
    if ELSEWHERE not in os.environ:
        raise RuntimeError("works elsewhere only")
    return right(input, filters, *args, **kwargs)


def slow(input: Array, filters: Array, *args: Any, **kwargs: Any) -> Array:
    """Right, but takes its time, and says which process it runs in."""
    if PID_FILE in os.environ:
        with open(os.environ[PID_FILE], "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    time.sleep(0.05)
    return right(input, filters, *args, **kwargs)


def _call(
    input: Array,
    filters: Array,
    output_shape: Sequence[int],
    strides: Sequence[int],
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1),
) -> Case:
    """The arguments as a case, whose pairs are `(height, width)` in either layout."""
    height, channels = (1, 3) if data_format == "NHWC" else (2, 1)
    sides: Padding = padding
    if not isinstance(padding, str):
        top, left = padding[height : height + 2]
        sides = ((top[0], top[1]), (left[0], left[1]))
    return Case(
        "mutant",
        batch=input.shape[0],
        input=(input.shape[height], input.shape[height + 1]),
        kernel=(filters.shape[0], filters.shape[1]),
        strides=(strides[0], strides[1]),
        dilations=(dilations[0], dilations[1]),
        padding=sides,
        output=(output_shape[height], output_shape[height + 1]),
        in_channels=input.shape[channels],
        out_channels=output_shape[channels],
        groups=output_shape[channels] // filters.shape[2],
        data_format=cast(DataFormat, data_format),
    )


def _computed(call: Case, input: Array, filters: Array) -> Array:
    """What the definition makes of a call, in its layout."""
    last = call.data_format == "NHWC"
    y = oracle.conv2d_transpose(
        input if last else np.moveaxis(input, 1, 3),
        filters,
        call.output_size,
        call.strides,
        call.padding,
        call.dilations,
        call.groups,
    )
    return y if last else np.moveaxis(y, 3, 1)
