"""What one run of a program may reach: its parameters, the session's variables and random streams.

Writes wait until the whole program has succeeded, so that a failed run changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sessile.ir.interpreter import interpret
from sessile.ir.program import Program
from sessile.ir import random_streams
from sessile.runtime.variable_store import VariableStore


class InterpretedRun:
    """The context of one interpreted run (see `sessile.ir.interpreter.RunContext`)."""

    def __init__(
        self, parameters: Mapping[str, np.ndarray], variables: VariableStore, streams: dict[str, Any], bindings: dict[str, int]
    ) -> None:
        self.bindings = bindings
        self._parameters = parameters
        self._variables = variables
        self._streams = streams
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
        self.bindings[name] = size

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
        state = self._streams.get(stream)
        if state is None:
            state = random_streams.initial_state(seed, seed2)
        samples, self._streams[stream] = random_streams.draw(kind, state, shape, dtype, *operands)
        return samples

    def commit(self) -> None:
        """Carries out the writes."""
        for name, value in self._writes.items():
            self._variables.assign(name, value)


def run_interpreted(program: Program, context: InterpretedRun) -> list[np.ndarray]:
    """Runs a program by the reference interpreter; its results are the caller's own."""
    results = [np.array(result) for result in interpret(program, context)]
    context.commit()
    return results
