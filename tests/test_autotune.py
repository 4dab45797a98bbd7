"""What `autotune` measures, keeps and forgets."""

import json

import keras
import pytest

import tf_tconv
from tf_tconv import memory
from tf_tconv.backend import backend
from tf_tconv.lowerings import NAMES

CALL = {"input_shape": [2, 5, 6, 3], "filters_shape": [3, 3, 4, 3], "strides": 2}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The file, in a folder that is not there yet."""
    path = tmp_path / "cache" / "autotune.json"
    monkeypatch.setenv(memory.VARIABLE, str(path))
    memory.forget()
    yield path
    memory.forget()


def tune(what=CALL, **arguments):
    calls = [what] if isinstance(what, dict) else what
    return tf_tconv.autotune(calls, seconds=0.01, progress=False, **arguments)


def test_the_fastest_is_measured_and_chosen(path):
    (tuned,) = tune()
    assert len(tuned.seconds) >= 3
    assert set(tuned.seconds) <= set(NAMES)
    assert tuned.lowering == min(tuned.seconds, key=tuned.seconds.get)
    found = tf_tconv.plan(**CALL)
    assert (found.lowering, found.reason) == (
        tuned.lowering,
        "measured on this machine to be the fastest",
    )
    assert len(json.loads(path.read_text())["choices"]) == 1


def written(path, lowering):
    """Has the file say that another lowering is the fastest, and be read again."""
    content = json.loads(path.read_text())
    content["choices"] = dict.fromkeys(content["choices"], lowering)
    path.write_text(json.dumps(content))
    memory.forget()


def test_a_later_process_reads_the_file(path):
    tune()
    written(path, "line_batch")
    assert tf_tconv.plan(**CALL).lowering == "line_batch"
    (again,) = tune()
    assert (again.lowering, again.seconds) == ("line_batch", {})


def test_the_choice_is_for_one_call_and_backend(path):
    tune()
    written(path, "line_batch")
    for other in ({"strides": 3}, {"input_shape": [2, 5, 7, 3]}, {"padding": "VALID"}):
        assert "measured" not in tf_tconv.plan(**{**CALL, **other}).reason
    elsewhere = next(name for name in ("plain", "onednn") if name != backend())
    assert "measured" not in tf_tconv.plan(**CALL, backend=elsewhere).reason


@pytest.mark.parametrize("name", sorted(memory.here()))
def test_another_machine_or_version_is_ignored_and_replaced(path, name):
    tune()
    written(path, "line_batch")
    content = json.loads(path.read_text())
    content["here"][name] = "another"
    path.write_text(json.dumps(content))
    memory.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason
    (tuned,) = tune()
    assert tuned.seconds
    assert json.loads(path.read_text())["here"] == memory.here()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"here": 1, "choices": 2}', "\x00", '"here"', "null"]
)
def test_a_broken_file_is_no_error(path, text):
    path.parent.mkdir()
    path.write_text(text)
    memory.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason
    tune()
    assert json.loads(path.read_text())["choices"]


def test_a_lowering_that_is_no_more_is_not_chosen(path):
    tune()
    written(path, "winograd")
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_a_deleted_file_forgets(path):
    tune()
    path.unlink()
    memory.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_without_a_file(monkeypatch):
    monkeypatch.setenv(memory.VARIABLE, "")
    memory.forget()
    assert memory.default_path() is None
    tune()
    assert "measured" in tf_tconv.plan(**CALL).reason
    memory.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_where_the_file_is(monkeypatch, tmp_path):
    monkeypatch.delenv(memory.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert memory.default_path() == tmp_path / "tf_tconv" / "autotune.json"


def model():
    up = tf_tconv.Conv2DTranspose(3, 3, strides=2, padding="same", name="up")
    last = tf_tconv.Conv2DTranspose(2, 2, output_padding=0, strides=2, name="last")
    inner = keras.Sequential([keras.Input((None, None, 3)), last])
    x = keras.Input((4, 5, 2))
    return keras.Model(x, inner(up(x)))


def test_a_models_layers_are_measured_once(path):
    tuned = tune_model()
    assert [each.call.split()[0] for each in tuned] == ["up", "last"]
    assert all(each.seconds for each in tuned)
    assert not any(each.seconds for each in tune_model())
    found = tf_tconv.plan([None, 4, 5, 2], [3, 3, 3, 2], strides=2)
    assert found.reason == "measured on this machine to be the fastest"


def tune_model(**arguments):
    return tf_tconv.autotune(model(), seconds=0.01, progress=False, **arguments)


def test_the_batch_that_is_measured_with_is_remembered_too(path):
    tune_model(batch=2)
    for batch in (None, 2):
        assert "measured" in tf_tconv.plan([batch, 4, 5, 2], [3, 3, 3, 2], strides=2).reason
    assert "measured" not in tf_tconv.plan([3, 4, 5, 2], [3, 3, 3, 2], strides=2).reason


def test_compiled_by_xla(path):
    tune(jit_compile=True)
    assert "measured" in tf_tconv.plan(**CALL, backend="xla").reason
    assert "measured" not in tf_tconv.plan(**CALL).reason


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        (3, TypeError, "model_or_shapes=3"),
        ([[1, 2]], TypeError, "mappings"),
        ([{"strides": 2}], TypeError, "input_shape"),
        ([{**CALL, "strides": 0}], ValueError, "strides"),
        ([{**CALL, "filters_shape": [None, 3, 4, 3]}], ValueError, "numbers"),
    ],
)
def test_bad_arguments(path, what, error, words):
    with pytest.raises(error, match=words):
        tf_tconv.autotune(what, progress=False)
    assert not path.exists()


def test_a_model_without_our_layers(path):
    foreign = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2DTranspose(1, 2)])
    with pytest.raises(ValueError, match="convert_model"):
        tf_tconv.autotune(foreign)
