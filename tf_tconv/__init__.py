"""Transposed convolution from `tf.nn.conv2d`: exact, explained, and never refused."""

from importlib.metadata import PackageNotFoundError, version

from tf_tconv import checkerboard, conversion, dialects, lowerings
from tf_tconv.autotuning import autotune
from tf_tconv.conversion import convert_model
from tf_tconv.explain import Trace, trace
from tf_tconv.functional import conv2d_transpose
from tf_tconv.functional.plan import plan
from tf_tconv.geometry import AxisGeometry, legal_output_sizes, transpose_geometry
from tf_tconv.importers import from_onnx, from_onnx_all, from_torch
from tf_tconv.layers import Conv2DTranspose
from tf_tconv.matrix import SparseMatrix, convolution_matrix

try:
    __version__ = version("tf-tconv")
except PackageNotFoundError:  # A checkout that was never installed.
    __version__ = "0.0.0"

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
