"""Partial runs: one run in several calls, each with some of the feeds and some of the fetches.

Every operation runs at most once in a partial run. A call runs what its fetches need and has not run yet; what later
calls need of it is fetched as well, kept, and fed to them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.request import Request, needed_operations
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.executor import Executor
from sessile.runtime.feed_values import converter_for
from sessile.runtime.feeds import feed_keys, resolve_feeds
from sessile.runtime.fetches import FetchStructure, resolve_fetches
from sessile.runtime.planner import Planner
from sessile.runtime.tensor_handle import kept_array

Element = Tensor | Operation


class PartialRuns:
    """The partial runs of one session that are not done yet, by handle."""

    def __init__(self, graph: Graph, executor: Executor, planner: Planner) -> None:
        self._graph = graph
        self._executor = executor
        self._planner = planner
        self._runs: dict[str, _PartialRun] = {}
        self._numbers = itertools.count()

    def set_up(self, fetches: Any, feeds: Any) -> str:
        """Begins a partial run; returns its handle. Raises as `Session.run` does for what cannot be fetched or fed."""
        structure = resolve_fetches(self._graph, fetches)
        tensors = feed_keys(self._graph, feeds)
        if not structure.tensors and not structure.targets:
            raise InvalidArgumentError(None, None, "Must specify at least one target to fetch or execute.")
        self._planner.needed(structure, tensors)
        names = [",".join(t.name for t in tensors), ",".join(t.name for t in structure.tensors)]
        handle = f"{'->'.join(names)}/{','.join(op.name for op in structure.targets)}/;{next(self._numbers)}"
        self._runs[handle] = _PartialRun(self._executor, structure, tensors)
        return handle

    def run(self, handle: str, fetches: Any, feed_dict: Mapping[Any, Any]) -> Any:
        """Runs the next part; returns what `fetches` ask for.

        Raises InvalidArgumentError for an unknown handle, for what was not announced, and for what was fed or fetched
        before.
        """
        partial = self._runs.get(handle)
        if partial is None:
            raise InvalidArgumentError(None, None, "Must run 'setup' before performing partial runs!")
        structure = resolve_fetches(self._graph, fetches)
        result = structure.build(partial.run(structure, resolve_feeds(self._graph, feed_dict)))
        if partial.is_done:
            self._runs.pop(handle, None)
        return result

    def clear(self) -> None:
        """Forgets all of them."""
        self._runs.clear()


class _PartialRun:
    """The state of one partial run."""

    def __init__(self, executor: Executor, structure: FetchStructure, feeds: Sequence[Tensor]) -> None:
        self._executor = executor
        self._pending_feeds = dict.fromkeys(feeds)
        self._pending_fetches: dict[Element, None] = dict.fromkeys((*structure.tensors, *structure.targets))
        self._all_feeds = frozenset(feeds)
        self._all_fetches = frozenset(self._pending_fetches)
        self._known: dict[Tensor, np.ndarray] = {}
        self._finished: frozenset[Operation] = frozenset()

    @property
    def is_done(self) -> bool:
        """Whether all was fed and fetched."""
        return not self._pending_feeds and not self._pending_fetches

    def run(self, structure: FetchStructure, feeds: Mapping[Tensor, Any]) -> list[Any]:
        """The values of the fetched tensors. Raises InvalidArgumentError for what this part may not feed or fetch."""
        elements: tuple[Element, ...] = (*structure.tensors, *structure.targets)
        _check("feed", feeds, self._all_feeds, self._pending_feeds, "fed")
        _check("fetch", elements, self._all_fetches, self._pending_fetches, "fetched")
        known = self._known | {tensor: converter_for(tensor)(value) for tensor, value in feeds.items()}
        now = self._needed(structure.tensors, structure.targets, known, self._finished)
        self._check_computable(elements, now, known)
        later = [element for element in self._pending_fetches if element not in elements]
        finished = self._finished | {op for op in now if op._inputs or op._control_inputs}
        kept = self._needed_later(later, known, finished)
        call = self._executor.call_for((*structure.tensors, *kept), structure.targets, tuple(known), self._finished)
        results = call.run(list(known.values()))
        asked = len(structure.tensors)
        self._known = known | {t: kept_array(r) for t, r in zip(kept, results[asked:], strict=True)}
        self._finished = finished
        for tensor in feeds:
            del self._pending_feeds[tensor]
        for element in elements:
            del self._pending_fetches[element]
        return results[:asked]

    def _needed(
        self,
        tensors: Iterable[Tensor],
        targets: Iterable[Operation],
        known: Mapping[Tensor, Any],
        finished: frozenset[Operation],
    ) -> list[Operation]:
        fed: Any = dict.fromkeys((*known, *self._all_feeds))
        return needed_operations(Request(tuple(tensors), tuple(targets), fed, finished))

    def _check_computable(
        self, elements: Sequence[Element], ops: Sequence[Operation], known: Mapping[Tensor, Any]
    ) -> None:
        used = [element for element in elements if isinstance(element, Tensor)]
        used += [tensor for op in ops for tensor in op._inputs]
        for tensor in used:
            if tensor in self._all_feeds and tensor not in known:
                message = f"Fetch {tensor.name} can't be computed from the feeds that have been fed so far."
                raise InvalidArgumentError(None, tensor.op, message)

    def _needed_later(
        self, later: Sequence[Element], known: Mapping[Tensor, Any], finished: frozenset[Operation]
    ) -> list[Tensor]:
        """The tensors that this part computes and that later parts take; references are read again instead."""
        tensors = [element for element in later if isinstance(element, Tensor)]
        ops = self._needed(tensors, [e for e in later if isinstance(e, Operation)], known, finished)
        taken = dict.fromkeys([*tensors, *(tensor for op in ops for tensor in op._inputs)])
        return [t for t in taken if t.op in finished and t not in known and not t.dtype._is_ref_dtype]


def _check(
    word: str, items: Iterable[Element], announced: frozenset[Any], pending: Mapping[Any, None], done: str
) -> None:
    for item in items:
        if item not in announced:
            raise InvalidArgumentError(None, None, f"The {word} {item.name} was not specified in partial_run_setup.")
        if item not in pending:
            raise InvalidArgumentError(None, None, f"The {word} {item.name} has already been {done}.")
