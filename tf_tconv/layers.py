"""The Keras layer."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_tconv.dialects.keras import LAYOUTS
from tf_tconv.dialects.paddings import KERAS
from tf_tconv.entries import check_entries
from tf_tconv.functional.arguments import check_size, input_axes, vector_entries
from tf_tconv.functional.call import Request
from tf_tconv.functional.requests import AxisRequest, paddings_together
from tf_tconv.functional.transpose import transpose
from tf_tconv.geometry import (
    AxisNames,
    a_type,
    brief,
    check_integer,
    check_name,
    check_padding,
    entry_count,
)
from tf_tconv.layouts import AXIS_UNITS, Layout
from tf_tconv.layouts import LAYOUTS as LAYOUTS_BY_NAME
from tf_tconv.limits import LARGEST
from tf_tconv.ops.tensorflow import sizes
from tf_tconv.planning import check_lowering


@keras.saving.register_keras_serializable(package="tf_tconv", name="Conv2DTranspose")
class Conv2DTranspose(keras.layers.Layer):
    """Transposed convolution layer, a drop-in for `keras.layers.Conv2DTranspose`.

    Same arguments, weights, names and default sizes; so weights go both ways. Beyond Keras' layer:
    `strides` together with `dilation_rate`, `groups`, explicit `padding`, an `output_size` at call
    time, and the formula for `output_padding` also where Keras on TensorFlow fails (even kernel,
    "same", `output_padding=0`). It computes with TensorFlow and needs Keras' TensorFlow backend.

    Args:
        filters: output channels; a multiple of `groups`.
        kernel_size: taps, an integer or (height, width).
        strides: cells between the outputs of neighbouring inputs, an integer or (height, width).
        padding: "valid", "same", or ((top, bottom), (left, right)) cells that the forward
            convolution pads (in torch: `padding`).
        output_padding: an integer or (height, width) below the stride; `None` gives Keras' default
            size. The output size is ``(i - 1) s + k' mod 2 + q`` for "same" and
            ``(i - 1) s + k' + q`` less the padding otherwise.
        data_format: "channels_last", "channels_first", or `None` for Keras' configured one.
        dilation_rate: cells between neighbouring taps, an integer or (height, width).
        activation: a Keras activation, or `None`.
        use_bias: whether to add a bias to each output channel.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        bias_constraint: of the bias.
        groups: number of independent channel groups; divides the input channels and `filters`.
        lowering: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Call arguments:
        inputs: `[batch, height, width, in]`, or `[batch, in, height, width]` for "channels_first".
        output_size: (height, width); or a tensor in the layer's layout whose height and width to
            match, such as a skip connection; or `None` for the size that follows from
            `output_padding`. One of `tf_tconv.legal_output_sizes`.

    A subclass may override `convolution_op(inputs, kernel)`, as of Keras' own convolutions, to give
    the kernel another form before it is used; bias and activation follow.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument out of range, or sizes that do not fit.
        RuntimeError: Keras runs on another backend.

    Example:
        >>> layer = Conv2DTranspose(8, kernel_size=3, strides=2, padding="same")
        >>> skip = keras.ops.ones([1, 9, 9, 4])  # 9 cells became 5 on the way down
        >>> tuple(layer(keras.ops.ones([1, 5, 5, 16]), output_size=skip).shape)
        (1, 9, 9, 8)
        >>> tuple(layer.kernel.shape)
        (3, 3, 8, 16)

    Source:
        Arguments and weights of https://keras.io/api/layers/convolution_layers/convolution2d_transpose.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        groups: int = 1,
        lowering: str = "auto",
        **kwargs: Any,
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "tf_tconv.Conv2DTranspose computes with TensorFlow, and Keras runs on "
                f'"{keras.backend.backend()}"; set the environment variable '
                "KERAS_BACKEND=tensorflow before Keras is imported."
            )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_integer("filters", filters, 1, LARGEST)
        self.kernel_size = check_entries(
            "kernel_size", kernel_size, 2, 1, LARGEST, one_for_all=False
        )
        self.strides = check_entries("strides", strides, 2, 1, LARGEST, one_for_all=False)
        self.dilation_rate = check_entries(
            "dilation_rate", dilation_rate, 2, 1, LARGEST, one_for_all=False
        )
        self.padding = _paddings(padding)
        self.output_padding = self._check_output_padding(output_padding)
        self.data_format = (
            keras.config.image_data_format()
            if data_format is None
            else check_name("data_format", data_format, LAYOUTS)
        )
        self.groups = check_integer("groups", groups, 1, LARGEST)
        if self.filters % self.groups:
            raise ValueError(
                f"groups={self.groups} does not divide filters={self.filters}; filters must be a "
                "multiple of groups."
            )
        self.lowering = check_lowering(lowering)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def __call__(self, inputs: Any, output_size: Any = None, **kwargs: Any) -> Any:
        """The layer's output; see the class for the arguments."""
        check_rank_known("inputs", inputs, self.data_format)
        check_rank_known("output_size", output_size, self.data_format)
        if isinstance(output_size, np.ndarray) and output_size.ndim == 1:
            output_size = list(output_size)
        if isinstance(output_size, (list, tuple)):
            output_size = _packed(output_size)
        if output_size is not None:
            kwargs["output_size"] = output_size
        return super().__call__(inputs, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, `[height, width, filters / groups, in]`, and bias, `[filters]`."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"input_shape={tuple(input_shape)} leaves the channels (axis {self._channel_axis}) "
                "open; the kernel needs them to be a number."
            )
        if channels % self.groups:
            raise ValueError(
                f"groups={self.groups} does not divide the {channels} input channels; it must "
                "divide them."
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={self._channel_axis: channels})
        shape = (*self.kernel_size, self.filters // self.groups, channels)
        with kernel_that_fits(self, shape, channels):
            self.kernel = self.add_weight(
                name="kernel",
                shape=shape,
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any, output_size: Any = None) -> Any:
        """The layer's output; see the class for the arguments."""
        inputs, kernel = tf.convert_to_tensor(inputs), tf.convert_to_tensor(self.kernel)
        if inputs.dtype != kernel.dtype:
            raise TypeError(
                f"inputs has dtype {inputs.dtype.name} and the layer computes in "
                f"{kernel.dtype.name}; Keras casts floats by itself, cast others, as in "
                f'keras.ops.cast(inputs, "{kernel.dtype.name}").'
            )
        # By use_bias, as Keras asks: a subclass that builds its own weights may leave `bias` out.
        bias = tf.convert_to_tensor(self.bias) if self.use_bias else None
        if getattr(self.convolution_op, "__func__", None) is Conv2DTranspose.convolution_op:
            # The bias goes along, as some lowerings add it for nothing.
            request = self.request(self._sizes_asked(output_size))
            return self.activation(transpose(request, inputs, kernel, self.lowering, bias))
        if output_size is None:
            outputs = self.convolution_op(inputs, kernel)
        elif "output_size" in inspect.signature(self.convolution_op).parameters:
            outputs = self.convolution_op(inputs, kernel, output_size=output_size)
        else:
            raise TypeError(
                f"output_size={brief(output_size)} does not reach {type(self).__name__}."
                "convolution_op, which takes (inputs, kernel) alone; it must take "
                "output_size=None, too, and hand it on to super().convolution_op."
            )
        if bias is not None:
            outputs = tf.nn.bias_add(outputs, bias, LAYOUTS[self.data_format])
        return self.activation(outputs)

    def convolution_op(self, inputs: Any, kernel: Any, output_size: Any = None) -> Any:
        """The transposed convolution alone, without bias and activation: what to override.

        Args:
            inputs: as in a call, a tensor.
            kernel: `[height, width, filters / groups, in]`, a tensor of the layer's compute dtype.
            output_size: as in a call. An override needs it only if the layer is called with it.

        Example:
            >>> class Standardized(Conv2DTranspose):
            ...     def convolution_op(self, inputs, kernel):
            ...         mean, variance = tf.nn.moments(kernel, axes=[0, 1, 3], keepdims=True)
            ...         kernel = (kernel - mean) / tf.sqrt(variance + 1e-5)
            ...         return super().convolution_op(inputs, kernel)
            >>> tuple(Standardized(2, 3, strides=2)(keras.ops.ones([1, 4, 4, 5])).shape)
            (1, 9, 9, 2)
        """
        inputs, kernel = tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel)
        return transpose(
            self.request(self._sizes_asked(output_size)), inputs, kernel, self.lowering
        )

    def compute_output_shape(self, input_shape: Any, output_size: Any = None) -> tuple[Any, ...]:
        """The output's shape, `None` where unknown.

        Args:
            input_shape: shape of the input, `None` where unknown.
            output_size: as in a call.
        """
        shape = list(input_shape)
        shape[self._channel_axis] = self.filters
        asked = self._sizes_asked(output_size)
        requests = self._requests(asked)
        known = [
            (input_shape[position], kernel)
            for position, kernel in zip(self._spatial_axes, self.kernel_size, strict=True)
        ]
        for axis, position in enumerate(self._spatial_axes):
            given = input_shape[position]
            wanted = asked[axis] if asked and isinstance(asked[axis], int) else None
            shape[position] = wanted
            if given is None:
                continue
            if asked is None or wanted is not None:
                with paddings_together(requests, known):
                    geometry, _ = requests[axis].solve(given, self.kernel_size[axis])
                shape[position] = geometry.output_size
            else:
                legal = requests[axis].legal_sizes(given, self.kernel_size[axis])
                shape[position] = legal[0] if len(legal) == 1 else None
        return tuple(shape)

    def request(self, asked: tuple[Any, Any] | None = None) -> Request:
        """What the layer asks; `asked`: height and width of the output, if given."""
        return Request(self._layout, tuple(self._requests(asked)), self.groups)

    def _requests(self, asked: tuple[Any, Any] | None) -> list[AxisRequest]:
        """What the layer asks of height and width; `asked`: their output sizes, if given."""
        return [
            AxisRequest(
                self.strides[axis],
                self.dilation_rate[axis],
                self.padding.upper() if isinstance(self.padding, str) else self.padding[axis],
                None if asked is None else asked[axis],
                None if self.output_padding is None else self.output_padding[axis],
                AxisNames(
                    f"output_size[{axis}]",
                    "padding" if isinstance(self.padding, str) else f"padding[{axis}]",
                    AXIS_UNITS[2][axis],
                    KERAS,
                ),
            )
            for axis in (0, 1)
        ]

    def compute_output_spec(self, inputs: Any, output_size: Any = None) -> keras.KerasTensor:
        """The symbolic output."""
        # A subclass may override compute_output_shape as Keras has it, of the input's shape alone.
        asked = () if output_size is None else (output_size,)
        shape = self.compute_output_shape(inputs.shape, *asked)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "output_padding": self.output_padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "groups": self.groups,
            "lowering": self.lowering,
        }

    @property
    def _layout(self) -> Layout:
        return LAYOUTS_BY_NAME[LAYOUTS[self.data_format]]

    @property
    def _channel_axis(self) -> int:
        return self._layout.channel

    @property
    def _spatial_axes(self) -> tuple[int, ...]:
        return self._layout.spatial

    def _check_output_padding(self, output_padding: Any) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        pair = check_entries("output_padding", output_padding, 2, 0, LARGEST, one_for_all=False)
        for axis, cells in enumerate(pair):
            most = self.strides[axis]
            if not isinstance(self.padding, str):
                most = max(most, self.dilation_rate[axis])  # As torch has it for its own padding.
            if cells >= most:
                raise ValueError(
                    f"output_padding[{axis}]={cells} must be less than the stride, strides[{axis}]="
                    f"{self.strides[axis]}; it must be an integer from 0 to {most - 1}."
                )
        return pair

    def _sizes_asked(self, output_size: Any) -> tuple[Any, Any] | None:
        """`output_size` as (height, width): integers, scalar tensors, `None` where yet unknown."""
        if output_size is None:
            return None
        if self.output_padding is not None:
            raise ValueError(
                f"output_size and output_padding={self.output_padding} both fix the output size; "
                "give at most one of them."
            )
        legal = (
            "it must be (height, width), or a tensor of rank 4 in the layer's layout, "
            f"{self.data_format}, whose height and width to match"
        )
        shape = getattr(output_size, "shape", None)
        if isinstance(output_size, (list, tuple)):
            entries = list(output_size)
        elif shape is None:
            raise TypeError(f"output_size={brief(output_size)} is {a_type(output_size)}; {legal}.")
        elif isinstance(output_size, keras.KerasTensor) and len(shape) == 4:
            height, width = (shape[axis] for axis in self._spatial_axes)
            return height, width
        elif isinstance(output_size, keras.KerasTensor) and tuple(shape) == (2,):
            return None, None  # A shape computed by the model: known only at run time.
        elif len(shape) == 4:
            dimensions = sizes(tf.convert_to_tensor(output_size))
            entries = [dimensions[axis] for axis in self._spatial_axes]
        elif len(shape) == 1 and shape[0] is not None:
            entries = vector_entries(output_size)
        else:
            entries = []
        if len(entries) != 2:
            raise ValueError(f"output_size={brief(output_size)} is not a pair; {legal}.")
        height, width = (
            check_size(f"output_size[{axis}]", entry) for axis, entry in enumerate(entries)
        )
        return height, width


