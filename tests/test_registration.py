"""Saved models find the classes of this library, whichever of it and Keras is imported first."""

import importlib
import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import tf_tconv
from tf_tconv.registration import CHECKERBOARD, LAYERS, after_import

CLASSES = ("BilinearUpsampling", "Conv2DTranspose", "ICNR", "ResizeConv2D")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of a model with every class that is registered, what goes in, and what comes out."""
    keras.utils.set_random_seed(1)
    up = {"strides": 2, "padding": "same"}
    model = keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            tf_tconv.Conv2DTranspose(2, 4, kernel_initializer=tf_tconv.checkerboard.ICNR(2), **up),
            tf_tconv.checkerboard.ResizeConv2D(3, 3),
            tf_tconv.Conv2DTranspose(
                3, 4, kernel_initializer=tf_tconv.checkerboard.BilinearUpsampling(2), **up
            ),
        ]
    )
    x = np.random.default_rng(1).normal(size=(2, 4, 5, 3)).astype("float32")
    folder = tmp_path_factory.mktemp("saved")
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    folder.joinpath("model.json").write_text(model.to_json(), encoding="utf-8")
    np.savez(folder / "numbers.npz", x=x, y=model.predict(x, verbose=0))
    return folder


LOAD = """
import sys
{imports}
import keras, numpy
numbers = numpy.load({folder!r} + "/numbers.npz")
text = open({folder!r} + "/model.json", encoding="utf-8").read()
from_json = keras.models.model_from_json(text)
from_json.load_weights({folder!r} + "/model.weights.h5")
for model in keras.models.load_model({folder!r} + "/model.keras"), from_json:
    y = model.predict(numbers["x"], verbose=0)
    # Another process may sum in another order.
    numpy.testing.assert_allclose(y, numbers["y"], rtol=1e-5, atol=1e-6)
for name in {classes!r}:
    assert keras.saving.get_registered_object("tf_tconv>" + name).__module__.startswith("tf_tconv.")
finders = {{type(finder).__module__ for finder in sys.meta_path}}
assert "tf_tconv.registration" not in finders
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import tf_tconv\nassert 'keras' not in sys.modules",
        pytest.param("import keras, tf_tconv", marks=pytest.mark.slow),
        pytest.param("import tf_tconv, tensorflow as tf\ntf.keras.layers", marks=pytest.mark.slow),
        # Modules that import Keras themselves, and are not whole when it is.
        pytest.param("import tf_tconv.layers", marks=pytest.mark.slow),
        pytest.param("import tf_tconv.checkerboard.resize_convolution", marks=pytest.mark.slow),
    ],
)
def test_a_fresh_process_loads_what_was_saved(imports, saved):
    code = LOAD.format(imports=imports, folder=str(saved), classes=CLASSES)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_class_that_is_registered_is_in_a_module_that_is_imported():
    ours = {
        name.removeprefix("tf_tconv>"): each.__module__
        for name, each in keras.saving.get_custom_objects().items()
        if name.startswith("tf_tconv>")
    }
    assert sorted(ours) == sorted(CLASSES)
    assert set(ours.values()) == {LAYERS, *CHECKERBOARD}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module not imported yet, its file, and the finders as they were before."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.delitem(sys.modules, "registered_later", raising=False)
    file = tmp_path / "registered_later.py"
    file.write_text("whole = 'yes'\n", encoding="utf-8")
    yield SimpleNamespace(name="registered_later", file=file)
    sys.modules.pop("registered_later", None)


def test_an_action_follows_the_import_once(module):
    seen = []
    finders = list(sys.meta_path)
    after_import(module.name, lambda: seen.append(sys.modules[module.name].whole))
    assert importlib.util.find_spec(module.name) is not None
    assert seen == []  # To look for a module is not to import it.
    made = importlib.import_module(module.name)
    assert seen == ["yes"]
    assert sys.meta_path == finders
    assert made.__loader__ is made.__spec__.loader
    assert isinstance(made.__loader__, SourceFileLoader)  # As if nobody had watched.
    importlib.reload(made)
    assert seen == ["yes"]


def test_an_action_is_done_at_once_where_the_module_is_there(module):
    importlib.import_module(module.name)
    seen, finders = [], list(sys.meta_path)
    after_import(module.name, lambda: seen.append(1))
    assert (seen, sys.meta_path) == ([1], finders)


def test_an_action_waits_for_an_import_that_succeeds(module):
    seen = []
    after_import(module.name, lambda: seen.append(1))
    module.file.write_text("raise OSError('not yet')\n", encoding="utf-8")
    with pytest.raises(OSError, match="not yet"):
        importlib.import_module(module.name)
    assert seen == []
    module.file.write_text("whole = 'at last, and longer'\n", encoding="utf-8")
    importlib.invalidate_caches()
    importlib.import_module(module.name)
    assert seen == [1]


def test_two_actions_follow_one_import(module):
    seen = []
    for number in (1, 2):
        after_import(module.name, lambda number=number: seen.append(number))
    importlib.import_module(module.name)
    assert sorted(seen) == [1, 2]


def test_a_module_that_is_not_there_stays_so(module):
    module.file.unlink()
    importlib.invalidate_caches()
    after_import(module.name, lambda: None)
    with pytest.raises(ModuleNotFoundError, match=module.name):
        importlib.import_module(module.name)
