"""What the tests of the layer share: samples of it, integers to feed it, and the right answers.

The right answers come from `compat_tests.oracle`, which scatters in NumPy, and from formulas that
are written here in full: nothing is asked of the layer but its output.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

import tf_tconv
from compat_tests import oracle


@dataclass(frozen=True)
class Sample:
    """A layer to be, and a call of it.

    Args:
        name: unique, without spaces.
        arguments: of the constructor.
        input_shape: `[batch, height, width, channels]`, whatever the layer's layout.
        output_size: of the call.
    """

    name: str
    arguments: Mapping[str, Any] = field(hash=False)
    input_shape: tuple[int, int, int, int]
    output_size: tuple[int, int] | None = None

    @property
    def channels_first(self) -> bool:
        return self.arguments.get("data_format") == "channels_first"

    def but(self, **further: Any) -> "Sample":
        """The same with further or other arguments."""
        return replace(self, arguments={**self.arguments, **further})

    def layer(self) -> tf_tconv.Conv2DTranspose:
        """A new layer."""
        return tf_tconv.Conv2DTranspose(**self.arguments)

    def layout(self, image: np.ndarray) -> np.ndarray:
        """`image`, channels last, in the layer's layout."""
        return np.moveaxis(image, 3, 1) if self.channels_first else image

    def numbers(self, *shape: int, start: int = 0) -> np.ndarray:
        """The integers that everything is filled with."""
        return ramp(*shape, start=start)

    def weights(self) -> list[np.ndarray]:
        """Integers for the kernel `[height, width, out / groups, in]` and the bias `[out]`."""
        filters = self.arguments["filters"]
        per_group = filters // self.arguments.get("groups", 1)
        shape = (*pair(self.arguments["kernel_size"]), per_group, self.input_shape[3])
        bias = [7 - self.numbers(filters)] if self.arguments.get("use_bias", True) else []
        return [self.numbers(*shape, start=3), *bias]

    def filled(self) -> tf_tconv.Conv2DTranspose:
        """A new layer, built, with `weights` in it."""
        layer = self.layer()
        layer.build(self.layout(np.empty(self.input_shape)).shape)
        layer.set_weights(self.weights())
        return layer

    def inputs(self) -> np.ndarray:
        """Integers in the layer's layout."""
        return self.layout(self.numbers(*self.input_shape, start=5))

    def expected(self) -> np.ndarray:
        """The right output for `inputs` and `weights`, in the layer's layout, not activated."""
        size, padding = expected_geometry(self.arguments, self.input_shape, self.output_size)
        kernel, *bias = self.weights()
        image = oracle.conv2d_transpose(
            self.numbers(*self.input_shape, start=5),
            kernel,
            size,
            strides=pair(self.arguments.get("strides", 1)),
            padding=padding,
            dilations=pair(self.arguments.get("dilation_rate", 1)),
            groups=self.arguments.get("groups", 1),
        )
        return self.layout(image + bias[0] if bias else image)


SAMPLES = (
    Sample("default", {"filters": 2, "kernel_size": 3}, (2, 4, 5, 3)),
    Sample(
        "strided",
        {"filters": 3, "kernel_size": (3, 2), "strides": (2, 3), "padding": "same"},
        (2, 4, 3, 2),
    ),
    Sample(
        "odd_target",
        {"filters": 3, "kernel_size": (4, 5), "strides": (2, 3), "padding": "same"},
        (2, 4, 3, 2),
        output_size=(7, 8),
    ),
    Sample(
        "output_padding",
        {"filters": 2, "kernel_size": (2, 4), "strides": (2, 3), "output_padding": (0, 2)},
        (1, 3, 4, 3),
    ),
    Sample(
        "even_kernel_no_output_padding",  # Where Keras on TensorFlow fails.
        {
            "filters": 2,
            "kernel_size": (4, 2),
            "strides": (2, 3),
            "padding": "same",
            "output_padding": 0,
        },
        (2, 3, 4, 3),
    ),
    Sample(
        "strided_and_dilated",
        {"filters": 2, "kernel_size": (2, 3), "strides": (2, 3), "dilation_rate": (3, 2)},
        (2, 3, 4, 3),
    ),
    Sample(
        "explicit_padding",
        {"filters": 2, "kernel_size": (4, 3), "strides": (2, 1), "padding": ((1, 2), (0, 3))},
        (2, 3, 4, 3),
    ),
    Sample(
        "grouped",
        {"filters": 4, "kernel_size": (3, 2), "strides": (1, 2), "padding": "same", "groups": 2},
        (2, 3, 4, 6),
    ),
    Sample(
        "depthwise",
        {
            "filters": 3,
            "kernel_size": (2, 3),
            "strides": (3, 2),
            "dilation_rate": (1, 2),
            "groups": 3,
        },
        (2, 3, 4, 3),
    ),
    Sample(
        "channels_first",
        {
            "filters": 5,
            "kernel_size": (3, 4),
            "strides": (2, 1),
            "padding": "same",
            "data_format": "channels_first",
        },
        (2, 4, 3, 2),
    ),
    Sample(
        "channels_first_as_wide_as_filters",  # Where Keras 3.15 adds the bias along the width.
        {
            "filters": 4,
            "kernel_size": (2, 3),
            "strides": (3, 2),
            "padding": "same",
            "data_format": "channels_first",
        },
        (2, 3, 2, 3),
    ),
    Sample(
        "channels_first_grouped_without_bias",
        {
            "filters": 4,
            "kernel_size": (2, 3),
            "strides": (2, 3),
            "padding": ((1, 0), (2, 1)),
            "dilation_rate": (2, 1),
            "data_format": "channels_first",
            "use_bias": False,
            "groups": 2,
        },
        (2, 3, 4, 4),
        output_size=(6, 11),
    ),
    Sample(
        "kernel_below_stride",  # Leaves cells that nothing but the bias reaches.
        {"filters": 2, "kernel_size": (1, 2), "strides": (3, 4), "lowering": "zero_insertion"},
        (2, 3, 2, 3),
    ),
)
"""Every argument that changes the sizes or what is computed, each with unequal height and width."""


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """An argument as (height, width)."""
    return (value, value) if isinstance(value, int) else value


