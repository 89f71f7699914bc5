"""Notices a graph that grows between runs by the same line, and tells the user: each run is slower than the last."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable
from types import CodeType

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.source_lines import capture_user_frames, resolve

WARN_AFTER = 10

Site = tuple[CodeType, int]


class GraphGrowth:
    """Watches one session's graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._sizes: dict[Site, int] = {}
        self._times: dict[Site, int] = {}

    def observe(self) -> None:
        """Notes a run by the user's line that calls; warns once the graph grew before `WARN_AFTER` runs by it."""
        frames = capture_user_frames()
        if not frames:
            return
        site, size = frames[0], len(self._graph._operations)
        added = size - self._sizes.get(site, size)
        self._sizes[site] = size
        if added <= 0:
            return
        self._times[site] = times = self._times.get(site, 0) + 1
        if times == WARN_AFTER:
            self._warn(site, added)

    def _warn(self, site: Site, added: int) -> None:
        newest = list(itertools.islice(reversed(self._graph._operations.values()), added))
        op, maker = _where_made(site[0], newest)
        place, text = f"{maker[0].co_filename}:{maker[1]}", resolve((maker,))[0].line
        message = (
            f"the graph has grown before each of {WARN_AFTER} runs by this line, which makes every run slower than the "
            f"last: {added} operations came since the last one, such as {op.name!r}, made at {place} ({text}). Build "
            f"the graph once, before the loop, and feed what changes; graph.finalize() finds whatever adds to it."
        )
        warnings.warn_explicit(message, RuntimeWarning, site[0].co_filename, site[1])


def _where_made(caller: CodeType, ops: Iterable[Operation]) -> tuple[Operation, Site]:
    """An operation, and the line that made it: in the calling function if possible, since the loop is likely there."""
    ops = list(ops)
    for op in reversed(ops):
        for frame in op._frames:
            if frame[0] is caller:
                return op, frame
    return ops[-1], ops[-1]._frames[0]
