"""What `tf.` offers: a table from public names (`nn.softplus`) to functions and classes.

Operations and functions enter themselves where they are defined; the modules of `api/` show what is in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sessile.graph.module_loading import load_module

PUBLIC: dict[str, Any] = {}
LAZY: dict[str, tuple[str, str]] = {}
DEFERRED: dict[str, Callable[[], Any]] = {}

Item = TypeVar("Item")


def public(*names: str) -> Callable[[Item], Item]:
    """Decorator: offers a function or class under each of `names`, such as "nn.relu"."""

    def register(item: Item) -> Item:
        for name in names:
            add_public(name, item)
        return item

    return register


def add_public(name: str, item: Any) -> None:
    """Offers `item` under `name`. Raises ValueError when the name is taken by something else."""
    if name in DEFERRED or PUBLIC.setdefault(name, item) is not item:
        raise ValueError(f"the public name {name!r} is defined twice")


def add_lazy(name: str, module: str, attribute: str) -> None:
    """Offers `attribute` of `module` under `name`; the module is imported when the name is first asked for."""
    LAZY[name] = (module, attribute)


def add_deferred(name: str, make: Callable[[], Any]) -> None:
    """Offers what `make` returns under `name`; it is made when the name is first asked for.

    Raises ValueError when the name is taken.
    """
    if name in PUBLIC or DEFERRED.setdefault(name, make) is not make:
        raise ValueError(f"the public name {name!r} is defined twice")


def public_names() -> list[str]:
    """All names that are offered."""
    return list(dict.fromkeys((*PUBLIC, *DEFERRED, *LAZY)))


def is_public(name: str) -> bool:
    """Whether something is offered under `name`."""
    return name in PUBLIC or name in DEFERRED or name in LAZY


def public_item(name: str) -> Any:
    """What is offered under `name`. Raises KeyError when there is no such name."""
    if name in DEFERRED:
        PUBLIC.setdefault(name, DEFERRED[name]())  # threads that make it at the same time agree on one
    elif name not in PUBLIC:
        module, attribute = LAZY[name]
        return getattr(load_module(module), attribute)
    return PUBLIC[name]
