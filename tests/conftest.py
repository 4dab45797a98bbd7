"""Settings of every test process: TensorFlow quiet, few threads, nothing remembered."""

import os

import pytest

from compat_tests.checking import need_installed

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Several test processes share the cores; one thread each is faster than all fighting for all.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# What a user's machine remembers must not decide what is tested, nor a test what it remembers.
os.environ["TF_TCONV_AUTOTUNE"] = ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `peers` names the packages that it needs, of extras that few install."""
    for mark in item.iter_markers("peers"):
        need_installed(*mark.args)
