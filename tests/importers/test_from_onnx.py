"""Layers made from ONNX' nodes compute what the nodes do, wherever these and their weights lie."""

import doctest
import importlib

import numpy as np
import pytest
from integers import ramp

import tf_tconv
from compat_tests import oracle
from tf_tconv.dialects import TransposedConvolution


def images(layout, y):
    """A result of ours as ONNX has it."""
    return np.asarray(y).transpose(0, 3, 1, 2) if layout == "channels_last" else np.asarray(y)


def in_layout(layout, x):
    return x.transpose(0, 2, 3, 1) if layout == "channels_last" else x


@pytest.mark.peers("onnx")
class TestOnnx:
    @pytest.fixture
    def onnx(self):
        return importlib.import_module("onnx")

    X, W, B = ramp(2, 4, 5, 3), ramp(4, 3, 3, 4, seed=1), ramp(6, seed=2)

    def node(self, onnx, inputs=("X", "W", "B"), outputs=("Y",), **attributes):
        return onnx.helper.make_node("ConvTranspose", list(inputs), list(outputs), **attributes)

    def model(self, onnx, nodes, stored=None, shape=(2, 4, 5, 3), outputs=("Y",)):
        if stored is None:
            stored = {"W": self.W, "B": self.B}
        kind = onnx.TensorProto.FLOAT
        info = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            nodes,
            "graph",
            [info("X", kind, shape)],
            [info(output, kind, None) for output in outputs],
            [
                onnx.numpy_helper.from_array(array.astype(np.float32), name)
                for name, array in stored.items()
            ],
        )
        return onnx.helper.make_model(graph)

    def expected(self, **arguments):
        operation = TransposedConvolution(
            kernel_size=(3, 4), groups=2, input_size=(5, 3), **arguments
        )
        y = oracle.conv2d_transpose(
            self.X.transpose(0, 2, 3, 1),
            self.W.transpose(2, 3, 1, 0),
            operation.output_size,
            operation.strides,
            operation.crops,
            groups=2,
        )
        return (y + self.B).transpose(0, 3, 1, 2)

    def result(self, layer):
        layout = layer.data_format
        return images(layout, layer(in_layout(layout, self.X.astype(np.float32))))

    @pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
    def test_a_file(self, onnx, layout, tmp_path):
        path = tmp_path / "one.onnx"
        onnx.save(
            self.model(onnx, [self.node(onnx, group=2, strides=[2, 1], pads=[1, 0, 0, 3])]), path
        )
        for source in (path, str(path), onnx.load(path)):
            layer = tf_tconv.from_onnx(source, data_format=layout)
            assert (layer.built, layer.data_format) == (True, layout)
            expected = self.expected(strides=(2, 1), crops=((1, 0), (0, 3)))
            np.testing.assert_array_equal(self.result(layer), expected)

    def test_a_node_and_its_arrays(self, onnx):
        node = self.node(onnx, group=2)
        layer = tf_tconv.from_onnx(node, initializers={"W": self.W, "B": self.B}, name="up")
        assert (layer.name, layer.dtype_policy.name) == ("up", "float64")
        np.testing.assert_array_equal(
            images("channels_last", layer(in_layout("channels_last", self.X))), self.expected()
        )

    def test_the_size_that_output_shape_needs(self, onnx):
        node = self.node(onnx, group=2, strides=[2, 2], output_shape=[10, 7], auto_pad="SAME_UPPER")
        expected = self.expected(strides=(2, 2), crops=((0, 1), (0, 1)))
        assert expected.shape[2:] == (10, 7)
        layer = tf_tconv.from_onnx(self.model(onnx, [node]))
        np.testing.assert_array_equal(self.result(layer), expected)
        # Behind another node, the size is what shape inference finds.
        relu = onnx.helper.make_node("Identity", ["X"], ["Z"])
        node.input[0] = "Z"
        layer = tf_tconv.from_onnx(self.model(onnx, [relu, node]))
        np.testing.assert_array_equal(self.result(layer), expected)
        stored = {"W": self.W, "B": self.B}
        layer = tf_tconv.from_onnx(node, initializers=stored, input_size=(5, 3))
        np.testing.assert_array_equal(np.asarray(layer.kernel), self.W.transpose(2, 3, 1, 0))
        with pytest.raises(ValueError, match="and that is unknown; give input_size"):
            tf_tconv.from_onnx(node, initializers=stored)

    def test_weights_that_are_constants(self, onnx):
        constant = onnx.helper.make_node(
            "Constant", [], ["W"], value=onnx.numpy_helper.from_array(self.W.astype(np.float32))
        )
        model = self.model(onnx, [constant, self.node(onnx, group=2)], {"B": self.B})
        np.testing.assert_array_equal(self.result(tf_tconv.from_onnx(model)), self.expected())

    def test_several_nodes(self, onnx, tmp_path):
        nodes = [
            self.node(onnx, ("X", "W"), group=2, name="first"),
            self.node(onnx, group=2, outputs=["Z"], strides=[2, 2]),
        ]
        path = tmp_path / "two.onnx"
        onnx.save(self.model(onnx, nodes, outputs=["Y", "Z"]), path)
        layers = tf_tconv.from_onnx_all(path)
        assert list(layers) == ["first", "Z"]
        assert [layer.use_bias for layer in layers.values()] == [False, True]
        assert tf_tconv.from_onnx(path, node="Z").strides == (2, 2)
        with pytest.raises(
            ValueError, match=r"two\.onnx' holds 2 ConvTranspose nodes; .*: first, Z"
        ):
            tf_tconv.from_onnx(path)
        with pytest.raises(ValueError, match='node="third" is unknown; it must be one of "first"'):
            tf_tconv.from_onnx(path, node="third")

    def test_errors(self, onnx, tmp_path):
        with pytest.raises(ValueError, match='input "W" of node "Y" is not stored in the model'):
            tf_tconv.from_onnx(self.model(onnx, [self.node(onnx, group=2)], {"B": self.B}))
        with pytest.raises(ValueError, match='node "Y" has no weights'):
            tf_tconv.from_onnx(self.node(onnx, ["X"]))
        relu = self.model(onnx, [onnx.helper.make_node("Relu", ["X"], ["Y"])], {})
        with pytest.raises(ValueError, match="source=ModelProto holds no ConvTranspose node"):
            tf_tconv.from_onnx(relu)
        with pytest.raises(TypeError, match="source=3 is of type int; it must be a path"):
            tf_tconv.from_onnx(3)
        with pytest.raises(OSError, match="absent"):
            tf_tconv.from_onnx(tmp_path / "absent.onnx")
        text = tmp_path / "text.onnx"
        text.write_text("no model at all")
        with pytest.raises(ValueError, match=r"text\.onnx' is not an ONNX model"):
            tf_tconv.from_onnx(text)

    def test_example(self, onnx):
        run_example(tf_tconv.from_onnx)


def run_example(function):
    """The example in a docstring, which the other tests skip where the framework is missing."""
    (test,) = (t for t in doctest.DocTestFinder(recurse=False).find(function) if t.examples)
    for example in test.examples:
        example.options.pop(doctest.SKIP)
    assert doctest.DocTestRunner().run(test).failed == 0
