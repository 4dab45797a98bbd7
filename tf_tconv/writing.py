"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file beside its place and then moves it there.

    Args:
        path: of the file; one that is there is replaced.
        write: writes the file at the path that it is given, of the same suffix.

    Raises:
        OSError: the folder is not there, or can't be written to.
    """
    place = path.resolve()  # A link stays one.
    # Not named for the file, whose name may be as long as names can be.
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".tf_tconv.") as folder:
        unfinished = Path(folder) / place.name
        write(unfinished)
        os.replace(unfinished, place)
