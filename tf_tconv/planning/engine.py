"""What will compute: TensorFlow with oneDNN, without it, or XLA."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache


def engine() -> str:
    """One of `tf_tconv.planning.costs.BACKENDS`, for what is traced or called here and now.

    A function that is compiled by XLA only after it was traced, as by a caller's `jit_compile` or
    by auto-clustering, isn't known to be.

    Returns:
        "xla" inside a `tf.function(jit_compile=True)`, else "onednn" or "plain".
    """
    import tensorflow as tf  # Who plans for an engine by name needs none of it.

    if not tf.executing_eagerly() and _compiled_by_xla(tf.compat.v1.get_default_graph()):
        return "xla"
    return "onednn" if onednn() else "plain"


def _compiled_by_xla(graph: object) -> bool:
    """Whether the graph or one around it is traced for XLA, by its control flow context."""
    while graph is not None:
        context = getattr(graph, "_get_control_flow_context", lambda: None)()
        while context is not None:
            if context.IsXLAContext():
                return True
            context = context.outer_context
        graph = getattr(graph, "outer_graph", None)
    return False


def onednn() -> bool:
    """Whether TensorFlow uses oneDNN in this process, which it decides once.

    Where nobody has imported it yet, nor does this: then it is what it will decide by default.
    """
    return _asked() if "tensorflow" in sys.modules else _by_default()


@cache
def _asked() -> bool:
    try:
        from tensorflow.python.util import _pywrap_util_port

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return _by_default()


def _by_default() -> bool:
    """What the builds decide that have it."""
    asked = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    return platform.machine() in ("x86_64", "AMD64") if asked is None else asked != "0"
