"""What may depend on TensorFlow's kernels once more, in a process where it goes without oneDNN.

XLA has kernels of its own, which the first run has tried already.
"""

import os
import pathlib
import subprocess
import sys

import pytest

FILES = (
    "test_cells.py",
    "test_illegal_calls.py",
    "test_run_time_sizes.py",
    "test_differentiation.py",
)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_without_onednn(file):
    here = pathlib.Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "not xla", str(here / file)],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        cwd=here.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
    assert " skipped" not in run.stdout
