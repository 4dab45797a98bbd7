"""The commands, run as from a shell: what they print, and how they fail."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tf_tconv.cli import app

EXAMPLE = "--from torch --kernel 3 --stride 2 --padding 1 --output-padding 1"


def run(*arguments):
    """Exit status and what was printed, on both streams."""
    shell = CliRunner(env={"COLUMNS": "100"})
    result = shell.invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def refused(*arguments):
    """The sentence with which a command fails."""
    status, output = run(*arguments)
    assert status == 1
    (line,) = output.strip().splitlines()
    assert line.startswith("tf-tconv: ")
    return line


@pytest.mark.parametrize("command", ["translate", "convert"])
def test_help(command):
    status, output = run(command, "--help")
    assert status == 0
    assert "--json" in output


def test_it_runs_as_a_module_of_its_own():
    command = [sys.executable, "-m", "tf_tconv.cli", "translate"]
    command += f"{EXAMPLE} --to torch".split()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == (
        "torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=3, stride=2, padding=1, "
        "output_padding=1)"
    )


def test_the_script_is_declared():
    declared = Path(__file__).parents[1].joinpath("setup.cfg").read_text("utf-8")
    assert "tf-tconv = tf_tconv.cli:app" in declared
    for script in entry_points(group="console_scripts", name="tf-tconv"):
        assert script.load() is app


class TestTranslate:
    @pytest.mark.parametrize(
        ("arguments", "lines"),
        [
            (
                f"{EXAMPLE} --to keras",
                [
                    "keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=2)",
                    "y = keras.layers.Cropping2D(((1, 0), (1, 0)))(y)",
                    "# images NHWC, kernel [height, width, out/groups, in]",
                ],
            ),
            (
                f"{EXAMPLE} --to tf_tconv --out-channels 8 --data-format NCHW",
                [
                    "tf_tconv.Conv2DTranspose(8, kernel_size=3, strides=2, "
                    'padding=((1, 0), (1, 0)), data_format="channels_first")',
                    "# images NCHW, kernel [height, width, out/groups, in]",
                ],
            ),
            (
                f"{EXAMPLE} --to onnx --no-bias",
                [
                    'onnx.helper.make_node("ConvTranspose", ["X", "W"], ["Y"], '
                    "kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0])",
                    "# images NCHW, kernel [in, out/groups, height, width]",
                ],
            ),
            (
                "--from keras --kernel 3,4 --stride 2 --padding same --to torch",
                [
                    "torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=(3, 4), "
                    "stride=2, padding=(0, 1))",
                    "y = y[:, :, :-1, :]",
                    "# images NCHW, kernel [in, out/groups, height, width]",
                ],
            ),
            (
                "--from tf_tconv --kernel 3 --padding 1,2,0,1 --groups 2 --to jax",
                [
                    "jax.lax.conv_general_dilated(x, w, window_strides=(1, 1), "
                    "padding=((1, 0), (2, 1)), lhs_dilation=(1, 1), "
                    'dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=2)',
                    "# images NHWC, kernel [height, width, in/groups, out], reversed",
                ],
            ),
            (
                "--from onnx --kernel 3 --stride 2 --padding SAME_LOWER --to tf_nn "
                "--input-size 4,5",
                [
                    "tf.nn.conv2d_transpose(x, w, output_shape=(tf.shape(x)[0], 8, 10, "
                    "out_channels), strides=2, padding=((0, 0), (1, 0), (1, 0), (0, 0)))",
                    "# images NHWC, kernel [height, width, out/groups, in]",
                ],
            ),
            (
                "--from onnx --kernel 3 --padding 0,1,2,3 --to jax",
                [
                    "jax.lax.conv_transpose(x, w, strides=(1, 1), padding=((2, 0), (1, -1)), "
                    "transpose_kernel=True)",
                    "# images NHWC, kernel [height, width, out/groups, in]",
                ],
            ),
            (
                "--from jax --kernel 3 --stride 2 --padding 2,1,2,1 --to keras",
                [
                    "keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=2, "
                    'padding="same", use_bias=False)',
                    "# images NHWC, kernel [height, width, out/groups, in]",
                ],
            ),
            (
                "--from jax --kernel 2 --groups 2 --padding 1 --to torch",
                [
                    "torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, groups=2, "
                    "bias=False)",
                    "# images NCHW, kernel [in, out/groups, height, width]",
                ],
            ),
            (
                "--from tf_nn --kernel 3 --stride 2 --padding 1,0 --output-size 9x10 --to keras "
                "--no-bias",
                [
                    "keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=2, "
                    "output_padding=(0, 1), use_bias=False)",
                    "y = keras.layers.Cropping2D(((1, 1), (0, 0)))(y)",
                    "# images NHWC, kernel [height, width, out/groups, in]",
                ],
            ),
        ],
    )
    def test_text(self, arguments, lines):
        status, output = run("translate", *arguments.split())
        assert (status, output.splitlines()) == (0, lines)

    def test_json(self):
        status, output = run("translate", *f"{EXAMPLE} --to keras --json".split())
        told = json.loads(output)
        assert status == 0
        assert (told["from"], told["to"], told["callee"]) == (
            *("torch", "keras"),
            "keras.layers.Conv2DTranspose",
        )
        assert told["arguments"]["kernel_size"] == [3, 3]
        assert (told["exact"], told["crop"]) == (False, [[1, 0], [1, 0]])
        assert told["after"] == ["y = keras.layers.Cropping2D(((1, 0), (1, 0)))(y)"]
        assert told["operation"]["crops"] == [[1, 0], [1, 0]]
        assert told["text"].startswith("keras.layers.Conv2DTranspose(filters, kernel_size=3")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (f"{EXAMPLE} --to keras --strict", "alone cannot cut ((1, 0), (1, 0)) cells"),
            (f"{EXAMPLE} --to onnx --data-format NHWC", "images of onnx are NCHW"),
            (f"{EXAMPLE} --to jax --data-format HWC", '--data-format="HWC" is unknown'),
            (
                "--from torch --kernel 3.5 --to jax",
                '--kernel="3.5" must be 1 or 2 int',
            ),
            (
                "--from torch --kernel 0 --to jax",
                "kernel_size[0]=0 is out of range",
            ),
            (
                "--from torch --kernel 3 --padding 1,1,1,1 --to jax",
                "give 1 or 2",
            ),
            (
                "--from torch --kernel 3 --padding same --to jax",
                "padding='same' is a str",
            ),
            (
                "--from torch --kernel 3 --padding 1,2,3 --to jax",
                "must be 1 or 2 or 4 int",
            ),
            (
                "--from keras --kernel 3 --padding sane --to jax",
                'Did you mean "same"?',
            ),
            ("--from jax --kernel 3 --to keras", "--from jax needs --padding"),
            (
                "--from jax --kernel 3 --padding SAME --output-size 3 --to keras",
                "--output-size is not an argument of jax",
            ),
            (
                "--from keras --kernel 3 --groups 2 --to keras",
                "has no groups, and the operation has 2",
            ),
            (
                "--from torch --kernel 3 --output-size 9 --to keras",
                "together with the input size, and that is unknown",
            ),
        ],
    )
    def test_errors(self, arguments, sentence):
        assert sentence in refused("translate", *arguments.split())

    def test_usage(self):
        status, output = run("translate", "--from", "caffe", "--to", "keras", "--kernel", "3")
        assert (status, "caffe" in output) == (2, True)
