"""The tests that ship with the package onnx: every `ConvTranspose` in them, to the last bit.

Stored inputs and outputs, not another implementation. Convolutions of one and of three axes are out
of scope; they are listed, and refused with a sentence.
"""

import functools
import importlib.util
import pathlib

import numpy as np
import pytest

import tf_tconv
from tf_tconv.dialects import onnx as dialect

pytestmark = pytest.mark.peers("onnx")

OF_OTHER_AXES = {"test_convtranspose_1d": 1, "test_convtranspose_3d": 3}
SINGLE_NODES = {
    "test_convtranspose",
    "test_convtranspose_autopad_same",
    "test_convtranspose_dilations",
    "test_convtranspose_group_2",
    "test_convtranspose_group_2_image_3",
    "test_convtranspose_kernel_shape",
    "test_convtranspose_output_shape",
    "test_convtranspose_pad",
    "test_convtranspose_pads",
    *OF_OTHER_AXES,
}
EXPORTED = {"test_ConvTranspose2d", "test_ConvTranspose2d_no_bias", "test_operator_convtranspose"}


@functools.cache
def single_nodes():
    """Name to node, inputs and outputs."""
    convtranspose = importlib.import_module("onnx.backend.test.case.node.convtranspose")
    found = {}

    def expect(node, inputs, outputs, name):
        found[name] = node, inputs, outputs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convtranspose, "expect", expect)
        for name in vars(convtranspose.ConvTranspose):
            if name.startswith("export"):
                getattr(convtranspose.ConvTranspose, name)()
    return found


def exported_models():
    """Folders of stored models, which torch once exported."""
    (package,) = importlib.util.find_spec("onnx").submodule_search_locations
    folders = pathlib.Path(package, "backend", "test", "data").glob("*/*onv?ranspose*")
    return {folder.name: folder for folder in folders}


def test_no_test_is_missing_or_new():
    assert set(single_nodes()) == SINGLE_NODES
    assert set(exported_models()) == EXPORTED


@pytest.mark.parametrize("name", sorted(SINGLE_NODES - set(OF_OTHER_AXES)))
def test_single_node(name):
    node, (x, w), (y,) = single_nodes()[name]
    operation = dialect.from_node(node, weights_shape=w.shape, input_size=x.shape[2:])
    assert operation.output_size == y.shape[2:]
    ours = tf_tconv.conv2d_transpose(
        x.transpose(0, 2, 3, 1),
        dialect.from_weights(w, groups=operation.groups),
        *function_arguments(operation),
        groups=operation.groups,
    )
    np.testing.assert_array_equal(np.asarray(ours).transpose(0, 3, 1, 2), y)


@pytest.mark.parametrize("name", sorted(SINGLE_NODES - set(OF_OTHER_AXES)))
def test_single_node_as_a_layer(name):
    node, (x, w), (y,) = single_nodes()[name]
    layer = tf_tconv.from_onnx(
        node, initializers={"W": w}, input_size=x.shape[2:], data_format="channels_first"
    )
    np.testing.assert_array_equal(np.asarray(layer(x)), y)


@pytest.mark.parametrize("name", OF_OTHER_AXES)
def test_other_axes_are_refused(name):
    node, (_, w), _ = single_nodes()[name]
    sentence = f"convolves over {OF_OTHER_AXES[name]} axes"
    with pytest.raises(ValueError, match=sentence):
        dialect.from_node(node, weights_shape=w.shape)


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_exported_model(name):
    import onnx

    folder = exported_models()[name]
    graph = onnx.load(str(folder / "model.onnx")).graph
    (node,) = graph.node
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    data = folder / "test_data_set_0"
    given = [read(data / f"input_{index}.pb") for index in range(len(list(data.glob("input*"))))]
    names = [value.name for value in graph.input]
    arrays = {**dict(zip(names, given, strict=False)), **stored}
    y = read(data / "output_0.pb")
    layer = tf_tconv.from_onnx(node, initializers=arrays, data_format="channels_first")
    ours = np.asarray(layer(arrays[node.input[0]]), np.float64)
    # Real numbers, added in float32 in whatever order: a few units in the last place of the sums.
    np.testing.assert_allclose(ours, y, rtol=0, atol=8 * 2.0**-24 * np.abs(y).max())


def read(path):
    """A stored tensor."""
    import onnx

    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def function_arguments(operation):
    """`output_shape`, strides, padding, layout and dilations of our function."""
    from tf_tconv.dialects import tf_nn

    arguments = tf_nn.to_arguments(operation, data_format="NHWC", strict=True).arguments
    return (
        arguments["output_shape"][1:3],
        arguments["strides"],
        arguments["padding"],
        "NHWC",
        arguments["dilations"],
    )
