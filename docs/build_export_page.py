"""Writes the computed tables of docs/export.md: what each lowering becomes, and what 8 bits cost.

Usage: python docs/build_export_page.py [--check]

Needs ai-edge-litert, onnx and tf2onnx (the extra `compat`). `--check` writes nothing and exits 1
where the page differs.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tf_tconv

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "examples"))

from exporting import LiteRt, operations, to_litert, to_onnx  # noqa: E402  (beside the examples)

PAGE = Path(__file__).with_name("export.md")
BLOCK = re.compile(r"(<!-- computed: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

SHAPE = (6, 5, 16)
LAYER = {"kernel_size": 5, "strides": 2, "padding": "same", "use_bias": False}

LAYERS_OF_8_BITS = {
    "kernel 5 x 4, stride 2 x 3": {"kernel_size": (5, 4), "strides": (2, 3)},
    "the same without bias": {"kernel_size": (5, 4), "strides": (2, 3), "use_bias": False},
    "kernel 2, stride 2": {"kernel_size": 2, "strides": 2},
    "kernel 2, stride 3": {"kernel_size": 2, "strides": 3},
}

OPEN: dict[str, tuple[int | None, tuple[int | None, ...], bool]] = {
    "nothing open": (1, (8, 8), False),
    "batch": (None, (8, 8), False),
    "height and width": (1, (None, None), False),
    "all three": (None, (None, None), False),
    "all, and the output's size": (None, (None, None), True),
}
"""What a model may leave open: the batch, the image, and whether an output size is asked for."""

# Ops of a SavedModel that hold, name and pass on what others compute.
NOT_ARITHMETIC = {
    *("Const", "Identity", "IdentityN", "NoOp", "Placeholder", "ReadVariableOp", "VarHandleOp"),
    *("PartitionedCall", "StatefulPartitionedCall", "StopGradient", "VarIsInitializedOp"),
    *("AssignVariableOp", "MergeV2Checkpoints", "RestoreV2", "SaveV2", "Select", "ShardedFilename"),
    *("StaticRegexFullMatch", "StringJoin", "DisableCopyOnRead"),
}


def operators() -> str:
    """A row a lowering: its ops in each format, for images of known size."""
    lines = [
        "| lowering | SavedModel | LiteRT | LiteRT, 8 bits | ONNX |",
        "| --- | --- | --- | --- | --- |",
    ]
    for lowering in (*tf_tconv.lowerings.NAMES, "native"):
        cells = [_listed(each) for each in _exported(lowering)]
        lines.append(f"| `{lowering}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _exported(lowering: str) -> list[set[str]]:
    """The ops of one layer in the four columns."""
    layer = tf_tconv.Conv2DTranspose(8, **LAYER, lowering=lowering)
    model = keras.Sequential([keras.Input(SHAPE), layer])
    random = np.random.default_rng(0)
    samples = [[random.standard_normal((1, *SHAPE)).astype(np.float32)] for _ in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False, input_signature=[tf.TensorSpec([1, *SHAPE])])
        served = tf.saved_model.load(folder).signatures["serving_default"]
        saved = operations(served) - NOT_ARITHMETIC
        nodes = to_onnx(model, Path(folder) / "model.onnx", batch=1)
    litert = [LiteRt(to_litert(model, kind, samples)).operators for kind in ("float", "int8")]
    return [saved, *litert, nodes]


def sizes() -> str:
    """A row a lowering: ONNX nodes by what is open, and the most axes of a tensor in LiteRT."""
    lines = [
        f"| lowering | {' | '.join(OPEN)} | ranks in LiteRT |",
        f"| --- |{' --- |' * (len(OPEN) + 1)}",
    ]
    for lowering in (*tf_tconv.lowerings.NAMES, "native"):
        cells = [str(_nodes(lowering, *how)) for how in OPEN.values()]
        layer = tf_tconv.Conv2DTranspose(8, **LAYER, lowering=lowering)
        model = keras.Sequential([keras.Input(SHAPE), layer])
        rank = max(LiteRt(to_litert(model)).ranks)
        lines.append(f"| `{lowering}` | {' | '.join(cells)} | up to {rank} |")
    return "\n".join(lines)


def _nodes(lowering: str, batch: int | None, image: tuple[int | None, ...], asked: bool) -> int:
    """How many ONNX nodes one layer of kernel 2 and stride 2 makes."""
    w = np.ones([2, 2, 3, 4], np.float32)
    signature = [tf.TensorSpec([batch, *image, 4]), tf.TensorSpec([4], tf.int32)]

    @tf.function(input_signature=signature[: 1 + asked], autograph=False)
    def layer(x: Any, size: Any = None) -> Any:
        return tf_tconv.conv2d_transpose(x, w, size, 2, groups=1, lowering=lowering)

    with warnings.catch_warnings():
        # tf2onnx looks for names that NumPy has to warn of.
        warnings.simplefilter("ignore", FutureWarning)
        convert = importlib.import_module("tf2onnx").convert
        model, _ = convert.from_function(layer, input_signature=layer.input_signature)
    return len(model.graph.node)


def errors() -> str:
    """A row a lowering: what 8 bits cost each layer, relative to the output's mean square."""
    lines = [
        f"| lowering | {' | '.join(LAYERS_OF_8_BITS)} |",
        f"| --- |{' --- |' * len(LAYERS_OF_8_BITS)}",
    ]
    for lowering in ("native", *tf_tconv.lowerings.NAMES):
        cells = [f"{_error(lowering, layer):.4f}" for layer in LAYERS_OF_8_BITS.values()]
        lines.append(f"| `{lowering}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _error(lowering: str, arguments: dict[str, Any]) -> float:
    random = np.random.default_rng(0)
    samples = [[random.standard_normal((1, *SHAPE)).astype(np.float32)] for _ in range(16)]
    layer = tf_tconv.Conv2DTranspose(8, padding="same", **arguments, lowering=lowering)
    model = keras.Sequential([keras.Input(SHAPE), layer])
    kernel, *bias = model.get_weights()
    bias = [random.standard_normal(each.shape) for each in bias]
    model.set_weights([random.standard_normal(kernel.shape) / 8, *bias])
    converted = LiteRt(to_litert(model, "int8", samples))
    right = np.concatenate([model(x) for (x,) in samples])
    found = np.concatenate([converted(x) for (x,) in samples])
    return float(np.sqrt(np.mean((found - right) ** 2) / np.mean(right**2)))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


BLOCKS = {"operators": operators, "sizes": sizes, "errors": errors}


def build(text: str) -> str:
    """The page with its computed parts made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Writes the page, or checks it."""
    parser = argparse.ArgumentParser(description="Write the computed tables of the export page.")
    parser.add_argument("--check", action="store_true", help="only tell whether it would change")
    check = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    built = build(text)
    if check and built != text:
        print(f"{PAGE.name} is not what {Path(__file__).name} computes; run it without --check.")
        return 1
    if not check:
        PAGE.write_text(built, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
