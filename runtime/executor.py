"""Runs calls: finds or makes the program for what is fetched and fed, and executes it on the session's state.

A `Call` stands for one set of fetches, targets and feeds of one session. One program serves all sizes that satisfy its
guards, and programs are shared by all sessions of a graph. There are two tiers: the reference interpreter, which runs
anything at once, and native executables, whose kernels are compiled beside (`SESSILE_JIT=auto`), before the first run
(`always`), or `never`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sessile.compiler.lower import Request, lower, uninitialized_error
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.interpreter import LocatedFailure
from sessile.runtime.failures import translated
from sessile.runtime.program_cache import CachedProgram, programs_of
from sessile.runtime.run_context import RunContext, run_interpreted
from sessile.runtime.run_monitor import NativeObserver, RunMonitor
from sessile.runtime.variable_store import VariableStore

JIT_MODES = ("auto", "always", "never")
# A call keeps executables, with their memory, for so many sets of shapes.
EXECUTABLES_KEPT = 32
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ExecutionOptions:
    """How a session executes.

    `jit` is "auto", "always" or "never"; `threads` is how many share one run; `dump` names a folder for dumps of
    compilations.
    """

    jit: str = "auto"
    threads: int = 1
    dump: str | None = None

    @staticmethod
    def from_environment(threads: int | None = None) -> ExecutionOptions:
        """The options that the environment asks for; `threads`, where given, goes before SESSILE_THREADS.

        Raises ValueError for a SESSILE_JIT or SESSILE_THREADS that does not exist.
        """
        jit = os.environ.get("SESSILE_JIT", "auto")
        if jit not in JIT_MODES:
            raise ValueError(f"SESSILE_JIT is {jit!r}; it can be {', '.join(JIT_MODES)}")
        wanted = threads or os.environ.get("SESSILE_THREADS") or available_processors()
        if not str(wanted).isdigit() or int(wanted) < 1:
            raise ValueError(f"SESSILE_THREADS is {wanted!r}; it is a number of threads, at least 1")
        return ExecutionOptions(jit, int(wanted), os.environ.get("SESSILE_DUMP") or None)


def available_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Executor:
    """Executes calls for one session."""

    def __init__(self, graph: Graph, variables: VariableStore, options: ExecutionOptions | None = None) -> None:
        self.graph = graph
        self.variables = variables
        self.options = options or ExecutionOptions.from_environment()

    def call_for(
        self,
        fetches: tuple[Tensor, ...],
        targets: tuple[Operation, ...],
        feeds: tuple[Tensor, ...],
        finished: frozenset[Operation] = frozenset(),
    ) -> Call:
        """The call that fetches `fetches`, runs `targets`, and takes values for `feeds` in this order.

        `finished` operations have run in an earlier part of a partial run.
        """
        return Call(self, fetches, targets, feeds, finished)


class Call:
    """One set of fetches, targets and feeds of a session."""

    def __init__(
        self,
        executor: Executor,
        fetches: tuple[Tensor, ...],
        targets: tuple[Operation, ...],
        feeds: tuple[Tensor, ...],
        finished: frozenset[Operation] = frozenset(),
    ) -> None:
        self._variables = executor.variables
        self._options = executor.options
        self._graph = executor.graph
        self._fetches, self._targets, self._feeds, self._finished = fetches, targets, feeds, finished
        self._programs = programs_of(executor.graph, fetches, targets, feeds, finished)
        self._generation = -1
        self._bound: dict[Shapes, tuple[CachedProgram, dict[str, int]]] = {}
        self._executables: dict[Shapes, list[Any]] = {}
        self._last: list[Any] = []

    def run_values(self, values: Sequence[Any]) -> Any:
        """The quick way for a call like the last one: raw Python and NumPy values straight into its executable.

        Returns NotImplemented when there is none yet or a value does not fit; then `run` takes converted values.
        """
        free = self._last
        try:
            executable = free.pop()
        except IndexError:
            return NotImplemented
        if self._generation != self._variables.generation:
            return NotImplemented
        try:
            return executable.run_values(values)
        except LocatedFailure as failure:
            raise translated(failure, self._graph) from None
        finally:
            free.append(executable)

    def run(self, values: Sequence[np.ndarray], monitor: RunMonitor | None = None) -> list[Any]:
        """The fetched values, each the caller's own: NumPy scalars for rank 0, arrays otherwise.

        `values` are arrays of the feeds' types and of shapes that fit them. A run that `monitor` watches tells it what
        runs.
        Raises what `tf.errors` holds.
        """
        if self._generation != self._variables.generation:
            self._forget_bindings()
        shapes = tuple(value.shape for value in values)
        bound = self._bound.get(shapes)
        if bound is None:
            bound = self._bound[shapes] = self._bind(values)
        program, bindings = bound
        named = {tensor.name: value for tensor, value in zip(self._feeds, values, strict=True)}
        context = RunContext(named, self._variables, dict(bindings))
        if monitor is not None:
            monitor.check_deadline(self._graph)
        try:
            native = program.native(bindings, self._variables, self._options)
            if native is None:
                with self._variables.lock:
                    results = run_interpreted(program.program, context, self._graph, monitor)
                    return [result[()] for result in results]
            observer = None if monitor is None else NativeObserver(monitor, self._graph)
            return self._run_native(native, shapes, bindings, values, context, observer)
        except LocatedFailure as failure:
            raise translated(failure, self._graph) from None

    def _run_native(
        self,
        native: Any,
        shapes: Shapes,
        bindings: Mapping[str, int],
        values: Sequence[np.ndarray],
        context: RunContext,
        observer: NativeObserver | None,
    ) -> list[Any]:
        free = self._executables.setdefault(shapes, [])
        if len(self._executables) > EXECUTABLES_KEPT:
            self._executables.pop(next(iter(self._executables)))
        try:
            executable = free.pop()
        except IndexError:
            from sessile.compiler.executable import Executable

            executable = Executable(native, bindings, self._variables, self._options.threads)
        try:
            return executable.run(values, context, observer)
        finally:
            free.append(executable)
            self._last = free if executable.is_simple else []

    def _forget_bindings(self) -> None:
        """A variable's array is another one: what was found for the old shapes may no longer hold."""
        self._bound.clear()
        self._executables.clear()
        self._last = []
        self._generation = self._variables.generation

    def _bind(self, values: Sequence[np.ndarray]) -> tuple[CachedProgram, dict[str, int]]:
        feeds = dict(zip(self._feeds, values, strict=True))
        for program in self._programs:
            bindings = program.bindings_for(feeds, self._variables)
            if bindings is not None:
                self._check_initialized(program)
                return program, bindings
        lowered = lower(Request(self._fetches, self._targets, feeds, self._finished), self._variables)
        program = CachedProgram(lowered)
        self._programs.append(program)
        bindings = program.bindings_for(feeds, self._variables)
        assert bindings is not None, "a program does not satisfy the guards it was made with"
        return program, bindings

    def _check_initialized(self, program: CachedProgram) -> None:
        missing = [name for name in program.variables_read if not self._variables.is_initialized(name)]
        if missing:
            ops = [self._graph.get_operation_by_name(name) for name in missing]
            raise uninitialized_error(ops, [], self._variables)
