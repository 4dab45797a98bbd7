"""`tf-tconv convert`: a saved Keras model with its transposed convolutions exchanged."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import keras
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from tf_tconv import conversion
from tf_tconv.commands.failure import one_sentence
from tf_tconv.geometry import brief
from tf_tconv.writing import write_whole

SUFFIX = ".keras"


class Target(str, Enum):
    """Whose layers the converted model has."""

    TF_TCONV = "tf_tconv"
    KERAS = "keras"


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A saved Keras model.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write, .keras.")],
    to: Annotated[Target, typer.Option(help="Whose layers OUT is to have.")] = Target.TF_TCONV,
    lowering: Annotated[
        str, typer.Option(help="Of the new layers: auto, native or a name of lowerings.NAMES.")
    ] = "auto",
    verify: Annotated[bool, typer.Option(help="Compare both models before OUT is written.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Exchanges the transposed convolutions of a saved Keras model for ours, or back.

    Weights, names and all other layers stay. OUT appears when it is whole, or not at all.
    """
    screen = Console(stderr=True)
    with one_sentence(), _notes(), _steps(screen, as_json) as progress:
        _check_destination(destination)
        step = progress.add_task(f"reading {source.name}")
        model = _load(source)
        progress.update(step, description="exchanging layers" + ", comparing" * verify)
        result = conversion.convert(model, to.value, lowering, verify)
        progress.update(step, description=f"writing {destination.name}")
        _save(result.model, destination)
    if as_json:
        typer.echo(json.dumps(_as_json(source, destination, to.value, result), indent=2))
        return
    console = Console()
    console.print(_table(result))
    equal = sum(layer.equal is True for layer in result.swapped)
    if equal:
        console.print(f"{equal} of them were tried on integers: equal to the last bit.")
    if result.largest_difference is not None:
        console.print(
            f"The models differ by at most {result.largest_difference:.3g}, their outputs being as "
            f"large as {result.largest_output:.3g}."
        )
    console.print(f"{destination} is written.", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _notes() -> Iterator[None]:
    """Shows each warning as a line on standard error, without the place in the code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for message in dict.fromkeys(str(each.message) for each in caught):
        typer.echo(f"tf-tconv: note: {' '.join(message.split())}", err=True)


def _steps(screen: Console, quiet: bool) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    hidden = quiet or not screen.is_terminal
    return Progress(*columns, console=screen, transient=True, disable=hidden)


def _check_destination(path: Path) -> None:
    """Raises before any work is done where the file cannot be written."""
    folder = path.parent
    if path.suffix != SUFFIX:
        raise ValueError(f"{path} must end in {SUFFIX}, the format that is written.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; it must be the name of a file.")
    if not folder.is_dir():
        raise ValueError(f"{path} cannot be written: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{path} cannot be written: no permission to write in {folder}.")


def _load(path: Path) -> Any:
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    if path.suffix == SUFFIX and path.is_file() and not zipfile.is_zipfile(path):
        raise ValueError(  # Keras says of it that there is no such file.
            f"{path} cannot be read as a Keras model: it is no whole {SUFFIX} file, which is a zip "
            "archive with its index at the end."
        )
    try:
        return keras.models.load_model(path)
    except Exception as reason:  # Keras, zip, HDF5 and the model's own classes each have theirs.
        try:
            model = keras.models.load_model(path, compile=False)
        except Exception as error:
            raise ValueError(
                f"{path} cannot be read as a Keras model: {brief(str(error), 200)}"
            ) from error
        warnings.warn(f"the model is not compiled: {brief(str(reason), 200)}", stacklevel=2)
        return model


def _save(model: Any, path: Path) -> None:
    """Writes beside the destination, and moves there what is whole."""
    try:
        write_whole(path, model.save)
    except Exception as error:  # Whatever the code of a stranger's layer raises, too.
        raise ValueError(f"{path} cannot be written: {brief(str(error), 200)}") from error


def _table(result: conversion.Conversion) -> Table:
    table = Table(title=f"{len(result.swapped)} transposed convolutions exchanged")
    for heading in ("layer", "channels", "kernel", "stride", "dilation", "cut off", "weights"):
        name = heading == "layer"
        table.add_column(heading, justify="left" if name else "right", no_wrap=not name)
    for layer in result.swapped:
        operation = layer.operation
        table.add_row(
            layer.path,
            f"{operation.in_channels} → {operation.out_channels}",
            "×".join(map(str, operation.kernel_size)),
            "×".join(map(str, operation.strides)),
            "×".join(map(str, operation.dilations)),
            " ".join(f"{before}+{after}" for before, after in operation.crops),
            f"{layer.parameters:,}",
        )
    return table


def _as_json(
    source: Path, destination: Path, to: str, result: conversion.Conversion
) -> dict[str, Any]:
    return {
        "in": str(source),
        "out": str(destination),
        "to": to,
        "swapped": [dataclasses.asdict(layer) for layer in result.swapped],
        "largest_difference": result.largest_difference,
        "largest_output": result.largest_output,
    }
