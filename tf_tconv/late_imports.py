"""Public names of a package that are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def on_demand(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What a package has as `__getattr__` and `__dir__` to import its names when they are used.

    Type checkers see none of this: the package repeats the imports under `if TYPE_CHECKING`, and
    assigns these two under `else`. A name that is not among `names` but is a module of the package
    is imported, too, as if the package had done it at its start.

    Args:
        package: its `__name__`.
        names: by module, the names that it gives; by the package itself, modules.

    Returns:
        `__getattr__` and `__dir__`.

    Example:
        >>> __getattr__, __dir__ = on_demand("tf_tconv", {"tf_tconv.geometry": ["AxisGeometry"]})
        >>> __getattr__("AxisGeometry").__name__
        'AxisGeometry'
    """
    origins = {name: module for module, given in names.items() for name in given}

    def find(name: str) -> Any:
        module = origins.get(name)
        if module is not None and module != package:
            found = getattr(importlib.import_module(module), name)
        elif module == package or (not name.startswith("_") and _is_module(package, name)):
            found = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, found)  # From now on it is there.
        return found

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *origins})

    return find, listed


def _is_module(package: str, name: str) -> bool:
    return importlib.util.find_spec(f"{package}.{name}") is not None
