"""What one run of a program may reach: its parameters, the session's variables and random streams.

Writes wait until the whole program has succeeded, so that a failed run changes no variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from sessile.graph.graph import Graph
from sessile.ir.interpreter import interpret
from sessile.ir.program import Guard, Program
from sessile.ir.sizes import symbols_of
from sessile.runtime.run_monitor import RunMonitor, interpret_monitored
from sessile.runtime.variable_store import VariableStore


class UnmetGuard(Exception):
    """A size that the run has computed does not satisfy a guard: the program was made for other values."""

    def __init__(self, guard: Guard, bindings: Mapping[str, int]) -> None:
        super().__init__(f"it must hold that {guard}")
        self.bindings = dict(bindings)


class RunContext:
    """The context of one run (see `sessile.ir.interpreter.RunContext`).

    `guards` are those on sizes that the run itself binds, by these sizes' names; each is checked when it can be.
    """

    def __init__(
        self,
        parameters: Mapping[str, np.ndarray],
        variables: VariableStore,
        bindings: dict[str, int],
        guards: Mapping[str, tuple[Guard, ...]] = MappingProxyType({}),
    ) -> None:
        self.bindings = bindings
        self._guards = guards
        self._parameters = parameters
        self._variables = variables
        self._writes: dict[str, np.ndarray] = {}

    def parameter(self, name: str) -> np.ndarray:
        return self._parameters[name]

    def read_variable(self, name: str) -> np.ndarray:
        return self._variables.value(name)

    def write_variable(self, name: str, value: np.ndarray) -> None:
        self._writes[name] = value

    def variable_is_initialized(self, name: str) -> bool:
        return self._variables.is_initialized(name)

    def bind(self, name: str, size: int) -> None:
        """Notes a computed size. Raises UnmetGuard where the program was made for others."""
        self.bindings[name] = size
        for guard in self._guards.get(name, ()):
            if symbols_of(guard.left - guard.right) <= self.bindings.keys() and not guard.holds(self.bindings):
                raise UnmetGuard(guard, self.bindings)

    def draw(
        self,
        kind: str,
        stream: str,
        seed: int,
        seed2: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        operands: Sequence[np.ndarray],
    ) -> np.ndarray:
        from sessile.ir.random_streams import draw, parameters_of  # late: compiled programs draw by kernels

        state = self._variables.stream_state(stream, seed, seed2)
        samples, after = draw(kind, state, shape, dtype, **parameters_of(kind, operands))
        state[...] = after
        return samples

    def commit(self) -> None:
        """Carries out the writes, each with the value from before all of them."""
        writes = self._writes.items()
        values = [np.array(value) for _, value in writes] if len(writes) > 1 else self._writes.values()
        for name, value in zip(self._writes, values, strict=True):
            self._variables.assign(name, value)


def run_interpreted(
    program: Program, context: RunContext, graph: Graph, monitor: RunMonitor | None = None
) -> list[np.ndarray]:
    """Runs a program by the reference interpreter, under a monitor if any; its results are the caller's own."""
    if monitor is None:
        computed = interpret(program, context)
    else:
        computed = interpret_monitored(program, context, graph, monitor)
    results = [np.array(result) for result in computed]
    context.commit()
    return results
