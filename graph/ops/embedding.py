"""`tf.nn.embedding_lookup`: rows of a matrix, which may be stored in several parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import convert_to_tensor
from sessile.graph.graph import get_default_graph
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import (
    arithmetic,
    casts,
    clipping,
    constants,
    gathering,
    identity,
    joining,
    ranges,
    reductions,
    selection,
    shapes,
    stitching,
)
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@public("nn.embedding_lookup")
def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: float | None = None,
) -> Tensor:
    """The rows `ids` of a matrix.

    Args:
        params: the matrix, as a tensor or a variable, or its parts in a list.
        ids: the rows, int32 or int64, of any shape.
        partition_strategy: how rows were dealt to the parts: "mod" one by one in turn, "div" in blocks.
        name: a name for the operations.
        validate_indices: accepted without effect: rows that do not exist are an error.
        max_norm: clips rows to this length.

    Returns a tensor of shape `ids.shape` + the shape of a row. Raises ValueError for another strategy and for no parts.
    """
    parts = list(params) if isinstance(params, (list, tuple)) else [params]
    if params is None or not parts:
        raise ValueError("Need at least one param")
    with name_scope(name, "embedding_lookup", [*parts, ids]) as scope:
        parts = [part if hasattr(part, "op") else convert_to_tensor(part, name="params") for part in parts]
        ids = convert_to_tensor(ids, name="ids")
        if len(parts) > 1:
            return _clipped(_rows_of_parts(parts, ids, partition_strategy, scope), ids, max_norm)
        with get_default_graph().colocate_with(parts[0].op):
            rows = _clipped(gathering.gather(parts[0], ids, name=scope), ids, max_norm)
            return identity.identity(rows)


def _clipped(rows: Tensor, ids: Tensor, max_norm: float | None) -> Tensor:
    """The rows, no longer than `max_norm`."""
    if max_norm is None:
        return rows
    first, rank = ids.shape.ndims, rows.shape.ndims
    if first is None or rank is None:
        return clipping.clip_by_norm(rows, max_norm, axes=ranges.range_(shapes.rank(ids), shapes.rank(rows)))
    return clipping.clip_by_norm(rows, max_norm, axes=list(range(first, rank)))


def _rows_of_parts(parts: Sequence[Any], ids: Tensor, strategy: str, name: str) -> Tensor:
    """Looks up in each part the rows that it holds, and puts the results in order."""
    flat = shapes.reshape(ids, [-1])
    places = ranges.range_(shapes.size(flat))
    part, row = _assigned(parts, flat, strategy)
    part = casts.cast(part, dtypes.int32)
    rows = stitching.DynamicPartition(row, part, len(parts))
    places = stitching.DynamicPartition(places, part, len(parts))
    found = []
    for source, chosen in zip(parts, rows, strict=True):
        with get_default_graph().colocate_with(source.op):
            found.append(gathering.gather(source, chosen))
    joined = stitching.ParallelDynamicStitch(places, found, name=name)
    return _unflattened(joined, ids, parts)


def _unflattened(rows: Tensor, ids: Tensor, parts: Sequence[Any]) -> Tensor:
    element = parts[0].get_shape()[1:]
    for part in parts[1:]:
        element = element.merge_with(part.get_shape()[1:])
    element_shape: Any = element if element.is_fully_defined() else shapes.shape(parts[0])[1:]
    result = shapes.reshape(rows, joining.concat([shapes.shape(ids), element_shape], 0))
    result.set_shape(ids.shape.concatenate(element))
    return result


def _assigned(parts: Sequence[Any], ids: Tensor, strategy: str) -> tuple[Tensor, Tensor]:
    """For each id the number of its part, and its row there. Raises ValueError for an unknown strategy."""
    count = len(parts)
    if strategy == "mod":
        return ids % count, ids // count
    if strategy != "div":
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    total = _total_rows(parts, ids)
    per_part, extra = total // count, total % count
    part = arithmetic.Maximum(ids // (per_part + 1), (ids - extra) // per_part)
    row = selection.where(part < extra, ids % (per_part + 1), (ids - extra) % per_part)
    return part, row


def _total_rows(parts: Sequence[Any], ids: Tensor) -> Tensor:
    sizes = [TensorShape(part.get_shape())[0].value for part in parts]
    if all(size is not None for size in sizes):
        return constants.constant(sum(size or 0 for size in sizes), dtype=ids.dtype)
    chosen = [shapes.shape(part)[0] if size is None else size for part, size in zip(parts, sizes, strict=True)]
    return reductions.reduce_sum(casts.cast(joining.stack(chosen), ids.dtype))
