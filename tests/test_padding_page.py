"""docs/padding_asymmetry.md: its computed parts, against the oracle and the frameworks it names."""

import importlib.util
import itertools
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp

import tf_tconv
from compat_tests import oracle

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "padding_asymmetry.md").read_text(encoding="utf-8")

_spec = importlib.util.spec_from_file_location("build_padding_page", DOCS / "build_padding_page.py")
page = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = page
_spec.loader.exec_module(page)

PADDINGS = ("SAME", "VALID", (1, 0), (0, 2), (3, 1))
AXES = [
    (3, k, s, d, padding, o)
    for k, s, d, padding in itertools.product(range(1, 6), range(1, 5), (1, 2), PADDINGS)
    for o in oracle.legal_output_sizes(3, k, s, d, padding)
    if o
]


def numbers(i, k):
    """An image of one column and a kernel, channels 2 to 3."""
    return ramp(1, i, 1, 2), ramp(k, 1, 3, 2, seed=1)


def truth(i, k, s, d, padding, o):
    x, w = numbers(i, k)
    pads = padding if isinstance(padding, str) else (padding, (0, 0))
    return oracle.conv2d_transpose(x, w, (o, 1), (s, 1), pads, (d, 1))[0, :, 0]


def rows(block):
    """The rows of a computed table, as it stands on the page."""
    found = re.search(rf"<!-- computed: {block} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)[1]
    lines = [line.strip("| ").split(" | ") for line in found.splitlines() if line.startswith("|")]
    return lines[2:]


def test_the_page_is_what_is_computed():
    assert page.build(PAGE) == PAGE
    names = re.findall(r"<!-- computed: (\w+) -->", PAGE)
    assert sorted(names) == sorted(page.BLOCKS)
    assert PAGE.count("<!-- end -->") == len(names)


def test_a_page_that_drifted_is_found(tmp_path, monkeypatch, capsys):
    drifted = tmp_path / "page.md"
    drifted.write_text(PAGE.replace("| 14 |", "| 13 |", 1), encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", drifted)
    monkeypatch.setattr(sys, "argv", ["build", "--check"])
    assert page.main() == 1
    assert "is not what" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["build"])
    assert page.main() == 0
    assert drifted.read_text(encoding="utf-8") == PAGE


def test_sizes_are_those_that_the_forward_convolution_maps_back():
    found = rows("sizes")
    assert len(found) == 6
    for name, k, s, legal, usual in found:
        padding = (1, 0) if name == "(1, 0)" else name
        wanted = oracle.legal_output_sizes(5, int(k), int(s), 1, padding)
        assert legal == ", ".join(map(str, wanted))
        if isinstance(padding, str):
            assert int(usual) == oracle.default_output_size(5, int(k), int(s), 1, padding)


def test_the_example_is_the_oracles():
    x = np.reshape(page.INPUT, (1, -1, 1, 1))
    w = np.reshape(page.KERNEL, (-1, 1, 1, 1))
    y = oracle.conv2d_transpose(x, w, (6, 1), (page.STRIDE, 1))[0, :, 0, 0]
    found = rows("example")
    assert [int(row[-1]) for row in found] == y.tolist()
    for _, window, products, total in found:
        by_window = sum(a * int(b) for a, b in zip(page.KERNEL[::-1], window.split(), strict=True))
        by_products = sum(int(a) * int(b) for a, b in re.findall(r"(\d+)·(\d+)", products))
        assert by_window == by_products == int(total)


def test_zeros_are_what_the_forward_padding_leaves():
    found = rows("zeros")
    assert [row[0] for row in found] == [f"`{k}`" for k in range(1, 8)]
    for k, row in enumerate(found, 1):
        for s, text in enumerate(row[1:], 1):
            before = oracle.pad_before(4 * s, k, s, 1, "SAME")
            lead, trail = map(int, text.strip("*").split(" + "))
            assert (lead, lead + trail) == (k - 1 - before, s + k - 2)
            assert text.startswith("*") == (max(k - s, 0) % 2 == 1)
            assert text.startswith("*") <= (lead > trail)


def test_the_recipe_is_wrong_by_so_many_cells():
    right = []
    found = rows("recipe")
    for s, k in itertools.product(range(1, 8), range(1, 12)):
        x, w = ramp(1, 6, 1, 1), ramp(k, 1, 1, 1, seed=2, low=1)
        dilated = np.zeros(5 * s + 1)
        dilated[::s] = x.ravel()
        # As the recipe says: s - 1 at the top, then (k - 1) / 2 a side, the larger half below.
        padded = np.pad(np.pad(dilated, (s - 1, 0)), ((k - 1) // 2, k - 1 - (k - 1) // 2))
        assert len(padded) - len(dilated) == page.recipe_lead(k, s) + page.recipe_trail(k, s)
        copied = np.correlate(padded, w.ravel()[::-1], "valid")
        wanted = oracle.conv2d_transpose(x, w, (6 * s, 1), (s, 1)).ravel()
        assert len(copied) == len(wanted)
        cells = int(found[s - 1][k].strip("*"))
        assert cells == page.shift(k, s)
        if cells >= 0:
            assert np.array_equal(copied[cells:], wanted[: len(wanted) - cells])
        else:
            assert np.array_equal(copied[:cells], wanted[-cells:])
        if np.array_equal(copied, wanted):
            right.append((s, k))
    assert right == [
        *((1, k) for k in range(1, 12, 2)),
        *((2, k) for k in range(2, 12)),
        *((3, k) for k in range(4, 12, 2)),
    ]


def test_the_formulas_for_the_recipes_error():
    for s, k in itertools.product(range(1, 40), range(1, 40)):
        if k >= s:
            wanted = s // 2 - 1 if s % 2 == 0 else (s - 1) // 2 if k % 2 else (s - 3) // 2
            assert page.shift(k, s) == wanted
        assert (page.shift(k, s) == 0) == (
            (s == 1 and k % 2 == 1) or (s == 2 and k >= 2) or (s == 3 and k >= 4 and k % 2 == 0)
        )


def test_the_classic_example_stands_on_the_page():
    x, w = np.arange(1.0, 10.0).reshape(1, 3, 3, 1), np.ones((3, 3, 1, 1))
    w[1, 1] = 2
    y = oracle.conv2d_transpose(x, w, (6, 6), (2, 2))
    assert y[0, 5, 5, 0] == 2 * 9
    assert "the last of 6 × 6 outputs is 2 · 9 = 18" in PAGE


def test_dilation_that_shares_a_factor_with_the_stride_leaves_cells_out():
    for s, d in itertools.product(range(1, 7), range(1, 7)):
        scores = {tf_tconv.checkerboard.evenness(k, s, d) for k in range(1, 13)}
        assert (scores == {0.0}) == (np.gcd(s, d) > 1), (s, d)


# Translations: each row of the table, its expressions evaluated, in the framework itself.

BY_NAME = {entry.framework: entry for entry in page.TRANSLATIONS}


def translated(framework, axis):
    """The arguments in the words of a framework, and the cut that remains."""
    return page.evaluate(BY_NAME[framework], tf_tconv.transpose_geometry(*axis))


def assert_equal(axis, y, cut):
    """That a framework's answer, `[cells, channels]`, is the oracle's once it is cut."""
    assert min(cut) >= 0
    assert np.array_equal(y[cut[0] : len(y) - cut[1]], truth(*axis)), axis


def test_tensorflow():
    for axis in AXES:
        if axis[3] > 1:
            continue  # The native op refuses it with explicit padding.
        x, w = (array.astype(np.float32) for array in numbers(*axis[:2]))
        arguments, cut = translated("TensorFlow", axis)
        y = tf.nn.conv2d_transpose(
            x,
            w,
            [1, arguments["output_shape"], 1, 3],
            [arguments["strides"], 1],
            [[0, 0], list(arguments["padding"]), [0, 0], [0, 0]],
        )
        assert_equal(axis, y.numpy()[0, :, 0], cut)


@pytest.mark.peers("torch")
def test_torch():
    import torch

    for axis in AXES[::3]:
        x, w = (torch.tensor(array) for array in numbers(*axis[:2]))
        arguments, cut = translated("torch", axis)
        y = torch.nn.functional.conv_transpose2d(
            x.permute(0, 3, 1, 2),
            w.permute(3, 2, 0, 1),
            stride=(arguments["stride"], 1),
            dilation=(arguments["dilation"], 1),
            padding=(arguments["padding"], 0),
            output_padding=(arguments["output_padding"], 0),
        )
        assert_equal(axis, y[0, :, :, 0].T.numpy(), cut)


def onnx_answer(axis, **attributes):
    """What ONNX Runtime makes of a ConvTranspose node, `[cells, channels]`."""
    import onnx
    import onnxruntime as runtime

    x, w = (array.astype(np.float32) for array in numbers(*axis[:2]))
    x, w = np.moveaxis(x, 3, 1), w.transpose(3, 2, 0, 1)
    node = onnx.helper.make_node(
        "ConvTranspose",
        ["x", "w"],
        ["y"],
        strides=[axis[2], 1],
        dilations=[axis[3], 1],
        **attributes,
    )
    value, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [node],
        "axis",
        [value("x", kind, x.shape), value("w", kind, w.shape)],
        [value("y", kind, None)],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 11)], ir_version=8
    )
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (y,) = session.run(None, {"x": x, "w": np.ascontiguousarray(w)})
    return y[0, :, :, 0].T


