"""Fills the public modules from the table of public names, and answers requests for names that are not there."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import sessile.graph.library
import sessile.runtime.library  # noqa: F401
from sessile.graph.public_names import names_in


def show(namespace: dict[str, Any], module: str) -> None:
    """Puts what the table offers under `module` ("" for the top) into a module's namespace."""
    for name, item in names_in(module).items():
        namespace.setdefault(name, item)
    namespace["__getattr__"] = _missing_name(namespace)


def _missing_name(namespace: dict[str, Any]) -> Callable[[str], Any]:
    def __getattr__(name: str) -> Any:
        module = namespace["__name__"]
        near = difflib.get_close_matches(name, [key for key in namespace if not key.startswith("_")], n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}: it is not implemented.{hint}")

    return __getattr__
