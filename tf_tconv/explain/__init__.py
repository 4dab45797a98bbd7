"""Every intermediate of one call: as numbers, as text and as pictures.

`numbers` computes them, `tracing` keeps those of a call together, `text` prints them. A picture is
a `scene` first, boxes and labels, which `views` composes on a `layout` and `figures` (matplotlib)
or `svg` draw.
"""

from tf_tconv.explain.numbers import CellKind, Term, Window
from tf_tconv.explain.tracing import VIEWS, Trace, trace

__all__ = ["VIEWS", "CellKind", "Term", "Trace", "Window", "trace"]
