"""A file that is written appears whole, and what is not a file stays what it is."""

import os
import threading

import pytest

from tf_tconv.writing import write_whole


def hello(path):
    path.write_text("hello", encoding="utf-8")


@pytest.mark.parametrize("before", [None, "what was there"])
def test_a_file_is_made_or_replaced(tmp_path, before):
    path = tmp_path / "a file.json"
    if before:
        path.write_text(before)
    write_whole(path, hello)
    assert path.read_text() == "hello"
    assert os.listdir(tmp_path) == [path.name]


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.json"
    path.write_text("what was there")

    def fail(unfinished):
        hello(unfinished)
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        write_whole(path, fail)
    assert path.read_text() == "what was there"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path, there):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if there:
        (folder / "file").write_text("what was there")
    link = tmp_path / "link.json"
    link.symlink_to(folder / "file")
    write_whole(link, hello)
    assert link.is_symlink()
    assert (folder / "file").read_text() == "hello"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such file on this system")
def test_a_pipe_stays_a_pipe_and_is_written_to(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_text()), daemon=True)
    reader.start()
    write_whole(path, hello)
    reader.join(10)
    assert got == ["hello"]
    assert path.is_fifo()
    assert os.listdir(tmp_path) == [path.name]
