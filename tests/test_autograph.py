"""The library's own Python runs as it is when a graph is traced, not rewritten by AutoGraph."""

import sys
from collections.abc import Iterator

import pytest
import tensorflow as tf

import tf_tconv
from tf_tconv.functional import conv2d


def _files() -> Iterator[str]:
    """The files of the functions that are running, from here outwards."""
    frame = sys._getframe()
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


@pytest.mark.parametrize("sizes", [[2, 4, 5, 3], [None, None, None, 3]], ids=["static", "unknown"])
def test_autograph_leaves_the_library_alone(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int | None]
) -> None:
    seen: list[list[str]] = []
    convolve = tf.nn.conv2d

    def spy(*arguments: object, **others: object) -> tf.Tensor:
        seen.append(list(_files()))
        return convolve(*arguments, **others)

    monkeypatch.setattr(tf.nn, "conv2d", spy)

    @tf.function(input_signature=[tf.TensorSpec(sizes), tf.TensorSpec([3, 3, 4, 3])])
    def call(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        return tf_tconv.conv2d_transpose(x, w, [8, 10], 2, lowering="polyphase")

    call.get_concrete_function()
    assert seen, "nothing was convolved"
    for files in seen:
        caller = next(n for n, file in enumerate(files) if "autograph_generated" in file)
        assert conv2d.__file__ in files[:caller], "AutoGraph has rewritten the library"
