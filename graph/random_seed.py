"""The two seeds of a random operation, out of the graph's seed and the operation's own.

TensorFlow 1.15's rules (documented at `tf.set_random_seed`): the pair depends on both seeds, so that one call makes
all of a graph repeatable and each operation still has numbers of its own.
"""

from __future__ import annotations

from typing import Protocol

DEFAULT_GRAPH_SEED = 87654321
"""The graph's part where only the operation has a seed."""

_MODULUS = 2**31 - 1


class SeededGraph(Protocol):
    """What is asked of a graph: its seed, and a number that grows with each operation."""

    @property
    def seed(self) -> int | None: ...

    @property
    def _last_id(self) -> int: ...


def get_seed(graph: SeededGraph, op_seed: int | None) -> tuple[int, int] | tuple[None, None]:
    """The attributes `seed` and `seed2` of a random operation that is about to be added to a graph.

    Arguments:
        graph: where the operation goes.
        op_seed: the seed given for this operation, if any.
    Returns (None, None) when neither the graph nor the operation has a seed: the operation then draws numbers that
    cannot be repeated. Without `op_seed` the second seed is the number of operations that the graph holds so far,
    so it depends on the order in which the graph is built.
    """
    if graph.seed is not None:
        seeds = graph.seed % _MODULUS, (graph._last_id if op_seed is None else op_seed) % _MODULUS
    elif op_seed is not None:
        seeds = DEFAULT_GRAPH_SEED, op_seed % _MODULUS
    else:
        return None, None
    # Kernels take (0, 0) for "no seeds"; people who ask for 0 and 0 want repeatable numbers.
    return seeds if seeds != (0, 0) else (0, _MODULUS)
