"""ONNX models whose weights are not plain initializers, and whose nodes lie in odd places."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
SHAPE = (2, 4, 5, 7)
RANDOM = np.random.default_rng(0)
W = RANDOM.standard_normal((4, 6, 3, 3)).astype(np.float32)
B = RANDOM.standard_normal(6).astype(np.float32)
Q = np.clip(np.round(W / 0.02) + 3, -128, 127).astype(np.int8)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs, [output], **attributes)


def up(weights="W", bias=None, x="X", y="Y", name="", **attributes):
    """A node whose padding tells a flip and a shift."""
    inputs = [x, weights, *([bias] if bias else [])]
    attributes = {"strides": [2, 2], "pads": [1, 0, 0, 1], **attributes}
    return helper.make_node("ConvTranspose", inputs, [y], name=name, **attributes)


def info(name, shape=None, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, stored, outputs=("Y",), *, sparse=(), functions=(), shape=SHAPE):
    graph = helper.make_graph(
        nodes,
        "graph",
        [info("X", shape)],
        [info(output) for output in outputs],
        [
            numpy_helper.from_array(np.asarray(value), name)
            if isinstance(value, (np.ndarray, np.generic))
            else value
            for name, value in stored.items()
        ],
        sparse_initializer=list(sparse),
    )
    imports = [helper.make_opsetid("", OPSET)]
    imports += [helper.make_opsetid(domain, 1) for domain in {f.domain for f in functions}]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, functions=list(functions))


def f32(*values):
    return np.array(values, np.float32)


def dequantized(array, scale, zero=None, **attributes):
    names = ["Q", "scale", *(["zero"] if zero is not None else [])]
    stored = {"Q": array, "scale": scale, **({"zero": zero} if zero is not None else {})}
    return model([node("DequantizeLinear", names, "W", **attributes), up()], stored)


def quantized_bias():
    nodes = [
        node("DequantizeLinear", ["Q", "s", "z"], "W", axis=1),
        node("DequantizeLinear", ["BQ", "bs"], "B", axis=0),
        up(bias="B"),
    ]
    stored = {
        "Q": Q,
        "s": np.linspace(0.01, 0.05, 6, dtype=np.float32),
        "z": np.arange(6, dtype=np.int8),
        "BQ": np.arange(6, dtype=np.int32) * 1000,
        "bs": np.linspace(1e-4, 1e-3, 6, dtype=np.float32),
    }
    return model(nodes, stored)


def weight_norm():
    nodes = [
        node("ReduceL2", ["V", "axes"], "norm", keepdims=1),
        node("Div", ["V", "norm"], "direction"),
        node("Mul", ["direction", "g"], "W"),
        up(bias="B"),
    ]
    g = RANDOM.random((4, 1, 1, 1)).astype(np.float32)
    return model(nodes, {"V": W, "axes": np.array([1, 2, 3]), "g": g, "B": B})


def reshaped():
    nodes = [
        node("Reshape", ["V", "shape"], "1"),
        node("Transpose", ["1"], "2", perm=[1, 0, 2, 3]),
        node("Add", ["2", "offset"], "W"),
        node("Unsqueeze", ["b", "axis"], "3"),
        node("Squeeze", ["3", "axis"], "B"),
        up(bias="B"),
    ]
    stored = {"V": W.reshape(-1), "shape": np.array([6, 4, 3, 3]), "offset": f32(0.1)}
    return model(nodes, {**stored, "b": B, "axis": np.array([0])})


def constants():
    nodes = [
        node("Constant", [], "s", value_float=0.5),
        node("Mul", ["V", "s"], "W"),
        node("Constant", [], "B", value_floats=B.tolist()),
        up(bias="B"),
    ]
    return model(nodes, {"V": W})


def sparse(name, coordinates):
    dense = np.zeros(W.shape, np.float32)
    dense[0, 1, 2, 1], dense[3, 5, 0, 2] = 2, -1
    index = np.argwhere(dense) if coordinates else np.flatnonzero(dense)
    values = numpy_helper.from_array(dense[dense != 0], name)
    return helper.make_sparse_tensor(
        values, numpy_helper.from_array(index, f"{name}_indices"), W.shape
    )


def constant_branch():
    """Weights that an If chooses, whose branches see what is stored around them."""
    outputs = [info("V")]
    then = helper.make_graph(
        [node("Mul", ["W0", "three"], "V")],
        "then",
        [],
        outputs,
        [numpy_helper.from_array(f32(3), "three")],
    )
    otherwise = helper.make_graph([node("Identity", ["W0"], "V")], "else", [], outputs)
    choice = node("If", ["yes"], "W", then_branch=then, else_branch=otherwise)
    return model([choice, up()], {"W0": W, "yes": np.array(True)})


WEIGHTS = {
    "Identity": lambda: model([node("Identity", ["V"], "W"), up(bias="B")], {"V": W, "B": B}),
    "Cast": lambda: model(
        [node("Cast", ["V"], "W", to=TensorProto.FLOAT), up()], {"V": W.astype(np.float16)}
    ),
    "Mul": lambda: model([node("Mul", ["V", "s"], "W"), up()], {"V": W, "s": f32(0.3)}),
    "DequantizeLinear": lambda: dequantized(Q, np.float32(0.02), np.int8(3)),
    "DequantizeLinear, no zero point": lambda: dequantized(Q, np.float32(0.02)),
    "DequantizeLinear, uint8": lambda: dequantized(
        (Q.astype(int) + 128).astype(np.uint8), np.float32(0.02), np.uint8(131)
    ),
    "DequantizeLinear, int16": lambda: dequantized(Q.astype(np.int16) * 50, np.float32(4e-4)),
    "DequantizeLinear, int4": lambda: dequantized(
        helper.make_tensor("Q", TensorProto.INT4, W.shape, RANDOM.integers(-8, 8, W.size).tolist()),
        np.float32(0.1),
    ),
    "DequantizeLinear, blocked": lambda: dequantized(
        Q,
        RANDOM.random((4, 2, 3, 3)).astype(np.float32),
        np.ones((4, 2, 3, 3), np.int8),
        axis=1,
        block_size=3,
    ),
    "DequantizeLinear, per channel, bias too": quantized_bias,
    "QuantizeLinear": lambda: model(
        [
            node("QuantizeLinear", ["V", "s", "z"], "Q"),
            node("DequantizeLinear", ["Q", "s", "z"], "W"),
            up(),
        ],
        {"V": W, "s": np.float32(0.02), "z": np.int8(3)},
    ),
    "weight norm": weight_norm,
    "Reshape, Transpose, Add, Unsqueeze": reshaped,
    "Constant of numbers": constants,
    "Constant, sparse": lambda: model(
        [node("Constant", [], "W", sparse_value=sparse("W", False)), up()], {}
    ),
    "Constant, sparse, by coordinates": lambda: model(
        [node("Constant", [], "W", sparse_value=sparse("W", True)), up()], {}
    ),
    "sparse initializer": lambda: model([up()], {}, sparse=[sparse("W", False)]),
    "ConstantOfShape": lambda: model(
        [
            node(
                "ConstantOfShape",
                ["shape"],
                "W",
                value=helper.make_tensor("value", TensorProto.FLOAT, [1], [0.5]),
            ),
            up(),
        ],
        {"shape": np.array([4, 6, 3, 3])},
    ),
    "If of a constant": constant_branch,
}
"""One node each, named by its output Y."""


def branches(first, second):
    """An If whose condition is false, with a node in each branch."""
    then, otherwise = (
        helper.make_graph([*nodes], name, [], [info(nodes[-1].output[0])])
        for name, nodes in (("then", first), ("else", second))
    )
    choice = helper.make_node(
        "If", ["no"], ["Y"], name="decide", then_branch=then, else_branch=otherwise
    )
    return model([choice], {"W": W, "B": B, "two": f32(2), "no": np.array(False)})


def loop():
    body = helper.make_graph(
        [up(y="T", name="inner"), node("Identity", ["go"], "on")],
        "body",
        [info("step", [], TensorProto.INT64), info("go", [], TensorProto.BOOL)],
        [info("on", [], TensorProto.BOOL), info("T")],
    )
    turns = helper.make_node("Loop", ["n", "yes"], ["Ys"], body=body)
    first = node("Gather", ["Ys", "zero"], "Y", axis=0)
    stored = {"W": W, "yes": np.array(True), "n": np.array(2), "zero": np.array(0)}
    return model([turns, first], stored)


def scan():
    body = helper.make_graph(
        [
            node("Unsqueeze", ["x", "axis"], "x4"),
            up(x="x4", y="T"),
            node("Squeeze", ["T", "axis"], "y"),
        ],
        "body",
        [info("x", SHAPE[1:])],
        [info("y")],
    )
    scanned = node("Scan", ["X"], "Y", body=body, num_scan_inputs=1)
    return model([scanned], {"W": W, "axis": np.array([0])})


def function(calls):
    body = [
        node("Mul", ["w", "w"], "squared"),
        helper.make_node("ConvTranspose", ["x", "squared"], ["y"], name="up", strides=[2, 1]),
    ]
    imports = [helper.make_opsetid("", OPSET)]
    made = helper.make_function("mine", "Up", ["x", "w"], ["y"], body, imports)
    outputs = ["Y", "Z"][:calls]
    nodes = [
        helper.make_node("Up", ["X", weights], [output], domain="mine", name=f"call{output}")
        for weights, output in zip(("W", "V"), outputs, strict=False)
    ]
    return model(nodes, {"W": W, "V": W[:, :2].copy()}, outputs, functions=[made])


PLACES = {
    "two of one name": (
        lambda: model([up(y="Z", name="up"), up("V", name="up")], {"W": W, "V": 2 * W}, ("Z", "Y")),
        ["Z", "Y"],
    ),
    "without names": (
        lambda: model([up(y="Z"), up("V")], {"W": W, "V": 2 * W}, ("Z", "Y")),
        ["Z", "Y"],
    ),
    "a name that is another's output": (
        lambda: model([up(y="Z", name="Y"), up("V")], {"W": W, "V": 2 * W}, ("Z", "Y")),
        ["Z", "Y"],
    ),
    "If": (
        lambda: branches(
            [up(bias="B", y="T")], [node("Mul", ["W", "two"], "W2"), up("W2", y="E", name="other")]
        ),
        ["T", "other"],
    ),
    "If, all names shared": (
        lambda: branches([up(y="T", name="up")], [up(y="T", name="up", dilations=[2, 1])]),
        ["decide/then_branch/T", "decide/else_branch/T"],
    ),
    "Loop": (loop, ["inner"]),
    "Scan": (scan, ["T"]),
    "function": (lambda: function(1), None),
    "function, called twice": (lambda: function(2), None),
}
"""Models whose output Y is the last layer's, and the keys; `None` where onnx makes the names."""