@pytest.mark.peers("onnx", "onnxruntime")
def test_onnx():
    for axis in AXES[::2]:
        arguments, cut = translated("ONNX", axis)
        before, after = arguments["pads"]
        y = onnx_answer(
            axis, pads=[before, 0, after, 0], output_padding=[arguments["output_padding"], 0]
        )
        assert (arguments["strides"], arguments["dilations"]) == axis[2:4]
        assert_equal(axis, y, cut)


@pytest.mark.peers("onnx", "onnxruntime")
def test_onnx_same_upper_needs_the_output_shape():
    same = [axis for axis in AXES if axis[4] == "SAME"]
    for axis in same:
        assert_equal(
            axis, onnx_answer(axis, auto_pad="SAME_UPPER", output_shape=[axis[5], 1]), (0, 0)
        )
    usual = [axis for axis in same if axis[5] == axis[0] * axis[2]]
    wrong = 0
    for axis in usual:
        y = onnx_answer(axis, auto_pad="SAME_UPPER")
        wrong += not np.array_equal(y, truth(*axis))
    assert 0 < wrong < len(usual)


@pytest.mark.peers("jax")
def test_jax():
    import jax

    for axis in AXES[::29]:
        arguments, cut = translated("JAX", axis)
        y = jax_answer(jax, axis, [arguments["padding"], (0, 0)])
        assert (arguments["strides"], arguments["rhs_dilation"]) == axis[2:4]
        assert_equal(axis, y, cut)


