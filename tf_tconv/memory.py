"""What `tf_tconv.autotune` measured on this machine, kept in a small file between processes.

The file may be deleted at any time. It is ignored, and written anew by the next measurement, when
it was written on another machine or by other versions, and when it can't be read.
"""

from __future__ import annotations

import json
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tf_tconv.lowerings import REGISTRY
from tf_tconv.lowerings.work import Sizes
from tf_tconv.processor import processor
from tf_tconv.writing import write_whole

VARIABLE = "TF_TCONV_AUTOTUNE"
"""The environment variable that names another file, or with an empty value none at all."""


def default_path() -> Path | None:
    """Where the file is: `autotune.json` in the user's folder for caches."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    folder = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(folder) if folder else Path.home() / ".cache") / "tf_tconv" / "autotune.json"
    except RuntimeError:  # No home.
        return None


@cache
def here() -> dict[str, str]:
    """What measurements depend on: they hold where all of this is the same."""
    found = {
        "machine": platform.machine(),
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
    }
    for name in ("tensorflow", "tf-tconv"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def remembered(sizes: Sizes, backend: str) -> str | None:
    """The lowering measured to be fastest for a call, if it was measured here.

    Args:
        sizes: the call in numbers.
        backend: what computes it.
    """
    choices = _choices(default_path())
    return choices.get(key(sizes, backend)) if choices else None


def remember(sizes: Sizes, backend: str, lowering: str) -> None:
    """Keeps a choice, in this process and in the file.

    Raises:
        OSError: the file can't be written.
    """
    path = default_path()
    choices = _choices(path)
    choices[key(sizes, backend)] = lowering
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"here": here(), "choices": choices}, indent=1, sort_keys=True) + "\n"
        write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def forget() -> None:
    """Reads the file again when next asked."""
    _choices.cache_clear()


def key(sizes: Sizes, backend: str) -> str:
    """A call and its backend, as the file has them."""
    axes = (
        "/".join(
            str(number)
            for number in (
                axis.kernel_size,
                axis.stride,
                axis.dilation,
                axis.surplus,
                axis.pad_before,
            )
        )
        for axis in (sizes.rows, sizes.columns)
    )
    numbers = (sizes.batch, sizes.height, sizes.width, sizes.in_channels, sizes.out_channels)
    size = "x".join(map(str, numbers))
    return " ".join((backend, size, f"g{sizes.groups}", f"b{sizes.itemsize}", *axes))


@cache
def _choices(path: Path | None) -> dict[str, str]:
    """What the file holds, if it holds for this machine."""
    if path is None:
        return {}
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if content["here"] != here():
            return {}
        return {str(k): v for k, v in content["choices"].items() if v in REGISTRY}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