def check_rank_known(argument: str, value: Any, data_format: str) -> None:
    """Raises where a tensor may have any number of axes, which Keras does not look at."""
    if isinstance(value, keras.KerasTensor) or not tf.is_tensor(value):
        return
    shape = getattr(value, "shape", None)
    if isinstance(shape, tf.TensorShape) and shape.rank is None:
        axes = input_axes(LAYOUTS_BY_NAME[LAYOUTS[data_format]])
        raise ValueError(
            f"{argument} has unknown rank, as what tf.py_function returns; it must be of rank 4, "
            f"{axes}: tf.ensure_shape says so, as in tf.ensure_shape({argument}, [None] * 4)."
        )


@contextmanager
def kernel_that_fits(layer: Any, shape: tuple[int, ...], channels: int) -> Iterator[None]:
    """Around the making of a kernel: raises where it is more than a tensor or this machine holds.

    Args:
        layer: the layer, with `filters`, `kernel_size` and `groups`.
        shape: the kernel's.
        channels: of the input.

    Raises:
        ValueError: the kernel is too large.
    """
    elements = math.prod(shape)
    size, memory = elements * tf.as_dtype(layer.variable_dtype).size, _memory()
    asked = (
        f"filters={layer.filters} with kernel_size={tuple(layer.kernel_size)}, {channels} input "
        f"channels and groups={layer.groups} need a kernel of {elements:,} elements"
    )
    if elements > LARGEST:
        raise ValueError(f"{asked}; a tensor has at most {LARGEST:,}.")
    asked += f", {size / 2**30:.3g} GiB in {layer.variable_dtype}"
    if memory is not None and size > memory:
        raise ValueError(f"{asked}; this machine has {memory / 2**30:.3g} GiB of memory.")
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise ValueError(f"{asked}, which the memory now free does not hold.") from error


