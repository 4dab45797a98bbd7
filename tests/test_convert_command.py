"""`tf-tconv convert`, run as from a shell: what it reads, writes and says."""

import inspect
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from integers import ramp
from rich.console import Console
from test_cli import refused, run

import tf_tconv
from tf_tconv.commands import convert as command
from tf_tconv.conversion import Conversion, SwappedLayer
from tf_tconv.dialects import keras as dialect


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
        assert "2 of 2 tried on integers: equal to the last bit." in output
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

    def test_onto_its_own_input(self, saved, tmp_path):
        path, link = tmp_path / "model.keras", tmp_path / "link.keras"
        path.write_bytes(saved.read_bytes())
        link.symlink_to(path)
        for out in (path, link):
            assert "is the file to read; --overwrite puts" in refused("convert", path, out)
        assert path.read_bytes() == saved.read_bytes()
        assert run("convert", path, path, "--overwrite")[0] == 0
        assert type(keras.models.load_model(path).layers[1]) is tf_tconv.Conv2DTranspose

    def test_nothing_to_exchange(self, saved, tmp_path):
        out = tmp_path / "out.keras"
        sentence = refused("convert", saved, out, "--to", "keras")
        assert "in.keras has no tf_tconv.Conv2DTranspose to exchange; " in sentence
        assert f"{out} is not written." in sentence
        assert not out.exists()

    @pytest.fixture
    def broken(self, saved, tmp_path):
        """Files that are no models, by what is wrong with them."""
        (tmp_path / "text.keras").write_text("no model at all")
        (tmp_path / "empty.keras").touch()
        (tmp_path / "short.keras").write_bytes(saved.read_bytes()[:2000])
        (tmp_path / "cut.keras").write_bytes(saved.read_bytes()[:-200])
        (tmp_path / "other.h5").write_bytes(b"\x00" * 100)
        (tmp_path / "folder.keras").mkdir()
        (tmp_path / "model.zip").write_bytes(saved.read_bytes())
        return tmp_path

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("text.keras", "not a whole .keras file"),
            ("empty.keras", "not a whole .keras file"),
            ("short.keras", "not a whole .keras file"),
            ("cut.keras", "not a whole .keras file"),
            ("other.h5", "it is not an HDF5 file."),
            ("folder.keras", "it is a folder; give the file, .keras, .h5 or .hdf5."),
            ("model.zip", "its name must end in .keras, .h5 or .hdf5"),
        ],
    )
    def test_what_is_no_model(self, broken, name, reason):
        before = sorted(os.listdir(broken))
        message = refused("convert", broken / name, broken / "out.keras")
        assert f"{name} cannot be read as a Keras model: " in message
        assert reason in message
        assert sorted(os.listdir(broken)) == before

    def test_what_does_not_exist(self, tmp_path):
        assert "absent.keras does not exist" in refused(
            "convert", tmp_path / "absent.keras", tmp_path / "out.keras"
        )

    @pytest.mark.parametrize(
        ("out", "sentence"),
        [
            ("out.txt", "out.txt must end in .keras, "),
            (".keras", ".keras must end in .keras after a name, "),
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


def network(*layers, inputs=(4, 5, 2)):
    return keras.Sequential([keras.Input(inputs), *layers])


NATIVE = keras.layers.Conv2DTranspose


def test_what_is_left_is_named_with_the_reason(tmp_path):
    path, out = tmp_path / "in.keras", tmp_path / "out.keras"

    def each():
        line = keras.layers.Conv1DTranspose(4, 3, name="line")
        return keras.layers.TimeDistributed(line, name="each")

    network(NATIVE(3, 2, name="up"), each()).save(path)
    status, output = run("convert", path, out)
    assert status == 0
    assert "1 transposed convolution exchanged" in output
    reason = "a Conv1DTranspose: it has 1 spatial axis; tf_tconv.Conv2DTranspose has 2."
    assert f"Left as it is: each/line, {reason}" in output
    told = json.loads(run("convert", path, out, "--json")[1])
    assert [layer["path"] for layer in told["left"]] == ["each/line"]

    network(each()).save(path)
    sentence = refused("convert", path, tmp_path / "none.keras")
    assert "has no keras.layers.Conv2DTranspose to exchange" in sentence
    assert f"Left as they are: each/line, {reason}" in sentence


OWN = """
import keras

class GELU(keras.layers.Layer):
    def __init__(self, up=None, **kwargs):
        super().__init__(**kwargs)
        self.up = keras.layers.Conv2DTranspose(2, 3, name="up")

    def build(self, input_shape):
        self.up.build(input_shape)

    def call(self, inputs):
        return keras.ops.gelu(self.up(inputs))
"""


@pytest.fixture
def of_own_class(tmp_path, monkeypatch):
    """A model with a layer of a class that is registered nowhere, and the module of that class."""
    module = tmp_path / "own_layers.py"
    module.write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Importing adds to it, and Keras imports, too.
    own = command._imported(str(module))
    network(NATIVE(3, 2, name="first"), own.GELU(name="gelu")).save(tmp_path / "in.keras")
    yield tmp_path
    sys.modules.pop("own_layers", None)


@pytest.mark.parametrize("module", ["own_layers", "own_layers.py"])
def test_classes_of_a_module_that_is_imported(of_own_class, module):
    sys.modules.pop("own_layers", None)
    sentence = refused("convert", "in.keras", "out.keras")
    start = r"tf-tconv: in\.keras cannot be read as a Keras model: Could not \w+ class 'GELU'"
    assert re.match(start, sentence)  # The cause comes first, and the way last.
    assert sentence.endswith(". --import MODULE names the module that defines GELU.")
    assert len(sentence) < 250
    status, output = run("convert", "in.keras", "out.keras", "--import", module)
    assert status == 0
    assert 'Left as it is: gelu/up, a Conv2DTranspose: it is made by the code of "gelu"' in output


def test_an_argument_of_the_function_is_said_to_be_none_of_the_command(
    saved, tmp_path, monkeypatch
):
    sentence = 'It cannot be cloned; inside="in place" needs no clone.'

    def refusing(*args, **kwargs):
        raise ValueError(sentence)

    monkeypatch.setattr(tf_tconv.conversion, "convert", refusing)
    message = refused("convert", saved, tmp_path / "out.keras")
    assert f"{sentence} That is an argument of tf_tconv.convert_model" in message


def test_a_module_that_ends_itself(saved, tmp_path):
    module = tmp_path / "script.py"
    module.write_text("raise SystemExit(0)")
    out = tmp_path / "out.keras"
    assert "script.py failed: SystemExit" in refused("convert", saved, out, "--import", module)
    assert not out.exists()


@pytest.mark.parametrize("name", ["naïve ü.keras", "x" * 249 + ".keras", "link.keras"])
def test_names_of_files(saved, tmp_path, name):
    out = tmp_path / name
    if name == "link.keras":
        (tmp_path / "folder").mkdir()
        out.symlink_to(Path("folder") / "there.keras")
    status, output = run("convert", saved, out)
    assert status == 0, output
    assert keras.models.load_model(out.resolve()).built
    assert out.is_symlink() == (name == "link.keras")
    assert {each.name for each in tmp_path.iterdir()} <= {name, saved.name, "folder"}


def test_a_module_that_cannot_be_imported(saved, tmp_path):
    sentence = refused("convert", saved, tmp_path / "out.keras", "--import", "no_such_module")
    assert "--import no_such_module failed: ModuleNotFoundError: No module named" in sentence


def test_a_file_named_like_a_loaded_module_does_not_displace_it(tmp_path):
    module = tmp_path / "json.py"
    module.write_text("import keras\n\nclass Own(keras.layers.Layer):\n    pass\n")
    assert command._own_objects([str(module)])["Own"].__module__ == "json"
    assert sys.modules["json"] is json


def test_a_file_that_fails_leaves_no_module(saved, tmp_path):
    module = tmp_path / "half_a_module.py"
    module.write_text("x = 1\n1 / 0\n")
    sentence = refused("convert", saved, tmp_path / "out.keras", "--import", module)
    assert f"--import {module} failed: ZeroDivisionError" in sentence
    assert "half_a_module" not in sys.modules


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("net.onnx", "is not a Keras model but an ONNX file; tf_tconv.from_onnx"),
        (
            "net.tflite",
            "is not a Keras model but a LiteRT file; .* convert the Keras model",
        ),
        ("frozen.pb", "is not a Keras model but a graph of TensorFlow; .* convert the Keras model"),
        ("net.pth", "is not a Keras model but a file of torch; tf_tconv.from_torch"),
        ("net.weights.h5", "holds weights without a model; load them into the model"),
        ("exported", "is a SavedModel, not a Keras model: .* convert the Keras model that it was"),
    ],
)
def test_files_of_another_kind(tmp_path, name, sentence):
    path = tmp_path / name
    if name == "exported":
        path.mkdir()
        (path / "saved_model.pb").touch()
    else:
        path.touch()
    message = refused("convert", path, tmp_path / "out.keras")
    assert re.search(sentence, message), message


