"""Runs a program both ways: by the reference interpreter, and compiled, in an executable of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.executable import Executable
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.pass_pipeline import run_passes
from sessile.compiler.split_stages import kernel_sources, split_into_stages
from sessile.compiler.stages import HostStage
from sessile.compiler.target import Target
from sessile.ir.interpreter import interpret
from sessile.ir.program import Program
from sessile.ir.types import TensorType
from sessile.runtime.run_context import RunContext
from sessile.runtime.variable_store import VariableStore

Arrays = Mapping[str, np.ndarray]


def bindings_of(program: Program, feeds: Arrays, variables: Arrays) -> dict[str, int]:
    """The sizes of a program's symbols for given parameters and variables."""
    named = {"parameter": feeds, "variable": variables}
    return {
        name: named[source.kind][source.name].shape[source.index]
        for name, source in program.symbols.items()
        if source.kind in named
    }


def store_of(variables: Arrays) -> VariableStore:
    """A session's state that holds the given variables."""
    store = VariableStore()
    for name, value in variables.items():
        store.assign(name, value)
    return store


def interpreted(
    program: Program, feeds: Arrays, variables: Arrays | None = None
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of a program and its variables afterwards, by the interpreter."""
    store = store_of(variables or {})
    context = RunContext(feeds, store, bindings_of(program, feeds, variables or {}))
    results = [np.array(result) for result in interpret(program, context)]
    context.commit()
    return results, {name: store.value(name) for name in store.names()}


class CompiledProgram:
    """A program compiled once, to be run with any sizes and by any number of threads.

    Fails when an instruction has no kernel, unless `allow_host`.

    Attributes:
      program: after the passes.
    """

    def __init__(self, program: Program, passes: Sequence[str] = (), allow_host: bool = False) -> None:
        self.program = run_passes(program, passes) if passes else program
        self._stages = split_into_stages(self.program, Target.host())
        on_host = [stage for stage in self._stages if isinstance(stage, HostStage)]
        assert allow_host or not on_host, f"no kernel for {on_host}"
        self._addresses = kernel_service().compile_all(kernel_sources(self._stages))
        self._natives: dict[frozenset[tuple[str, TensorType]], NativeProgram] = {}
        self._parameters = [i.attributes["name"] for i in self.program.instructions if i.name == "parameter"]

    def native(self, bindings: Mapping[str, int], store: VariableStore) -> NativeProgram:
        """The native program for the variables of a store; bindings guide the first one's memory plan."""
        stored = {name: store.type_of(name) for name in store.names()}
        key = frozenset(stored.items())
        if key not in self._natives:
            self._natives[key] = NativeProgram(self.program, self._stages, bindings, stored, self._addresses)
        return self._natives[key]

    def executable(self, feeds: Arrays, store: VariableStore, threads: int = 1) -> Executable:
        """An executable for the sizes of some feeds."""
        variables = {name: store.value(name) for name in store.names()}
        bindings = bindings_of(self.program, feeds, variables)
        return Executable(self.native(bindings, store), bindings, store, threads)

    def run(self, executable: Executable, feeds: Arrays, store: VariableStore) -> list[np.ndarray]:
        """The results for some feeds, which are not written to."""
        variables = {name: store.value(name) for name in store.names()}
        context = RunContext(feeds, store, bindings_of(self.program, feeds, variables))
        before = {name: np.array(feed) for name, feed in feeds.items()}
        results = executable.run([feeds[name] for name in self._parameters], context)
        for name, feed in feeds.items():
            assert feed.tobytes() == before[name].tobytes() or feed.dtype == object, f"the feed {name} was written to"
        return [np.asarray(result) for result in results]

    def outcome(
        self, feeds: Arrays, variables: Arrays | None = None, threads: int = 1
    ) -> tuple[list[np.ndarray], dict[str, Any]]:
        """The results for some feeds and variables, and the variables afterwards."""
        store = store_of(variables or {})
        results = self.run(self.executable(feeds, store, threads), feeds, store)
        return results, {name: store.value(name) for name in store.names()}


def compiled(
    program: Program,
    feeds: Arrays,
    variables: Arrays | None = None,
    passes: Sequence[str] = (),
    threads: int = 1,
    allow_host: bool = False,
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of a program and its variables afterwards, by compiled kernels.

    Fails when an instruction has no kernel, unless `allow_host`.
    """
    return CompiledProgram(program, passes, allow_host).outcome(feeds, variables, threads)
