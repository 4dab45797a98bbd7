"""What the dialects read: values stated by hand, and sentences for arguments that make no sense."""

import importlib

import pytest

from tf_tconv.dialects import TransposedAxis, TransposedConvolution, jax, keras, onnx, tf_nn, torch


@pytest.mark.parametrize(
    ("operation", "crops"),
    [
        (torch.from_arguments(kernel_size=4, stride=2, padding=1), ((1, 1), (1, 1))),
        (torch.from_arguments(kernel_size=3, stride=2, padding=1), ((1, 1), (1, 1))),
        (
            torch.from_arguments(kernel_size=3, stride=2, padding=(1, 0), output_padding=(1, 1)),
            ((1, 0), (0, -1)),
        ),
        (
            torch.from_arguments(
                kernel_size=3, stride=2, padding=1, input_size=(5, 5), output_size=(10, 9)
            ),
            ((1, 0), (1, 1)),
        ),
        (keras.from_arguments(kernel_size=4, strides=2, padding="SAME"), ((1, 1), (1, 1))),
        (keras.from_arguments(kernel_size=(2, 3), strides=3), ((0, -1), (0, 0))),
        (
            keras.from_arguments(kernel_size=3, strides=2, padding="same", output_padding=0),
            ((1, 1), (1, 1)),
        ),
        (
            keras.from_arguments(
                kernel_size=3, strides=2, padding="same", input_size=(5, 5), output_size=(9, 10)
            ),
            ((1, 1), (0, 1)),
        ),
        (
            keras.from_arguments(kernel_size=3, strides=2, padding=((1, 2), (0, 1)), groups=2),
            ((1, 2), (0, 1)),
        ),
        (onnx.from_arguments(kernel_shape=3, strides=2, pads=[0, 1, 2, 3]), ((0, 2), (1, 3))),
        (
            onnx.from_arguments(kernel_shape=[3, 4], strides=2, auto_pad="SAME_LOWER"),
            ((1, 0), (1, 1)),
        ),
        (onnx.from_arguments(kernel_shape=1, strides=3, auto_pad="SAME_UPPER"), ((0, -2), (0, -2))),
        (
            onnx.from_arguments(
                kernel_shape=3, strides=[3, 2], output_shape=[10, 8], input_size=[3, 3]
            ),
            ((0, -1), (0, -1)),
        ),
        (
            onnx.from_arguments(
                kernel_shape=4,
                strides=2,
                auto_pad="SAME_UPPER",
                output_padding=1,
                output_shape=[7, 8],
                pads=None,
                input_size=[4, 4],
            ),
            ((2, 1), (1, 1)),
        ),
        (jax.from_arguments(kernel_size=3, strides=2, padding="VALID"), ((0, 0), (0, 0))),
        (
            jax.from_arguments(
                kernel_size=3, strides=2, padding=((1, 2), (0, 1)), use_consistent_padding=True
            ),
            ((1, 2), (0, 1)),
        ),
        (
            jax.from_general_arguments(
                kernel_size=2, padding=((3, 0), (-1, 1)), lhs_dilation=(2, 1), rhs_dilation=(1, 3)
            ),
            ((-2, 1), (4, 2)),
        ),
        (
            tf_nn.from_arguments(
                kernel_size=3, strides=[1, 2, 2, 1], output_shape=[None, 9, 10, None]
            ),
            ((1, 1), (0, 1)),
        ),
        (
            tf_nn.from_arguments(
                kernel_size=3,
                strides=2,
                output_shape=(9, 8),
                padding=[[0, 0], [0, 0], [1, 0], [2, 1]],
                data_format="NCHW",
            ),
            ((1, -1), (2, 1)),
        ),
        (tf_nn.from_arguments(kernel_size=3, strides=2), ((0, 1), (0, 1))),
    ],
)
def test_crops(operation, crops):
    assert operation.crops == crops


def test_the_function_tells_its_input_size_from_its_output():
    for padding, sizes in [("SAME", (9, 10)), ("VALID", (11, 12))]:
        operation = tf_nn.from_arguments(
            kernel_size=3, strides=2, output_shape=sizes, padding=padding
        )
        assert (operation.input_size, operation.output_size) == ((5, 5), sizes)


def test_layouts():
    assert torch.from_arguments(kernel_size=1).data_format == "NCHW"
    assert onnx.from_arguments(kernel_shape=1).data_format == "NCHW"
    assert keras.from_arguments(kernel_size=1).data_format == "NHWC"
    assert keras.from_arguments(kernel_size=1, data_format="channels_first").data_format == "NCHW"
    assert tf_nn.from_arguments(kernel_size=1, strides=1, data_format=None).data_format == "NHWC"
    general = {"kernel_size": 1, "padding": ((0, 0), (0, 0))}
    assert jax.from_arguments(**general, strides=1).data_format == "NHWC"
    assert jax.from_general_arguments(**general).data_format == "NCHW"


