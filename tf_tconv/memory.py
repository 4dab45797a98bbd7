"""What `tf_tconv.autotune` measured on this machine, kept in a small file between processes."""

from __future__ import annotations

from tf_tconv.lowerings.work import Sizes


def remembered(sizes: Sizes, backend: str) -> str | None:
    """The lowering measured to be fastest for a call, if it was measured here."""
    return None
