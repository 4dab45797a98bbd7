"""How the padding of both axes is written in each dialect, for errors that recommend one."""

from __future__ import annotations

from tf_tconv.geometry import PaddingWords, Sides

Shown = str | tuple[Sides, ...]


def _keras(padding: Shown) -> str:
    return f'padding="{padding.lower()}"' if isinstance(padding, str) else f"padding={padding}"


def _nhwc(padding: Shown) -> str:
    if isinstance(padding, str):
        return f'padding="{padding}"'
    return f"padding={[[0, 0], *map(list, padding), [0, 0]]}"


def _nchw(padding: Shown) -> str:
    if isinstance(padding, str):
        return f'padding="{padding}"'
    return f"padding={[[0, 0], [0, 0], *map(list, padding)]}"


def _torch(padding: Shown) -> str:
    return f"padding={tuple(sides[0] for sides in padding)}"


KERAS = PaddingWords(_keras)
"""((top, bottom), (left, right)), or a name in lower case."""

TF_NN = {"NHWC": PaddingWords(_nhwc), "NCHW": PaddingWords(_nchw)}
"""A pair an axis of the layout, or a name in upper case."""

TORCH = PaddingWords(_torch, named=False, alike=True)
"""(height, width), for both sides of each."""
