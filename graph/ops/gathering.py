"""Slices and elements chosen by indices: gather, gather_nd, batch_gather."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import known_number
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, int16, int32, int64
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import casts, joining, ranges, reductions, scattering, segments, shapes, transposition
from sessile.graph.ops.bases import numbers_of
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, concatenated, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape

INDICES = frozenset({int16, int32, int64})


@operation("Gather")
class Gather(OpDefinition):
    """Slices of a tensor along its first axis."""

    inputs = {"params": "Tparams", "indices": "Tindices"}
    attributes = {"validate_indices": True, "Tparams": Attribute("type"), "Tindices": INDEX}
    outputs = {"output": "Tparams"}

    def infer(self, params: Tensor, indices: Tensor) -> TensorShape:
        sizes = of_rank_at_least(params, 1)
        return concatenated(indices.shape.sizes, None if sizes is None else sizes[1:])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [slices_gradient(op.inputs[0], op.inputs[1], grad), None]

    def lower(self, b: Any, params: Any, indices: Any) -> Any:
        return b.emit("gather", params, index_values(b, indices), axis=0, batch=0)


@operation("GatherV2")
class GatherV2(OpDefinition):
    """Slices of a tensor along an axis; the first `batch_dims` axes of tensor and indices go together."""

    inputs = {"params": "Tparams", "indices": "Tindices", "axis": "Taxis"}
    attributes = {
        "batch_dims": 0,
        "Tparams": Attribute("type"),
        "Tindices": INDICES,
        "Taxis": Attribute("type", default=int32, allowed=INDEX),
    }
    outputs = {"output": "Tparams"}

    def infer(self, params: Tensor, indices: Tensor, axis: Tensor, *, batch_dims: int) -> TensorShape:
        sizes, chosen, place = params.shape.sizes, indices.shape.sizes, known_number(axis)
        if sizes is None or chosen is None:
            return UNKNOWN
        if place is None:
            return unknown_shape(len(sizes) + len(chosen) - 1)
        if not -len(sizes) <= place < len(sizes):
            raise ValueError(
                f"Shape must be at least rank {place + 1 if place >= 0 else -place} but is rank {len(sizes)}"
            )
        place %= len(sizes)
        batch = batch_dims % (len(chosen) + 1) if batch_dims < 0 else batch_dims
        return TensorShape([*sizes[:place], *chosen[batch:], *sizes[place + 1 :]])

    def fold(self, known: Any, params: Tensor, indices: Tensor, axis: Tensor, *, batch_dims: int) -> Any:
        places = known(indices)
        if batch_dims or None in places.reshape(-1).tolist():
            return None
        return np.take(known(params), places.astype(np.int64), int(known(axis)))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        params, indices, axis = op.inputs
        batch = op._attributes["batch_dims"]
        place = known_number(axis)
        if place == 0 and not batch:
            return [slices_gradient(params, indices, grad), None, None]
        return [_gradient_along(params, indices, axis, grad, batch), None, None]

    def lower(self, b: Any, params: Any, indices: Any, axis: Any, *, batch_dims: int) -> Any:
        (place,) = numbers_of(b, axis)
        rank = params.type.rank
        b.require(-rank <= place < rank, f"Expected axis in the range [{-rank}, {rank}), but got {place}")
        batch = batch_dims + indices.type.rank if batch_dims < 0 else batch_dims
        for k in range(batch):
            same = b.decide(params.type.shape[k], "==", indices.type.shape[k])
            b.require(same, f"params.shape[{k}] should be equal to indices.shape[{k}]")
        indices = b.retype(index_values(b, indices), (*params.type.shape[:batch], *indices.type.shape[batch:]))
        return b.emit("gather", params, indices, axis=place % rank, batch=batch)


def index_values(b: Any, indices: Any) -> Any:
    """Indices in a type that primitives take."""
    return indices if indices.type.dtype in ("i32", "i64") else b.convert(indices, "i32")


def slices_gradient(params: Tensor, indices: Tensor, grad: Tensor) -> IndexedSlices:
    """The gradient of slices along the first axis: each goes to where it was taken from."""
    shape = casts.cast(shapes.shape(params, out_type=int64), int32)
    values_shape = joining.concat([shapes.reshape(shapes.size(indices), [1]), shape[1:]], 0)
    values = shapes.reshape(grad, values_shape)
    return IndexedSlices(values, shapes.reshape(indices, [-1]), shape)


def _gradient_along(params: Tensor, indices: Tensor, axis: Tensor, grad: Tensor, batch: int) -> Tensor:
    """The gradient of slices along another axis: that axis is brought to the front, and slices of one place summed."""
    rank, depth, place = params.shape.ndims, indices.shape.ndims, known_number(axis)
    if rank is None or depth is None or place is None:
        if batch:
            raise LookupError("The gradient of gather with batch_dims needs a known rank and axis")
        return _gradient_along_any(params, indices, axis, grad)
    place %= rank
    count = shapes.shape(params)[place]
    if batch:
        batch %= depth + 1
        return _gradient_of_batch(params, indices, grad, place, batch, depth - batch, count)
    chosen = list(range(place, place + depth))
    others = [k for k in range(rank + depth - 1) if k not in chosen]
    front = transposition.transpose(grad, [*chosen, *others])
    flat = shapes.reshape(front, joining.concat([[-1], _sizes_without(params, place)], 0))
    summed = segments.unsorted_segment_sum(flat, shapes.reshape(indices, [-1]), count)
    return transposition.transpose(summed, [*range(1, place + 1), 0, *range(place + 1, rank)])


def _gradient_along_any(params: Tensor, indices: Tensor, axis: Tensor, grad: Tensor) -> Tensor:
    """As above where the graph leaves the rank or the axis open: all axes before it are taken as one, all after too."""
    shape = shapes.shape(params)
    place = casts.cast(axis, int32) % shapes.size(shape)
    before, after = reductions.reduce_prod(shape[:place]), reductions.reduce_prod(shape[place + 1 :])
    front = transposition.transpose(shapes.reshape(grad, [before, shapes.size(indices), after]), [1, 0, 2])
    summed = segments.unsorted_segment_sum(front, shapes.reshape(indices, [-1]), shape[place])
    return shapes.reshape(transposition.transpose(summed, [1, 0, 2]), shape)


def _sizes_without(params: Tensor, place: int) -> Tensor:
    shape = shapes.shape(params)
    return joining.concat([shape[:place], shape[place + 1 :]], 0)


def _gradient_of_batch(
    params: Tensor, indices: Tensor, grad: Tensor, place: int, batch: int, depth: int, count: Tensor
) -> Tensor:
    """As above, with a row of places for each element of the batch: places are numbered through over all rows."""
    rank = len(params.shape)
    chosen = list(range(place, place + depth))
    inner = [k for k in range(batch, rank - 1 + depth) if k not in chosen]
    front = transposition.transpose(grad, [*range(batch), *chosen, *inner])
    shape = shapes.shape(params)
    rows = reductions.reduce_prod(shape[:batch])
    kept = joining.concat([shape[batch:place], shape[place + 1 :]], 0)
    flat = shapes.reshape(front, joining.concat([[-1], kept], 0))
    index_type = indices.dtype.base_dtype
    offsets = casts.cast(ranges.range_(0, rows) * count, index_type)
    numbered = shapes.reshape(indices, [rows, -1]) + shapes.expand_dims(offsets, 1)
    summed = segments.unsorted_segment_sum(flat, shapes.reshape(numbered, [-1]), rows * count)
    ordered = shapes.reshape(summed, joining.concat([shape[:batch], [count], kept], 0))
    back = [*range(batch), *range(batch + 1, place + 1), batch, *range(place + 1, rank)]
    return transposition.transpose(ordered, back)


@public("gather")
def gather(
    params: Any,
    indices: Any,
    validate_indices: bool | None = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Tensor:
    """Slices of a tensor along an axis, chosen by indices.

    Args:
        params: a tensor of rank 1 or more.
        indices: whole numbers in [0, params.shape[axis]).
        validate_indices: accepted; indices are always checked.
        name: a name for the operation.
        axis: the axis, a scalar; by default the first after those of the batch.
        batch_dims: how many first axes of `params` and `indices` go together.

    Returns a tensor of shape params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:].
    """
    if axis is None:
        axis = batch_dims
    return GatherV2(params, indices, axis, batch_dims=batch_dims, name=name)


@public("batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Slices of a tensor along the last axis of the indices, whose other axes go together with those of the tensor.

    Args:
        params: a tensor.
        indices: whole numbers.
        name: a name for the operations.

    Raises ValueError when the rank of the indices is not known.
    """
    with name_scope(name, "BatchGather", [params, indices]):
        indices = internal_convert(indices, None, "indices")
        if indices.shape.ndims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        return gather(params, indices, batch_dims=indices.shape.ndims - 1)


