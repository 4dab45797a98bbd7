"""`tf-tconv convert`: a saved Keras model with its transposed convolutions exchanged."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import json
import os
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from tf_tconv.causes import cause, missing_name
from tf_tconv.commands.failure import one_sentence
from tf_tconv.commands.tables import Row, Sheet, screen
from tf_tconv.commands.translate import OPERATION
from tf_tconv.geometry import with_article
from tf_tconv.writing import write_whole

if TYPE_CHECKING:
    from tf_tconv import conversion

SUFFIX = ".keras"
HDF5 = (".h5", ".hdf5")
READ = ".keras, .h5 or .hdf5"

GRAPH = "so convert the Keras model that it was made from, and export that"
OTHER_FORMATS = {
    ".onnx": "an ONNX file; tf_tconv.from_onnx makes layers of its ConvTranspose nodes",
    ".tflite": f"a LiteRT file; it holds operators, no layers, {GRAPH}",
    ".pb": f"a graph of TensorFlow; it holds operations, no layers, {GRAPH}",
    ".pt": "a file of torch; tf_tconv.from_torch makes layers of modules in memory",
    ".pth": "a file of torch; tf_tconv.from_torch makes layers of modules in memory",
    ".npz": "a file of arrays; a model has layers, too",
}
OPERATIONS_OF_KERAS_2 = ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod")


class Target(str, Enum):
    """Whose layers the converted model has."""

    TF_TCONV = "tf_tconv"
    KERAS = "keras"


def convert(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A saved model, .keras or .h5, of Keras 3 or Keras 2."),
    ],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write, .keras.")],
    to: Annotated[Target, typer.Option(help="Whose layers OUT is to have.")] = Target.TF_TCONV,
    lowering: Annotated[
        str, typer.Option(help="Of the new layers: auto, native or a name of lowerings.NAMES.")
    ] = "auto",
    verify: Annotated[bool, typer.Option(help="Compare both models before OUT is written.")] = True,
    modules: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="MODULE",
            help="A module, or a .py file, that defines classes of the model. May be given often.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="OUT may be IN itself.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Exchanges the transposed convolutions of a saved Keras model for ours, or back.

    Weights, names and all other layers stay. OUT appears when it is whole, or not at all. The exit
    status is 0 if OUT was written, and 1 if not: also where there was nothing to exchange.
    """
    with one_sentence():
        _check_destination(source, destination, overwrite)
        import keras  # Here, so that --help need not wait for it, nor its warnings become notes.
    errors = Console(stderr=True)
    with one_sentence(), _notes(), _steps(errors, as_json) as progress:
        own = _own_objects(modules or [])
        step = progress.add_task(f"reading {source.name}")
        model = _load(source, own)
        progress.update(step, description="exchanging layers" + ", comparing" * verify)
        with keras.saving.custom_object_scope(own):
            # A file could not hold an exchange in what the code of a layer makes.
            result = _converted(model, to, lowering, verify)
        if not result.swapped:
            raise ValueError(_nothing(source, destination, to, result))
        progress.update(step, description=f"writing {destination.name}")
        _save(result.model, destination)
    if as_json:
        typer.echo(json.dumps(_as_json(source, destination, to.value, result), indent=2))
        return
    console = screen()
    _print_layers(console, result)
    equal = sum(layer.equal is True for layer in result.swapped)
    if equal:
        console.print(f"{equal} of {len(result.swapped)} tried on integers: equal to the last bit.")
    if result.largest_difference is not None:
        console.print(
            f"The models differ by at most {result.largest_difference:.3g}, their outputs being as "
            f"large as {result.largest_output:.3g}."
        )
    for layer in result.left:
        _say(console, f"Left as it is: {layer.path}, {with_article(layer.kind)}: {layer.reason}.")
    _say(console, f"{destination} is written.")


def _converted(model: Any, to: Target, lowering: str, verify: bool) -> conversion.Conversion:
    from tf_tconv import conversion

    try:
        return conversion.convert(model, to.value, lowering, verify, inside="leave")
    except ValueError as error:
        if "inside=" not in str(error):
            raise
        where = "That is an argument of tf_tconv.convert_model, in Python; a file could not hold it"
        raise ValueError(f"{error} {where}.") from error


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _notes() -> Iterator[None]:
    """Shows each warning as a line on standard error, without the place in the code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for message in dict.fromkeys(str(each.message) for each in caught):
        typer.echo(f"tf-tconv: note: {' '.join(message.split())}", err=True)


def _steps(errors: Console, quiet: bool) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    hidden = quiet or not errors.is_terminal
    return Progress(*columns, console=errors, transient=True, disable=hidden)


def _check_destination(source: Path, path: Path, overwrite: bool) -> None:
    """Raises before any work is done where the file cannot be written."""
    folder = path.parent
    if path.suffix != SUFFIX:
        name = " after a name" if path.name == SUFFIX else ""
        raise ValueError(f"{path} must end in {SUFFIX}{name}, the format that is written.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; it must be the name of a file.")
    if not folder.is_dir():
        raise ValueError(f"{path} cannot be written: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{path} cannot be written: no permission to write in {folder}.")
    if not overwrite and path.exists() and source.exists() and path.samefile(source):
        raise ValueError(
            f"{path} is the file to read; --overwrite puts the converted model in its place."
        )


def _own_objects(modules: list[str]) -> dict[str, Any]:
    """The classes and functions that the user's modules define, for models that name them."""
    objects: dict[str, Any] = {}
    for name in modules:
        try:
            module = _imported(name)
        # Whatever the user's code raises when it runs, as a script that ends itself.
        except (Exception, SystemExit) as error:
            kind = type(error).__name__
            raise ValueError(f"--import {name} failed: {kind}: {cause(error)}") from error
        for key, value in vars(module).items():
            if inspect.isclass(value) or inspect.isfunction(value):
                objects[key] = value
    return objects


