"""What `autotune` measures, keeps and forgets."""

import ast
import concurrent.futures
import json
import os
import subprocess
import sys
import time

import keras
import pytest
import tensorflow as tf

import tf_tconv
from tf_tconv.functional.plan import call_of
from tf_tconv.lowerings import NAMES
from tf_tconv.planning import choices, locking
from tf_tconv.planning.engine import engine as backend

CALL = {"input_shape": [2, 5, 6, 3], "filters_shape": [3, 3, 4, 3], "strides": 2}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The file, in a folder that is not there yet."""
    path = tmp_path / "cache" / "autotune.json"
    monkeypatch.setenv(choices.VARIABLE, str(path))
    choices.forget()
    yield path
    choices.forget()


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
    assert len(own(json.loads(path.read_text()))["choices"]) == 1


def own(content):
    """What the file has for this machine."""
    return content["settings"][choices.fingerprint()]


def written(path, lowering):
    """Has the file say that another lowering is the fastest, and be read again."""
    content = json.loads(path.read_text())
    own(content)["choices"] = dict.fromkeys(own(content)["choices"], lowering)
    path.write_text(json.dumps(content))
    choices.forget()


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


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(choices.here()))
def test_machines_and_versions_share_the_file(path, name, monkeypatch):
    tune()
    written(path, "line_batch")
    here = choices.here()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(choices, "here", lambda: {**here, name: "another"})
        choices.forget()
        assert "measured" not in tf_tconv.plan(**CALL).reason
        (tuned,) = tune()
        assert tuned.seconds
        assert "measured" in tf_tconv.plan(**CALL).reason
    choices.forget()
    assert tf_tconv.plan(**CALL).lowering == "line_batch"
    assert len(json.loads(path.read_text())["settings"]) == 2


def test_the_file_forgets_machines_that_were_not_heard_of_for_long(path, monkeypatch):
    tune()
    here = choices.here()
    for number in range(choices.MOST_SETTINGS):
        monkeypatch.setattr(choices, "here", lambda number=number: {**here, "machine": str(number)})
        choices.forget()
        choices.remember(solved(), "onednn", "im2col")
    settings = json.loads(path.read_text())["settings"]
    assert len(settings) == choices.MOST_SETTINGS
    assert here not in [setting["here"] for setting in settings.values()]


def solved(**changes):
    """A call in numbers."""
    _, call = call_of(**{**CALL, **changes})
    return call.load


SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call on this system")
def test_the_setting_is_the_processors_allowed_and_onednn():
    """As processes of their own say, whose settings TensorFlow reads when it starts."""
    code = "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
    code += "from tf_tconv.planning import choices; print(choices.here())"
    one, plain = (ast.literal_eval(run_python(code, **changes)) for changes in ({}, SETTINGS))
    assert (one["cpus"], plain["cpus"]) == ("1", "1")
    assert (plain["engine"], plain["instructions"]) == ("plain", "AVX2")
    assert one["tensorflow"] == tf.__version__


def run_python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


WRITER = """
import sys
from tf_tconv.planning import choices
from tf_tconv.functional.plan import call_of
process = int(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    shape = [1 + process, 4, 4 + number, 3]
    call = call_of(input_shape=shape, filters_shape=[3, 3, 4, 3], strides=2)[1]
    assert choices.remember(call.load, "onednn", "im2col") is None
"""


@pytest.mark.slow
def test_processes_that_write_at_the_same_time_keep_each_others_choices(path):
    command = [sys.executable, "-c", WRITER]
    processes = [
        subprocess.Popen(
            [*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert len(own(json.loads(path.read_text()))["choices"]) == 60
    choices.forget()
    asked = solved(input_shape=[3, 4, 23, 3])
    assert choices.remembered(asked, "onednn") == "im2col"
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, path.name + ".lock"]


def test_a_choice_of_another_process_is_taken_over_by_the_next_autotune(path):
    tune()
    content = json.loads(path.read_text())
    other = {**CALL, "strides": 3}
    own(content)["choices"][choices.key(solved(strides=3), backend())] = "line_batch"
    path.write_text(json.dumps(content))
    assert "measured" not in tf_tconv.plan(**other).reason
    (tuned,) = tune(other)
    assert (tuned.lowering, tuned.seconds) == ("line_batch", {})


def test_threads_that_write_at_the_same_time_keep_each_others_choices(path):
    asked = [solved(input_shape=[1, 4, 4 + number, 3]) for number in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(lambda each: choices.remember(each, "onednn", "im2col"), asked))
    assert set(reasons) == {None}
    choices.forget()
    assert {choices.remembered(each, "onednn") for each in asked} == {"im2col"}


def test_a_writer_that_died_locks_nobody_out(path):
    path.parent.mkdir()
    code = "import os, sys; from pathlib import Path\n"
    code += "from tf_tconv.planning.locking import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); os._exit(1)"
    command = [sys.executable, "-c", code, f"{path}.lock"]
    died = subprocess.run(command, capture_output=True, text=True, check=False)
    assert died.stdout == "held\n"
    start = time.monotonic()
    assert choices.remember(solved(), "onednn", "im2col") is None
    assert time.monotonic() - start < locking.PATIENCE


def test_a_lock_that_is_not_given_back_keeps_nobody_out_for_ever(path, monkeypatch):
    path.parent.mkdir()
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with locking.locked(path.with_name(path.name + ".lock")):
        assert choices.remember(solved(), "onednn", "im2col") is None
    assert len(own(json.loads(path.read_text()))["choices"]) == 1


BROKEN = {
    "empty": b"",
    "cut": b"{",
    "list": b"[]",
    "nothing": b"{}",
    "other form": b'{"here": 1, "choices": 2}',
    "no text": b"\x00\xff\xfe",
    "string": b'"settings"',
    "null": b"null",
    "settings of another form": b'{"settings": [1]}',
    "nested": b"[" * 100_000,
    "a number too long": b"1" * 5000,
    "huge": b" " * (choices.MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_no_error(path, name):
    path.parent.mkdir()
    path.write_bytes(BROKEN[name])
    choices.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason
    assert choices.remember(solved(), backend(), "im2col") is None
    assert own(json.loads(path.read_text()))["choices"]
    choices.forget()
    assert tf_tconv.plan(**CALL).lowering == "im2col"


@pytest.mark.parametrize("entry", [1, [], {"here": 1}, {"choices": {}}, "own", "own choices"])
def test_a_broken_entry_is_no_error(path, entry):
    path.parent.mkdir()
    if isinstance(entry, str):
        kept = [1] if entry == "own" else {choices.key(solved(), backend()): ["im2col"]}
        entry = {"here": choices.here(), "choices": kept}
    path.write_text(json.dumps({"settings": {choices.fingerprint(): entry, "another": 7}}))
    choices.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason
    assert choices.remember(solved(), backend(), "im2col") is None
    assert json.loads(path.read_text())["settings"]["another"] == 7


def no_file(path):
    path.mkdir(parents=True)


def no_folder(path):
    path.parent.write_text("a file where the folder should be")


def no_end(path):
    path.parent.mkdir()
    os.mkfifo(path)


@pytest.mark.parametrize("obstacle", [no_file, no_folder])
def test_where_nothing_can_be_written_choices_hold_in_this_process(path, obstacle):
    obstacle(path)
    with pytest.warns(UserWarning, match="hold in this process only: .* can't be written"):
        tune()
    assert "measured" in tf_tconv.plan(**CALL).reason
    choices.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such file on this system")
def test_what_is_no_file_is_not_waited_for(path):
    no_end(path)
    assert "measured" not in tf_tconv.plan(**CALL).reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such file on this system")
def test_what_is_no_file_is_not_replaced(path):
    no_end(path)
    with pytest.warns(UserWarning, match="hold in this process only: .* it is not a file"):
        tune()
    assert path.is_fifo()
    assert os.listdir(path.parent) == [path.name]
    assert "measured" in tf_tconv.plan(**CALL).reason


def test_a_link_to_the_file_stays_one(path, tmp_path):
    kept = tmp_path / "kept" / "choices.json"
    kept.parent.mkdir()
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(kept)
    tune()
    assert path.is_symlink()
    assert "settings" in json.loads(kept.read_text())


@pytest.mark.parametrize("lowering", ["winograd", "native", "auto", ""])
def test_what_cannot_be_chosen_is_not_chosen(path, lowering):
    tune()
    written(path, lowering)
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_the_path_is_made_once(path, monkeypatch):
    choices.default_path()
    monkeypatch.setattr(choices, "Path", None)
    assert choices.default_path() == path


def test_a_deleted_file_forgets(path):
    tune()
    path.unlink()
    choices.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_without_a_file(monkeypatch):
    monkeypatch.setenv(choices.VARIABLE, "")
    choices.forget()
    assert choices.default_path() is None
    tune()
    assert "measured" in tf_tconv.plan(**CALL).reason
    choices.forget()
    assert "measured" not in tf_tconv.plan(**CALL).reason


def test_where_the_file_is(monkeypatch, tmp_path):
    monkeypatch.delenv(choices.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert choices.default_path() == tmp_path / "tf_tconv" / "autotune.json"


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
