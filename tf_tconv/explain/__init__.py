"""Every intermediate of one call: as numbers, as text and as pictures.

From the ground up: `numbers` computes them; a `plane` is one channel of them, which is what can be
shown, and `text` prints it. A picture is a `scene` first, boxes and labels, which `views` composes
of a plane on a `layout`, and `figures` (matplotlib) or `svg` draw. `tracing` keeps a whole call
together and chooses from it what is shown.
"""

from tf_tconv.explain.numbers import CellKind, Term, Window
from tf_tconv.explain.tracing import VIEWS, Trace, trace

__all__ = ["VIEWS", "CellKind", "Term", "Trace", "Window", "trace"]
