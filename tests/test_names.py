"""Names may be written in any case, wherever one is taken, and mean the same."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv

ROOT = Path(tf_tconv.__file__).parent
X, W = ramp(1, 4, 5, 2), ramp(3, 3, 2, 2)
SPELLINGS = [str.upper, str.title, str.swapcase, str.lower]
NAMES = ["auto", "native", *tf_tconv.lowerings.NAMES]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", NAMES)
def test_lowering_of_the_function(name, spelling):
    y = tf_tconv.conv2d_transpose(X, W, None, 2, lowering=spelling(name))
    np.testing.assert_array_equal(y, tf_tconv.conv2d_transpose(X, W, None, 2, lowering=name))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", NAMES)
def test_lowering_of_a_plan(name, spelling):
    found = tf_tconv.plan(X.shape, W.shape, strides=2, lowering=spelling(name))
    assert found == tf_tconv.plan(X.shape, W.shape, strides=2, lowering=name)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", ["onednn", "plain", "xla"])
def test_backend_of_a_plan(name, spelling):
    found = tf_tconv.plan(X.shape, W.shape, strides=2, backend=spelling(name))
    assert found == tf_tconv.plan(X.shape, W.shape, strides=2, backend=name)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_padding_and_layout_of_the_function(padding, data_format, spelling):
    x = X if data_format == "NHWC" else X.transpose(0, 3, 1, 2)
    y = tf_tconv.conv2d_transpose(x, W, None, 2, spelling(padding), spelling(data_format))
    right = tf_tconv.conv2d_transpose(x, W, None, 2, padding, data_format)
    np.testing.assert_array_equal(y, right)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_arguments_of_the_layer(spelling):
    names = {"padding": "same", "data_format": "channels_last", "lowering": "polyphase"}
    layer = tf_tconv.Conv2DTranspose(2, 3, **{k: spelling(v) for k, v in names.items()})
    assert {name: getattr(layer, name) for name in names} == names
    assert layer(tf.constant(X, tf.float32)).shape == X.shape


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_lowering_of_converted_layers(spelling):
    old = keras.Sequential([keras.Input((4, 5, 2)), keras.layers.Conv2DTranspose(2, 3, name="up")])
    model = tf_tconv.convert_model(old, lowering=spelling("subpixel"))
    assert model.get_layer("up").lowering == "subpixel"


CHECKS = ("check_name", "check_lowering", "check_data_format", "check_paddings", "check_pair")


def dropped(source: str) -> list[int]:
    """Lines where a value is checked and put in order, and the result is not used."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", getattr(node.value.func, "attr", "")) in CHECKS
    ]


ONLY_ONE = {"torch.py": "zeros", "tracing.py": "ending"}
"""Files that check a name of which they need nothing more than that it is legal."""


def test_no_name_is_checked_and_then_used_as_it_came():
    assert dropped('check_name("a", a, names)\nb = check_name("b", b, names)') == [1]
    found = {}
    for path in ROOT.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in dropped("\n".join(lines)):
            if ONLY_ONE.get(path.name, "\n") not in lines[line - 1]:
                found[str(path.relative_to(ROOT))] = lines[line - 1].strip()
    assert not found
