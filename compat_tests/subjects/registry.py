"""All subjects by name."""

from __future__ import annotations

import os
from collections.abc import Callable

from compat_tests.subjects.exported import OURS
from compat_tests.subjects.external import External
from compat_tests.subjects.jax_lax import Jax
from compat_tests.subjects.keras_layer import Keras
from compat_tests.subjects.lite_rt import LiteRt
from compat_tests.subjects.native import Native
from compat_tests.subjects.onnx_ours import OnnxOurs
from compat_tests.subjects.onnx_reference import OnnxReference
from compat_tests.subjects.onnx_runtime import OnnxRuntime
from compat_tests.subjects.open_vino import OpenVino
from compat_tests.subjects.ours import Ours, installed_lowerings
from compat_tests.subjects.pytorch import PyTorch
from compat_tests.subjects.subject import Subject


def _onnx(variant: str = "pads") -> Subject:
    """The reference evaluator of one operator, or ONNX Runtime of our function."""
    return OnnxOurs(variant) if _is_ours(variant) else OnnxReference(variant)


def _openvino(variant: str = "pads") -> Subject:
    """OpenVINO's operator, or our function in it."""
    return OnnxOurs(variant, "openvino") if _is_ours(variant) else OpenVino(variant)


def _is_ours(variant: str) -> bool:
    return variant.partition(":")[0] == OURS


ADAPTERS: dict[str, Callable[..., Subject]] = {
    "ours": Ours,
    "native": Native,
    "keras": Keras,
    "torch": PyTorch,
    "jax": Jax,
    "onnxruntime": OnnxRuntime,
    "onnx": _onnx,
    "openvino": _openvino,
    "litert": LiteRt,
}
"""By the part of a name before the colon; an adapter takes what follows it, or its own default."""

DEFAULTS = ("ours", "ours:xla", "native", "native:plain", "native:xla")
"""The subjects of a run that names none."""

ALL = "all"
"""Stands for `DEFAULTS` and every other subject of `HELP`, each lowering included."""

HELP: tuple[tuple[str, str], ...] = (
    ("ours", "tf_tconv.conv2d_transpose, lowering chosen by itself"),
    ("ours:LOWERING", "the same with that lowering, a name of tf_tconv.lowerings.NAMES"),
    ("ours:xla", "the function compiled by XLA"),
    ("ours:layer", "tf_tconv.Conv2DTranspose"),
    ("native", "tf.nn.conv2d_transpose with oneDNN"),
    ("native:plain", "tf.nn.conv2d_transpose without oneDNN"),
    ("native:xla", "tf.nn.conv2d_transpose compiled by XLA"),
    ("keras:tensorflow", "keras.layers.Conv2DTranspose on TensorFlow"),
    ("keras:jax", "keras.layers.Conv2DTranspose on JAX"),
    ("keras:torch", "keras.layers.Conv2DTranspose on torch"),
    ("torch", "torch.nn.functional.conv_transpose2d, one call"),
    ("torch:cropped", "the same without padding, and cut to size after it"),
    ("jax", "jax.lax.conv_general_dilated with a dilated input"),
    ("jax:conv_transpose", "jax.lax.conv_transpose with transpose_kernel"),
    ("onnxruntime", "ConvTranspose with pads in ONNX Runtime"),
    ("onnxruntime:auto_pad", "the same with auto_pad alone"),
    ("onnxruntime:output_shape", "the same with auto_pad and output_shape"),
    ("onnx", "ConvTranspose with pads in the ONNX reference evaluator"),
    ("onnx:auto_pad", "the same with auto_pad alone"),
    ("onnx:output_shape", "the same with auto_pad and output_shape"),
    ("onnx:ours", "tf_tconv.conv2d_transpose written by tf2onnx, in ONNX Runtime"),
    ("onnx:ours:open", "the same with every size open; onnx:ours:LOWERING:open names the lowering"),
    ("openvino", "ConvolutionBackpropData with pads in OpenVINO"),
    ("openvino:auto_pad", "the same with auto_pad and an output shape"),
    ("openvino:ours", "tf_tconv.conv2d_transpose written by tf2onnx, in OpenVINO"),
    ("openvino:ours:open", "the same with every size open"),
    ("litert", "TRANSPOSE_CONV in LiteRT"),
    ("litert:ours", "tf_tconv.conv2d_transpose converted to LiteRT"),
    ("litert:ours:open", "the same with every size open; litert:ours:LOWERING:open likewise"),
)

OUTSIDE: tuple[tuple[str, str], ...] = (
    ("package.module:function", "any function with the signature of tf.nn.conv2d_transpose"),
    ("SUBJECT@PYTHON", "a subject in the environment of another Python, given by its path"),
    (ALL, "every subject above but the function and the other Python"),
)


def split(name: str) -> tuple[str, str | None]:
    """Takes a subject's name apart.

    Args:
        name: `SUBJECT` or `SUBJECT@PYTHON`.

    Returns:
        The subject's own name, and the path of the Python it runs in; None for this one.
    """
    subject, _, python = name.partition("@")
    return subject, os.path.expanduser(python) or None


def resolve(name: str) -> Subject:
    """The subject of that name.

    Args:
        name: one of `HELP`, or `package.module:function`, with `@PYTHON` or without.

    Returns:
        Its adapter; nothing is imported or started yet.

    Raises:
        ValueError: if there is no such subject.
    """
    subject, _ = split(name)
    prefix, colon, variant = subject.partition(":")
    if prefix in ADAPTERS:
        adapter = ADAPTERS[prefix]
        return adapter(variant) if colon else adapter()
    if not colon:
        known = ", ".join(known for known, _ in (*HELP, *OUTSIDE))
        raise ValueError(f"no subject {name!r}; there are {known}")
    return External(subject)


def expand(names: tuple[str, ...]) -> tuple[str, ...]:
    """The subjects meant by names, `ALL` written out, each once."""
    if ALL not in names:
        return tuple(dict.fromkeys(names))
    everyone = [name for name, _ in HELP]
    place = everyone.index("ours:LOWERING")
    everyone[place : place + 1] = [f"ours:{lowering}" for lowering in installed_lowerings()]
    return tuple(
        dict.fromkeys(one for name in names for one in (everyone if name == ALL else [name]))
    )
