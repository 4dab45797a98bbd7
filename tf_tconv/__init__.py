"""Transposed convolution from `tf.nn.conv2d`: exact, explained, and never refused."""

from typing import TYPE_CHECKING

from tf_tconv.registration import register_with_keras

# The same names twice: for type checkers and editors, and for those who use some of them and need
# not wait for TensorFlow if those do not.
if TYPE_CHECKING:
    from tf_tconv import checkerboard, conversion, dialects, lowerings
    from tf_tconv.autotuning import autotune
    from tf_tconv.conversion import convert_model
    from tf_tconv.explain import Trace, trace
    from tf_tconv.functional import conv2d_transpose
    from tf_tconv.functional.plan import plan
    from tf_tconv.geometry import AxisGeometry, legal_output_sizes, transpose_geometry
    from tf_tconv.importers import from_onnx, from_onnx_all, from_torch
    from tf_tconv.installed import __version__ as __version__
    from tf_tconv.layers import Conv2DTranspose
    from tf_tconv.matrix import SparseMatrix, convolution_matrix
else:
    from tf_tconv.late_imports import on_demand

    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "tf_tconv": ["checkerboard", "conversion", "dialects", "lowerings"],
            "tf_tconv.autotuning": ["autotune"],
            "tf_tconv.functional.plan": ["plan"],
            "tf_tconv.conversion": ["convert_model"],
            "tf_tconv.explain": ["Trace", "trace"],
            "tf_tconv.functional": ["conv2d_transpose"],
            "tf_tconv.geometry": ["AxisGeometry", "legal_output_sizes", "transpose_geometry"],
            "tf_tconv.importers": ["from_onnx", "from_onnx_all", "from_torch"],
            "tf_tconv.installed": ["__version__"],
            "tf_tconv.layers": ["Conv2DTranspose"],
            "tf_tconv.matrix": ["SparseMatrix", "convolution_matrix"],
        },
    )

__all__ = [
    "AxisGeometry",
    "Conv2DTranspose",
    "SparseMatrix",
    "Trace",
    "autotune",
    "checkerboard",
    "conv2d_transpose",
    "conversion",
    "convert_model",
    "convolution_matrix",
    "dialects",
    "from_onnx",
    "from_onnx_all",
    "from_torch",
    "legal_output_sizes",
    "lowerings",
    "plan",
    "trace",
    "transpose_geometry",
]

register_with_keras()