@operation("GatherNd")
class GatherNd(OpDefinition):
    """Slices of a tensor at coordinates."""

    inputs = {"params": "Tparams", "indices": "Tindices"}
    attributes = {"Tparams": Attribute("type"), "Tindices": INDICES}
    outputs = {"output": "Tparams"}

    def infer(self, params: Tensor, indices: Tensor) -> TensorShape:
        sizes, coordinates = params.shape.sizes, of_rank_at_least(indices, 1)
        if sizes is None or coordinates is None or coordinates[-1] is None:
            return UNKNOWN
        depth = coordinates[-1]
        if depth > len(sizes):
            raise ValueError(
                f"indices.shape[-1] must be <= params.rank, but saw indices shape: {indices.shape} and params shape: "
                f"{params.shape}"
            )
        return concatenated(coordinates[:-1], sizes[depth:])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        params, indices = op.inputs
        shape = shapes.shape(params, out_type=indices.dtype.base_dtype)
        if indices.shape.ndims == 2 and indices.shape.as_list()[-1] == 1:
            return [IndexedSlices(grad, shapes.squeeze(indices, axis=-1), shape), None]
        return [scattering.ScatterNd(indices, grad, shape), None]

    def lower(self, b: Any, params: Any, indices: Any) -> Any:
        return b.emit("gather_nd", params, with_known_depth(b, index_values(b, indices)))


