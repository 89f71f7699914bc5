"""What one call asks of a graph, and the operations that it needs for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor

_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")


class Request(NamedTuple):
    """What to lower: fetched tensors, operations to run, and the fed tensors with the values of this call.

    `finished` operations ran in an earlier part of a partial run and do not run again; what they gave is among the
    feeds.
    """

    fetches: tuple[Tensor, ...]
    targets: tuple[Operation, ...]
    feeds: Mapping[Tensor, np.ndarray]
    finished: frozenset[Operation] = frozenset()


def needed_operations(request: Request) -> list[Operation]:
    """The operations that the request needs, each after those that it depends on."""
    order: list[Operation] = []
    state: dict[Operation, bool] = {}
    stack: list[tuple[Operation, bool]] = []
    fed = request.feeds

    def is_fed(op: Operation) -> bool:  # of what else is fed, those who wait for it want the operation itself to run
        return op.type in _PLACEHOLDERS and op.outputs[0] in fed

    roots = [t.op for t in request.fetches if t not in fed]
    for op in (*reversed(request.targets), *reversed(roots)):
        stack.append((op, False))
    while stack:
        op, is_done = stack.pop()
        if is_done:
            if not state[op]:
                state[op] = True
                order.append(op)
            continue
        if op in state or op in request.finished:
            continue
        state[op] = False
        stack.append((op, True))
        stack.extend(
            (other, False) for other in reversed(op._control_inputs) if not is_fed(other) and other not in state
        )
        stack.extend((t.op, False) for t in reversed(op._inputs) if t not in fed and t.op not in state)
    return order
