"""What each lowering's graph is made of, as far as its description promises."""

from collections import Counter

import pytest
import tensorflow as tf

import tf_tconv

COUNTED = ("Conv2D", "MatMul", "BatchMatMulV2")
MOVES = ("ConcatV2", "Pack", "Pad", "PadV2", "StridedSlice", "Transpose")


def graph(lowering, x, w, **arguments):
    """The operations of a call for shapes `x` and `w`."""
    function = tf.function(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, lowering=lowering, **arguments),
        input_signature=[tf.TensorSpec(x), tf.TensorSpec(w)],
        autograph=False,
    )
    return function.get_concrete_function().graph.get_operations()


def count(operations, types=COUNTED):
    return Counter(op.type for op in operations if op.type in types)


@pytest.mark.parametrize(
    ("lowering", "kernel", "products"),
    [
        ("polyphase", (3, 4), {"Conv2D": 6}),
        ("polyphase", (1, 2), {"Conv2D": 2}),
        ("row_polyphase", (3, 4), {"Conv2D": 2}),
        ("row_polyphase", (1, 2), {"Conv2D": 1}),
        ("line_batch", (3, 4), {"Conv2D": 1}),
        ("subpixel", (3, 4), {"Conv2D": 1}),
        ("overlap_add", (3, 4), {"MatMul": 1}),
        ("block_matmul", (2, 3), {"BatchMatMulV2": 1}),
        ("block_matmul", (4, 6), {"BatchMatMulV2": 4}),
        ("block_matmul", (1, 3), {"MatMul": 1}),
    ],
)
def test_number_of_products(lowering, kernel, products):
    operations = graph(lowering, [2, 5, 6, 4], [*kernel, 3, 4], strides=(2, 3))
    assert count(operations) == products


@pytest.mark.parametrize(
    ("lowering", "moves"),
    [
        ("line_batch", {"Transpose": 1}),  # of the weights
        ("block_matmul", {}),
    ],
)
def test_a_kernel_as_large_as_the_stride_needs_no_interleaving(lowering, moves):
    operations = graph(lowering, [1, 8, 8, 4], [2, 2, 3, 4], strides=2)
    moving = [op for op in operations if op.type in MOVES and op.outputs[0].shape.rank == 5]
    assert not [op for op in moving if op.type != "Pack"]  # A pack of one is a reshape.
    assert count(operations, ("Transpose",)) == moves


def test_the_matrix_product_takes_the_weights_as_they_are():
    (product,) = (
        op
        for op in graph("overlap_add", [1, 8, 8, 4], [5, 5, 3, 4], strides=2)
        if op.type == "MatMul"
    )
    assert product.get_attr("transpose_b")
    weights = product.inputs[1].op
    while weights.type in ("Reshape", "Identity"):
        weights = weights.inputs[0].op
    assert weights.type == "Placeholder"


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilations", [1, (2, 3)])
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_no_tensor_has_more_than_five_axes(lowering, dilations, groups):
    """Converters to mobile formats know no more."""
    operations = graph(
        lowering, [2, 5, 6, 4], [3, 4, 3, 4], strides=2, dilations=dilations, groups=groups
    )
    assert max(t.shape.rank for op in operations for t in op.outputs if t.shape.rank) <= 5


@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
def test_a_stride_far_beyond_the_kernel_costs_no_op_a_phase(lowering):
    operations = graph(lowering, [1, 2, 3, 2], [3, 1, 2, 2], strides=(5000, 1))
    assert len(operations) < 200
    x, w = tf.ones([1, 2, 3, 2]), tf.ones([3, 1, 2, 2])
    y = tf_tconv.conv2d_transpose(x, w, None, (5000, 1), lowering=lowering)
    assert y.shape == (1, 10_000, 3, 2)
    assert float(tf.reduce_sum(y)) == 2 * 3 * 2 * 3 * 2
    assert float(tf.reduce_sum(y[:, 5000:5003])) == 3 * 2 * 3 * 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_native_takes_groups_in_types_in_which_the_op_alone_refuses_them(dtype):
    x = tf.reshape(tf.range(64) % 7, [1, 4, 4, 4])
    w = tf.reshape(tf.range(72) % 5, [3, 3, 2, 4])
    right = [
        tf.nn.conv2d_transpose(*(tf.cast(each, tf.float32) for each in part), [1, 8, 8, 2], 2)
        for part in zip(tf.split(x, 2, 3), tf.split(w, 2, 3), strict=True)
    ]
    call = (tf.cast(x, dtype), tf.cast(w, dtype), None, 2)
    y = tf_tconv.conv2d_transpose(*call, groups=2, lowering="native")
    assert tf.reduce_all(tf.cast(y, tf.float32) == tf.concat(right, 3))
