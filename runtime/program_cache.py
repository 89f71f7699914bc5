"""The programs of a graph, in this process: lowered once for each call and kind of feeds, or found in the store, and
compiled once for all sessions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Guard, Program
from sessile.ir.program_interface import ProgramInterface, fits
from sessile.ir.types import TensorType
from sessile.runtime.fork_safety import renew_locks_in_children
from sessile.runtime.stored_programs import CallStore
from sessile.runtime.variable_store import VariableStore

if TYPE_CHECKING:
    from sessile.compiler.compilation import Compilation
    from sessile.compiler.native_program import NativeProgram
    from sessile.compiler.stages import OptimizedProgram
    from sessile.compiler.store.program_entries import ProgramRecord
    from sessile.runtime.executor import ExecutionOptions

CallKey = tuple[tuple[Tensor, ...], tuple[Operation, ...], tuple[Tensor, ...], frozenset[Operation]]

# The variables that are written and have a value, with its type, and which results are large.
PlanKey = tuple[frozenset[tuple[str, TensorType]], tuple[bool, ...]]

# The run at which a program that keeps being called is compiled, in "auto" mode.
COMPILE_AT_RUN = 2


def programs_of(
    graph: Graph,
    fetches: tuple[Tensor, ...],
    targets: tuple[Operation, ...],
    feeds: tuple[Tensor, ...],
    finished: frozenset[Operation] = frozenset(),
) -> CallPrograms:
    """The programs for a call, shared by all sessions of the graph. They live and die with the graph."""
    programs: dict[CallKey, CallPrograms] = graph.__dict__.setdefault("_programs", {})
    key = (fetches, targets, feeds, finished)
    known = programs.get(key)
    if known is None:
        # What an earlier part of a partial run has computed is fed, but not known to other processes as such.
        store = None if finished else CallStore(graph, fetches, targets, feeds)
        known = programs.setdefault(key, CallPrograms(store))
    return known


class CallPrograms:
    """The programs for one call."""

    def __init__(self, store: CallStore | None) -> None:
        self._programs: list[CachedProgram] = []
        self._store = store
        self._has_asked_store = store is None

    def __iter__(self) -> Iterator[CachedProgram]:
        return iter(tuple(self._programs))

    def from_store(self, options: ExecutionOptions) -> list[CachedProgram]:
        """Takes in what other processes have stored for this call, once; a dump shows all that a compiler does."""
        if self._has_asked_store or options.dump:
            return []
        self._has_asked_store = True
        assert self._store is not None
        found = [
            CachedProgram(stored.program, self._store, record, stored.interface, stored.optimized)
            for record, stored in self._store.programs(compiled=options.jit != "never")
        ]
        self._programs += found
        return found

    def add(self, program: Program, options: ExecutionOptions) -> CachedProgram:
        """Takes in a program that was lowered just now, and has it stored."""
        new = CachedProgram(program, self._store)
        self._programs.append(new)
        if options.jit != "always":  # what is compiled at once is stored when it is compiled
            new.keep()
        return new


class CachedProgram:
    """A program, and its native form once there is one.

    Args:
      program: as it was lowered, or as a store had it.
      store: where it is kept beyond this process.
      record, interface, optimized: what the store says of it, if it comes from there.
    """

    def __init__(
        self,
        program: Program,
        store: CallStore | None = None,
        record: ProgramRecord | None = None,
        interface: ProgramInterface | None = None,
        optimized: OptimizedProgram | None = None,
    ) -> None:
        self.program = program
        self._interface = interface or ProgramInterface.of(program)
        self._store = store
        self._record = record
        self._optimized = optimized
        self._runs = 0
        self._natives: dict[PlanKey, NativeProgram] = {}
        self._compilation: Compilation | None = None
        renew_locks_in_children(self)

    def renew_locks(self) -> None:
        """See `fork_safety`."""
        self._lock = threading.Lock()

    # --- does it fit a call

    def variable_sizes(self, variables: VariableStore) -> dict[str, int] | None:
        """The sizes that variables have, or None when the program was made for others."""
        sizes: dict[str, int] = {}
        for name, source in self._interface.program.symbols.items():
            shape = variables.shape_of(source.name) if source.kind == "variable" else None
            if shape is not None and source.index < len(shape):
                sizes[name] = shape[source.index]
        is_for_them = all(fits(type, variables.shape_of(name), sizes) for name, type in self._interface.read.items())
        return sizes if is_for_them else None

    def uninitialized(self, variables: VariableStore) -> list[str]:
        """The variables that it reads though they have no value."""
        return [name for name in self._interface.read if not variables.is_initialized(name)]

    def bindings_for(self, feeds: Mapping[Tensor, np.ndarray], sizes: Mapping[str, int]) -> dict[str, int] | None:
        """The sizes of a call, given those of variables; None when the program was not made for such a call."""
        return self._interface.bindings_for({tensor.name: value for tensor, value in feeds.items()}, sizes)

    @property
    def serves_all_elements(self) -> bool:
        """Whether the shapes of feeds alone decide if it serves a call, and never their elements."""
        return not self._interface.deciding_elements

    def allows_elements(self, feeds: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> bool:
        """Whether it serves feeds with these elements, by their names, in a call of these sizes."""
        return self._interface.allows_elements(feeds, sizes)

    @property
    def computed_guards(self) -> Mapping[str, tuple[Guard, ...]]:
        """The guards on sizes that it computes, by the symbols that they ask for."""
        return self._interface.computed_guards

    # --- its native form

    def native(
        self, bindings: Mapping[str, int], variables: VariableStore, options: ExecutionOptions
    ) -> NativeProgram | None:
        """The native program for a session in this state, or None while the interpreter serves."""
        if options.jit == "never":
            return None
        stored = frozenset(
            (name, variables.type_of(name)) for name in self._interface.written if variables.is_initialized(name)
        )
        key = stored, self.large_results(bindings)
        native = self._natives.get(key)
        if native is not None:
            return native
        self._runs += 1
        if options.jit == "auto" and self._runs < COMPILE_AT_RUN and self._optimized is None:
            return None
        with self._lock:
            return self._natives.get(key) or self._linked(key, bindings, options)

    def large_results(self, bindings: Mapping[str, int]) -> tuple[bool, ...]:
        """Which results are large at some sizes; others have another native form."""
        from sessile.compiler.memory_plan import large_results  # late: an interpreted program needs no plan

        return large_results(self.program, bindings)

    def _linked(self, key: PlanKey, bindings: Mapping[str, int], options: ExecutionOptions) -> NativeProgram | None:
        from sessile.compiler.compilation import link

        if self._compilation is None:
            self._compilation = self._begin_compilation(options)
        addresses = self._compilation.addresses(wait=options.jit == "always")
        if addresses is None:
            return None
        native = self._natives[key] = link(self._compilation.optimized, addresses, bindings, dict(key[0]))
        return native

    def _begin_compilation(self, options: ExecutionOptions) -> Compilation:
        from sessile.compiler.compilation import Compilation

        if self._optimized is None and self._store is not None and not options.dump:
            self._optimized = self._store.executable(self.record)
        if self._optimized is not None:
            return Compilation(self._optimized)
        compilation = Compilation.of(self.program, options.dump)
        self._optimized = compilation.optimized
        self.keep()
        return compilation

    # --- the store

    @property
    def record(self) -> ProgramRecord:
        """How a store knows it."""
        if self._record is None:
            from sessile.compiler.store.program_entries import ProgramRecord

            self._record = ProgramRecord.of(self.program)
        return self._record

    def keep(self) -> None:
        """Stores it, with what was compiled from it."""
        if self._store is not None:
            self._store.keep(self.record, self.program, self._optimized)
