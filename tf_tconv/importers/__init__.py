"""Layers made from the transposed convolutions of other frameworks, weights included.

* `torch_module`: `from_torch`, a `torch.nn.ConvTranspose2d`; `torch_recording`: how one is run.
* `onnx_file`: `from_onnx` and `from_onnx_all`, the nodes of a file; `onnx_graph`: where the nodes
  and their weights lie; `onnx_runs`: the runtimes that evaluate both.
* `built_layer` makes the layer, and `comparison` runs it beside its source.
"""

from tf_tconv.importers.onnx_file import from_onnx, from_onnx_all
from tf_tconv.importers.torch_module import from_torch

__all__ = ["from_onnx", "from_onnx_all", "from_torch"]