@pytest.mark.peers("jax")
def test_jax_padding_by_name_is_the_default_size():
    import jax

    for name in ("SAME", "VALID"):
        chosen = [axis for axis in AXES if axis[4] == name]
        usual = [a for a in chosen if a[5] == oracle.default_output_size(*a[:5])]
        for axis in usual[::4]:
            assert_equal(axis, jax_answer(jax, axis, name), (0, 0))


def jax_answer(jax, axis, padding):
    """What JAX makes of an axis, `[cells, channels]`."""
    x, w = (array.astype(np.float32) for array in numbers(*axis[:2]))
    y = jax.lax.conv_transpose(
        x,
        w,
        (axis[2], 1),
        padding,
        rhs_dilation=(axis[3], 1),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        transpose_kernel=True,
    )
    return np.asarray(y)[0, :, 0]


@pytest.mark.peers
@pytest.mark.parametrize("name", ["SAME", "VALID"])
def test_keras(name):
    for i, k, s, q in itertools.product((3,), range(1, 6), range(1, 5), (None, 0, 1)):
        if q is not None and (q >= s or (name == "SAME" and q == 0 and k % 2 == 0)):
            continue  # Not legal; or where Keras on TensorFlow fails.
        layer = keras.layers.Conv2DTranspose(
            3,
            (k, 1),
            (s, 1),
            padding=name.lower(),
            output_padding=None if q is None else (q, 0),
            use_bias=False,
        )
        x, w = numbers(i, k)
        layer.build(x.shape)
        layer.set_weights([w])
        size = oracle.default_output_size(i, k, s, 1, name)
        if q is not None:
            size = (i - 1) * s + (k % 2 if name == "SAME" else k) + q
        assert_equal((i, k, s, 1, name, size), layer(x).numpy()[0, :, 0], (0, 0))
