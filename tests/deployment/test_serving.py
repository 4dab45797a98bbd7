"""A SavedModel under load: many threads, changing sizes, one answer."""

import gc
import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp
from typer.testing import CliRunner

import tf_tconv

THREADS, CALLS = 16, 320
pytestmark = pytest.mark.slow

SIZES = [(1, 3, 4), (2, 5, 3), (3, 8, 8), (1, 7, 2), (4, 2, 9)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A decoder of any size, exported and loaded, and how often Python was asked to trace it."""
    folder = str(tmp_path_factory.mktemp("served"))
    up = tf_tconv.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu")
    last = tf_tconv.Conv2DTranspose(3, 5, strides=3, padding="same")
    model = keras.Sequential([keras.Input((None, None, 6)), up, last])
    model.set_weights([ramp(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.export(folder, verbose=False)
    return tf.saved_model.load(folder)


def image(size, number):
    """Integers, so that the answers are exact."""
    return ramp(*size, 6, seed=number % 7).astype(np.float32)


def test_many_threads_get_the_answers_of_one(served):
    requests = [image(SIZES[number % len(SIZES)], number) for number in range(CALLS)]
    alone = [np.asarray(served.serve(x)) for x in requests]
    together = threading.Barrier(THREADS)

    def work(own):
        together.wait(timeout=60)  # All start at once.
        return [(number, np.asarray(served.serve(requests[number]))) for number in own]

    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(work, (range(first, CALLS, THREADS) for first in range(THREADS)))
        answers = dict(answer for part in parts for answer in part)
    assert len(answers) == CALLS
    for number, y in answers.items():
        np.testing.assert_array_equal(y, alone[number])
    assert len({y.shape for y in alone}) == len(SIZES)


def test_new_sizes_trace_nothing(served):
    before = len(served.serve._list_all_concrete_functions_for_serialization())
    for height in range(2, 12):
        served.serve(image((1, height, 13 - height), height))
    assert len(served.serve._list_all_concrete_functions_for_serialization()) == before


def test_a_model_traces_once_for_all_sizes():
    traces = []
    layer = tf_tconv.Conv2DTranspose(3, 4, strides=2, padding="same")
    layer.build((None, None, None, 6))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 6])])
    def call(x):
        traces.append(x.shape)  # As Python runs when it is traced only.
        return layer(x)

    for size in SIZES * 2:
        assert call(image(size, 0)).shape[1] == 2 * size[1]
    assert len(traces) == 1


def test_memory_is_bounded(served):
    """After a first round of all sizes, a hundred more leave the process no larger."""

    def rounds(count):
        for number in range(count * len(SIZES)):
            served.serve(image(SIZES[number % len(SIZES)], number))
        gc.collect()
        return resident_bytes()

    rounds(20)
    start = rounds(20)
    assert rounds(200) - start < 16 * 2**20  # An image kept of each call would be 40 MB.


def resident_bytes():
    """What of the process lies in memory; where the system does not tell, the test is skipped."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096
    except OSError:
        pytest.skip("this system has no /proc/self/statm")


def test_the_benchmark_prints_its_ratio():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "serving.py"
    spec = importlib.util.spec_from_file_location("serving", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    options = ["--threads", "2", "--calls", "8", "--rounds", "1"]
    result = CliRunner().invoke(benchmark.app, options)
    assert result.exit_code == 0, result.exception
    (row,) = [line.strip("│ ").split("│") for line in result.output.splitlines() if "│" in line]
    threads, ours, native, ratio = map(float, row)
    assert threads == 2
    assert min(ours, native) > 0
    # The two are rounded to integers, half of one each, and their ratio to hundredths.
    assert ratio == pytest.approx(ours / native, abs=0.01 + ratio / min(ours, native))
