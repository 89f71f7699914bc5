"""Runs calls: finds or makes the program for what is fetched and fed, and executes it on the session's state.

A `Call` stands for one set of fetches, targets and feeds of one session. One program serves all sizes that satisfy its
guards, and programs are shared by all sessions of a graph. A size that the run itself computes is held against the
guards when it is there; where it breaks one, the run ends without effect, and another program takes the call.

There are two tiers: the reference interpreter, which runs anything at once, and native executables, whose kernels are
compiled beside (`SESSILE_JIT=auto`), before the first run (`always`), or `never`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.compiler.request import Request
from sessile.compiler.session_state import StaleBinding
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.program import Program
from sessile.runtime.failures import translated
from sessile.runtime.kept_executables import KeptExecutables
from sessile.runtime.program_cache import CachedProgram, programs_of
from sessile.runtime.run_context import RunContext, UnmetGuard, run_interpreted
from sessile.runtime.run_monitor import NativeObserver, RunMonitor
from sessile.runtime.variable_store import VariableStore

Shapes = tuple[tuple[int, ...], ...]

JIT_MODES = ("auto", "always", "never")
# A call remembers the program and the sizes for so many sets of shapes.
BINDINGS_KEPT = 1024
# So many programs are tried for a call whose computed sizes the guards of each turn out not to allow.
MOST_ATTEMPTS = 16


class ExecutionOptions(NamedTuple):
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


class BoundCall:
    """A program and the sizes with which it serves feeds of some shapes; `native` once it is there."""

    def __init__(self, program: CachedProgram, sizes: dict[str, int]) -> None:
        self.program = program
        self.sizes = sizes
        self.native: Any = None


class Findings:
    """What a call has found out, valid for one generation of the session's variables."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.bound: dict[Shapes, list[BoundCall]] = {}
        self.variable_sizes: dict[CachedProgram, dict[str, int] | None] = {}
        self.natives: dict[tuple[CachedProgram, tuple[bool, ...]], Any] = {}
        self.executables = KeptExecutables()


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
        self._findings = Findings(-1)
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
        try:
            if self._findings.generation != self._variables.generation:
                return NotImplemented
            return executable.run_values(values)
        except LocatedFailure as failure:
            raise translated(failure, self._graph) from None
        except StaleBinding:
            return NotImplemented
        finally:
            free.append(executable)

    def run(self, values: Sequence[np.ndarray], monitor: RunMonitor | None = None) -> list[Any]:
        """The fetched values, each the caller's own: NumPy scalars for rank 0, arrays otherwise.

        `values` are arrays of the feeds' types and of shapes that fit them. A run that `monitor` watches tells it what
        runs.
        Raises what `tf.errors` holds.
        """
        while True:
            try:
                return self._run_bound(values, monitor)
            except StaleBinding:  # another thread has just given a variable another shape
                continue
            except LocatedFailure as failure:
                raise translated(failure, self._graph) from None

    def _run_bound(self, values: Sequence[np.ndarray], monitor: RunMonitor | None) -> list[Any]:
        findings = self._findings
        if findings.generation != self._variables.generation:
            findings = self._findings = Findings(self._variables.generation)
            self._last = []
        shapes = tuple(value.shape for value in values)
        named = {tensor.name: value for tensor, value in zip(self._feeds, values, strict=True)}
        known = (bound for bound in findings.bound.get(shapes, ()) if bound.program.allows_elements(named, bound.sizes))
        bound = next(known, None) or self._bind(findings, shapes, values)
        try:
            return self._run_program(findings, bound, named, values, monitor)
        except UnmetGuard as unmet:
            return self._run_another(findings, bound, unmet, named, shapes, values, monitor)

    def _run_another(
        self,
        findings: Findings,
        first: BoundCall,
        unmet: UnmetGuard,
        named: Mapping[str, np.ndarray],
        shapes: Shapes,
        values: Sequence[np.ndarray],
        monitor: RunMonitor | None,
    ) -> list[Any]:
        """Runs a call whose program turned out to be made for other values of computed sizes, by another program.

        Raises InvalidArgumentError when programs that were made for these very values do not fit them either.
        """
        tried = {first.program}
        for _ in range(MOST_ATTEMPTS):
            bound = self._bound_besides(findings, tried, unmet, named, shapes, values)
            tried.add(bound.program)
            others = [each for each in findings.bound.get(shapes, ()) if each is not bound]
            findings.bound[shapes] = [bound, *others]  # the next call likely computes the same sizes
            try:
                return self._run_program(findings, bound, named, values, monitor)
            except UnmetGuard as again:
                unmet = again
        raise InvalidArgumentError(None, None, f"The sizes that this run has computed do not fit each other: {unmet}")

    def _bound_besides(
        self,
        findings: Findings,
        tried: Collection[CachedProgram],
        unmet: UnmetGuard,
        named: Mapping[str, np.ndarray],
        shapes: Shapes,
        values: Sequence[np.ndarray],
    ) -> BoundCall:
        """A program for a call that is none of those tried: a known one, or one made for the sizes that a run met."""
        for bound in findings.bound.get(shapes, ()):
            if bound.program not in tried and bound.program.allows_elements(named, bound.sizes):
                return bound
        feeds = dict(zip(self._feeds, values, strict=True))
        found = self._first_bound(findings, (p for p in self._programs if p not in tried), feeds)
        if found is None:
            program = self._programs.add(self._lowered(feeds, unmet.bindings), self._options)
            found = self._bound(findings, program, feeds)
        if found is None:
            raise self._misfit(findings)
        return found

    def _misfit(self, findings: Findings) -> Exception:
        """Why a program that was made just now does not serve its call."""
        if findings.generation != self._variables.generation:
            return StaleBinding()
        return AssertionError("a program does not satisfy the guards it was made with")

    def _run_program(
        self,
        findings: Findings,
        bound: BoundCall,
        named: Mapping[str, np.ndarray],
        values: Sequence[np.ndarray],
        monitor: RunMonitor | None,
    ) -> list[Any]:
        context = RunContext(named, self._variables, dict(bound.sizes), bound.program.computed_guards)
        if monitor is not None:
            monitor.check_deadline(self._graph)
        if bound.native is None:
            bound.native = self._native(findings, bound)
        if bound.native is not None:
            return self._run_native(findings, bound, values, context, monitor)
        with self._variables.lock:
            if findings.generation != self._variables.generation:
                raise StaleBinding
            results = run_interpreted(bound.program.program, context, self._graph, monitor)
            return [result[()] for result in results]

    def _run_native(
        self,
        findings: Findings,
        bound: BoundCall,
        values: Sequence[np.ndarray],
        context: RunContext,
        monitor: RunMonitor | None,
    ) -> list[Any]:
        free, executable = findings.executables.take(bound)
        if executable is None:
            from sessile.compiler.executable import Executable

            spare, threads = findings.executables.spare(bound.native), self._options.threads
            executable = Executable(bound.native, bound.sizes, self._variables, threads, findings.generation, spare)
        try:
            observer = None if monitor is None else NativeObserver(monitor, self._graph)
            return executable.run(values, context, observer)
        finally:
            free.append(executable)
            self._last = free if executable.runs_directly and bound.program.serves_all_elements else []

    # --- finding programs

    def _bind(self, findings: Findings, shapes: Shapes, values: Sequence[np.ndarray]) -> BoundCall:
        feeds = dict(zip(self._feeds, values, strict=True))
        found = self._first_bound(findings, self._programs, feeds)
        if found is None:
            found = self._first_bound(findings, self._programs.from_store(self._options), feeds)
        if found is None:
            program = self._programs.add(self._lowered(feeds), self._options)
            found = self._bound(findings, program, feeds)
            if found is None:
                raise self._misfit(findings)
        if len(findings.bound) >= BINDINGS_KEPT:
            findings.bound.clear()
        findings.bound.setdefault(shapes, []).append(found)
        return found

    def _lowered(self, feeds: Mapping[Tensor, np.ndarray], observed: Mapping[str, int] | None = None) -> Program:
        from sessile.compiler.lower import lower

        return lower(Request(self._fetches, self._targets, feeds, self._finished), self._variables, observed)

    def _first_bound(
        self, findings: Findings, programs: Iterable[CachedProgram], feeds: Mapping[Tensor, np.ndarray]
    ) -> BoundCall | None:
        """The first of some programs that serves a call, with its sizes."""
        return next((found for program in programs if (found := self._bound(findings, program, feeds))), None)

    def _bound(
        self, findings: Findings, program: CachedProgram, feeds: Mapping[Tensor, np.ndarray]
    ) -> BoundCall | None:
        """The program with the sizes of a call, or None if it was not made for such a call."""
        if program not in findings.variable_sizes:
            self._check_initialized(program)
            findings.variable_sizes[program] = program.variable_sizes(self._variables)
        variable_sizes = findings.variable_sizes[program]
        sizes = None if variable_sizes is None else program.bindings_for(feeds, variable_sizes)
        return None if sizes is None else BoundCall(program, sizes)

    def _native(self, findings: Findings, bound: BoundCall) -> Any:
        key = bound.program, bound.program.large_results(bound.sizes)
        native = findings.natives.get(key)
        if native is None:
            native = bound.program.native(bound.sizes, self._variables, self._options)
            if native is not None:
                findings.natives[key] = native
        return native

    def _check_initialized(self, program: CachedProgram) -> None:
        missing = program.uninitialized(self._variables)
        if missing:
            from sessile.compiler.lower import uninitialized_error

            ops = [self._graph.get_operation_by_name(name) for name in missing]
            raise uninitialized_error(ops, [], self._variables)
