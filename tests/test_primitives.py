"""The forward pass is made of primitives: no lowering but "native" holds the op it replaces."""

import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv

FORBIDDEN = ("Conv2DBackpropInput", "Conv3DBackpropInput", "DepthwiseConv2dNativeBackpropInput")
PRODUCTS = ("Conv2D", "MatMul", "BatchMatMulV2")


def operations(concrete) -> list[str]:
    """The types of all operations of a concrete function, in the functions it calls too."""
    graph = concrete.graph.as_graph_def()
    inside = [node.op for function in graph.library.function for node in function.node_def]
    return [node.op for node in graph.node] + inside


def forward_operations(lowering, **arguments) -> list[str]:
    function = tf.function(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, lowering=lowering, **arguments),
        autograph=False,
    )
    concrete = function.get_concrete_function(
        tf.TensorSpec(arguments.pop("shape", [2, 5, 6, 4]), tf.float32),
        tf.TensorSpec([3, 4, 2, 4], tf.float32),
    )
    return operations(concrete)


CALLS = [
    {"strides": 1},
    {"strides": (2, 3)},
    {"strides": 2, "dilations": (1, 2)},
    {"strides": 2, "groups": 2},
    {"strides": 2, "padding": "VALID"},
    {"strides": 2, "padding": [[0, 0], [5, 0], [0, 1], [0, 0]]},
    {"strides": 3, "shape": [None, None, None, 4]},
]


@pytest.mark.parametrize("lowering", ["auto", *tf_tconv.lowerings.NAMES])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_no_native_op_in_the_forward_graph(lowering, call):
    found = set(forward_operations(lowering, **call))
    assert not found & set(FORBIDDEN)
    assert found & set(PRODUCTS)


def test_the_walk_sees_the_op_where_it_is():
    assert "Conv2DBackpropInput" in forward_operations("native", strides=2)


def test_the_walk_sees_the_op_in_a_nested_function():
    inner = tf.function(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 2, lowering="native"), autograph=False
    )
    outer = tf.function(lambda x, w: inner(x, w) + 1, autograph=False)
    concrete = outer.get_concrete_function(
        tf.TensorSpec([1, 3, 3, 4], tf.float32), tf.TensorSpec([3, 4, 2, 4], tf.float32)
    )
    assert "Conv2DBackpropInput" in operations(concrete)
    assert "Conv2DBackpropInput" not in [node.op for node in concrete.graph.as_graph_def().node]


def test_native_is_no_name_and_auto_is_none():
    assert "native" not in tf_tconv.lowerings.NAMES
    assert "auto" not in tf_tconv.lowerings.NAMES
    assert "zero_insertion" in tf_tconv.lowerings.NAMES


def test_native_equals_the_op_it_names():
    x, w = tf.constant(ramp(2, 4, 5, 4)), tf.constant(ramp(3, 4, 3, 4))
    ours = tf_tconv.conv2d_transpose(x, w, [2, 7, 10, 3], 2, lowering="native")
    assert (ours.numpy() == tf.nn.conv2d_transpose(x, w, [2, 7, 10, 3], 2).numpy()).all()
