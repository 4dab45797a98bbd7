"""The matrix of the forward convolution: a second witness beside the oracle."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES, select, spread
from compat_tests.subjects.calling import keyword_arguments, to_layout

# Not those of whole models, whose matrices have up to a hundred billion entries.
SMALL = [name for name in FAMILIES if name != "models"]
SAMPLE = {name: spread(select([name]), 30) for name in SMALL}
DTYPES = {"half": np.float16, "float32": np.float32, "float64": np.float64, "int32": np.int32}


def matrix_of(case, w, **changes):
    """The matrix of a case; bfloat16 in float32, for want of it in NumPy."""
    arguments = {
        "input_shape": to_layout(np.empty(case.input_shape), case.data_format).shape,
        "filters": w.astype(DTYPES.get(case.dtype, np.float32)),
        **keyword_arguments(case),
        **changes,
    }
    return tf_tconv.convolution_matrix(**arguments)


@pytest.mark.parametrize("family", SMALL)
def test_its_transpose_is_the_transposed_convolution(family):
    for case in SAMPLE[family]:
        inputs = make_inputs(case)
        x, g = (to_layout(image, case.data_format) for image in (inputs.x, inputs.g))
        matrix = matrix_of(case, inputs.w).astype(np.int64)
        assert matrix.shape == (np.prod(x.shape[1:]), np.prod(g.shape[1:])), case.id
        arguments = (case.strides, case.padding, case.dilations, case.groups)
        y = oracle.conv2d_transpose(inputs.x, inputs.w, case.output_size, *arguments)
        wanted = to_layout(y, case.data_format).reshape(case.batch, matrix.shape[1])
        flat = x.reshape(case.batch, matrix.shape[0])
        assert np.array_equal(flat @ matrix, wanted), case.id
        for example, answer in zip(x, wanted, strict=True):
            assert np.array_equal(matrix.T @ example.ravel(), answer), case.id


@pytest.mark.parametrize("family", SMALL)
def test_it_is_the_forward_convolution(family):
    for case in SAMPLE[family][::3]:
        if not case.batch:
            continue
        inputs = make_inputs(case)
        image = to_layout(inputs.g, case.data_format)[0]
        arguments = (case.strides, case.padding, case.dilations, case.groups)
        v = oracle.forward_convolution(inputs.g[:1], inputs.w, *arguments)
        wanted = to_layout(v, case.data_format).ravel()
        matrix = matrix_of(case, inputs.w).astype(np.int64)
        assert np.array_equal(matrix @ image.ravel(), wanted), case.id


@pytest.mark.parametrize("family", SMALL)
def test_sparse_entries_make_the_dense_matrix(family):
    for case in SAMPLE[family][::5]:
        w = make_inputs(case).w
        w[w == 0] = 1  # So that what is zero is so by construction.
        dense = matrix_of(case, w)
        sparse = matrix_of(case, w, sparse=True)
        assert sparse.shape == dense.shape
        assert sparse.values.dtype == dense.dtype == DTYPES.get(case.dtype, np.float32)
        places = set(zip(sparse.rows.tolist(), sparse.columns.tolist(), strict=True))
        assert len(places) == len(sparse.values) == np.count_nonzero(dense), case.id
        assert np.array_equal(dense[sparse.rows, sparse.columns], sparse.values), case.id
        assert np.array_equal(sparse.dense(), dense)


def test_a_transposed_convolution_restores_the_size_and_not_the_values():
    image = ramp(1, 6, 6, 1)
    filters = ramp(3, 3, 1, 1, seed=1)
    matrix = tf_tconv.convolution_matrix((3, 3), filters, strides=2)
    small = tf.nn.conv2d(image, filters, 2, "SAME").numpy()
    assert np.array_equal(matrix @ image.ravel(), small.ravel())
    restored = matrix.T @ (matrix @ image.ravel())
    again = tf_tconv.conv2d_transpose(small, filters, [6, 6], 2).numpy()
    assert np.array_equal(restored, again.ravel())
    assert again.shape == image.shape
    assert np.count_nonzero(restored != image.ravel()) > 30
    # No other map from 9 numbers to 36 could restore them either.
    assert np.linalg.matrix_rank(matrix) == 9


def test_input_shape_with_and_without_channels_and_batch():
    w = ramp(2, 3, 5, 2).astype(np.float32)
    shapes = {"NHWC": [(4, 3), (4, 3, 2), (7, 4, 3, 2)], "NCHW": [(4, 3), (2, 4, 3), (7, 2, 4, 3)]}
    for data_format, forms in shapes.items():
        first, *others = (
            tf_tconv.convolution_matrix(form, w, [2, 1], data_format=data_format)
            for form in (*forms, tf.TensorShape(forms[2]), np.array(forms[1]), list(forms[0]))
        )
        assert first.shape == (24, 8 * 3 * 5)
        for other in others:
            assert np.array_equal(first, other)


def test_groups_without_output_channels_have_to_be_said():
    w = ramp(2, 2, 3, 4)
    assert tf_tconv.convolution_matrix((2, 2), w, 2, groups=2).shape == (16, 16 * 6)
    inferred = tf_tconv.convolution_matrix((1, 2, 2, 4), w, 2, output_shape=(1, 4, 4, 6))
    assert inferred.shape == (16, 16 * 6)


def test_entries_serve_where_the_matrix_would_not():
    w = np.ones([3, 3, 1, 1], np.float32)
    with pytest.raises(
        ValueError, match=r"10000 x 40000 elements; at most 134217728 .*sparse=True"
    ):
        tf_tconv.convolution_matrix((100, 100), w, 2)
    sparse = tf_tconv.convolution_matrix((100, 100), w, 2, sparse=True)
    x = ramp(1, 100, 100, 1)
    y = np.zeros(sparse.shape[1])
    np.add.at(y, sparse.columns, sparse.values * x.ravel()[sparse.rows])
    wanted = oracle.conv2d_transpose(x, w, (200, 200), (2, 2))
    assert np.array_equal(y, wanted.ravel())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"input_shape": 3}, TypeError, r"input_shape=3 is an int; it must be \(height, width\)"),
        ({"input_shape": "33"}, TypeError, r"input_shape='33' is a str"),
        ({"input_shape": None}, TypeError, r"input_shape=None is a NoneType"),
        ({"input_shape": (3,)}, ValueError, r"input_shape=\(3,\) has 1 entry; it must have 2"),
        ({"input_shape": (3, -1)}, ValueError, r"input_shape\[1\]=-1 is out of range"),
        ({"input_shape": (2, 3, None, 1)}, TypeError, r"input_shape\[2\]=None is a NoneType"),
        (
            {"input_shape": (3, 3, 4)},
            ValueError,
            r"filters.shape\[3\]=1 is not the channels of input",
        ),
        ({"filters": np.ones([3, 3])}, ValueError, r"filters has rank 2"),
        ({"strides": 0}, ValueError, r"strides=0 is out of range"),
        (
            {"output_shape": (9, 6)},
            ValueError,
            r"output_shape\[0\]=9 cannot come from 3 input rows",
        ),
        ({"padding": "SOME"}, ValueError, r'padding="SOME" is unknown'),
        ({"data_format": "CHWN"}, ValueError, r'data_format="CHWN" is unknown'),
        ({"input_shape": (4000, 4000)}, ValueError, r"the matrix has 144000000 entries; at most"),
    ],
)
def test_illegal_arguments_are_explained(changes, error, message):
    arguments = {"input_shape": (3, 3), "filters": np.ones([3, 3, 1, 1]), "strides": 2, **changes}
    with pytest.raises(error, match=message):
        tf_tconv.convolution_matrix(**arguments)


def test_a_graph_has_no_values_to_make_a_matrix_of():
    traced = tf.function(lambda w: tf_tconv.convolution_matrix((3, 3), w, 2), autograph=False)
    with pytest.raises(TypeError, match="filters has no values while a graph is traced"):
        traced.get_concrete_function(tf.TensorSpec([3, 3, 1, 1]))


EXPLICIT = [[0, 0], [1, 0], [0, 1], [0, 0]]
MATRIX_CALLS = {
    "the order of the function": [
        (([6, 6], 2), {}),
        (([6, 6], (2, 2), "SAME"), {}),
        (([6, 6], 2, "same", "NHWC", None), {}),
        ((None, 2), {}),
        ((None, [1, 2, 2, 1], "SAME"), {}),
        (([6, 6],), {"strides": 2}),
        ((np.array([6, 6]), np.array([2, 2])), {}),
        ((), {"output_shape": [6, 6], "strides": 2}),
    ],
    "the order before": [
        ((2,), {}),
        (((2, 2),), {}),
        ((2, "SAME"), {}),
        (([2, 2], "SAME", [6, 6]), {}),
        ((2, "SAME", None, "NHWC", 1), {}),
        ((2,), {"output_shape": [6, 6], "padding": "SAME"}),
        ((2, "SAME"), {"output_shape": [6, 6], "data_format": "NHWC"}),
    ],
}


@pytest.mark.parametrize("order", MATRIX_CALLS)
def test_both_orders_of_arguments_give_the_same(order):
    w = ramp(3, 3, 2, 1).astype(np.float32)
    wanted = tf_tconv.convolution_matrix(
        input_shape=(3, 3), filters=w, output_shape=(6, 6), strides=2, padding="SAME"
    )
    assert wanted.shape == (9, 72)
    for arguments, named in MATRIX_CALLS[order]:
        found = tf_tconv.convolution_matrix((3, 3), w, *arguments, **named)
        np.testing.assert_array_equal(found, wanted, err_msg=f"{arguments} {named}")


@pytest.mark.parametrize("padding", ["VALID", EXPLICIT, np.array(EXPLICIT), tuple(EXPLICIT)])
def test_the_order_before_is_told_by_its_padding(padding):
    w = ramp(3, 3, 1, 1).astype(np.float32)
    wanted = tf_tconv.convolution_matrix((3, 4), w, strides=(2, 1), padding=padding)
    for arguments in (((2, 1), padding), (None, (2, 1), padding), ((2, 1), padding, None)):
        found = tf_tconv.convolution_matrix((3, 4), w, *arguments)
        np.testing.assert_array_equal(found, wanted)


def test_the_order_is_that_of_the_function_and_of_plan():
    def order(function):
        return [*inspect.signature(function).parameters]

    wanted = order(tf_tconv.conv2d_transpose)
    assert order(tf_tconv.trace)[:8] == wanted[:8]
    assert order(tf_tconv.convolution_matrix)[2:7] == order(tf_tconv.plan)[2:7] == wanted[2:7]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((2, "SAME", None, "NHWC", 1, 1), {}),
        ((2, "SAME"), {"padding": "SAME"}),
        ((2, "SAME"), {"strides": 2}),
        ((2, "SAME", [6, 6]), {"output_shape": [6, 6]}),
        (([6, 6], 2), {"output_shape": [6, 6]}),
    ],
)
def test_an_argument_given_twice_or_too_many_is_pythons_error(arguments, named):
    with pytest.raises(TypeError, match=r"multiple values|positional arguments"):
        tf_tconv.convolution_matrix((3, 3), np.ones([3, 3, 1, 1]), *arguments, **named)
