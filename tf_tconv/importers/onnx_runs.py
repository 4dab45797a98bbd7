"""What ONNX Runtime, or the reference evaluator of the package onnx, makes of a few nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.geometry import brief
from tf_tconv.operation import TransposedConvolution
from tf_tconv.verification import SPACING

Array = NDArray[Any]
_Run = Callable[[Any, dict[str, Array]], Array]


class Unrunnable(ValueError):
    """Why nothing installed runs some nodes."""


def evaluate(tensor: str, nodes: list[Any], stored: Mapping[str, Array], model: Any) -> Array:
    """What nodes make of stored arrays.

    Args:
        tensor: the name of the output wanted.
        nodes: in order.
        stored: arrays by name, all that the nodes take.
        model: the model that they are of, for its versions.

    Raises:
        Unrunnable: nothing installed evaluates them.
    """
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        "weights",
        [],
        [helper.make_empty_tensor_value_info(tensor)],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    alone = helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version, functions=[]
    )
    faults = []
    for name, run in (("ONNX Runtime", _onnxruntime), ("the reference evaluator", _reference)):
        try:
            return np.asarray(run(alone, {}))
        except Exception as error:  # Of as many kinds as there are operators.
            faults.append(f"{name}: {brief(str(error).strip(), 200)}")
    raise Unrunnable("; ".join(faults))


class NodeRun:
    """A `ConvTranspose` node, run on images of any size by the first runtime that takes it.

    ONNX Runtime has kernels of float32 alone, so the weights are given to it in that dtype. The
    reference evaluator has none of groups, so it is given one group at a time; and where `auto_pad`
    asks for zeros it differs from the specification, so it isn't asked there.

    Args:
        node: the node.
        operation: what it performs.
        weights: its input W.
        bias: its input B, or `None`.
        size: (height, width) of its input where it has `output_shape`, which is true of that size.
    """

    def __init__(
        self,
        node: Any,
        operation: TransposedConvolution,
        weights: Array,
        bias: Array | None,
        size: tuple[int, ...] | None,
    ) -> None:
        self.node, self.operation, self.size = node, operation, size
        self.weights, self.bias = weights.astype(np.float32), bias
        if bias is not None:
            self.bias = bias.astype(np.float32)
        self.spacing = SPACING["float32"]
        self.runner = ""

    def __call__(self, images: Array) -> Array:
        """The outputs of images, both `[batch, channels, height, width]` and float64.

        Raises:
            Unrunnable: no runtime takes the node.
        """
        faults = []
        for name, run in self._runners():
            try:
                outputs = run(images.astype(np.float32))
            except Exception as error:  # Of several kinds, onnxruntime's own among them.
                faults.append(f"{name}: {brief(str(error).strip(), 200)}")
            else:
                self.runner = name
                return outputs.astype(np.float64)
        raise Unrunnable("; ".join(faults))

    def _runners(self) -> Iterator[tuple[str, Callable[[Array], Array]]]:
        yield "ONNX Runtime", lambda images: self._run(_onnxruntime, images, self.operation.groups)
        automatic = any(each.name == "auto_pad" for each in self.node.attribute)
        if not (automatic and min(min(sides) for sides in self.operation.crops) < 0):
            yield "the reference evaluator", self._reference_by_group

    def _reference_by_group(self, images: Array) -> Array:
        groups = self.operation.groups
        parts = zip(
            np.split(images, groups, axis=1),
            np.split(self.weights, groups),
            [None] * groups if self.bias is None else np.split(self.bias, groups),
            strict=True,
        )
        return np.concatenate(
            [self._run(_reference, x, 1, weights, bias) for x, weights, bias in parts], axis=1
        )

    def _run(
        self,
        run: _Run,
        images: Array,
        groups: int,
        weights: Array | None = None,
        bias: Array | None = None,
    ) -> Array:
        from onnx import TensorProto, helper, numpy_helper

        if weights is None:
            weights, bias = self.weights, self.bias
        node = helper.make_node("ConvTranspose", ["X", "W"] + ["B"] * (bias is not None), ["Y"])
        for attribute in self.node.attribute:
            if attribute.name not in ("output_shape", "group"):
                node.attribute.append(attribute)
            elif attribute.name == "output_shape":
                node.attribute.append(
                    helper.make_attribute("output_shape", self._output_shape(attribute, images))
                )
        node.attribute.append(helper.make_attribute("group", groups))
        stored = {"W": weights} if bias is None else {"W": weights, "B": bias}
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info("X", TensorProto.FLOAT, images.shape)],
            [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in stored.items()],
        )
        # The operator is the same since version 11; this one every runtime has.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return run(model, {"X": images})

    def _output_shape(self, attribute: Any, images: Array) -> list[int]:
        """The shape by which images of another size are padded as those of the node's own are."""
        sizes = self.size or images.shape[2:]
        return [
            asked - (own - given) * stride
            for asked, own, given, stride in zip(
                list(attribute.ints)[-2:],
                sizes,
                images.shape[2:],
                self.operation.strides,
                strict=True,
            )
        ]


def _onnxruntime(model: Any, inputs: dict[str, Array]) -> Array:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (result,) = session.run(None, inputs)
    array: Array = result
    return array


def _reference(model: Any, inputs: dict[str, Array]) -> Array:
    from onnx.reference import ReferenceEvaluator

    (result,) = ReferenceEvaluator(model).run(None, inputs)
    array: Array = result
    return array
