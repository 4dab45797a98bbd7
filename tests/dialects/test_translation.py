"""The calls as text, what stands after them, and when a translation refuses."""

import pytest

from tf_tconv.dialects import TransposedConvolution, jax, keras, onnx, tf_nn, torch

# Kernel 3, stride 2, "same": TensorFlow's odd cell is cut after the last, torch's before the first.
TENSORFLOW = TransposedConvolution(kernel_size=3, strides=2, crops=((0, 1), (0, 1)))
TORCH = TransposedConvolution(
    kernel_size=3, strides=2, crops=((1, 0), (1, 0)), in_channels=16, out_channels=8
)


@pytest.mark.parametrize(
    ("translation", "text"),
    [
        (
            torch.to_arguments(TORCH),
            "torch.nn.ConvTranspose2d(16, 8, kernel_size=3, stride=2, padding=1, output_padding=1)",
        ),
        (
            torch.to_arguments(TENSORFLOW),
            "torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=3, stride=2)\n"
            "y = y[:, :, :-1, :-1]",
        ),
        (
            torch.to_arguments(
                TransposedConvolution(
                    kernel_size=(3, 5), dilations=2, crops=((-1, 0), (0, 2)), use_bias=False
                )
            ),
            "torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=(3, 5), bias=False, "
            "dilation=2)\n"
            "y = torch.nn.functional.pad(y, (0, 0, 1, 0))\n"
            "y = y[:, :, :, :-2]",
        ),
        (
            keras.to_arguments(TENSORFLOW),
            'keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=2, padding="same")',
        ),
        (
            keras.to_arguments(TORCH, data_format="channels_first"),
            "keras.layers.Conv2DTranspose(8, kernel_size=3, strides=2, "
            'data_format="channels_first")\n'
            'y = keras.layers.Cropping2D(((1, 0), (1, 0)), data_format="channels_first")(y)',
        ),
        (
            keras.to_arguments(TORCH, layer="tf_tconv"),
            "tf_tconv.Conv2DTranspose(8, kernel_size=3, strides=2, padding=((1, 0), (1, 0)))",
        ),
        (
            keras.to_arguments(TransposedConvolution(kernel_size=1, crops=((-1, 0), (0, 0)))),
            "keras.layers.Conv2DTranspose(filters, kernel_size=1, use_bias=False)\n"
            "y = keras.layers.ZeroPadding2D(((1, 0), (0, 0)))(y)\n"
            "y = y + bias",
        ),
        (
            keras.to_arguments(TransposedConvolution(kernel_size=2, strides=3)),
            "keras.layers.Conv2DTranspose(filters, kernel_size=2, strides=3, output_padding=0)",
        ),
        (
            onnx.to_arguments(TENSORFLOW),
            'onnx.helper.make_node("ConvTranspose", ["X", "W", "B"], ["Y"], kernel_shape=[3, 3], '
            "strides=[2, 2], pads=[0, 0, 1, 1])",
        ),
        (
            jax.to_arguments(TENSORFLOW),
            "jax.lax.conv_transpose(x, w, strides=(2, 2), padding=((2, 1), (2, 1)))",
        ),
        (
            jax.to_arguments(TENSORFLOW, transpose_kernel=True),
            "jax.lax.conv_transpose(x, w, strides=(2, 2), padding=((2, 1), (2, 1)), "
            "transpose_kernel=True)",
        ),
        (
            jax.to_arguments(TENSORFLOW, function="conv_general_dilated", data_format="NCHW"),
            "jax.lax.conv_general_dilated(x, w, window_strides=(1, 1), padding=((2, 1), (2, 1)), "
            'lhs_dilation=(2, 2), dimension_numbers=("NCHW", "HWIO", "NCHW"))',
        ),
        (
            tf_nn.to_arguments(TENSORFLOW),
            "tf.nn.conv2d_transpose(x, w, output_shape=(tf.shape(x)[0], tf.shape(x)[1] * 2, "
            "tf.shape(x)[2] * 2, out_channels), strides=2)",
        ),
        (
            tf_nn.to_arguments(TransposedConvolution(kernel_size=3), data_format="NCHW"),
            "tf.nn.conv2d_transpose(x, w, output_shape=(tf.shape(x)[0], out_channels, "
            'tf.shape(x)[2] + 2, tf.shape(x)[3] + 2), strides=1, padding="VALID", '
            'data_format="NCHW")',
        ),
        (
            tf_nn.to_arguments(
                TransposedConvolution(
                    kernel_size=5, strides=2, crops=((3, 1), (3, 0)), input_size=(4, 6)
                )
            ),
            "tf.nn.conv2d_transpose(x, w, output_shape=(tf.shape(x)[0], 7, 12, out_channels), "
            "strides=2, padding=((0, 0), (3, 1), (3, 0), (0, 0)))",
        ),
    ],
)
def test_text(translation, text):
    assert translation.text == text
    assert translation.exact == (len(translation.after) == 0)


