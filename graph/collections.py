"""The collections of a graph: lists of values under names, such as all trainable variables."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import Any


class Collections:
    """Named lists that belong to a graph (TensorFlow 1.15, `tf.Graph.add_to_collection` and its kin)."""

    _finalized: bool

    def __init__(self) -> None:
        self._collections: dict[Any, list[Any]] = {}
        self._collections_lock = threading.Lock()

    def _check_not_finalized(self) -> None:
        raise NotImplementedError

    @property
    def collections(self) -> list[Any]:
        """The names of the collections."""
        return list(self._collections)

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Appends `value` to the collection `name`."""
        self._check_not_finalized()
        with self._collections_lock:
            self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Appends `value` to each of the collections `names` (one name, or several; repeated ones count once)."""
        for name in [names] if isinstance(names, str) else dict.fromkeys(names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection's own list: changes to it change the collection."""
        with self._collections_lock:
            return self._collections.setdefault(name, [])

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """The values of a collection; with `scope`, those whose name matches it at its beginning (`re.match`)."""
        with self._collections_lock:
            values: Iterable[Any] = list(self._collections.get(name, ()))
        if scope is None:
            return list(values)
        pattern = re.compile(scope)
        return [value for value in values if hasattr(value, "name") and pattern.match(value.name)]

    def get_all_collection_keys(self) -> list[str]:
        """The names of all collections that are named by strings."""
        with self._collections_lock:
            return [name for name in self._collections if isinstance(name, str)]

    def clear_collection(self, name: Any) -> None:
        """Empties a collection."""
        self._check_not_finalized()
        with self._collections_lock:
            self._collections.pop(name, None)
