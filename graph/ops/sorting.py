"""Order: the largest elements, sorted tensors, ranks in sorted sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import known_number
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, REAL_NUMBER, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import elementwise, ranges, scattering, shapes, transposition
from sessile.graph.ops.bases import part
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class LargestElements(OpDefinition):
    """Base of the largest elements along the last axis."""

    outputs = {"values": "T", "indices": int32}

    def shapes_for(self, input: Tensor, count: int | None) -> list[TensorShape]:
        """The shapes of values and indices."""
        sizes = of_rank_at_least(input, 1)
        if sizes is None:
            return [UNKNOWN, UNKNOWN]
        if count is not None and sizes[-1] is not None and sizes[-1] < count:
            raise ValueError(f"input must have last dimension >= k = {count} but is {sizes[-1]}")
        return [TensorShape([*sizes[:-1], count])] * 2

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        """The gradients of the values, at the places that they were taken from."""
        source, indices = op.inputs[0], op.outputs[1]
        shape = shapes.shape(source)
        columns = shape[-1]
        flat = shapes.reshape(indices, [-1, shapes.shape(indices)[-1]])
        rows = shapes.expand_dims(ranges.range_(0, shapes.shape(flat)[0]) * columns, -1)
        places = shapes.reshape(flat + rows, [-1, 1])
        total = shapes.reshape(shapes.size(source), [1])
        result = scattering.ScatterNd(places, shapes.reshape(grads[0], [-1]), total)
        return [shapes.reshape(result, shape), *[None] * (len(op.inputs) - 1)]

    def largest(self, b: Any, input: Any, count: Any) -> list[Any]:
        """The `count` largest elements along the last axis, in descending order, and their places."""
        size = input.type.shape[-1]
        b.require(b.decide(count, ">=", 0), f"Need k >= 0, got {b.shown(count)}")
        b.require(
            b.decide(size, ">=", count),
            f"input must have at least k columns. Had {b.shown(size)}, needed {b.shown(count)}",
        )
        values, indices = b.emit("sort", input, descending=True)
        last = input.type.rank - 1
        return [part(b, values, last, 0, count), part(b, indices, last, 0, count)]


@operation("TopKV2")
class TopKV2(LargestElements):
    """The k largest elements along the last axis."""

    inputs = {"input": "T", "k": int32}
    attributes = {"sorted": True, "T": REAL_NUMBER}

    def infer(self, input: Tensor, k: Tensor) -> list[TensorShape]:
        count = known_number(k)
        if count is not None and count < 0:
            raise ValueError(f"Need k >= 0, got {count}")
        return self.shapes_for(input, count)

    def lower(self, b: Any, input: Any, k: Any) -> list[Any]:
        return self.largest(b, input, b.sizes_of(k)[0])


@operation("TopK")
class TopK(LargestElements):
    """The k largest elements along the last axis, with k as an attribute."""

    inputs = {"input": "T"}
    attributes = {"k": Attribute("int", minimum=0), "sorted": True, "T": REAL_NUMBER}

    def infer(self, input: Tensor, *, k: int) -> list[TensorShape]:
        return self.shapes_for(input, k)

    def lower(self, b: Any, input: Any, *, k: int) -> list[Any]:
        return self.largest(b, input, k)


@public("nn.top_k", "math.top_k")
def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> list[Tensor]:
    """The largest elements along the last axis.

    Args:
        input: a tensor of real numbers, of rank 1 or more.
        k: how many elements, a scalar.
        sorted: accepted; the elements always come in descending order. Of equal ones the first comes first.
        name: a name for the operation.

    Returns the elements, and their places along the axis as int32.
    """
    return TopKV2(input, k, sorted=sorted, name=name)


@public("nn.in_top_k", "math.in_top_k")
def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether the target class of each row is among its k largest predictions.

    Args:
        predictions: a matrix of float32, a row for each example.
        targets: the class of each example, a vector of whole numbers.
        k: how many of the largest predictions count.
        name: a name for the operation.

    Returns a vector of bool. Classes whose prediction equals the k-th largest count as among them.
    """
    with name_scope(name, "in_top_k"):
        return InTopKV2(predictions, targets, k)


@operation("InTopKV2")
class InTopKV2(OpDefinition):
    """Whether the target of each row is among its k largest predictions."""

    inputs = {"predictions": "float32", "targets": "T", "k": "T"}
    attributes = {"T": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"precision": "bool"}
    differentiable = False

    def infer(self, predictions: Tensor, targets: Tensor, k: Tensor) -> TensorShape:
        rows, _ = of_rank(predictions, 2)
        (count,) = of_rank(targets, 1)
        return TensorShape([rows if count is None else count])

    def lower(self, b: Any, predictions: Any, targets: Any, k: Any) -> Any:
        rows, columns = predictions.type.shape
        dtype = targets.type.dtype
        limit = b.convert(b.sizes(np.array(columns, object), "i64"), dtype)
        is_class = b.map("and", b.map("ge", targets, 0), b.map("lt", targets, limit))
        place = b.expand_dims(b.select(is_class, targets, 0), [1])
        chosen = b.emit("gather", predictions, place, axis=1, batch=1)
        larger = b.reduce("add", b.convert(b.map("gt", predictions, chosen), dtype), [1])
        all_finite = b.reduce("and", b.map("is_finite", predictions), [1])
        is_among = b.map("and", b.map("lt", larger, k), b.map("and", is_class, all_finite))
        return b.retype(is_among, (rows,))


