"""Rows dealt out to several tensors and put together again: dynamic_partition, dynamic_stitch."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value
from sessile.graph.dtypes import int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import gathering, ranges, reductions, shapes
from sessile.graph.shape_rules import UNKNOWN, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("DynamicStitch", public="dynamic_stitch")
class DynamicStitch(OpDefinition):
    """Rows of several tensors put together: merged[indices[m][i, ...]] = data[m][i, ...].

    Args:
        indices: a list of tensors of int32: the places of rows in the result. Where places repeat, the last counts.
        data: a list of tensors of one type, with shapes that begin with those of `indices`.
        name: a name for the operation.
    """

    inputs = {"indices": "N * int32", "data": "N * T"}
    attributes = {"N": Attribute("int", minimum=1), "T": Attribute("type")}
    outputs = {"merged": "T"}

    def infer(self, indices: list[Tensor], data: list[Tensor]) -> TensorShape:
        row = UNKNOWN
        for places, values in zip(indices, data, strict=True):
            if places.shape.ndims is not None and values.shape.ndims is not None:
                row = same_shape(row, values.shape[places.shape.ndims :])
        known = [constant_value(places) for places in indices]
        count = None
        if all(places is not None for places in known):
            count = max((int(places.max()) + 1 for places in known if places is not None and places.size), default=0)
        return TensorShape([count]).concatenate(row)

    def fold(self, known: Any, indices: list[Tensor], data: list[Tensor]) -> Any:
        places = [known(tensor) for tensor in indices]
        count = max((int(place.max()) + 1 for place in places if place.size), default=0)
        rows = [known.elements(tensor) for tensor in data]
        result = np.full((count, *rows[0].shape[places[0].ndim :]), None, object)
        for place, row in zip(places, rows, strict=True):
            result[place.astype(np.int64)] = row
        return result

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        count = len(op.inputs) // 2
        return [None] * count + [gathering.gather(grad, places) for places in op.inputs[:count]]

    def lower(self, b: Any, indices: list[Any], data: list[Any]) -> Any:
        rank = indices[0].type.rank
        row = data[0].type.shape[rank:]
        flat = [b.reshape(places, (_count(places.type.shape),)) for places in indices]
        rows = [b.reshape(v, (_count(p.type.shape), *row)) for p, v in zip(indices, data, strict=True)]
        places, values = b.concat(flat, 0), b.concat(rows, 0)
        known = b.known_numbers(places)
        if known is not None:
            latest = {place: k for k, place in enumerate(known.tolist())}  # where places repeat, the last counts
            if set(latest) == set(range(len(latest))):
                order = b.sizes([latest[place] for place in range(len(latest))])
                return b.emit("gather", values, order, axis=0, batch=0)
        (last,) = b.sizes_of(b.reduce("max", places, [0])) if known is None else (int(known.max()),)
        target = b.fill((last + 1, *row), False if values.type.dtype == "bool" else 0, values.type.dtype)
        return b.emit("scatter", target, b.expand_dims(places, [1]), values, function="set")


def _count(sizes: tuple[Any, ...]) -> Any:
    total: Any = 1
    for size in sizes:
        total = total * size
    return total


@operation("ParallelDynamicStitch")
class ParallelDynamicStitch(DynamicStitch):
    """As DynamicStitch, for places that do not repeat."""


@operation("DynamicPartition", public="dynamic_partition")
class DynamicPartition(OpDefinition):
    """The rows of a tensor dealt out to `num_partitions` tensors, by the numbers in `partitions`.

    Args:
        data: a tensor.
        partitions: for each row (or element: its shape is the beginning of that of `data`) a number of int32.
        num_partitions: how many tensors to make.
        name: a name for the operation.

    Returns a list of tensors, in which the rows keep their order.
    """

    inputs = {"data": "T", "partitions": int32}
    attributes = {"num_partitions": Attribute("int", minimum=1), "T": Attribute("type")}
    outputs = {"outputs": "num_partitions * T"}

    def infer(self, data: Tensor, partitions: Tensor, *, num_partitions: int) -> list[TensorShape]:
        if data.shape.ndims is None or partitions.shape.ndims is None:
            return [UNKNOWN] * num_partitions
        return [TensorShape([None]).concatenate(data.shape[partitions.shape.ndims :])] * num_partitions

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        data, partitions = op.inputs
        total = reductions.reduce_prod(shapes.shape(partitions))
        places = shapes.reshape(ranges.range_(0, total), shapes.shape(partitions))
        parts = DynamicPartition(places, partitions, op._attributes["num_partitions"])
        merged = DynamicStitch(parts if isinstance(parts, list) else [parts], list(grads))
        return [shapes.reshape(merged, shapes.shape(data)), None]

    def lower(self, b: Any, data: Any, partitions: Any, *, num_partitions: int) -> list[Any]:
        rank = partitions.type.rank
        total = _count(partitions.type.shape)
        numbers = b.reshape(partitions, (total,))
        rows = b.reshape(data, (total, *data.type.shape[rank:]))
        inside = b.map("and", b.map("ge", numbers, 0), b.map("lt", numbers, num_partitions))
        b.emit("check", inside, message=f"partitions are not all in [0, {num_partitions})")
        return [b.emit("gather", rows, _places(b, numbers, k), axis=0, batch=0) for k in range(num_partitions)]


def _places(b: Any, numbers: Any, partition: int) -> Any:
    """Where in a vector a number stands."""
    found = b.nonzero(b.map("eq", numbers, partition))
    return b.reshape(found, (found.type.shape[0],))