def test_axes_know_their_sizes():
    operation = TransposedConvolution(
        kernel_size=(3, 2), strides=2, dilations=(1, 3), crops=((0, 1), (-1, 0)), input_size=(4, 5)
    )
    assert operation.axes == (
        TransposedAxis(3, 2, 1, 0, 1, 4),
        TransposedAxis(2, 2, 3, -1, 0, 5),
    )
    assert operation.output_size == (8, 13)
    assert TransposedConvolution.from_axes(operation.axes) == operation
    assert TransposedConvolution(kernel_size=3).output_size is None


@pytest.mark.parametrize(
    ("refuse", "error", "message"),
    [
        (
            lambda: torch.from_arguments(kernel_size=3, stride=2, output_padding=2),
            ValueError,
            r"output_padding\[0\]=2 is out of range; it must be an integer from 0 to 1",
        ),
        (
            lambda: torch.from_arguments(kernel_size=3, padding_mode="reflect"),
            ValueError,
            'padding_mode="reflect" is unknown',
        ),
        (
            lambda: torch.from_arguments(kernel_size=3, output_size=(4, 4)),
            ValueError,
            r"output_size\[0\]=4 decides the padding only together with the input size",
        ),
        (
            lambda: torch.from_arguments(kernel_size=3, input_size=(4, 4), output_size=(6, 5)),
            ValueError,
            r"output_size\[1\]=5 cannot come from 4 input columns: kernel 3, stride 1, dilation 1, "
            r"padding \(0, 0\) reach 6..6",
        ),
        (
            lambda: torch.from_module(3),
            TypeError,
            "module is of type int; it must be a torch.nn.Conv",
        ),
        (
            lambda: keras.from_layer(3),
            TypeError,
            "layer is of type int; it must be a keras.layers.Conv",
        ),
        (
            lambda: onnx.from_node(3),
            TypeError,
            r"node is of type int; it must be an onnx\.NodeProto",
        ),
        (
            lambda: keras.from_arguments(kernel_size=3, padding="smae"),
            ValueError,
            'padding="smae" is unknown; it must be one of "valid", .* Did you mean "same"',
        ),
        (
            lambda: keras.from_arguments(kernel_size=3, padding=(1, 1, 1)),
            ValueError,
            r"padding=\(1, 1, 1\) has 3 entries",
        ),
        (
            lambda: keras.from_arguments(kernel_size=3, strides=2, output_padding=(1, 2)),
            ValueError,
            "output_padding=2 is out of range; it must be an integer from 0 to 1",
        ),
        (
            lambda: keras.from_arguments(kernel_size=3, data_format="NHWC"),
            ValueError,
            'data_format="NHWC" is unknown',
        ),
        (
            lambda: onnx.from_arguments(kernel_shape=3, auto_pad="SAME_UPPER", pads=[0, 0, 0, 0]),
            ValueError,
            'auto_pad="SAME_UPPER" both fix the padding',
        ),
        (
            lambda: onnx.from_arguments(kernel_shape=3, pads=[1, 1]),
            ValueError,
            r"pads=\[1, 1\] must be 4 integers of at least 0, \[top, left, bottom, right\]",
        ),
        (
            lambda: onnx.from_arguments(kernel_shape=3, auto_pad="SAME"),
            ValueError,
            'auto_pad="SAME" is unknown; .* Did you mean "SAME_UPPER"',
        ),
        (
            lambda: onnx.from_arguments(kernel_shape=3, output_shape=[4, 4]),
            ValueError,
            r"output_shape=\[4, 4\] decides the padding only together with the input size",
        ),
        (
            lambda: jax.from_general_arguments(
                kernel_size=3, padding=((0, 0), (0, 0)), window_strides=2
            ),
            ValueError,
            "window_strides=2 must be 1",
        ),
        (
            lambda: jax.from_general_arguments(kernel_size=3, padding="SAME"),
            ValueError,
            'padding="SAME" is not how JAX pads a dilated input',
        ),
        (
            lambda: jax.from_arguments(kernel_size=3, strides=1, padding=((0, 0), 1)),
            ValueError,
            r"padding\[1\]=1 must be a pair \(before, after\)",
        ),
        (
            lambda: jax.from_arguments(
                kernel_size=3, strides=1, padding="SAME", dimension_numbers=("NHWC", "HWIO", "NCHW")
            ),
            ValueError,
            "the first and the last equal",
        ),
        (
            lambda: tf_nn.from_arguments(kernel_size=3, strides=2, output_shape=(8, 7, 6)),
            ValueError,
            r"output_shape=\(8, 7, 6\) has 3 entries",
        ),
        (
            lambda: tf_nn.from_arguments(
                kernel_size=3, strides=2, output_shape=(1, 8, 8, 6), out_channels=4
            ),
            ValueError,
            "has 6 channels, and out_channels=4",
        ),
        (
            lambda: tf_nn.from_arguments(
                kernel_size=3, strides=2, output_shape=(8, 8), input_size=(5, 4)
            ),
            ValueError,
            "output_shape's rows=8 cannot come from 5 input rows",
        ),
        (
            lambda: tf_nn.from_arguments(kernel_size=3, strides=2, padding=[(1, 1), (1, 1)]),
            ValueError,
            'must be "SAME", "VALID" or four pairs',
        ),
        (
            lambda: TransposedConvolution(kernel_size=3, crops=((1, 1), 2)),
            ValueError,
            r"crops=\(\(1, 1\), 2\) must be \(\(top, bottom\), \(left, right\)\) integers",
        ),
        (
            lambda: TransposedConvolution(kernel_size=3, crops=((3, 3), (0, 0)), input_size=(2, 2)),
            ValueError,
            r"crops\[0\]=\(3, 3\) takes off more than 2 input rows give: kernel 3, stride 1, "
            "dilation 1 span 4; the two sides together may take at most 4",
        ),
        (
            lambda: TransposedConvolution((3, 3)),
            TypeError,
            r"axes=\(3, 3\) must be a sequence of AxisGeometry; .* as in kernel_size=3",
        ),
        (
            lambda: TransposedConvolution([TransposedAxis(3)] * 4),
            ValueError,
            "axes has 4 entries; it must have 1 to 3",
        ),
        (
            lambda: TransposedConvolution([]),
            ValueError,
            "axes has 0 entries; it must have 1 to 3",
        ),
        (
            lambda: TransposedConvolution(kernel_size=3, groups=2, in_channels=3),
            ValueError,
            "groups=2 does not divide in_channels=3",
        ),
        (
            lambda: TransposedConvolution(kernel_size=(3, 3, 3), strides=(2, 2)),
            ValueError,
            r"strides=\(2, 2\) has 2 entries; it must be an integer or 3 integers",
        ),
        (lambda: TransposedConvolution(kernel_size="3"), TypeError, "kernel_size='3' is a str"),
        (lambda: TransposedConvolution(kernel_size=0), ValueError, "kernel_size=0 is out of range"),
    ],
)
def test_errors(refuse, error, message):
    with pytest.raises(error, match=message):
        refuse()