def ramp(*shape: int, start: int = 0) -> np.ndarray:
    """The integers -9..13 over and over, counted through the array, in float32.

    The period is prime, so that no axis falls in step with it. Sums of thousands of products of two
    such numbers stay below 2**24, from where on float32 would have to round.
    """
    counted = np.arange(start, start + np.prod(shape, dtype=int))
    return (counted * 4 % 23 - 9).reshape(shape).astype(np.float32)


def expected_geometry(
    arguments: Mapping[str, Any],
    input_shape: tuple[int, int, int, int],
    output_size: tuple[int, int] | None = None,
) -> tuple[tuple[int, int], tuple[tuple[int, int], tuple[int, int]]]:
    """Height and width of the output, and the padding of the forward convolution."""
    axes = []
    for axis in (0, 1):
        kernel, stride, dilation = (
            pair(arguments.get(name, 1))[axis]
            for name in ("kernel_size", "strides", "dilation_rate")
        )
        padding = arguments.get("padding", "valid")
        if not isinstance(padding, str):
            padding = padding[axis]
        more = arguments.get("output_padding")
        axes.append(
            expected_axis(
                input_shape[1 + axis],
                kernel,
                stride,
                dilation,
                padding,
                None if more is None else pair(more)[axis],
                None if output_size is None else output_size[axis],
            )
        )
    (height, top), (width, left) = axes
    return (height, width), ((top, 0), (left, 0))


def expected_axis(
    size: int,
    kernel: int,
    stride: int,
    dilation: int,
    padding: str | tuple[int, int],
    output_padding: int | None,
    output_size: int | None,
) -> tuple[int, int]:
    """Output size of one axis, and how many cells the forward convolution pads before it.

    Where no size is asked for, by what Keras does for its JAX backend: `lead` zeros before the
    dilated input, of which the padding is what they lack of a whole kernel.
    """
    effective = (kernel - 1) * dilation + 1
    steps = (size - 1) * stride
    if padding == "same":
        if output_size is not None:
            return output_size, oracle.pad_before(output_size, kernel, stride, dilation, "SAME")
        if output_padding is None:
            surplus, zeros = stride, stride + effective - 2
        else:
            surplus = effective % 2 + output_padding
            zeros = effective + effective % 2 - 2 + output_padding
        lead = min(-(-zeros // 2), effective - 1)
        return steps + surplus, effective - 1 - lead
    before, after = (0, 0) if padding == "valid" else padding
    if output_size is None:
        more = max(stride - effective, 0) if output_padding is None else output_padding
        output_size = steps + effective - before - after + more
    return output_size, before


def assert_exactly(actual: Any, expected: np.ndarray) -> None:
    """That the two are equal in shape and to the last bit, and not by being all the same number."""
    actual = keras.ops.convert_to_numpy(actual)
    assert actual.shape == expected.shape, f"{actual.shape=}, but should be {expected.shape}"
    assert np.unique(expected).size > 1, "what is expected is one number throughout"
    np.testing.assert_array_equal(actual, expected)
