"""How a command fails: with one sentence and an exit status, never with a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

FAILED = 1


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns the errors of a bad argument, file or model into a line on standard error.

    Raises:
        typer.Exit: with status 1, in place of such an error.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise  # They are errors at run time to Python, but a command's way to end.
    except (ValueError, TypeError, RuntimeError, OSError, ImportError) as error:
        typer.echo(f"tf-tconv: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(FAILED) from error
