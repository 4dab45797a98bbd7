"""A wrong size fails wherever the call goes: through optimizers, files and converters."""

import importlib

import numpy as np
import pytest
import tensorflow as tf
from integers import ramp
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.grappler import tf_optimizer

import tf_tconv
from compat_tests import oracle

X, W = ramp(2, 4, 5, 4), ramp(3, 2, 3, 4, seed=1)
RIGHT, WRONG = [2, 7, 14, 3], [2, 9, 14, 3]
Y = oracle.conv2d_transpose(X, W, (7, 14), (2, 3))
SENTENCE = "cannot come from 4 input rows"
LOWERINGS = ["auto", *tf_tconv.lowerings.NAMES]


def traced(lowering="auto"):
    """A function of an image and the output's shape, known only at run time."""
    w = W.astype(np.float32)  # A tensor would be captured, which makes it one more input.

    @tf.function(
        input_signature=[tf.TensorSpec([None] * 3 + [4]), tf.TensorSpec([4], tf.int32)],
        autograph=False,
    )
    def call(x, size):
        return tf_tconv.conv2d_transpose(x, w, size, (2, 3), groups=1, lowering=lowering)

    return call


def inside(call):
    """A function that calls another, to be inlined."""
    return tf.function(lambda x, size: call(x, size) + 0, call.input_signature, autograph=False)


def optimized(concrete, level):
    """The graph after Grappler, as a function again."""
    definition = concrete.graph.as_graph_def()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        meta = tf.compat.v1.train.export_meta_graph(graph_def=definition, graph=graph)
    ends = [*concrete.inputs, *concrete.outputs]
    kept = meta_graph_pb2.CollectionDef()
    kept.node_list.value.extend(end.name for end in ends)
    meta.collection_def["train_op"].CopyFrom(kept)
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.min_graph_nodes = -1
    for name in ("dependency", "function", "arithmetic", "loop", "shape"):
        setattr(rewrite, f"{name}_optimization", level)
    rewrite.constant_folding = rewrite.remapping = level
    definition = tf_optimizer.OptimizeGraph(config, meta)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    pruned = wrapped.prune([end.name for end in ends[:2]], ends[2].name)
    return lambda x, size: pruned(x, size)


def assert_checked(call, sentence):
    x = tf.constant(X, tf.float32)
    (found,) = tf.nest.flatten(call(x, tf.constant(RIGHT)))
    np.testing.assert_array_equal(found, Y)
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        call(x, tf.constant(WRONG))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("level", ["ON", "AGGRESSIVE"])
def test_after_grappler(level, nested):
    call = inside(traced()) if nested else traced()
    level = getattr(rewriter_config_pb2.RewriterConfig, level)
    assert_checked(optimized(call.get_concrete_function(), level), SENTENCE)


@pytest.mark.parametrize("nested", [False, True])
def test_in_a_frozen_graph(nested):
    call = inside(traced()) if nested else traced()
    frozen = convert_variables_to_constants_v2(call.get_concrete_function())
    assert_checked(frozen, SENTENCE)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_in_a_frozen_graph_that_keeps_nothing_but_data(lowering):
    """There the sentence is lost, and the error is of what the data pass."""
    concrete = traced(lowering).get_concrete_function()
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    assert_checked(frozen, "legal_call_only")


@pytest.mark.parametrize("nested", [False, True])
def test_in_a_saved_model(nested, tmp_path):
    module = tf.Module()
    module.call = inside(traced()) if nested else traced()
    tf.saved_model.save(module, str(tmp_path), signatures=module.call)
    loaded = tf.saved_model.load(str(tmp_path))
    assert_checked(loaded.call, SENTENCE)
    served = loaded.signatures["serving_default"]
    assert_checked(lambda x, size: served(x=x, size=size), SENTENCE)


@pytest.mark.peers("ai_edge_litert")
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_in_litert(lowering):
    call = traced(lowering)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [call.get_concrete_function()], call
    )
    library = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = library.Interpreter(model_content=converter.convert())
    image, size = interpreter.get_input_details()
    interpreter.resize_tensor_input(image["index"], X.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(image["index"], X.astype(np.float32))
    interpreter.set_tensor(size["index"], np.array(RIGHT, np.int32))
    interpreter.invoke()
    output = interpreter.get_output_details()[0]["index"]
    np.testing.assert_array_equal(interpreter.get_tensor(output), Y)
    for wrong in (WRONG, [1, 7, 14, 3], [2, 7, 12, 3], [2, 7, 14, 6]):
        interpreter.set_tensor(size["index"], np.array(wrong, np.int32))
        with pytest.raises(RuntimeError, match="RESHAPE"):
            interpreter.invoke()


@pytest.mark.peers("onnxruntime", "tf2onnx")
@pytest.mark.parametrize("lowering", ["zero_insertion", "polyphase"])
def test_in_onnx(lowering):
    onnxruntime = importlib.import_module("onnxruntime")
    tf2onnx = importlib.import_module("tf2onnx")
    call = traced(lowering)
    model, _ = tf2onnx.convert.from_function(call, call.input_signature, opset=15)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    image, size = (each.name for each in session.get_inputs())

    def run(shape):
        feeds = {image: X.astype(np.float32), size: np.array(shape, np.int32)}
        return session.run(None, feeds)[0]

    assert run(RIGHT).shape == Y.shape
    with pytest.raises(Exception, match="Reshape"):
        run(WRONG)


def test_a_call_that_needs_no_check_has_nothing_in_its_way():
    call = tf.function(
        lambda x: tf_tconv.conv2d_transpose(x, W.astype(np.float32), None, 2), autograph=False
    )
    graph = call.get_concrete_function(tf.TensorSpec([None] * 3 + [4])).graph
    assert not [op.name for op in graph.get_operations() if "legal_call" in op.name]
