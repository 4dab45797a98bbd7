"""Every row of the table of illegal calls, in one process: a clear error, and never an abort."""

import inspect

import pytest
import tensorflow as tf

import tf_tconv
from compat_tests.cases.illegal import ILLEGAL
from compat_tests.subjects.calling import call_illegal

ERRORS = {"ValueError": ValueError, "TypeError": TypeError}


def in_eager_mode(function):
    return function()


def in_a_graph(function):
    return tf.function(function, autograph=False)()


def in_an_xla_graph(function):
    return tf.function(function, autograph=False, jit_compile=True)()


@pytest.mark.parametrize("mode", [in_eager_mode, in_a_graph, in_an_xla_graph])
@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: case.name)
def test_illegal_call(case, mode):
    with pytest.raises(ERRORS[case.error], match=case.message) as caught:
        mode(lambda: call_illegal(tf_tconv.conv2d_transpose, case))
    # Not TensorFlow's own error for a kernel that ran, though some of those are ValueErrors too.
    assert type(caught.value) is ERRORS[case.error]


def test_the_base_call_is_legal():
    legal = dict(ILLEGAL[0].arguments) | {"output_shape": [2, 10, 10, 6]}
    assert tf_tconv.conv2d_transpose(**legal).shape == (2, 10, 10, 6)


def test_the_table_is_large_and_reaches_every_argument():
    assert len(ILLEGAL) >= 100
    assert len({case.name for case in ILLEGAL}) == len(ILLEGAL)
    parameters = set(inspect.signature(tf_tconv.conv2d_transpose).parameters)
    assert {name for case in ILLEGAL for name in case.changes} == parameters - {"name"}


def test_every_row_asks_for_more_than_some_error():
    """A row whose pattern is too weak to fail proves nothing."""
    for case in ILLEGAL:
        assert any(name in case.message for name in case.arguments), case.name
        assert len(case.message) > 15, case.name


@pytest.mark.parametrize("name", [3, b"name"])
def test_name_must_be_a_name(name):
    arguments = dict(ILLEGAL[0].arguments) | {"output_shape": None, "name": name}
    with pytest.raises(TypeError, match=r"name=.* must be a string or None"):
        tf_tconv.conv2d_transpose(**arguments)
