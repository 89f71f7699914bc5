"""The public modules: `tf.nn`, `tf.train` and all others that the table of public names has entries for.

In: the table (`sessile.graph.public_names`), filled by importing what defines operations and functions, when a name or
a module is first asked for. Out: modules that look names up in it, so that whatever enters itself there is offered,
`import sessile.nn` included.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from sessile.graph.module_loading import load_module
from sessile.graph.public_names import is_public, public_item, public_names

_LIBRARIES = ("sessile.graph.library", "sessile.runtime.library")
# What needs none of the other names, and is wanted quickly.
_EARLY = {"load": ("sessile.runtime.compiled_function", "load")}
_OPENED: set[str] = set()
_LOCK = threading.RLock()


class PublicModule(ModuleType):
    """A module of `tf.`; an attribute is looked up in the table when it is first asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"`tf.{name.partition('.')[2]}`.")
        self.__path__: list[str] = []  # a package: modules may be below it
        self.__file__ = __file__

    def __getattr__(self, name: str) -> Any:
        return find_public(self.__name__, name)

    def __dir__(self) -> list[str]:
        return sorted(offered_by(self.__name__))

    @property
    def __all__(self) -> list[str]:
        return offered_by(self.__name__)


class MissingName(AttributeError):
    """A public module has no such name; the message, with the names that are near, is made when it is shown."""

    def __init__(self, module: str, missing: str) -> None:
        super().__init__(name=missing, obj=sys.modules[module])
        self._module = module
        self._missing = missing

    def __str__(self) -> str:
        import difflib  # late: only messages need it

        near = difflib.get_close_matches(self._missing, offered_by(self._module), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"module {self._module!r} has no attribute {self._missing!r}: it is not implemented.{hint}"


class _PublicModuleFinder:
    """Finds `sessile.nn` and its like when they are imported, by making all public modules."""

    def __init__(self, root: str) -> None:
        self._root = root

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith(f"{self._root}."):
            return None
        open_modules(self._root)
        if not isinstance(sys.modules.get(name), ModuleType):
            return None
        return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """A public module is complete from the beginning."""


def open_on_import(root: str) -> None:
    """Lets the modules below `root` be imported; they are made when the first of them is."""
    sys.meta_path.append(_PublicModuleFinder(root))  # type: ignore[arg-type]


def open_modules(root: str) -> None:
    """Fills the table, and makes a module below `root` for each one that it names, once and for all."""
    if root in _OPENED:
        return
    with _LOCK:
        if root not in _OPENED:
            _open(root)
            _OPENED.add(root)


def _open(root: str) -> None:
    for library in _LIBRARIES:
        load_module(library)
    entries = [entry.split(".") for entry in (*public_names(), "compat.v1.")]
    for path in sorted({".".join(parts[:length]) for parts in entries for length in range(1, len(parts))}):
        name = f"{root}.{path}"
        module = sys.modules[root] if path == "compat.v1" else PublicModule(name)
        sys.modules[name] = module
        sys.modules[f"{root}.compat.v1.{path}"] = module
        parent, _, last = name.rpartition(".")
        setattr(sys.modules[parent], last, module)


def find_public(module: str, name: str) -> Any:
    """What the table offers as `name` in `module`. Raises AttributeError, with the names that are near."""
    entry = _entry(module, name)
    if name == "__all__":
        return offered_by(module)
    if name.startswith("__"):  # Python asks for such names on its own
        raise MissingName(module, name)
    if entry in _EARLY:
        return getattr(load_module(_EARLY[entry][0]), _EARLY[entry][1])
    open_modules(module.partition(".")[0])
    if name in vars(sys.modules[module]):  # a module, which was made just now
        return vars(sys.modules[module])[name]
    if name.startswith("_") or not is_public(entry):
        raise MissingName(module, name)
    item = public_item(entry)
    setattr(sys.modules[module], name, item)
    return item


def offered_by(module: str) -> list[str]:
    """The names in a public module, those of the modules below it among them."""
    open_modules(module.partition(".")[0])
    prefix = _entry(module, "")
    below = [name[len(prefix) :] for name in (*public_names(), "compat.v1") if name.startswith(prefix)]
    return list(dict.fromkeys(first for name in below if not (first := name.partition(".")[0]).startswith("_")))


def _entry(module: str, name: str) -> str:
    _, _, path = module.partition(".")
    return f"{path}.{name}" if path else name