@pytest.mark.peers("onnx")
class TestNodes:
    """ONNX nodes, which carry their attributes in a form of their own."""

    @pytest.fixture
    def helper(self):
        return importlib.import_module("onnx").helper

    def test_all_attributes(self, helper):
        node = helper.make_node(
            "ConvTranspose",
            ["X", "W", "B"],
            ["Y"],
            kernel_shape=[3, 2],
            strides=[2, 3],
            dilations=[1, 2],
            pads=[1, 0, 0, 2],
            output_padding=[1, 0],
            group=2,
        )
        operation = onnx.from_node(node, weights_shape=(4, 3, 3, 2))
        assert operation == TransposedConvolution(
            kernel_size=(3, 2),
            strides=(2, 3),
            dilations=(1, 2),
            crops=((1, -1), (0, 2)),
            groups=2,
            in_channels=4,
            out_channels=6,
            data_format="NCHW",
        )

    @pytest.mark.parametrize(
        ("attributes", "shape", "message"),
        [
            ({"kernel_shape": [3, 3]}, (4, 6, 3, 2), "is not that of its weights, "),
            ({}, (4, 6, 3), "convolves over 1 axes"),
            ({}, None, "has no kernel_shape; give weights_shape"),
            ({"stride": [2, 2]}, (4, 6, 3, 3), '"stride" is unknown; .* Did you mean "strides"'),
            ({"group": 2.0}, (4, 6, 3, 3), "attribute group of node .* is of type 1"),
        ],
    )
    def test_errors(self, helper, attributes, shape, message):
        node = helper.make_node("ConvTranspose", ["X", "W"], ["Y"], name="up", **attributes)
        with pytest.raises(ValueError, match=message):
            onnx.from_node(node, weights_shape=shape)

    def test_another_operator(self, helper):
        with pytest.raises(ValueError, match='node "c" is a Conv; it must be a ConvTranspose'):
            onnx.from_node(helper.make_node("Conv", ["X", "W"], ["Y"], name="c"))