@operation("InTopK")
class InTopK(OpDefinition):
    """Whether the target of each row is among its k largest predictions, with k as an attribute."""

    inputs = {"predictions": "float32", "targets": "T"}
    attributes = {"k": Attribute("int"), "T": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"precision": "bool"}
    differentiable = False

    def infer(self, predictions: Tensor, targets: Tensor) -> TensorShape:
        rows, _ = of_rank(predictions, 2)
        return TensorShape([rows])

    def lower(self, b: Any, predictions: Any, targets: Any, *, k: int) -> Any:
        return InTopKV2.lower(self, b, predictions, targets, b.constant(k, targets.type.dtype))  # type: ignore[arg-type]


def _sorted_with_places(values: Any, axis: int, direction: str) -> tuple[Tensor, Tensor, list[int] | None]:
    """Sorted values along the last axis and their places, and the order of axes that brings them back."""
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Argument `direction` should be one of 'ASCENDING' or 'DESCENDING'. Received: {direction!r}")
    values = internal_convert(values, None, "values")
    rank = values.shape.ndims
    if rank is None:
        raise ValueError("sort needs a tensor of known rank")
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} does not exist in a tensor of rank {rank}")
    order = None
    if axis % rank != rank - 1:
        order = [*range(axis % rank), *range(axis % rank + 1, rank), axis % rank]
        values = transposition.transpose(values, order)
    size = shapes.shape(values)[-1]
    if direction == "DESCENDING":
        return (*top_k(values, size), order)  # type: ignore[return-value]
    opposite, indices = top_k(_opposite(values), size)
    return _opposite(opposite), indices, order


def _opposite(values: Tensor) -> Tensor:
    """A one-to-one map that turns the order of real numbers around."""
    dtype = values.dtype.base_dtype
    if dtype.is_unsigned:
        return dtype.max - values  # type: ignore[no-any-return]
    if dtype.is_integer:
        return -1 - values  # type: ignore[no-any-return]
    return elementwise.Neg(values)


def _in_place(x: Tensor, order: list[int] | None) -> Tensor:
    return x if order is None else transposition.transpose(x, np.argsort(order).tolist())


@public("sort")
def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """A tensor sorted along an axis.

    Args:
        values: a tensor of real numbers, of rank 1 or more.
        axis: the axis, by default the last.
        direction: "ASCENDING" or "DESCENDING".
        name: a name for the operations.

    Raises ValueError for another axis or direction.
    """
    with name_scope(name, "sort"):
        result, _, order = _sorted_with_places(values, axis, direction)
        return _in_place(result, order)


@public("argsort")
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The places of a tensor's elements in sorted order along an axis.

    Args:
        values: a tensor of real numbers, of rank 1 or more.
        axis: the axis, by default the last.
        direction: "ASCENDING" or "DESCENDING".
        stable: accepted; equal elements always keep their order.
        name: a name for the operations.

    Returns a tensor of int32. Raises ValueError for another axis or direction.
    """
    with name_scope(name, "argsort"):
        _, indices, order = _sorted_with_places(values, axis, direction)
        return _in_place(indices, order)


class Bound(OpDefinition):
    """Base of ranks in sorted rows: how many elements of a row lie before each value."""

    inputs = {"sorted_inputs": "T", "values": "T"}
    attributes = {"T": Attribute("type"), "out_type": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"output": "out_type"}
    differentiable = False
    relation = ""

    def infer(self, sorted_inputs: Tensor, values: Tensor) -> TensorShape:
        of_rank(sorted_inputs, 2)
        return TensorShape.from_sizes(of_rank(values, 2))

    def lower(self, b: Any, sorted_inputs: Any, values: Any, *, out_type: Any) -> Any:
        rows = b.expand_dims(sorted_inputs, [1])
        before = b.map(self.relation, rows, b.expand_dims(values, [2]))
        return b.reduce("add", b.convert(before, b.element_type(out_type)), [2])


@operation("LowerBound")
class LowerBound(Bound):
    """The first place in a sorted row at which each value may stand."""

    relation = "lt"


@operation("UpperBound")
class UpperBound(Bound):
    """The last place in a sorted row at which each value may stand."""

    relation = "le"


@public("searchsorted")
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = int32, name: str | None = None
) -> Tensor:
    """Where values would have to be inserted into sorted rows to keep them sorted.

    Args:
        sorted_sequence: a tensor of real numbers, sorted along its last axis.
        values: a tensor of the same type and first sizes.
        side: "left" or "right" of elements that are equal.
        out_type: int32 or int64.
        name: a name for the operations.

    Returns a tensor of the shape of `values`. Raises ValueError for another side.
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'. Saw: {side}.")
    with name_scope(name, "searchsorted", [sorted_sequence, values]):
        sorted_sequence, values = internal_convert(sorted_sequence), internal_convert(values)
        rows = shapes.reshape(sorted_sequence, [-1, shapes.shape(sorted_sequence)[-1]])
        queries = shapes.reshape(values, [-1, shapes.shape(values)[-1]])
        definition = LowerBound if side == "left" else UpperBound
        return shapes.reshape(definition(rows, queries, out_type=out_type), shapes.shape(values))
