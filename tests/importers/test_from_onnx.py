"""Layers made from ONNX' nodes compute what the nodes do, wherever these and their weights lie."""

import dataclasses
import doctest
import importlib
import re
import sys

import numpy as np
import pytest
from integers import ramp

import tf_tconv
from compat_tests import oracle
from tf_tconv.dialects import TransposedConvolution
from tf_tconv.importers import onnx_file


def samples():
    """The tables of models, which are made of onnx."""
    return importlib.import_module("onnx_samples")


def sample_names(table):
    """Their names; where onnx is missing, one that is skipped."""
    try:
        return list(getattr(samples(), table))
    except ImportError:
        return ["onnx"]


def outputs_of(model):
    """What ONNX Runtime makes of a model, by the names of its outputs, and of which images."""
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = runtime.InferenceSession(model.SerializeToString(), options)
    x = np.random.default_rng(1).standard_normal(samples().SHAPE).astype(np.float32)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": x}), strict=True)), x


def assert_close(layer, x, expected):
    # A few dozen products in float32, of weights that a runtime may have rounded otherwise.
    y = images("channels_last", layer(in_layout("channels_last", x)))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def images(layout, y):
    """A result of ours as ONNX has it."""
    return np.asarray(y).transpose(0, 3, 1, 2) if layout == "channels_last" else np.asarray(y)


def in_layout(layout, x):
    return x.transpose(0, 2, 3, 1) if layout == "channels_last" else x


