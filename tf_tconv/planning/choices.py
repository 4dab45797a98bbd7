"""What `tf_tconv.autotune` measured, kept in a small file between processes.

One file serves all machines that share a home and all versions: what was measured in one setting,
`here`, lies apart from the others' and is used in no other. Processes that write at the same time
wait for each other, and add to what is there. The file may be deleted at any time; one that can't
be read is ignored and written anew by the next measurement. Where it can't be written, choices
live as long as the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
import threading
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tf_tconv.lowerings import NAMES
from tf_tconv.planning.engine import onednn
from tf_tconv.planning.load import Load
from tf_tconv.planning.locking import locked
from tf_tconv.planning.processor import cpus_allowed, processor
from tf_tconv.writing import is_special, write_whole

VARIABLE = "TF_TCONV_AUTOTUNE"
"""The environment variable that names another file, or with an empty value none at all."""

MOST_BYTES = 2**24
"""A larger file is none of ours."""

MOST_SETTINGS = 64
"""The file keeps the choices of so many machines and versions, those last written."""

Choices = dict[str, str]

_lock = threading.Lock()
_found: dict[Path | None, Choices] = {}
"""What is known in this process, by the file that it came from or is to go to."""


def default_path() -> Path | None:
    """Where the file is: `autotune.json` in the user's folder for caches."""
    return _path(*map(os.environ.get, (VARIABLE, "XDG_CACHE_HOME", "HOME", "USERPROFILE")))


@lru_cache(maxsize=16)
def _path(named: str | None, folder: str | None, *homes: str | None) -> Path | None:
    """The file by the environment's variables; `homes` are those that `Path.home` goes by."""
    if named is not None:
        return Path(named) if named else None
    try:
        return (Path(folder) if folder else Path.home() / ".cache") / "tf_tconv" / "autotune.json"
    except RuntimeError:  # No home.
        return None


def here() -> dict[str, str]:
    """What measurements depend on: they hold where all of this is the same."""
    # XLA takes parts of TensorFlow too, so what it is without XLA matters.
    return _here("onednn" if onednn() else "plain")


@cache
def _here(computes: str) -> dict[str, str]:
    found = {
        "machine": platform.machine(),
        "processor": processor(),
        "cpus": str(cpus_allowed()),
        "system": platform.system(),
        "engine": computes,
        "instructions": os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
    }
    for name in ("tensorflow", "tf-tconv"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def fingerprint() -> str:
    """`here` in one word, by which the file has it."""
    return hashlib.sha256(json.dumps(here(), sort_keys=True).encode()).hexdigest()[:16]


def remembered(load: Load, backend: str) -> str | None:
    """The lowering measured to be fastest for a call, if it was measured here.

    Args:
        load: the call in numbers.
        backend: what computes it.
    """
    choices = _choices(default_path())
    return choices.get(key(load, backend)) if choices else None


def remember(load: Load, backend: str, lowering: str) -> str | None:
    """Keeps a choice, in this process and in the file, where another process' choices stay.

    Args:
        load: the call in numbers.
        backend: what computes it.
        lowering: the choice.

    Returns:
        Why the file can't be written, or `None`.
    """
    path = default_path()
    _choices(path)
    with _lock:
        _found[path] = {**_found[path], key(load, backend): lowering}
        if path is None:
            return None
        if is_special(path):  # Not to be replaced by a file, nor read back.
            return "it is not a file"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with locked(path.with_name(path.name + ".lock")):
                _found[path] = _add(path, _found[path])
        except OSError as error:
            return str(error)
    return None


def refresh() -> None:
    """Takes over what other processes have added to the file."""
    path = default_path()
    _choices(path)
    with _lock:
        _found[path] = {**_found[path], **_own(_read(path))}


def forget() -> None:
    """Reads the file again when next asked."""
    with _lock:
        _found.clear()


@lru_cache(maxsize=4096)
def key(load: Load, backend: str) -> str:
    """A call and its backend, as the file has them."""
    operation = load.operation
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
        for axis in operation.axes
    )
    image = (axis.input_size for axis in operation.axes)
    size = "x".join(map(str, (load.batch, *image, operation.in_channels, operation.out_channels)))
    return " ".join((backend, size, f"g{operation.groups}", f"b{load.itemsize}", *axes))


def _choices(path: Path | None) -> Choices:
    """What is known here; the file is read once. Nobody changes the mapping, only exchanges it."""
    found = _found.get(path)
    if found is None:
        with _lock:
            found = _found.setdefault(path, _own(_read(path)))
    return found


def _add(path: Path, choices: Choices) -> Choices:
    """Writes choices beside those that the file has; returns all that hold here."""
    settings = _read(path)
    merged = {**_own(settings), **choices}
    settings.pop(fingerprint(), None)  # To stand last, as what was written last.
    settings[fingerprint()] = {"here": here(), "choices": dict(sorted(merged.items()))}
    kept = dict(list(settings.items())[-MOST_SETTINGS:])
    text = json.dumps({"settings": kept}, indent=1) + "\n"
    write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))
    return merged


def _own(settings: dict[str, Any]) -> Choices:
    """The choices that hold here, as far as they name what can be chosen."""
    own = settings.get(fingerprint())
    if not isinstance(own, dict) or own.get("here") != here():
        return {}
    choices = own.get("choices")
    if not isinstance(choices, dict):
        return {}
    return {call: name for call, name in choices.items() if name in NAMES}


def _read(path: Path | None) -> dict[str, Any]:
    """What the file holds, by setting; nothing where it is not a file of ours."""
    if path is None:
        return {}
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    settings = content.get("settings") if isinstance(content, dict) else None
    return settings if isinstance(settings, dict) else {}