def test_sizes_as_code_are_the_sizes():
    operation = TransposedConvolution(kernel_size=(2, 7), strides=(4, 2), crops=((0, 1), (1, 1)))
    code = tf_nn.to_arguments(operation).call
    assert "tf.shape(x)[1] * 4 - 3," in code
    assert "tf.shape(x)[2] * 2 + 3," in code
    assert [axis.surplus - axis.stride for axis in operation.axes] == [-3, 3]


@pytest.mark.parametrize(
    ("refuse", "message"),
    [
        (
            lambda: torch.to_arguments(TENSORFLOW, strict=True),
            r"torch\.nn\.ConvTranspose2d alone cannot cut \(\(0, 1\), \(0, 1\)\) cells off .* it "
            r"cuts the same padding off both sides.* Without strict it gives the nearest call, and "
            r"the \(\(0, 1\), \(0, 1\)\) to cut off its result\.",
        ),
        (
            lambda: keras.to_arguments(TORCH, strict=True),
            'padding is "same" or "valid", and output_padding is less than the stride',
        ),
        (
            lambda: keras.to_arguments(
                TransposedConvolution(kernel_size=1, crops=((-1, 0), (0, 0))),
                layer="tf_tconv",
                strict=True,
            ),
            "padding is of at least 0",
        ),
        (
            lambda: onnx.to_arguments(
                TransposedConvolution(kernel_size=1, crops=((0, -1), (0, 0))), strict=True
            ),
            "output_padding is less than the stride",
        ),
        (
            lambda: tf_nn.to_arguments(
                TransposedConvolution(kernel_size=1, crops=((0, -1), (0, 0))), strict=True
            ),
            "less than a stride larger than what the products span",
        ),
        (
            lambda: keras.to_arguments(TransposedConvolution(kernel_size=1, groups=2)),
            r"has no groups, and the operation has 2; layer=\"tf_tconv\" has them",
        ),
        (
            lambda: keras.to_arguments(
                TransposedConvolution(kernel_size=1, strides=2, dilations=3)
            ),
            r"takes no strides with a dilation_rate, and the operation has strides \(2, 2\) and "
            r"dilations \(3, 3\)",
        ),
        (
            lambda: jax.to_arguments(
                TransposedConvolution(kernel_size=1, groups=2), function="conv_transpose"
            ),
            r"has no groups, and the operation has 2; function=\"conv_general_dilated\" has them",
        ),
        (lambda: jax.to_arguments(TENSORFLOW, function="conv"), 'function="conv" is unknown'),
        (lambda: keras.to_arguments(TENSORFLOW, layer="ours"), 'layer="ours" is unknown'),
        (
            lambda: keras.to_arguments(TENSORFLOW, data_format="NHWC"),
            'data_format="NHWC" is unknow',
        ),
        (lambda: tf_nn.to_arguments(TENSORFLOW, data_format="HWC"), 'data_format="HWC" is unknown'),
    ],
)
def test_refusals(refuse, message):
    with pytest.raises(ValueError, match=message):
        refuse()


def test_strict_is_silent_where_a_call_says_it():
    assert torch.to_arguments(TORCH, strict=True).exact
    assert keras.to_arguments(TENSORFLOW, strict=True).exact
    assert jax.to_arguments(TENSORFLOW, strict=True).exact


def test_zeros_that_a_call_cannot_add_are_not_said_to_be_cut():
    operation = onnx.from_arguments(kernel_shape=3, strides=2, input_size=8, output_shape=(40, 16))
    with pytest.raises(ValueError, match="Without strict it gives") as caught:
        torch.to_arguments(operation, strict=True)
    message = str(caught.value)
    assert "-" not in message
    assert "cut ((0, 0), (1, 0)) cells off and add ((0, 23), (0, 0)) zeros to" in message
