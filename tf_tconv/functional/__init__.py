"""The functions of TensorFlow: arguments, an operation, its plan, a lowering, the result.

The way of a call: `arguments` are put in order one by one, `call` solves them into a
`tf_tconv.operation.TransposedConvolution`, and `transpose` plans it, has `enforcing` check what
is known only at run time, and lowers it; `differentiation` is how it is derived. `plan` is the same
call, not made.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tf_tconv.functional.conv2d import conv2d_transpose
else:
    from tf_tconv.late_imports import on_demand

    __getattr__, __dir__ = on_demand(__name__, {"tf_tconv.functional.conv2d": ["conv2d_transpose"]})

__all__ = ["conv2d_transpose"]
