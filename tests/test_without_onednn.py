"""What may depend on TensorFlow's kernels once more, in processes where it goes without oneDNN.

XLA has kernels of its own, which the first run has tried already. Slow tests have their turn in
`make test-no-onednn`.
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

PARTS = {
    "calls": (
        "tests/test_cells.py",
        "tests/test_illegal_calls.py",
        "tests/test_differentiation.py",
        "tests/test_run_time_sizes.py",
    ),
    # Pairwise in these every lowering meets everything; with this process, so does the engine.
    "cases": tuple(
        f"compat_tests/test_{family}.py"
        for family in (
            *("axis", "explicit", "plane", "channels", "dtype"),
            *("layout", "edge", "gradient", "capability"),
        )
    ),
}
"""Files by process."""


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_without_onednn(part):
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-k", "not xla", "-m", "not slow and not exhaustive"),
            *PARTS[part],
        ],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
    assert " skipped" not in run.stdout
