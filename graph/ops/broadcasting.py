"""Shapes that broadcast against each other: the axes along which gradients must be summed, `broadcast_to`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.dtypes import INDEX, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import reductions, shapes
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.public_names import public
from sessile.graph.shape_rules import broadcast, of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

Reducer = Callable[[Any], Any]


@operation("BroadcastGradientArgs")
class BroadcastGradientArgs(OpDefinition):
    """For each of two shapes the axes along which their broadcasting repeated the elements."""

    inputs = {"s0": "T", "s1": "T"}
    attributes = {"T": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"r0": "T", "r1": "T"}

    def infer(self, s0: Tensor, s1: Tensor) -> list[TensorShape]:
        of_rank(s0, 1), of_rank(s1, 1)
        return [TensorShape([None]), TensorShape([None])]

    def lower(self, b: Any, s0: Any, s1: Any) -> list[Any]:
        x, y = b.sizes_of(s0), b.sizes_of(s1)
        shape = b.broadcast_shapes(tuple(x), tuple(y))
        return [b.constant(_stretched(b, sizes, shape), s0.type.dtype) for sizes in (x, y)]


def _stretched(b: Any, sizes: list[Any], shape: tuple[Any, ...]) -> list[int]:
    """The axes of `shape` that are new to `sizes` or were of size 1 there."""
    new = len(shape) - len(sizes)
    pairs = enumerate(zip(sizes, shape[new:], strict=True), new)
    repeated = [a for a, (size, full) in pairs if size != full and (size == 1 or not b.decide(size, "==", full))]
    return [*range(new), *repeated]


def unbroadcast(x: Tensor, y: Tensor) -> tuple[Reducer, Reducer]:
    """For both operands of an elementwise operation: what brings a gradient of the result's shape to the operand's."""
    if x._shape.is_fully_defined() and x._shape.sizes == y._shape.sizes:
        return _unchanged, _unchanged
    shape_x, shape_y = shapes.shape(x), shapes.shape(y)
    axes_x, axes_y = BroadcastGradientArgs(shape_x, shape_y)
    return _summing(axes_x, shape_x), _summing(axes_y, shape_y)


def _unchanged(grad: Any) -> Any:
    return grad


def _summing(axes: Tensor, shape: Tensor) -> Reducer:
    return lambda grad: shapes.reshape(reductions.reduce_sum(grad, axes), shape)


@operation("BroadcastTo", public="broadcast_to")
class BroadcastTo(OpDefinition):
    """`input` repeated to `shape`, by the rules of broadcasting: missing axes come in front, those of size 1 stretch.

    Args:
        input: a tensor of any type.
        shape: the sizes of the result, a vector of int32 or int64.
        name: a name for the operation.

    Raises ValueError when the shapes do not fit.
    """

    inputs = {"input": "T", "shape": "Tidx"}
    attributes = {"T": Attribute("type"), "Tidx": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, shape: Tensor) -> TensorShape:
        wanted = constant_value_as_shape(shape)
        if wanted.sizes is None or input.shape.sizes is None:
            return wanted
        if len(input.shape.sizes) > len(wanted.sizes):
            raise ValueError(f"Shape must be at most rank {len(wanted.sizes)} but is rank {len(input.shape.sizes)}")
        broadcast(input, wanted)
        return wanted

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source, target = op.inputs
        source_shape = shapes.shape(source, out_type=target.dtype.base_dtype)
        axes, _ = BroadcastGradientArgs(source_shape, target)
        return [shapes.reshape(reductions.reduce_sum(grad, axes), source_shape), None]

    def lower(self, b: Any, input: Any, shape: Any) -> Any:
        return b.broadcast_to(input, sizes_not_negative(b, shape))


@operation("BroadcastArgs")
class BroadcastArgs(OpDefinition):
    """The shape to which two shapes broadcast."""

    inputs = {"s0": "T", "s1": "T"}
    attributes = {"T": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"r0": "T"}

    def infer(self, s0: Tensor, s1: Tensor) -> TensorShape:
        (first,), (second,) = of_rank(s0, 1), of_rank(s1, 1)
        if first is None or second is None:
            return TensorShape([None])
        return TensorShape([max(first, second)])

    def fold(self, known: Any, s0: Tensor, s1: Tensor) -> Any:
        shape = broadcast(TensorShape(known(s0).tolist()), TensorShape(known(s1).tolist()))
        return shape.as_list()

    def lower(self, b: Any, s0: Any, s1: Any) -> Any:
        return b.sizes(b.broadcast_shapes(tuple(b.sizes_of(s0)), tuple(b.sizes_of(s1))), s0.type.dtype)


@public("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape to which tensors of two shapes broadcast, as a vector of whole numbers.

    Args:
        shape_x, shape_y: the shapes, vectors of int32 or int64.
    """
    return BroadcastArgs(shape_x, shape_y)