def _memory() -> int | None:
    """Bytes of the machine's memory, or `None` where the operating system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _packed(output_size: Any) -> Any:
    """A pair that Keras passes on: it takes integers or tensors, but no mixture of the two."""
    if any(isinstance(entry, keras.KerasTensor) for entry in output_size):
        return keras.ops.stack([keras.ops.cast(entry, "int64") for entry in output_size])
    if any(map(tf.is_tensor, output_size)):
        sizes = [check_size(f"output_size[{axis}]", e) for axis, e in enumerate(output_size)]
        return tf.stack(sizes) if any(map(tf.is_tensor, sizes)) else tuple(sizes)
    return tuple(int(e) if isinstance(e, np.integer) else e for e in output_size)


def _paddings(padding: Any) -> Any:
    """The name "valid" or "same", or a pair of pairs of cells."""
    if not isinstance(padding, (list, tuple)):
        legal = "((top, bottom), (left, right))"
        return check_name("padding", padding, ("valid", "same"), legal)
    if len(padding) != 2:
        raise ValueError(
            f"padding={brief(padding)} has {entry_count(padding)}; explicit padding is "
            "((top, bottom), (left, right)), integers of at least 0."
        )
    pairs = []
    for axis, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)):
            raise TypeError(
                f"padding[{axis}]={brief(pair)} is {a_type(pair)}; it must be a pair "
                "(before, after) of integers of at least 0."
            )
        pairs.append(check_padding(pair, f"padding[{axis}]"))
    return tuple(pairs)
