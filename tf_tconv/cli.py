"""The command line: `tf-tconv --help`. Each command's body is a module of `tf_tconv.commands`."""

from __future__ import annotations

import typer

from tf_tconv.commands.bench import bench
from tf_tconv.commands.explain import explain
from tf_tconv.commands.plan import plan

app = typer.Typer(
    name="tf-tconv",
    help="Transposed convolutions: explained, planned and measured.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
)

for command in (explain, plan, bench):
    app.command()(command)


@app.callback()
def main() -> None:
    """Transposed convolutions, explained."""


if __name__ == "__main__":
    app(prog_name="tf-tconv")
