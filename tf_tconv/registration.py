"""Has Keras know the classes that saved models name, without importing Keras for it.

`keras.models.load_model` finds a class by the name that it was registered under, and
`import tf_tconv` is all that users do for that. Where Keras is imported already, the classes are
registered at once; else as soon as it is.
"""

from __future__ import annotations

import importlib
import importlib.abc
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

LAYERS = "tf_tconv.layers"
CHECKERBOARD = ("tf_tconv.checkerboard.initializers", "tf_tconv.checkerboard.resize_convolution")


def register_with_keras() -> None:
    """Imports the modules that register classes, now or right after Keras.

    One of them may be what imports Keras, and then is not whole yet. That of the layers needs none
    of the others, and they are imported after it.
    """
    after_import(LAYERS, lambda: _import(*CHECKERBOARD))
    after_import("keras", lambda: _import(LAYERS))


def after_import(name: str, action: Callable[[], None]) -> None:
    """Does something once a module is imported: at once, or right after its code has run.

    Args:
        name: of the module, with dots.
        action: what to do; if it raises, so does the import.
    """
    if name in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _Watch(name, action))


def _import(*names: str) -> None:
    for name in names:
        importlib.import_module(name)


class _Watch(importlib.abc.MetaPathFinder):
    """Finds one module as all other finders do, and has its loader do something more."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self.name = name
        self.action = action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        finders = list(sys.meta_path)
        # Those before this one have been asked, and two that watch one module must not ask in turn.
        for finder in finders[finders.index(self) + 1 :] if self in finders else finders:
            ask = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = ask(fullname, path, target) if ask else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)
                return spec
        return None

    def loaded(self) -> None:
        """Stops watching, and acts."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self.action()


class _Loader(importlib.abc.Loader):
    """The loader of a module, and what happens after it; the module sees its own loader only."""

    def __init__(self, own: Any, watch: _Watch) -> None:
        self.own = own
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self.own.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.own
        if module.__spec__ is not None:
            module.__spec__.loader = self.own
        self.own.exec_module(module)
        self.watch.loaded()
