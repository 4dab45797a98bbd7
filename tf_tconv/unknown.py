"""Sizes that nobody knows yet, with a number's operators: what is computed from one is unknown too.

So one set of formulas serves ints, the scalars of a run, and a plan that is made before either.
"""

from __future__ import annotations

from typing import Any

from tf_tconv.geometry import Size


class Unknown:
    """A size that is not known; there is one, `UNKNOWN`."""

    def _unknown(self, *_: Any) -> Unknown:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _unknown
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _unknown

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes, unknown if one is."""
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else UNKNOWN


def quotient(a: Size, b: Size, least: int = 0) -> Size:
    """The integer part of a size over another, unknown if one is."""
    return a // b


def known(size: Size) -> int | None:
    """A size that is an int, else `None`."""
    return size if isinstance(size, int) else None
