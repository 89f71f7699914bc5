"""Repetition along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value
from sessile.graph.dtypes import INDEX, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import joining, ranges, reductions, shapes
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape

INDEX_TYPE = Attribute("type", default=int32, allowed=INDEX)


@operation("Tile")
class Tile(OpDefinition):
    """The input, repeated along each axis as often as `multiples` says."""

    inputs = {"input": "T", "multiples": "Tmultiples"}
    attributes = {"T": Attribute("type"), "Tmultiples": INDEX_TYPE}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, multiples: Tensor) -> TensorShape:
        (count,) = of_rank(multiples, 1)
        repeats = constant_value(multiples, partial=True)
        if repeats is None:
            return unknown_shape(input.shape.ndims if count is None else count)
        if input.shape.sizes is None:
            return unknown_shape(len(repeats))
        if len(input.shape.sizes) != len(repeats):
            raise ValueError(f"Shape must be rank {len(repeats)} but is rank {len(input.shape.sizes)}")
        pairs = zip(input.shape.sizes, repeats.tolist(), strict=True)
        return TensorShape([None if size is None or many is None else size * many for size, many in pairs])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source, multiples = op.inputs
        shape = shapes.shape(source, out_type=multiples.dtype.base_dtype)
        # each axis becomes a pair (repetition, element), over whose first part the gradient is summed
        pairs = shapes.reshape(joining.stack([multiples, shape], axis=1), [-1])
        rank = source.shape.ndims
        axes: Any = None if rank is None else np.arange(0, 2 * rank, 2, dtype=np.int32)
        axes = ranges.range_(0, shapes.size(pairs), 2) if axes is None else axes
        result = reductions.reduce_sum(shapes.reshape(grad, pairs), axes)
        result.set_shape(source.shape)
        return [result, None]

    def lower(self, b: Any, input: Any, multiples: Any) -> Any:
        repeats = b.sizes_of(multiples)
        rank = input.type.rank
        b.require(
            len(repeats) == rank,
            f"Expected multiples argument to be a vector of length {rank} but got length {len(repeats)}",
        )
        for axis, many in enumerate(repeats):
            b.require(b.decide(many, ">=", 0), f"Expected multiples[{axis}] >= 0, but got {b.shown(many)}")
        return tiled(b, input, repeats)


def tiled(b: Any, x: Any, repeats: list[Any]) -> Any:
    """`x` repeated along each axis; sizes and repeats may be unknown."""
    sizes = x.type.shape
    spread: list[Any] = []
    places: list[int] = []
    for size, many in zip(sizes, repeats, strict=True):
        if not (isinstance(many, int) and many == 1) and not (isinstance(size, int) and size == 1):
            spread.append(many)
        places.append(len(spread))
        spread.append(many if isinstance(size, int) and size == 1 else size)
    wide = b.emit("broadcast", x, shape=tuple(spread), axes=tuple(places))
    return b.reshape(wide, [size * many for size, many in zip(sizes, repeats, strict=True)])


@public("tile", "manip.tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """A tensor repeated along each axis.

    Args:
        input: a tensor.
        multiples: how often, a vector of int32 or int64 with an element for each axis.
        name: a name for the operation.
    """
    return Tile(input, multiples, name=name)
