"""What several commands read from their options in the same form."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from tf_tconv.geometry import (
    PADDING_NAMES,
    PaddingWords,
    Sides,
    Unreachable,
    brief,
    check_integer,
    restated,
)
from tf_tconv.limits import LARGEST


def _show(padding: str | tuple[Sides, ...]) -> str:
    if isinstance(padding, str):
        return f"--padding {padding.lower()}"
    return f"--padding {','.join(str(cells) for sides in padding for cells in sides)}"


def _show_torch(padding: str | tuple[Sides, ...]) -> str:
    return f"--padding {','.join(str(sides[0]) for sides in padding)}"


PADDING = PaddingWords(_show)
"""A name, or top,bottom,left,right."""

TORCH_PADDING = PaddingWords(_show_torch, named=False, alike=True)
"""height,width, for both sides of each."""


def in_options(words: PaddingWords = PADDING) -> AbstractContextManager[None]:
    """Has an error about an output size speak of the command's options.

    Args:
        words: how `--padding` is written.

    Raises:
        ValueError: in place of the one raised inside.
    """

    def optional(found: Unreachable) -> ValueError:
        argument, _, rest = found.sentence.partition("=")
        option = "--padding" if argument.startswith("padding") else "--output-size"
        return Unreachable(f"{option}={rest}", found.axes).error(words)

    return restated(optional)


def read_pair(option: str, text: str, lowest: int) -> list[int]:
    """One number for both axes, or two."""
    entries = text.split(",")
    if len(entries) > 2:
        raise ValueError(
            f"--{option} {brief(text)} has {len(entries)} numbers; it must have 1, or 2 with a "
            "comma between."
        )
    numbers = [
        check_integer(f"--{option}", read_integer(option, entry), lowest, LARGEST)
        for entry in entries
    ]
    return numbers * 2 if len(numbers) == 1 else numbers


def read_integer(option: str, text: str) -> int:
    """A number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"--{option}: {brief(text)} is not an integer.") from None


def read_padding(text: str) -> Any:
    """A padding as `tf_tconv.conv2d_transpose` takes it."""
    if text.upper() in PADDING_NAMES:
        return text
    entries = text.split(",")
    if len(entries) != 4:
        raise ValueError(
            f"--padding {brief(text)} is unknown; it must be same, valid or four numbers, "
            "top,bottom,left,right."
        )
    top, bottom, left, right = (
        check_integer("--padding", read_integer("padding", entry), 0, LARGEST) for entry in entries
    )
    return [[0, 0], [top, bottom], [left, right], [0, 0]]
