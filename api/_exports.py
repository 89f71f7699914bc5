"""Fills the public modules from the table of public names, and answers requests for names that are not there."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import sessile.graph.library
import sessile.runtime.library  # noqa: F401
from sessile.graph.public_names import LAZY, load_lazy, names_in


def show(namespace: dict[str, Any], module: str) -> None:
    """Puts what the table offers under `module` ("" for the top) into a module's namespace."""
    for name, item in names_in(module).items():
        namespace.setdefault(name, item)
    prefix = f"{module}." if module else ""
    lazy = {name[len(prefix) :]: name for name in LAZY if name.startswith(prefix) and "." not in name[len(prefix) :]}
    namespace["__getattr__"] = _late_name(namespace, lazy)
    namespace["__dir__"] = lambda: sorted({*namespace, *lazy})


def _late_name(namespace: dict[str, Any], lazy: dict[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module: imports what is offered lazily, and says what is near a name that is not there."""

    def __getattr__(name: str) -> Any:
        if name in lazy:
            return namespace.setdefault(name, load_lazy(lazy[name]))
        module = namespace["__name__"]
        known = [key for key in {**namespace, **lazy} if not key.startswith("_")]
        near = difflib.get_close_matches(name, known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}: it is not implemented.{hint}")

    return __getattr__
