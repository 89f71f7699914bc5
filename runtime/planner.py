"""Makes the plans of a session: places the operations that a call needs, and finds the executor's `Call` for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sessile.compiler.request import Request, needed_operations
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.devices import Placement
from sessile.runtime.executor import Call, Executor
from sessile.runtime.fetches import FetchStructure
from sessile.runtime.run_monitor import RunMonitor
from sessile.runtime.run_plan import RunPlan

CallKey = tuple[tuple[Tensor, ...], tuple[Operation, ...], frozenset[Tensor]]


class Planner:
    """Makes plans for one session."""

    def __init__(self, graph: Graph, executor: Executor, placement: Placement) -> None:
        self._graph = graph
        self._executor = executor
        self._placement = placement
        self._calls: dict[CallKey, tuple[tuple[Tensor, ...], Call]] = {}

    def plan(self, structure: FetchStructure, feeds: tuple[Tensor, ...]) -> RunPlan:
        """The plan of a call. Raises InvalidArgumentError for an operation whose device does not exist."""
        needed = self.needed(structure, feeds)
        call = self._call_for(structure, feeds) if structure.tensors or structure.targets else None
        return RunPlan(call, feeds, structure, needed)

    def needed(self, structure: FetchStructure, feeds: Sequence[Tensor]) -> list[Operation]:
        """The operations that a call runs, each after those that it depends on; they are placed."""
        fed: Any = dict.fromkeys(feeds)
        needed = needed_operations(Request(structure.tensors, structure.targets, fed))
        self._placement.place(needed)
        return needed

    def _call_for(self, structure: FetchStructure, feeds: tuple[Tensor, ...]) -> Any:
        key = (structure.tensors, structure.targets, frozenset(feeds))
        known = self._calls.get(key)
        if known is None:
            call = self._executor.call_for(structure.tensors, structure.targets, feeds)
            known = self._calls.setdefault(key, (feeds, call))
        order, call = known
        return call if order == feeds else _Reordered(call, [feeds.index(tensor) for tensor in order])


class _Reordered:
    """A call whose feeds come in another order than the one that it was made for."""

    def __init__(self, call: Call, places: Sequence[int]) -> None:
        self._call = call
        self._in_order: Callable[[Any], Sequence[Any]] = itemgetter(*places)

    def run_values(self, values: Sequence[Any]) -> Any:
        return self._call.run_values(self._in_order(values))

    def run(self, values: Sequence[Any], monitor: RunMonitor | None = None) -> list[Any]:
        return self._call.run(self._in_order(values), monitor)