@pytest.mark.peers("onnx", "onnxruntime")
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

    @pytest.mark.parametrize("name", sample_names("WEIGHTS"))
    def test_weights_that_follow_from_constants(self, name, monkeypatch):
        model = samples().WEIGHTS[name]()
        expected, x = outputs_of(model)
        layer = tf_tconv.from_onnx(model)
        assert_close(layer, x, expected["Y"])
        # The reference evaluator of onnx itself gives them, too.
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        assert_close(tf_tconv.from_onnx(model), x, expected["Y"])

    @pytest.mark.parametrize("name", sample_names("PLACES"))
    def test_nodes_wherever_they_lie(self, name):
        make, keys = samples().PLACES[name]
        model = make()
        if name == "two of one name":
            expected = None  # ONNX Runtime refuses the file.
        else:
            expected, x = outputs_of(model)
        layers = tf_tconv.from_onnx_all(model)
        if keys is None:
            assert len(layers) == len(model.graph.output)
        else:
            assert sorted(layers) == sorted(keys)
        if expected is None:
            kernels = [np.asarray(layers[key].kernel) for key in ("Z", "Y")]
            np.testing.assert_array_equal(2 * kernels[0], kernels[1])
            return
        by_shape = [each for each in layers.values() if each.filters == expected["Y"].shape[1]]
        last = layers[keys[-1]] if keys else by_shape[-1]
        assert_close(last, x, expected["Y"])

    def test_a_node_is_named_as_it_is_listed_or_as_it_is_called(self):
        model = samples().PLACES["If, all names shared"][0]()
        assert tf_tconv.from_onnx(model, node="decide/else_branch/T").dilation_rate == (2, 1)
        with pytest.raises(ValueError, match=r'node="up" is the name of 2 nodes; .*decide/then_br'):
            tf_tconv.from_onnx(model, node="up")
        model = samples().PLACES["If"][0]()
        assert tf_tconv.from_onnx(model, node="E").use_bias is False
        assert tf_tconv.from_onnx(model, node="T").use_bias is True

    def test_one_that_can_not_be_read_loses_no_other(self, onnx):
        s = samples()
        nodes = [
            s.up(y="A"),
            s.up("X", y="D", name="dynamic"),
            s.node("RandomNormal", [], "R", shape=[4, 6, 3, 3]),
            s.up("R", y="E"),
            s.up("I", y="F", name="integers"),
            onnx.helper.make_node("ConvTranspose", ["X", "V"], ["G"], name="one_axis"),
            onnx.helper.make_node("ConvTranspose", ["X", "W"], ["H"], domain="theirs", name="own"),
            s.up("W", y="Y", bias="B"),
        ]
        stored = {"W": s.W, "B": s.B, "V": s.W[..., 0], "I": np.ones((4, 6, 3, 3), np.int32)}
        model = s.model(nodes, stored, [each.output[0] for each in nodes if "R" not in each.output])
        with pytest.warns(
            UserWarning, match="holds 7 ConvTranspose nodes, of which 5 can't"
        ) as told:
            layers = tf_tconv.from_onnx_all(model)
        assert list(layers) == ["A", "Y"]
        (message,) = {str(each.message) for each in told}
        for part in (
            'dynamic: .*"X" of node "dynamic" is not stored in the model: it is "X", an input',
            'E: .*"R" of node "E" is not stored .* which is random',
            "integers: .* has weights of dtype int32; they must be float16",
            "one_axis: .* convolves over 1 axes",
            'own: .* is the ConvTranspose of domain "theirs"',
        ):
            assert re.search(part, message), part
        assert told[0].filename == __file__
        with pytest.raises(ValueError, match="holds 1 ConvTranspose nodes, of which 1 can't be re"):
            tf_tconv.from_onnx_all(s.model([s.up("X")], {}))

    def test_external_data(self, onnx, tmp_path):
        s, path = samples(), tmp_path / "model.onnx"
        model = s.model([s.up(y="Z"), s.up("V", bias="B")], {"W": s.W, "V": 2 * s.W, "B": s.B})
        onnx.save(
            onnx.ModelProto.FromString(model.SerializeToString()),
            path,
            save_as_external_data=True,
            all_tensors_to_one_file=False,
            size_threshold=100,
        )
        whole = tf_tconv.from_onnx_all(path)
        np.testing.assert_array_equal(np.asarray(whole["Y"].kernel), 2 * s.W.transpose(2, 3, 1, 0))
        with pytest.raises(ValueError, match=r'the external file "[VW]", which was not loaded'):
            tf_tconv.from_onnx_all(onnx.load(path, load_external_data=False))
        (tmp_path / "V").write_bytes(b"short")
        with pytest.raises(ValueError, match='"V", can\'t be read'):
            tf_tconv.from_onnx(path, node="Y")
        (tmp_path / "V").unlink()
        with pytest.raises(
            FileNotFoundError, match=r'"V" .* external file ".*V", which is missing'
        ):
            tf_tconv.from_onnx(path, node="Y")
        with pytest.warns(UserWarning, match="Y: tensor .* which is missing; it belongs beside"):
            layers = tf_tconv.from_onnx_all(path)
        assert list(layers) == ["Z"]

    def test_what_a_runtime_computes_otherwise_is_refused(self, onnx):
        """ONNX Runtime gives SAME fewer cells than the specification where the stride is larger."""
        s = samples()
        node = onnx.helper.make_node(
            "ConvTranspose", ["X", "W"], ["Y"], auto_pad="SAME_UPPER", strides=[4, 4]
        )
        model = s.model([node], {"W": s.W})
        with pytest.raises(
            ValueError, match=r"as ONNX Runtime computes it, and the layer .* shapes"
        ):
            tf_tconv.from_onnx(model)
        layer = tf_tconv.from_onnx(model, verify=False)
        assert layer(np.ones([1, 5, 7, 4], np.float32)).shape == (1, 20, 28, 6)

    @pytest.mark.parametrize("groups", [1, 2])
    @pytest.mark.parametrize("runtime", ["onnxruntime", "onnx.reference"])
    def test_a_shifted_layer_is_found_out(self, onnx, monkeypatch, runtime, groups):
        s = samples()
        if runtime == "onnx.reference":
            monkeypatch.setitem(sys.modules, "onnxruntime", None)
        bias = np.arange(6 * groups, dtype=np.float32)
        model = s.model([s.up(bias="B", group=groups)], {"W": s.W, "B": bias})
        tf_tconv.from_onnx(model)
        read = onnx_file.dialect.from_node

        def shifted(*args, **kwargs):
            operation = read(*args, **kwargs)
            return dataclasses.replace(operation, crops=((0, 1), (0, 1)))

        monkeypatch.setattr(onnx_file.dialect, "from_node", shifted)
        with pytest.raises(ValueError, match="outputs differ, by up to"):
            tf_tconv.from_onnx(model)

    def test_what_nothing_runs_is_told(self, onnx, monkeypatch):
        s = samples()
        model = s.model([s.up(output_shape=[11, 15])], {"W": s.W})
        tf_tconv.from_onnx(model)
        for runtime in ("onnxruntime", "onnx.reference"):
            monkeypatch.setitem(sys.modules, runtime, None)
        with pytest.warns(UserWarning, match='node "Y" and its layer were not compared: ONNX Runt'):
            tf_tconv.from_onnx(model)
        with pytest.raises(
            ValueError, match="by Mul, which nothing installed evaluates: ONNX Runt"
        ):
            tf_tconv.from_onnx(s.WEIGHTS["Mul"]())
        tf_tconv.from_onnx(model, verify=False)

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
    def test_dtype(self, onnx, dtype):
        s = samples()
        kind = {"float16": 10, "bfloat16": 16, "float32": 1, "float64": 11}[dtype]
        stored = {
            name: onnx.helper.make_tensor(name, kind, array.shape, array.ravel().tolist())
            for name, array in (("W", s.W), ("B", s.B))
        }
        layer = tf_tconv.from_onnx(s.model([s.up(bias="B")], stored))
        assert layer.dtype_policy.name == dtype

    def test_sizes_that_output_shape_needs_may_be_large(self, onnx):
        s = samples()
        node = onnx.helper.make_node(
            "ConvTranspose", ["X", "W"], ["Y"], output_shape=[4000, 5599], strides=[2, 2]
        )
        layer = tf_tconv.from_onnx(s.model([node], {"W": s.W}, shape=(2, 4, 2000, 2800)))
        assert layer.padding == ((1, 0), (1, 1))

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
