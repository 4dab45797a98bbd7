"""Which results are the same to the last bit from run to run, as docs/deployment.md states."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tf_tconv
from tf_tconv.planning.engine import onednn

PROGRAM = Path(__file__).with_name("stable_bits.py")
ROOT = Path(__file__).resolve().parents[2]

# Each setting is a process of its own, which one worker starts once for all tests.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("determinism")]


@functools.cache
def digests(threads, deterministic):
    """By lowering: digests of output and gradients, a row for each repetition in one process."""
    command = [sys.executable, PROGRAM, threads, int(deterministic)]
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert tuple(found) == tf_tconv.lowerings.NAMES
    return found


@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
@pytest.mark.parametrize("deterministic", [False, True], ids=["default", "op_determinism"])
@pytest.mark.parametrize("threads", [1, 4])
def test_every_repetition_gives_the_same_output_and_gradients(threads, deterministic, lowering):
    first, *others = digests(threads, deterministic)[lowering]
    assert len(set(first)) == 3
    assert others == [first] * 3


@pytest.mark.skipif(
    not onednn(), reason="without oneDNN, TensorFlow divides long sums among threads"
)
@pytest.mark.parametrize("lowering", tf_tconv.lowerings.NAMES)
@pytest.mark.parametrize("deterministic", [False, True], ids=["default", "op_determinism"])
def test_the_output_does_not_depend_on_threads(deterministic, lowering):
    outputs = {digests(threads, deterministic)[lowering][0][0] for threads in (1, 4)}
    assert len(outputs) == 1


def test_op_determinism_changes_no_bit():
    assert digests(1, True)["zero_insertion"] == digests(1, False)["zero_insertion"]
