"""Runs calls: finds or makes the program for what is fetched and fed, and executes it on the session's state.

A `Call` stands for one set of fetches, targets and feeds of one session. It keeps the programs made for it; one program serves
all sizes that satisfy its guards. Programs are shared by all sessions of a graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.compiler.lower import Request, lower
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Program
from sessile.runtime.run_context import InterpretedRun, run_interpreted
from sessile.runtime.variable_store import VariableStore


class Executor:
    """Executes calls for one session."""

    def __init__(self, graph: Graph, variables: VariableStore, streams: dict[str, Any]) -> None:
        self.graph = graph
        self.variables = variables
        self.streams = streams

    def call_for(
        self, fetches: tuple[Tensor, ...], targets: tuple[Operation, ...], feeds: tuple[Tensor, ...]
    ) -> Call:
        """The call that fetches `fetches`, runs `targets`, and takes values for `feeds` in this order."""
        return Call(self, fetches, targets, feeds)


class Call:
    """One set of fetches, targets and feeds of a session."""

    def __init__(
        self, executor: Executor, fetches: tuple[Tensor, ...], targets: tuple[Operation, ...], feeds: tuple[Tensor, ...]
    ) -> None:
        self._executor = executor
        self._fetches = fetches
        self._targets = targets
        self._feeds = feeds

    def run(self, values: Sequence[np.ndarray]) -> list[Any]:
        """The fetched values, each the caller's own: NumPy scalars for rank 0, arrays otherwise.

        `values` are arrays of the feeds' types and of shapes that fit them. Raises what `tf.errors` holds.
        """
        feeds = dict(zip(self._feeds, values, strict=True))
        program = lower(Request(self._fetches, self._targets, feeds), self._executor.variables)
        named = {tensor.name: value for tensor, value in feeds.items()}
        context = InterpretedRun(
            named, self._executor.variables, self._executor.streams, self._bindings(program, named)
        )
        return [result[()] for result in run_interpreted(program, context)]

    def _bindings(self, program: Program, feeds: dict[str, np.ndarray]) -> dict[str, int]:
        bindings = {}
        for name, source in program.symbols.items():
            if source.kind == "parameter":
                bindings[name] = feeds[source.name].shape[source.index]
            elif source.kind == "variable":
                bindings[name] = self._executor.variables.value(source.name).shape[source.index]
        return bindings
