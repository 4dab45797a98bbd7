"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file beside its place and then moves it there.

    A link stays, and what it names is replaced. A device or a pipe, such as /dev/stdout, stays and
    is written to.

    Args:
        path: of the file; one that is there is replaced.
        write: writes the file at the path that it is given, of the same suffix.

    Raises:
        OSError: the folder is not there, or can't be written to.
    """
    place = None if is_special(path) else path.resolve()  # A link stays one.
    beside = place.parent if place else None
    # Not named for the file, whose name may be as long as names can be.
    with tempfile.TemporaryDirectory(dir=beside, prefix=".tf_tconv.") as folder:
        unfinished = Path(folder) / path.name
        write(unfinished)
        if place:
            os.replace(unfinished, place)
        else:
            path.write_bytes(unfinished.read_bytes())


def is_special(path: Path) -> bool:
    """Whether there is something that is neither a file nor a folder, but a device or a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()
