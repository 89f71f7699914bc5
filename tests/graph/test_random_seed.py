"""The seeds of random operations; the pairs are those that TensorFlow 1.15 documents and computes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sessile.graph.random_seed import DEFAULT_GRAPH_SEED, get_seed


@pytest.mark.parametrize(
    "graph_seed, op_seed, expected",
    [
        (None, None, (None, None)),
        (None, 5, (DEFAULT_GRAPH_SEED, 5)),
        (None, 0, (DEFAULT_GRAPH_SEED, 0)),
        (7, None, (7, 42)),  # the graph holds 42 operations
        (7, 5, (7, 5)),
        (0, 0, (0, 2**31 - 1)),
        (2**31 - 1, 0, (0, 2**31 - 1)),
        (0, 2**31 - 1, (0, 2**31 - 1)),
        (2**31, 2**40 + 3, (1, (2**40 + 3) % (2**31 - 1))),
        (-1, -5, (2**31 - 2, 2**31 - 6)),
    ],
)
def test_seeds(graph_seed: int | None, op_seed: int | None, expected: tuple[int | None, int | None]) -> None:
    assert get_seed(SimpleNamespace(seed=graph_seed, _last_id=42), op_seed) == expected


def test_an_empty_graph_with_seed_zero_is_still_repeatable() -> None:
    assert get_seed(SimpleNamespace(seed=0, _last_id=0), None) == (0, 2**31 - 1)
