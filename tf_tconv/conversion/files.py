"""Models from files: of Keras 3, and of Keras 2, whose configs say what Keras 3 refuses to read."""

from __future__ import annotations

import inspect
import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tf_tconv.causes import cause

# Keys of Keras 2 that Keras 3 has dropped, and the value at which they say nothing.
_SILENT: dict[str, Any] = {"groups": 1, "time_major": False, "ragged": False}
# Keys that Keras 2 wrote of these layers, which never looked at them.
_UNUSED = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_WITHOUT_KERNEL = ("SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D")
_FUNCTIONAL = ("Functional", "Model")


def load_model(path: Path, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of a `.keras` or `.h5` file, of Keras 3 or Keras 2.

    Args:
        path: of the file.
        custom_objects: classes and functions of the user's own, by name.

    Returns:
        The model; not compiled, with a warning, where its losses and metrics cannot be loaded.

    Raises:
        Exception: whatever Keras, a zip archive, HDF5 or the model's own classes raise.
    """
    objects = dict(custom_objects or {})
    try:
        return _load(path, objects)
    except Exception as error:
        with tempfile.TemporaryDirectory() as folder:
            copy = _modern_copy(path, Path(folder))
            if copy is None:
                raise
            try:
                return _load(copy, objects)
            except Exception as second:
                if not _forget_training(copy):
                    raise second from error
                model = keras.models.load_model(copy, objects)
                warnings.warn(f"the model is not compiled: {cause(second)}", stacklevel=3)
                return model


def _load(path: Path, custom_objects: dict[str, Any]) -> Any:
    try:
        return keras.models.load_model(path, custom_objects)
    except Exception as reason:  # Keras, zip, HDF5 and the model's own classes each have theirs.
        model = keras.models.load_model(path, custom_objects, compile=False)
        warnings.warn(f"the model is not compiled: {cause(reason)}", stacklevel=4)
        return model


def _forget_training(copy: Path) -> bool:
    """Takes losses and optimizer out of an HDF5 file: Keras 3.0 does not heed compile=False."""
    if zipfile.is_zipfile(copy):
        return False
    import h5py  # type: ignore[import-untyped]

    with h5py.File(copy, "r+") as file:
        return file.attrs.pop("training_config", None) is not None


def _modern_copy(path: Path, folder: Path) -> Path | None:
    """A copy of a file of Keras 2 with a config that Keras 3 reads, or `None` for another file."""
    copy = folder / path.name
    try:
        if zipfile.is_zipfile(path):
            return copy if _copy_zip(path, copy) else None
        import h5py

        if not h5py.is_hdf5(path):
            return None
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
            trained = "training_config" in file.attrs
        if config is None:
            return None
        modern = modern_config(json.loads(config))
        if modern == json.loads(config) and not trained:
            return None
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(modern)
        return copy
    except (OSError, ValueError, KeyError, ImportError):  # What is wrong was said before.
        return None


def _copy_zip(path: Path, copy: Path) -> bool:
    with zipfile.ZipFile(path) as source:
        config = json.loads(source.read("config.json"))
        modern = modern_config(config)
        if modern == config:
            return False
        with zipfile.ZipFile(copy, "w") as target:
            for item in source.infolist():
                if item.filename == "config.json":
                    target.writestr(item, json.dumps(modern))
                else:
                    with source.open(item) as old, target.open(item.filename, "w") as new:
                        shutil.copyfileobj(old, new)
    return True


def modern_config(value: Any) -> Any:
    """A config of Keras 2 in the words of Keras 3; one of Keras 3 as it is.

    Args:
        value: the config, or a part of it.
    """
    if isinstance(value, list):
        return [modern_config(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    value = {key: modern_config(entry) for key, entry in value.items()}
    name, config = value.get("class_name"), value.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        return value
    module = str(value.get("module") or "")
    if module.startswith(("tf_keras", "keras.engine", "keras.src.engine")) and name in _FUNCTIONAL:
        value.update(module="keras", class_name="Model", registered_name=None)
        value["config"] = config = _renumbered(config)
    elif not module and name in _FUNCTIONAL:  # As an HDF5 file has it.
        value["config"] = config = _renumbered(config)
    elif module.startswith("tf_keras."):
        value["module"] = module.replace("tf_keras.", "keras.", 1)
    if module in ("", "keras.layers", "tf_keras.layers") and not value.get("registered_name"):
        kind = getattr(keras.layers, name, None)
        if isinstance(kind, type):
            value["config"] = _accepted(kind, config)
    return value


def _renumbered(config: dict[str, Any]) -> dict[str, Any]:
    """A functional model's config without the call that Keras 2 counted first of a Sequential.

    Its own graph was one, so that the first call of it in another model had the number 1.
    """
    calls = {
        layer["config"].get("name"): len(layer["inbound_nodes"])
        for layer in config.get("layers", ())
        if layer.get("class_name") == "Sequential" and "inbound_nodes" in layer
    }
    found: dict[str, set[int]] = {name: set() for name in calls}

    def walk(value: Any, shifted: frozenset[str]) -> Any:
        if isinstance(value, dict):
            return {key: walk(entry, shifted) for key, entry in value.items()}
        if not isinstance(value, list):
            return value
        if len(value) >= 3 and value[0] in list(calls) and isinstance(value[1], int):
            found[value[0]].add(value[1])
            name, index, *rest = value
            return [name, index - (name in shifted), *walk(rest, shifted)]
        return [walk(entry, shifted) for entry in value]

    walk(config, frozenset())
    shifted = frozenset(
        name for name, seen in found.items() if seen and min(seen) > 0 and max(seen) >= calls[name]
    )
    return walk(config, shifted) if shifted else config


def _accepted(kind: type, config: dict[str, Any]) -> dict[str, Any]:
    """A layer's config without what its class does not take any more, where that said nothing."""
    taken: set[str] = set()
    for base in kind.__mro__:
        if "__init__" in vars(base):
            taken.update(inspect.signature(vars(base)["__init__"]).parameters)
    unused = _UNUSED if kind.__name__ in _WITHOUT_KERNEL else ()
    silent = [key for key, entry in config.items() if _SILENT.get(key, config) == entry]
    accepted = {
        key: entry
        for key, entry in config.items()
        if key in taken or not (key in unused or key in silent)
    }
    axis = accepted.get("axis")
    if kind.__name__ == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        accepted["axis"] = axis[0]
    return accepted