def with_known_depth(b: Any, indices: Any) -> Any:
    """Coordinates whose last axis has a size that the program serves alone."""
    sizes = indices.type.shape
    return b.retype(indices, (*sizes[:-1], b.number(sizes[-1])))


@public("gather_nd", "manip.gather_nd")
def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Tensor:
    """Slices of a tensor at coordinates.

    Args:
        params: a tensor.
        indices: coordinates along the last axis: places in the first axes of `params`.
        name: a name for the operation.
        batch_dims: how many first axes of `params` and `indices` go together.

    Returns a tensor of shape indices.shape[:-1] + params.shape[indices.shape[-1]:].
    """
    if not batch_dims:
        return GatherNd(params, indices, name=name)
    with name_scope(name, "BatchGatherNd", [params, indices]):
        params, indices = internal_convert(params), internal_convert(indices)
        return GatherNd(params, _with_batch_coordinates(indices, batch_dims))


def _with_batch_coordinates(indices: Tensor, batch_dims: int) -> Tensor:
    """Coordinates that name the places in the first axes too."""
    index_type = indices.dtype.base_dtype
    leading = shapes.shape(indices, out_type=index_type)[:-1]
    ones = casts.cast(indices[..., :1] * 0, index_type)
    columns = []
    for axis in range(batch_dims):
        along = ranges.range_(0, leading[axis], dtype=index_type)
        rank = indices.shape.ndims
        if rank is None:
            raise ValueError("gather_nd with batch_dims needs indices of known rank")
        columns.append(ones + shapes.reshape(along, [-1 if k == axis else 1 for k in range(rank)]))
    return joining.concat([*columns, indices], -1)
