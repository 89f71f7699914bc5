"""The store on disk as the calls of a graph see it: programs that another process has lowered and compiled.

In: a call's part of a graph. Out: its programs, if some process has made them with the same code; and the other way:
what this process makes is stored for the next one. `SESSILE_CACHE_CHECK=1` makes everything anew and compares.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sessile.compiler.locations import location_of
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Location, Program

if TYPE_CHECKING:
    from sessile.compiler.program_entry import StoredProgram
    from sessile.compiler.stages import OptimizedProgram
    from sessile.compiler.store.program_entries import ProgramEntries, ProgramRecord


def program_entries() -> ProgramEntries | None:
    """The programs in the store of this process; None if it has none."""
    from sessile.compiler.store.store_folder import disk_store

    store = disk_store()
    return None if store is None else _entries(store)


@functools.cache
def _entries(store: object) -> ProgramEntries:
    from sessile.compiler.store.program_entries import ProgramEntries

    return ProgramEntries(store)  # type: ignore[arg-type]


class CallStore:
    """The store, for one set of fetches, targets and feeds."""

    def __init__(
        self, graph: Graph, fetches: Sequence[Tensor], targets: Sequence[Operation], feeds: Sequence[Tensor]
    ) -> None:
        self._graph = graph
        self._call = fetches, targets, feeds

    @functools.cached_property
    def _entries(self) -> ProgramEntries | None:
        return program_entries()

    @functools.cached_property
    def _identity(self) -> str | None:
        from sessile.compiler.call_identity import call_identity

        return call_identity(*self._call)

    def programs(self, compiled: bool) -> list[tuple[ProgramRecord, StoredProgram]]:
        """The programs that were stored for this call; those that were `compiled` as such, if that is wanted."""
        if self._entries is None or self._identity is None or _is_checking():
            return []
        return list(self._entries.programs(self._identity, compiled, self._location))

    def executable(self, record: ProgramRecord) -> OptimizedProgram | None:
        """What was compiled from a program that was lowered just now, by whatever graph."""
        if self._entries is None or _is_checking():
            return None
        return self._entries.executable(record, self._location)

    def keep(self, record: ProgramRecord, program: Program, optimized: OptimizedProgram | None = None) -> None:
        """Store a program that was lowered for this call, and what was compiled from it.

        Raises InternalError if that is checked and the store holds another.
        """
        if self._entries is not None:
            self._entries.keep(self._identity, record, program, optimized, _is_checking())

    def _location(self, name: str) -> Location:
        return location_of(self._graph.get_operation_by_name(name))


def _is_checking() -> bool:
    """Whether everything that is found in the store is made anew and compared."""
    from sessile.compiler.store.kernel_cache import check_requested

    return check_requested()
