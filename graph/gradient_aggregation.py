"""Sums of gradients that reach one tensor along several ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import dtypes
from sessile.graph.graph import get_default_graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.ops import arithmetic, casts, gathering, joining
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


@public("AggregationMethod")
class AggregationMethod:
    """How gradients that meet are summed: by one operation, or in pairs, which lets go of each of them earlier."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def aggregated(grads: Sequence[Any], op_name: str, method: int | None) -> Any:
    """The sum of gradients with respect to an output of the operation, tensors or `IndexedSlices`; None for none.

    Raises TypeError for what is no gradient, ValueError for an unknown method.
    """
    method = AggregationMethod.DEFAULT if method is None else method
    if method not in (0, 1, 2):
        raise ValueError(f"Invalid aggregation_method specified {method}.")
    if not all(isinstance(grad, (Tensor, IndexedSlices)) for grad in grads):
        raise TypeError("gradients have to be either all Tensors or all IndexedSlices")
    if not grads:
        return None
    if len(grads) == 1:
        return grads[0]
    if not any(isinstance(grad, Tensor) for grad in grads):
        return _joined(grads)
    if method == AggregationMethod.EXPERIMENTAL_TREE:
        return _summed_in_turn(grads, op_name)
    return arithmetic.AddN(grads)


def _summed_in_turn(grads: Sequence[Any], op_name: str) -> Tensor:
    with get_default_graph().name_scope(f"{op_name}_gradient_sum"):
        total = grads[0]
        for grad in grads[1:]:
            total = arithmetic.AddN([total, grad])
        return total


def _joined(grads: Sequence[IndexedSlices]) -> IndexedSlices:
    """One IndexedSlices with the slices of all; where their indices differ in type, all become int64."""
    if len({grad.indices.dtype for grad in grads}) > 1:
        grads = [IndexedSlices(g.values, casts.cast(g.indices, dtypes.int64), g.dense_shape) for g in grads]
    flat = [_flattened(grad) for grad in grads]
    values = joining.concat([grad.values for grad in flat], axis=0)
    indices = joining.concat([grad.indices for grad in flat], axis=0)
    return IndexedSlices(values, indices, flat[0].dense_shape)


def _flattened(grad: Any) -> IndexedSlices:
    """Slices of slices as slices of the whole."""
    if isinstance(grad.values, Tensor):
        return grad
    inner = _flattened(grad.values)
    return IndexedSlices(inner.values, gathering.gather(grad.indices, inner.indices), grad.dense_shape)
