"""Plans: everything about a call that need not be worked out again when it is repeated.

A call is known by its shape: the identities of what is fetched, in its nesting, and of the keys that are fed, in
order. The plan holds the structure of the result, the conversions of the feeds, and the executor's `Call`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from sessile.graph.dtypes import string
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.sparse_tensor import SparseTensor
from sessile.graph.tensor import Tensor
from sessile.runtime.executor import Call
from sessile.runtime.feed_values import converter_for
from sessile.runtime.fetches import FetchStructure
from sessile.runtime.run_monitor import RunMonitor

_LEAVES = (Tensor, Operation, SparseTensor, IndexedSlices, str, bytes)


class RunPlan:
    """How one call runs."""

    __slots__ = (
        "_build",
        "_call",
        "_converters",
        "_run_raw",
        "_run_values",
        "deletions",
        "feeds",
        "graph_size",
        "structure",
    )

    def __init__(
        self, call: Call | None, feeds: Sequence[Tensor], structure: FetchStructure, needed: Sequence[Operation]
    ) -> None:
        self._call = call
        self._run_values = _run_nothing if call is None else call.run_values
        # Strings must become bytes before anything takes them.
        self._run_raw = _refuse if any(t.dtype.base_dtype is string for t in feeds) else self._run_values
        self._converters = [converter_for(tensor) for tensor in feeds]
        self._build = structure.build
        self.structure = structure
        self.feeds = tuple(feeds)
        self.deletions = [op for op in needed if op.type == "DeleteSessionTensor"]
        self.graph_size = -1  # the number of operations when it ran last, by which growth is noticed

    @property
    def name(self) -> str:
        """What is fetched and fed, by name."""
        fetched = [tensor.name for tensor in self.structure.tensors] + [op.name for op in self.structure.targets]
        fed = [tensor.name for tensor in self.feeds]
        return f"{', '.join(fetched)} fed {', '.join(fed)}" if fed else ", ".join(fetched)

    def run(self, values: Sequence[Any]) -> Any:
        """The result, for the values of the feeds, in order and as the user gave them.

        Raises TypeError or ValueError for values that do not fit, and what `tf.errors` holds.
        """
        results = self._run_raw(values)
        if results is NotImplemented:
            values = self.converted(values)
            results = self._run_values(values)  # what was converted may fit the last executable now
            if results is NotImplemented:
                results = self._call.run(values)  # type: ignore[union-attr]
        return self._build(results)

    def run_monitored(self, values: Sequence[Any], monitor: RunMonitor) -> Any:
        """`run` under a monitor."""
        converted = self.converted(values)
        return self._build([] if self._call is None else self._call.run(converted, monitor))

    def converted(self, values: Sequence[Any]) -> list[Any]:
        """The values as arrays of the feeds' types. Raises TypeError or ValueError for those that do not fit."""
        return [convert(value) for convert, value in zip(self._converters, values, strict=True)]


def _run_nothing(values: Sequence[Any]) -> list[Any]:
    """The results of a call that fetches nothing."""
    return []


def _refuse(values: Sequence[Any]) -> Any:
    """Takes no values as they are."""
    return NotImplemented


def call_key(fetches: Any, feed_dict: Mapping[Any, Any]) -> Hashable | None:
    """The shape of a call as a key for its plan, or None where the call must be worked out anew each time.

    For a single element, and for a plain list, tuple or dict of elements, it is what `Session.run` itself puts
    together.
    """
    fetched = _structure_key(fetches)
    if fetched is None or type(feed_dict) is not dict:
        return None
    for key in feed_dict:
        if type(key) is not Tensor and not is_plain_key(key):
            return None
    return (*fetched, *feed_dict)


def _structure_key(fetches: Any) -> tuple[Any, ...] | None:
    kind = type(fetches)
    if kind is list or kind is tuple or (isinstance(fetches, tuple) and hasattr(fetches, "_fields")):
        parts = _keys_of(fetches)
        return None if parts is None else (kind, len(fetches), *parts)
    if kind is dict or kind is OrderedDict:
        parts = _keys_of(fetches.values())
        usable = parts is not None and all(type(key) is str for key in fetches)
        return (kind, len(fetches), *fetches, *parts) if usable and parts is not None else None
    return (fetches,) if _is_leaf(fetches) else None


def _keys_of(children: Iterable[Any]) -> list[Any] | None:
    """The keys of the elements of a container; a container among them is marked, so that no element can equal it."""
    keys: list[Any] = []
    for child in children:
        if type(child) is Tensor or _is_leaf(child):
            keys.append(child)
            continue
        key = _structure_key(child)
        if key is None:
            return None
        keys.append(("nested", *key))
    return keys


def _is_leaf(item: Any) -> bool:
    return isinstance(item, _LEAVES) or hasattr(item, "_as_graph_element")


def is_plain_key(key: Any) -> bool:
    """Whether a key of a `feed_dict` stands for one tensor, always the same."""
    return isinstance(key, (Tensor, str, bytes)) or hasattr(key, "_as_graph_element")
