"""The same transposed convolution in the words of Keras, torch, ONNX, JAX and `tf.nn`.

Each dialect is a module with the same four functions, and a `TransposedConvolution` is what they
meet in:

* ``from_arguments(...)``: the framework's own argument names to the operation;
* ``to_arguments(operation)``: the operation to the framework's call, a `Translation`; with
  ``strict=True`` only where the call alone says it;
* ``from_weights(weights)`` and ``to_weights(kernel)``: between the framework's layout of a kernel
  and `[height, width, out/groups, in]`, which is TensorFlow's.

None of them imports its framework. The padding is that of `tf_tconv.geometry`.

Example:
    >>> from tf_tconv import dialects
    >>> operation = dialects.torch.from_arguments(
    ...     kernel_size=3, stride=2, padding=1, output_padding=1
    ... )
    >>> print(dialects.onnx.to_arguments(operation).text)
    onnx.helper.make_node("ConvTranspose", ["X", "W", "B"], ["Y"], kernel_shape=[3, 3], \
strides=[2, 2], pads=[1, 1, 0, 0])
"""

from tf_tconv.dialects import jax, keras, onnx, tf_nn, torch
from tf_tconv.dialects.operation import TransposedAxis
from tf_tconv.dialects.translation import Translation
from tf_tconv.operation import TransposedConvolution

__all__ = [
    "Translation",
    "TransposedAxis",
    "TransposedConvolution",
    "jax",
    "keras",
    "onnx",
    "tf_nn",
    "torch",
]