def _imported(name: str) -> Any:
    if name.endswith(".py"):
        path = Path(name)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{name} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        # Where its classes say that they come from; what is loaded under that name stays.
        known = sys.modules.setdefault(path.stem, module)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            if known is module:
                del sys.modules[path.stem]
            raise
        return module
    here = os.getcwd()
    if here not in sys.path:  # As `python -m` has it; a script's own folder is another.
        sys.path.insert(0, here)
    return importlib.import_module(name)


def _load(path: Path, own: dict[str, Any]) -> Any:
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    if path.is_dir() and (path / "saved_model.pb").exists():
        raise ValueError(
            f"{path} is a SavedModel, not a Keras model: it holds operations, no layers, {GRAPH}."
        )
    if path.suffix in OTHER_FORMATS:
        raise ValueError(f"{path} is not a Keras model but {OTHER_FORMATS[path.suffix]}.")
    if path.is_dir():
        raise ValueError(
            f"{path} cannot be read as a Keras model: it is a folder; give the file, {READ}."
        )
    if path.suffix not in (SUFFIX, *HDF5):
        raise ValueError(
            f"{path} cannot be read as a Keras model: its name must end in {READ}, by which Keras "
            "knows the format."
        )
    if path.name.endswith(".weights.h5"):
        raise ValueError(
            f"{path} holds weights without a model; load them into the model, save that with "
            "model.save, and convert the file."
        )
    if path.suffix == SUFFIX and path.is_file() and not zipfile.is_zipfile(path):
        raise ValueError(  # Keras says of it that there is no such file.
            f"{path} cannot be read as a Keras model: it is not a whole {SUFFIX} file, which is a "
            "zip archive with its index at the end."
        )
    if path.suffix in HDF5 and not _is_hdf5(path):
        raise ValueError(f"{path} cannot be read as a Keras model: it is not an HDF5 file.")
    from tf_tconv.conversion.files import load_model

    try:
        return load_model(path, own)
    except Exception as error:  # Keras, zip, HDF5 and the model's own classes each have theirs.
        raise ValueError(
            f"{path} cannot be read as a Keras model: {cause(error)}{_way_to_load(path, error)}"
        ) from error


def _is_hdf5(path: Path) -> bool:
    import h5py  # type: ignore[import-untyped]

    return bool(h5py.is_hdf5(path))


def _way_to_load(path: Path, error: Exception) -> str:
    """What the user can do about an error of loading a model, as a sentence, or nothing."""
    name = missing_name(error)
    if name in OPERATIONS_OF_KERAS_2:
        return (
            " It is what Keras 2 makes of a function of TensorFlow that is called on its symbolic "
            "tensors, and Keras 3 has none of it: write the model anew in Keras 3, with layers or "
            "keras.ops in their place, and copy the weights."
        )
    if name:
        return f" --import MODULE names the module that defines {name}."
    # Of an HDF5 file, Keras does not ask that function.
    if path.suffix == SUFFIX and "enable_unsafe_deserialization" in str(error):
        return " --import MODULE runs a module of yours first, which may call that function."
    return ""


def _save(model: Any, path: Path) -> None:
    """Writes beside the destination, and moves there what is whole."""
    try:
        write_whole(path, model.save)
    except Exception as error:  # Whatever the code of a stranger's layer raises, too.
        raise ValueError(f"{path} cannot be written: {cause(error)}") from error


def _nothing(source: Path, path: Path, to: Target, result: conversion.Conversion) -> str:
    old = "keras.layers" if to is Target.TF_TCONV else "tf_tconv"
    text = f"{source} has no {old}.Conv2DTranspose to exchange; {path} is not written."
    if result.left:
        text += " Left as they are: "
        text += "; ".join(
            f"{each.path}, {with_article(each.kind)}: {each.reason}" for each in result.left
        )
        text += "."
    return text


HEADINGS = ("layer", "channels", "kernel", "stride", "dilation", "cut off", "weights")


def _print_layers(console: Console, result: conversion.Conversion) -> None:
    count = len(result.swapped)
    title = f"{count} transposed convolution{'s' * (count != 1)} exchanged"
    rows = [Row(_cells(layer)) for layer in result.swapped]
    console.print(Sheet(title, HEADINGS, rows))


def _cells(layer: conversion.SwappedLayer) -> tuple[str, ...]:
    operation = layer.operation
    return (
        layer.path,
        f"{operation.in_channels} → {operation.out_channels}",
        "×".join(map(str, operation.kernel_size)),
        "×".join(map(str, operation.strides)),
        "×".join(map(str, operation.dilations)),
        " ".join(map(_crop, operation.crops)),
        f"{layer.parameters:,}",
    )


def _crop(cells: tuple[int, int]) -> str:
    """Cells cut off before and after; of a negative number, cells of zeros are added."""
    if min(cells) >= 0:
        return "+".join(map(str, cells))
    return "(" + ", ".join(str(n) if n >= 0 else f"adds {-n}" for n in cells) + ")"


def _as_json(
    source: Path, destination: Path, to: str, result: conversion.Conversion
) -> dict[str, Any]:
    return {
        "in": str(source),
        "out": str(destination),
        "to": to,
        "swapped": [_swapped(layer) for layer in result.swapped],
        "left": [dataclasses.asdict(layer) for layer in result.left],
        "largest_difference": result.largest_difference,
        "largest_output": result.largest_output,
    }


def _swapped(layer: conversion.SwappedLayer) -> dict[str, Any]:
    operation = {name: getattr(layer.operation, name) for name in OPERATION}
    return {**dataclasses.asdict(layer), "operation": operation}
