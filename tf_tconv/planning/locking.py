"""A lock between processes, which the system lets go of when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0
"""Seconds to wait for a lock at most; it is held for a few milliseconds."""

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _release(file: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes out while the block runs.

    A file system without locks, or a holder that does not come to an end, keeps nobody out.

    Args:
        path: an empty file for the purpose, made where there is none, and left there.

    Raises:
        OSError: it can't be made.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        held = _wait(file)
        try:
            yield
        finally:
            if held:
                _release(file)
    finally:
        os.close(file)


def _wait(file: int) -> bool:
    """Whether the lock was taken, sooner or later."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            _take(file)
        except (BlockingIOError, PermissionError):  # Of POSIX and of Windows: somebody has it.
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        except OSError:
            return False
        else:
            return True
