"""The command line: `tf-tconv --help`. Each command's body is a module of `tf_tconv.commands`."""

from __future__ import annotations

import typer

from tf_tconv.commands.convert import convert
from tf_tconv.commands.explain import explain
from tf_tconv.commands.translate import translate

app = typer.Typer(
    name="tf-tconv",
    help="Transposed convolutions: explained, translated between frameworks, exchanged in models.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
)

for command in (explain, translate, convert):
    app.command()(command)

if __name__ == "__main__":
    app(prog_name="tf-tconv")
