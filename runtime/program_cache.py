"""The programs of a graph, in this process: lowered once for each call and kind of feeds, compiled once for all
sessions.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Guard, Program
from sessile.ir.sizes import symbols_of
from sessile.ir.types import TensorType, element_type_of
from sessile.runtime.fork_safety import renew_locks_in_children
from sessile.runtime.variable_store import VariableStore

if TYPE_CHECKING:
    from sessile.compiler.native_program import NativeProgram
    from sessile.runtime.executor import ExecutionOptions

CallKey = tuple[tuple[Tensor, ...], tuple[Operation, ...], tuple[Tensor, ...], frozenset[Operation]]

# The run at which a program that keeps being called is compiled, in "auto" mode.
COMPILE_AT_RUN = 2


def programs_of(
    graph: Graph,
    fetches: tuple[Tensor, ...],
    targets: tuple[Operation, ...],
    feeds: tuple[Tensor, ...],
    finished: frozenset[Operation] = frozenset(),
) -> list[CachedProgram]:
    """The list of programs for a call; who lowers a new one appends it. It lives and dies with the graph."""
    programs: dict[CallKey, list[CachedProgram]] = graph.__dict__.setdefault("_programs", {})
    return programs.setdefault((fetches, targets, feeds, finished), [])


class CachedProgram:
    """A lowered program, and its native form once there is one."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._parameters = {i.attributes["name"]: i.result.type for i in program.instructions if i.name == "parameter"}
        self._read = {i.attributes["name"]: i.result.type for i in program.instructions if i.name == "read_variable"}
        self._written = [i.attributes["name"] for i in program.instructions if i.name == "write_variable"]
        self._runs = 0
        self._natives: dict[frozenset[tuple[str, TensorType]], NativeProgram] = {}
        self._compilation: Any = None
        renew_locks_in_children(self)

    def renew_locks(self) -> None:
        """See `fork_safety`."""
        self._lock = threading.Lock()

    # --- does it fit a call

    def variable_sizes(self, variables: VariableStore) -> dict[str, int] | None:
        """The sizes that variables have, or None when the program was made for others."""
        sizes: dict[str, int] = {}
        for name, source in self.program.symbols.items():
            shape = variables.shape_of(source.name) if source.kind == "variable" else None
            if shape is not None and source.index < len(shape):
                sizes[name] = shape[source.index]
        fits = all(_fits(type, variables.shape_of(name), sizes) for name, type in self._read.items())
        return sizes if fits else None

    def uninitialized(self, variables: VariableStore) -> list[str]:
        """The variables that it reads though they have no value."""
        return [name for name in self._read if not variables.is_initialized(name)]

    def bindings_for(self, feeds: Mapping[Tensor, np.ndarray], sizes: Mapping[str, int]) -> dict[str, int] | None:
        """The sizes of a call, given those of variables; None when the program was not made for such a call."""
        shapes = {tensor.name: value.shape for tensor, value in feeds.items()}
        for tensor, value in feeds.items():
            type = self._parameters[tensor.name]
            if type.rank != value.ndim or type.dtype != element_type_of(value.dtype):
                return None
        bindings = dict(sizes)
        for name, source in self.program.symbols.items():
            if source.kind == "parameter":
                bindings[name] = shapes[source.name][source.index]
        fits = all(self._holds(guard, bindings) for guard in self.program.guards)
        fits = fits and all(_fits(self._parameters[name], shape, bindings) for name, shape in shapes.items())
        return bindings if fits else None

    @staticmethod
    def _holds(guard: Guard, bindings: Mapping[str, int]) -> bool:
        return not symbols_of(guard.left - guard.right) <= bindings.keys() or guard.holds(bindings)

    # --- its native form

    def native(
        self, bindings: Mapping[str, int], variables: VariableStore, options: ExecutionOptions
    ) -> NativeProgram | None:
        """The native program for a session in this state, or None while the interpreter serves."""
        if options.jit == "never":
            return None
        stored = frozenset((name, variables.type_of(name)) for name in self._written if variables.is_initialized(name))
        native = self._natives.get(stored)
        if native is not None:
            return native
        self._runs += 1
        if options.jit == "auto" and self._runs < COMPILE_AT_RUN:
            return None
        with self._lock:
            return self._natives.get(stored) or self._linked(stored, bindings, options)

    def _linked(
        self, stored: frozenset[tuple[str, TensorType]], bindings: Mapping[str, int], options: ExecutionOptions
    ) -> NativeProgram | None:
        from sessile.compiler.compile_program import Compilation, link

        if self._compilation is None:
            self._compilation = Compilation(self.program, options.dump)
        addresses = self._compilation.addresses(wait=options.jit == "always")
        if addresses is None:
            return None
        native = self._natives[stored] = link(self._compilation.optimized, addresses, bindings, dict(stored))
        return native


def _fits(type: TensorType, shape: tuple[int, ...] | None, bindings: Mapping[str, int]) -> bool:
    if shape is None:
        return True
    if len(shape) != type.rank:
        return False
    known = type.symbols() <= bindings.keys()
    return not known or type.bound(bindings) == shape
