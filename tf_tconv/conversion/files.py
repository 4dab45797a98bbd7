"""Models from files: of Keras 3, and of Keras 2, whose configs say what Keras 3 refuses to read."""

from __future__ import annotations

import inspect
import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras

from tf_tconv.causes import cause
from tf_tconv.geometry import with_article

# Keys of Keras 2 that Keras 3 has dropped, and the value at which they say nothing.
_SILENT: dict[str, Any] = {
    "groups": 1,
    "time_major": False,
    "ragged": False,
    "trainable": True,
    "noise_shape": None,
}
# Keys that Keras 2 wrote of these layers, and that say nothing that it or their weights do not.
_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_UNUSED: dict[str, tuple[str, ...]] = {
    "SeparableConv1D": _KERNEL,
    "SeparableConv2D": _KERNEL,
    "DepthwiseConv1D": _KERNEL,
    "DepthwiseConv2D": _KERNEL,
    "Lambda": ("function_type", "module", "output_shape_type", "output_shape_module"),
}
_FUNCTIONAL = ("Functional", "Model")


def load_model(path: Path, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of a `.keras` or `.h5` file, of Keras 3 or Keras 2.

    Args:
        path: of the file.
        custom_objects: classes and functions of the user's own, by name.

    Returns:
        The model; not compiled, with a warning, where its losses and metrics cannot be loaded.

    Raises:
        ValueError: Keras 3 would read the file, and compute something else than Keras 2 did.
        Exception: whatever Keras, a zip archive, HDF5 or the model's own classes raise.
    """
    objects = dict(custom_objects or {})
    _check_meaning(path)
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


def _check_meaning(path: Path) -> None:
    """Raises where a file of Keras 2 names what is another function in Keras 3."""
    config, version = _config_and_version(path)
    if not version.startswith(("1.", "2.")):
        return
    for name, layer in _layers_with(config, "hard_sigmoid"):
        raise ValueError(
            f'layer "{name}", {with_article(layer)}, has the activation hard_sigmoid, which is '
            "clip(0.2 x + 0.5, 0, 1) in Keras 2 and clip(x / 6 + 0.5, 0, 1) in Keras 3: the model "
            "would compute something else. Write the layer anew in Keras 3 with a function of your "
            "own as its activation, and copy its weights."
        )


def _config_and_version(path: Path) -> tuple[Any, str]:
    """The config of the model in a file, and the Keras that wrote it; "" where it can't be read."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config, metadata = (
                    json.loads(archive.read(name)) for name in ("config.json", "metadata.json")
                )
            return config, str(metadata["keras_version"])
        import h5py  # type: ignore[import-untyped]

        with h5py.File(path, "r") as file:
            return json.loads(file.attrs["model_config"]), str(file.attrs["keras_version"])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        ImportError,
    ):  # To load it says what is wrong.
        return None, ""


def _layers_with(config: Any, function: str, layer: tuple[str, str] = ("", "")) -> Iterator[Any]:
    """Name and class of each layer that names a function."""
    if isinstance(config, list):
        for entry in config:
            yield from _layers_with(entry, function, layer)
    elif isinstance(config, dict):
        inner = config.get("config")
        if isinstance(inner, dict) and "name" in inner:
            layer = str(inner["name"]), str(config.get("class_name"))
        for key, entry in config.items():
            if entry == function and key != "name":
                yield layer
            else:
                yield from _layers_with(entry, function, layer)


def _forget_training(copy: Path) -> bool:
    """Takes losses and optimizer out of an HDF5 file: Keras 3.0 does not heed compile=False."""
    if zipfile.is_zipfile(copy):
        return False
    import h5py

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
    if name == "Policy" and module in ("", "keras.mixed_precision", "tf_keras.mixed_precision"):
        return config.get("name", value)
    if name in (*_FUNCTIONAL, "Sequential"):
        _forget_shapes_of_inputs(config)
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


def _forget_shapes_of_inputs(config: dict[str, Any]) -> None:
    """Takes out the shapes that layers were given for an input, where that has a layer itself."""
    layers = config.get("layers") or ()
    if any(layer.get("class_name") == "InputLayer" for layer in layers):
        for layer in layers:
            if layer.get("class_name") != "InputLayer":
                layer["config"].pop("batch_input_shape", None)


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
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            taken.update(parameters)
            if not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
                break  # What the bases take does not reach them.
    unused = _UNUSED.get(kind.__name__, ())
    silent = [key for key, entry in config.items() if _SILENT.get(key, config) == entry]
    accepted = {
        key: entry
        for key, entry in config.items()
        if key in taken or not (key in unused or key in silent)
    }
    function = accepted.get("function")
    if kind.__name__ == "Lambda" and isinstance(function, list) and len(function) == 3:
        code = dict(zip(("code", "defaults", "closure"), function, strict=True))
        accepted["function"] = {"class_name": "__lambda__", "config": code}
    axis = accepted.get("axis")
    if kind.__name__ == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        accepted["axis"] = axis[0]
    return accepted