class TestLayersOnAScreen:
    NAME = "u2net_in_decoder_stage_3/side_output_4/conv2d_transpose_12"

    @pytest.fixture
    def result(self):
        layer = tf_tconv.Conv2DTranspose(512, 4, strides=2, padding="same")
        layer.build((None, None, None, 1024))
        operation = dialect.from_layer(layer)
        names = (self.NAME, self.NAME + "3")
        swapped = tuple(SwappedLayer(name, operation, 8_389_120, True) for name in names)
        return Conversion(None, swapped)

    @pytest.mark.parametrize("width", [40, 80, 100, 200])
    def test_names_are_whole(self, result, width):
        console = Console(width=width, force_terminal=True, color_system=None, record=True)
        command._print_layers(console, result)
        lines = console.export_text().splitlines()
        assert max(map(len, lines)) <= width
        text = "".join(lines if width > len(self.NAME) else map(str.strip, lines))
        assert self.NAME + "3" in text
        assert "…" not in text
        assert "1024 → 512" in text

    def test_cells_that_are_added(self):
        assert command._crop((0, 1)) == "0+1"
        assert command._crop((0, -13)) == "(0, adds 13)"


class TestKeras2:
    """Files as tf_keras writes them, made of such of Keras 3 by what differs in their configs."""

    @staticmethod
    def modern_layers():
        layers = keras.layers
        x = keras.Input((6, 6, 3), name="image")
        y = layers.DepthwiseConv2D(3, padding="same", name="depth")(x)
        y = layers.SeparableConv2D(4, 3, padding="same", name="separable")(y)
        y = layers.BatchNormalization(axis=3, name="norm")(y)
        y = NATIVE(4, 3, strides=2, padding="same", name="up")(y)
        decoder = keras.Sequential(
            [keras.Input((None, None, 4)), NATIVE(4, 3, name="last")], name="decoder"
        )
        model = keras.Model(x, decoder(decoder(y)), name="net")
        weights = [0.1 + abs(ramp(*w.shape, seed=i)) / 8 for i, w in enumerate(model.weights)]
        model.set_weights(weights)
        return model

    @staticmethod
    def old_config(layers, file):
        """A Sequential in a file as tf_keras 2.19 writes it, .keras or .h5."""
        first = {"batch_input_shape": [None, 4, 4, 2], "dtype": "float32", "name": "image"}
        inside = [{"class_name": "InputLayer", "config": first}]
        inside += [
            {"class_name": kind, "config": {"name": kind.lower(), **config}}
            for kind, config in layers
        ]
        if file == ".keras":
            inside = [
                {"module": "keras.layers", "registered_name": None, **each} for each in inside
            ]
        return {"class_name": "Sequential", "config": {"name": "net", "layers": inside}}

    @pytest.mark.parametrize("file", [".keras", ".h5"])
    @pytest.mark.parametrize(
        ("kind", "old", "new"),
        [
            ("SpatialDropout2D", {"trainable": True, "rate": 0.2, "noise_shape": None}, {}),
            ("Conv2D", {"filters": 2, "kernel_size": 3, "batch_input_shape": [None, 4, 4, 2]}, {}),
            (
                "Conv2DTranspose",
                {
                    "groups": 1,
                    "filters": 2,
                    "kernel_size": [3, 3],
                    "dtype": {
                        "module": "keras.mixed_precision",
                        "class_name": "Policy",
                        "config": {"name": "mixed_float16"},
                    },
                },
                {"dtype": "mixed_float16"},
            ),
            (
                "Lambda",
                {
                    "function": ["4wAAAA==", None, None],
                    "function_type": "lambda",
                    "module": "__main__",
                    "output_shape_type": "raw",
                    "output_shape_module": None,
                },
                {
                    "function": {
                        "class_name": "__lambda__",
                        "config": {"code": "4wAAAA==", "defaults": None, "closure": None},
                    }
                },
            ),
        ],
    )
    def test_what_a_config_becomes(self, kind, old, new, file):
        from tf_tconv.conversion.files import modern_config

        config = modern_config(self.old_config([(kind, old)], file))
        layer = config["config"]["layers"][1]["config"]
        parameters = inspect.signature(getattr(keras.layers, kind)).parameters
        base = () if kind == "SpatialDropout2D" else ("trainable", "dtype", "name")
        assert layer.keys() <= {*parameters, *base}
        assert {key: layer[key] for key in new} == new
        kept = old.keys() & layer.keys() - new.keys()
        assert {key: layer[key] for key in kept} == {key: old[key] for key in kept}
        if kind != "Lambda":  # Its code is none.
            keras.Sequential.from_config(config["config"])

    @pytest.mark.parametrize("file", [".keras", ".h5"])
    @pytest.mark.parametrize(
        ("kind", "config"),
        [
            ("Activation", {"activation": "hard_sigmoid"}),
            ("ConvLSTM2D", {"recurrent_activation": "hard_sigmoid", "time_major": False}),
        ],
    )
    @pytest.mark.parametrize("version", ["2.2.4-tf", "2.19.0", "3.0.5"])
    def test_a_function_that_is_another_in_keras_3(self, tmp_path, kind, config, file, version):
        from tf_tconv.conversion.files import load_model

        model, path = self.old_config([(kind, config)], file), tmp_path / f"old{file}"
        if file == ".keras":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("config.json", json.dumps(model))
                archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        else:
            h5py = pytest.importorskip("h5py")
            with h5py.File(path, "w") as archive:
                archive.attrs["keras_version"] = version
                archive.attrs["model_config"] = json.dumps(model)
        with pytest.raises(Exception) as caught:  # noqa: PT011
            load_model(path)
        named = {"Activation": "an Activation"}.get(kind, f"a {kind}")
        said = f'"{kind.lower()}", {named}, has the activation hard_sigmoid' in str(caught.value)
        assert said is version.startswith("2.")  # Else Keras finds no weights there.

    @classmethod
    def aged(cls, value, zipped):
        """A config of Keras 3, in the words of Keras 2."""
        if isinstance(value, list):
            return [cls.aged(entry, zipped) for entry in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == "__keras_tensor__":
            return value["config"]["keras_history"]
        value = {key: cls.aged(entry, zipped) for key, entry in value.items()}
        name, config = value.get("class_name"), value.get("config")
        if not isinstance(config, dict):
            return value
        if "inbound_nodes" in value:
            nodes = [node["args"][0] for node in value["inbound_nodes"]]
            value["inbound_nodes"] = [[[*node, {}]] for node in nodes]
        if name in ("DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"):
            config["groups"] = 1
        if name == "SeparableConv2D":
            config.update(kernel_initializer="zeros", kernel_regularizer=None)
        if name == "BatchNormalization":
            config["axis"] = [3]
        if name == "InputLayer":
            config["batch_input_shape"] = config.pop("batch_shape")
            config.pop("optional", None)
        if name == "Functional":
            value.update(module="tf_keras.src.engine.functional", registered_name="Functional")
            value.update(config=cls.counted_from_one(config))
        if not zipped:
            for key in ("module", "registered_name", "build_config"):
                value.pop(key, None)
        return value

    @classmethod
    def counted_from_one(cls, value):
        """The calls of the Sequential, whose own graph Keras 2 counted as the first."""
        if isinstance(value, dict):
            return {key: cls.counted_from_one(entry) for key, entry in value.items()}
        if isinstance(value, list):
            if len(value) >= 3 and value[0] == "decoder":
                return [value[0], value[1] + 1, *value[2:]]
            return [cls.counted_from_one(entry) for entry in value]
        return value

    def old_file(self, path, model):
        if path.suffix == ".keras":
            modern = path.with_name("modern.keras")
            model.save(modern)
            with zipfile.ZipFile(modern) as source, zipfile.ZipFile(path, "w") as target:
                for name in source.namelist():
                    content = source.read(name)
                    if name == "config.json":
                        content = json.dumps(self.aged(json.loads(content), True))
                    target.writestr(name, content)
            return
        h5py = pytest.importorskip("h5py")
        model.save(path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            file.attrs["model_config"] = json.dumps(self.aged(config, False))

    @pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_it_is_read(self, tmp_path, suffix):
        model = self.modern_layers()
        path, out = tmp_path / f"old{suffix}", tmp_path / "out.keras"
        self.old_file(path, model)
        with pytest.raises(Exception, match=r"groups|locate|deserialize"):
            keras.models.load_model(path)
        status, output = run("convert", path, out)
        assert status == 0, output
        assert "2 transposed convolutions exchanged" in output
        converted = keras.models.load_model(out)
        assert type(converted.get_layer("up")) is tf_tconv.Conv2DTranspose
        x = ramp(2, 6, 6, 3).astype(np.float32)
        expected = np.asarray(model(x))
        np.testing.assert_allclose(
            np.asarray(converted(x)),
            expected,
            # Float32 sums of a few hundred terms, in another order.
            atol=1e-5 * np.abs(expected).max(),
            rtol=0,
        )

    def test_a_key_that_says_something_is_not_dropped(self):
        from tf_tconv.conversion.files import modern_config

        layer = {"class_name": "Conv2DTranspose", "config": {"filters": 2, "groups": 2}}
        assert modern_config(layer) == layer
        layer["config"]["groups"] = 1
        assert modern_config(layer)["config"] == {"filters": 2}


@pytest.mark.parametrize(
    ("error", "suffix", "way"),
    [
        ("Unknown layer: 'TFOpLambda'.", ".h5", "write the model anew in Keras 3"),
        ("Could not deserialize class 'SlicingOpLambda'", ".keras", "write the model anew"),
        ("Unknown layer: 'Mine'.", ".h5", "--import MODULE names the module that defines Mine"),
        ("call `enable_unsafe_deserialization()`", ".keras", "a module of yours first"),
        ("call `enable_unsafe_deserialization()`", ".h5", ""),
        ("Out of luck.", ".keras", ""),
    ],
)
def test_the_way_out_of_an_error_of_loading(error, suffix, way):
    said = command._way_to_load(Path(f"old{suffix}"), ValueError(error))
    assert way in said if way else said == ""
