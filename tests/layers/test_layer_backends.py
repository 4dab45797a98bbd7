"""On another Keras backend the layer says what to do, and the function works all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import keras
import numpy as np

import tf_tconv

assert keras.backend.backend() == "numpy", keras.backend.backend()
try:
    tf_tconv.Conv2DTranspose(2, 3)
except RuntimeError as error:
    message = str(error)
else:
    raise AssertionError("the layer was made")
for piece in (
    "tf_tconv.Conv2DTranspose",
    'Keras runs on "numpy"',
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
def test_keras_on_numpy():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "numpy"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_backend_is_asked_for_when_the_layer_is_made(monkeypatch):
    import keras

    import tf_tconv

    assert tf_tconv.Conv2DTranspose(2, 3).filters == 2
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(RuntimeError, match='Keras runs on "torch"; set .* KERAS_BACKEND=tensorflow'):
        tf_tconv.Conv2DTranspose(2, 3)
