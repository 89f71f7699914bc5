"""Choosing elements by conditions: where, select, boolean_mask."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import NUMERIC, QUANTIZED
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import broadcasting, filling, gathering, joining, reductions, shapes
from sessile.graph.public_names import public
from sessile.graph.shape_rules import broadcast, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("Where")
class Where(OpDefinition):
    """The coordinates of the elements that are not zero, one row each, in row-major order."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type", default=dtypes.bool, allowed=NUMERIC | QUANTIZED | {dtypes.bool})}
    outputs = {"index": dtypes.int64}
    differentiable = False

    def infer(self, input: Tensor) -> TensorShape:
        return TensorShape([None, input.shape.ndims])

    def lower(self, b: Any, input: Any) -> Any:
        return b.nonzero(input)


@operation("Select", public="select")
class Select(OpDefinition):
    """`t` where the condition holds, `e` elsewhere; a condition that is a vector chooses rows.

    Args:
        condition: truth values: of the shape of `t`, a scalar, or a vector with an element for each row of `t`.
        t, e: tensors of one shape and type.
        name: a name for the operation.
    """

    inputs = {"condition": dtypes.bool, "t": "T", "e": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, condition: Tensor, t: Tensor, e: Tensor) -> TensorShape:
        shape = same_shape(t, e)
        rank = condition.shape.ndims
        if rank is None or rank == 0 or shape.sizes is None:
            return shape
        if rank == 1 and len(shape.sizes) > 0:
            same_shape(condition, shape[:1])
            return shape
        return same_shape(condition, shape)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        condition = op.inputs[0]
        zeros = filling.zeros_like(op.inputs[1])
        return [None, Select(condition, grad, zeros), Select(condition, zeros, grad)]

    def lower(self, b: Any, condition: Any, t: Any, e: Any) -> Any:
        shape = t.type.shape
        e = b.exactly(e, shape)
        if condition.type.rank == 1 and t.type.rank > 1:
            condition = b.expand_dims(b.exactly(condition, shape[:1]), range(1, t.type.rank))
            return b.select(b.broadcast_to(condition, shape), t, e)
        return b.select(b.exactly(condition, shape) if condition.type.rank else condition, t, e)


@operation("SelectV2")
class SelectV2(OpDefinition):
    """`t` where the condition holds, `e` elsewhere; the three broadcast as in NumPy."""

    inputs = {"condition": dtypes.bool, "t": "T", "e": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, condition: Tensor, t: Tensor, e: Tensor) -> TensorShape:
        return broadcast(condition, broadcast(t, e))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        condition, x, y = op.inputs
        zeros = filling.zeros_like(grad)
        result: list[Any] = [None]
        for operand, part in ((x, SelectV2(condition, grad, zeros)), (y, SelectV2(condition, zeros, grad))):
            to_operand, _ = broadcasting.unbroadcast(operand, part)
            result.append(to_operand(part))
        return result

    def lower(self, b: Any, condition: Any, t: Any, e: Any) -> Any:
        return b.select(condition, t, e)


@public("where")
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Elements of `x` where the condition holds and of `y` elsewhere; or, without them, where the condition holds.

    Args:
        condition: a tensor of bool.
        x, y: tensors of one shape and type; both or neither.
        name: a name for the operation.

    Returns a tensor like `x`, or a matrix of int64 whose rows are the coordinates of the elements that hold. Raises
    ValueError when just one of `x` and `y` is given.
    """
    if x is None and y is None:
        with name_scope(name, "Where", [condition]) as scope:
            return Where(internal_convert(condition, None, "condition", dtypes.bool), name=scope)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return Select(condition, x, y, name=name)


@public("where_v2")
def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """As `where`, but the three tensors broadcast against each other.

    Args:
        condition: a tensor of bool.
        x, y: tensors of one type; both or neither.
        name: a name for the operation.
    """
    if x is None and y is None:
        return where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return SelectV2(condition, x, y, name=name)


@public("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: int | None = None) -> Tensor:
    """The parts of a tensor for which a mask holds.

    Args:
        tensor: a tensor.
        mask: truth values, of the sizes that `tensor` has from `axis` on; their rank must be known and above 0.
        name: a name for the operations.
        axis: the axis at which the mask begins, by default the first.

    Returns a tensor whose masked axes have become one. Raises ValueError when the shapes do not fit.
    """
    with name_scope(name, None, [tensor, mask]):
        tensor, mask = internal_convert(tensor, None, "tensor"), internal_convert(mask, None, "mask")
        rank = mask.shape.ndims
        if rank is None:
            raise ValueError("Number of mask dimensions must be specified, even if some dimensions are None.")
        if rank == 0:
            raise ValueError("mask cannot be scalar.")
        first = axis or 0
        first = first + tensor.shape.ndims if first < 0 and tensor.shape.ndims is not None else first
        tensor.shape[first : first + rank].assert_is_compatible_with(mask.shape)
        return _masked(tensor, mask, first, rank)


def _masked(tensor: Tensor, mask: Tensor, axis: int, rank: int) -> Tensor:
    sizes = shapes.shape(tensor)
    leading = reductions.reduce_prod(sizes[axis : axis + rank], [0])
    flat_shape = joining.concat([sizes[:axis], [leading], sizes[axis + rank :]], 0)
    flat = shapes.reshape(tensor, flat_shape)
    known = tensor.shape
    if known.sizes is not None:
        count = TensorShape([known[axis : axis + rank].num_elements()])
        flat.set_shape(known[:axis].concatenate(count).concatenate(known[axis + rank :]))
    indices = shapes.squeeze(where(shapes.reshape(mask, [-1])), axis=[1])
    return gathering.gather(flat, indices, axis=axis)
