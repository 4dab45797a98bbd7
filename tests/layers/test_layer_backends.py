"""On another Keras backend the layer says what to do, and the function works all the same."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import tf_tconv

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import importlib.abc
import importlib.machinery
import sys
from unittest import mock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    # Keras imports these for its other backends. Nothing here computes with them, so where they are
    # not installed, and only there, anything may stand in for them.
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("jax", "scipy", "torch"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return mock.MagicMock(__path__=[], __spec__=spec)

    def exec_module(self, module):
        pass


sys.meta_path.append(Absent())

import keras
import numpy as np

import tf_tconv

backend = sys.argv[1]
assert keras.backend.backend() == backend, keras.backend.backend()
try:
    tf_tconv.Conv2DTranspose(2, 3)
except RuntimeError as error:
    message = str(error)
else:
    raise AssertionError("the layer was made")
for piece in (
    "tf_tconv.Conv2DTranspose",
    f'Keras runs on "{backend}"',
    "KERAS_BACKEND=tensorflow",
    "before Keras is imported",
):
    assert piece in message, message

# 1 2 scattered by the kernel 3 4 at stride 2.
image = np.float32([1, 2]).reshape(1, 1, 2, 1)
filters = np.float32([3, 4]).reshape(1, 2, 1, 1)
outputs = tf_tconv.conv2d_transpose(image, filters, [1, 1, 4, 1], strides=(1, 2), padding="VALID")
assert np.ravel(outputs).tolist() == [3, 4, 6, 8], outputs
assert tf_tconv.legal_output_sizes(5, kernel_size=3, stride=2) == range(9, 11)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_layer_refuses_and_function_works(backend):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", PROGRAM, backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_backend_is_asked_for_when_the_layer_is_made(monkeypatch):
    assert tf_tconv.Conv2DTranspose(2, 3).filters == 2
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(
        RuntimeError, match=r'Keras runs on "torch"; set .* KERAS_BACKEND=tensorflow'
    ):
        tf_tconv.Conv2DTranspose(2, 3)
