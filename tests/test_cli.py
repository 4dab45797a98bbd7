"""The commands, run as from a shell: what they print, and how they fail."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import keras
import numpy as np
import pytest
from integers import ramp
from typer.testing import CliRunner

import tf_tconv
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
                "--output-size is no argument of jax",
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


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved model of Keras' layers, integers for its weights."""
    path = tmp_path_factory.mktemp("saved") / "in.keras"
    up = keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same", name="up")
    inside = keras.Sequential([up], name="decoder")
    model = keras.Sequential(
        [keras.Input((4, 5, 2)), inside, keras.layers.Conv2DTranspose(3, (2, 1), name="last")]
    )
    model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.save(path)
    return path


class TestConvert:
    def test_there_and_back(self, saved, tmp_path):
        there, back = tmp_path / "there.keras", tmp_path / "back.keras"
        status, output = run("convert", saved, there, "--lowering", "native")
        assert status == 0
        assert "2 transposed convolutions exchanged" in output
        for cell in ("decoder/up", "2 → 4", "3×3", "2×2", "0+1 0+1", "76", "2×1"):
            assert cell in output, cell
        assert "2 of them were tried on integers: equal to the last bit." in output
        assert "The models differ by at most 0, their outputs" in output
        assert f"{there} is written." in output.replace("\n", "")
        ours = keras.models.load_model(there)
        assert type(ours.layers[0].layers[0]) is tf_tconv.Conv2DTranspose
        assert ours.layers[0].layers[0].lowering == "native"

        assert run("convert", there, back, "--to", "keras")[0] == 0
        native = keras.models.load_model(back)
        assert type(native.layers[1]) is keras.layers.Conv2DTranspose
        x = ramp(2, 4, 5, 2).astype(np.float32)
        expected = np.asarray(keras.models.load_model(saved)(x))
        np.testing.assert_array_equal(np.asarray(ours(x)), expected)
        np.testing.assert_array_equal(np.asarray(native(x)), expected)
        assert sorted(os.listdir(tmp_path)) == ["back.keras", "there.keras"]

    def test_json(self, saved, tmp_path):
        out = tmp_path / "out.keras"
        status, output = run("convert", saved, out, "--json", "--no-verify")
        told = json.loads(output)
        assert (status, told["to"], told["out"]) == (0, "tf_tconv", str(out))
        assert told["largest_difference"] is None
        (first, last) = told["swapped"]
        assert (first["path"], first["equal"], first["parameters"]) == ("decoder/up", None, 76)
        assert last["operation"]["kernel_size"] == [2, 1]

    def test_a_loss_that_cannot_be_loaded(self, tmp_path):
        def own_loss(y, prediction):
            return keras.ops.mean(y - prediction)

        path, out = tmp_path / "in.keras", tmp_path / "out.keras"
        up = keras.layers.Conv2DTranspose(2, 3, name="up")
        model = keras.Sequential([keras.Input((4, 4, 2)), up])
        model.compile(loss=own_loss)
        model.save(path)
        status, output = run("convert", path, out)
        assert (status, out.exists()) == (0, True)
        assert "tf-tconv: note: the model is not compiled: " in output
        assert "own_loss" in output

    def test_in_place(self, saved, tmp_path):
        path = tmp_path / "model.keras"
        path.write_bytes(saved.read_bytes())
        assert run("convert", path, path)[0] == 0
        assert type(keras.models.load_model(path).layers[1]) is tf_tconv.Conv2DTranspose

    def test_nothing_to_exchange(self, saved, tmp_path):
        status, output = run("convert", saved, tmp_path / "out.keras", "--to", "keras")
        assert status == 0
        assert "0 transposed convolutions exchanged" in output

    @pytest.fixture
    def broken(self, saved, tmp_path):
        """Files that are no models, by what is wrong with them."""
        (tmp_path / "text.keras").write_text("no model at all")
        (tmp_path / "empty.keras").touch()
        (tmp_path / "short.keras").write_bytes(saved.read_bytes()[:2000])
        (tmp_path / "cut.keras").write_bytes(saved.read_bytes()[:-200])
        (tmp_path / "other.npz").write_bytes(b"\x00" * 100)
        (tmp_path / "folder.keras").mkdir()
        return tmp_path

    @pytest.mark.parametrize(
        "name",
        ["text.keras", "empty.keras", "short.keras", "cut.keras", "other.npz", "folder.keras"],
    )
    def test_what_is_no_model(self, broken, name):
        before = sorted(os.listdir(broken))
        message = refused("convert", broken / name, broken / "out.keras")
        assert f"{name} cannot be read as a Keras model: " in message
        assert ("no whole .keras file" in message) == name.startswith(
            ("text", "empty", "short", "cut")
        )
        assert sorted(os.listdir(broken)) == before

    def test_what_does_not_exist(self, tmp_path):
        assert "absent.keras does not exist" in refused(
            "convert", tmp_path / "absent.keras", tmp_path / "out.keras"
        )

    @pytest.mark.parametrize(
        ("out", "sentence"),
        [
            ("out.txt", "out.txt must end in .keras"),
            ("absent/out.keras", "cannot be written: there is no folder"),
            ("folder.keras", "folder.keras is a folder; it must be the name of a file"),
        ],
    )
    def test_where_nothing_can_be_written(self, saved, tmp_path, out, sentence):
        (tmp_path / "folder.keras").mkdir()
        assert sentence in refused("convert", saved, tmp_path / out)
        assert os.listdir(tmp_path) == ["folder.keras"]

    def test_a_folder_without_permission(self, saved, tmp_path, monkeypatch):
        # Said here, as an administrator may write anywhere.
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        assert "no permission to write in" in refused("convert", saved, tmp_path / "out.keras")

    def test_what_fails_half_way_leaves_nothing(self, saved, tmp_path, monkeypatch):
        def fail(model, path, *_, **__):
            Path(path).write_bytes(b"half a model")
            raise OSError(28, "No space left on device")

        out = tmp_path / "out.keras"
        out.write_bytes(b"what was there before")
        monkeypatch.setattr(keras.Model, "save", fail)
        assert "out.keras cannot be written: " in refused("convert", saved, out)
        assert out.read_bytes() == b"what was there before"
        assert os.listdir(tmp_path) == ["out.keras"]

    def test_a_layer_that_keras_cannot_express(self, tmp_path):
        path, out = tmp_path / "in.keras", tmp_path / "out.keras"
        layer = tf_tconv.Conv2DTranspose(4, 3, groups=2, name="up")
        keras.Sequential([keras.Input((4, 4, 2)), layer]).save(path)
        sentence = refused("convert", path, out, "--to", "keras")
        assert 'layer "up" cannot become a keras.layers.Conv2DTranspose: ' in sentence
        assert not out.exists()

    def test_an_unknown_lowering(self, saved, tmp_path):
        sentence = refused("convert", saved, tmp_path / "out.keras", "--lowering", "fast")
        assert 'lowering="fast" is unknown' in sentence
        assert os.listdir(tmp_path) == []
