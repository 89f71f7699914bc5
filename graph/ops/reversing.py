"""Elements in opposite order: reverse, reverse_sequence; and around the edge: roll."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import known_axes
from sessile.graph.dtypes import INDEX, NUMERIC, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import elementwise
from sessile.graph.ops.bases import numbers_of, part
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

ELEMENTS = NUMERIC | {dtypes.bool, dtypes.string}


@operation("Reverse")
class Reverse(OpDefinition):
    """The input in opposite order along the axes for which `dims` holds."""

    inputs = {"tensor": "T", "dims": dtypes.bool}
    attributes = {"T": ELEMENTS}
    outputs = {"output": "T"}

    def infer(self, tensor: Tensor, dims: Tensor) -> TensorShape:
        of_rank(dims, 1)
        return tensor._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Reverse(grad, op.inputs[1]), None]

    def lower(self, b: Any, tensor: Any, dims: Any) -> Any:
        flags = numbers_of(b, b.convert(dims, "i32"))
        return b.emit("reverse", tensor, axes=tuple(axis for axis, flag in enumerate(flags) if flag))


@operation("ReverseV2")
class ReverseV2(OpDefinition):
    """The input in opposite order along the axes that `axis` names."""

    inputs = {"tensor": "T", "axis": "Tidx"}
    attributes = {"Tidx": Attribute("type", default=int32, allowed=INDEX), "T": ELEMENTS}
    outputs = {"output": "T"}

    def infer(self, tensor: Tensor, axis: Tensor) -> TensorShape:
        of_rank(axis, 1)
        axes, rank = known_axes(axis), tensor.shape.ndims
        if axes is None or rank is None:
            return tensor._shape
        for place in axes:
            if not -rank <= place < rank:
                raise ValueError(f"'axis'[{axes.index(place)}] = {place} is out of valid range [0, {rank - 1}]")
        if len({place % rank for place in axes}) != len(axes):
            raise ValueError(f"axis {axes} specified more than once.")
        return tensor._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [ReverseV2(grad, op.inputs[1]), None]

    def lower(self, b: Any, tensor: Any, axis: Any) -> Any:
        rank = tensor.type.rank
        places = numbers_of(b, axis)
        for k, place in enumerate(places):
            b.require(-rank <= place < rank, f"'axis'[{k}] = {place} is out of valid range [0, {rank - 1}]")
        axes = tuple(sorted({place % rank for place in places}))
        return b.emit("reverse", tensor, axes=axes) if axes else tensor


@public("reverse", "reverse_v2", "manip.reverse")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """A tensor in opposite order along some axes.

    Args:
        tensor: a tensor.
        axis: the axes, a vector of whole numbers.
        name: a name for the operation.

    Raises ValueError when an axis does not exist, or appears twice.
    """
    return ReverseV2(tensor, axis, name=name)


@operation("ReverseSequence")
class ReverseSequence(OpDefinition):
    """For each element of a batch, the first `seq_lengths` elements in opposite order, the others as they are."""

    inputs = {"input": "T", "seq_lengths": "Tlen"}
    attributes = {
        "seq_dim": Attribute("int"),
        "batch_dim": 0,
        "T": Attribute("type"),
        "Tlen": Attribute("type", default=int64, allowed=INDEX),
    }
    outputs = {"output": "T"}

    def infer(self, input: Tensor, seq_lengths: Tensor, *, seq_dim: int, batch_dim: int) -> TensorShape:
        (count,) = of_rank(seq_lengths, 1)
        sizes = input.shape.sizes
        if sizes is None:
            return input.shape
        if batch_dim >= len(sizes):
            raise ValueError(f"batch_dim must be < input rank: {batch_dim} vs. {len(sizes)}")
        if seq_dim >= len(sizes):
            raise ValueError(f"seq_dim must be < input rank: {seq_dim} vs. {len(sizes)}")
        if count is not None and sizes[batch_dim] not in (None, count):
            raise ValueError(f"Dimensions must be equal, but are {sizes[batch_dim]} and {count}")
        return input.shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        attributes = {name: op._attributes[name] for name in ("seq_dim", "batch_dim")}
        return [ReverseSequence(grad, op.inputs[1], **attributes), None]

    def lower(self, b: Any, input: Any, seq_lengths: Any, *, seq_dim: int, batch_dim: int) -> Any:
        sizes = input.type.shape
        lengths = b.retype(seq_lengths, (sizes[batch_dim],))
        dtype = lengths.type.dtype
        limit = b.convert(b.sizes([sizes[seq_dim]], "i64"), dtype)
        inside = b.map("and", b.map("ge", lengths, 0), b.map("le", lengths, limit))
        b.emit("check", inside, message="seq_lens are not all in [0, input.dims(seq_dim)]")
        lengths = b.expand_dims(lengths, [1])
        places = b.iota((sizes[batch_dim], sizes[seq_dim]), 1, dtype)
        turned = b.select(b.map("lt", places, lengths), b.sub(b.sub(lengths, 1), places), places)
        order = [batch_dim, seq_dim, *(k for k in range(len(sizes)) if k not in (batch_dim, seq_dim))]
        rows = b.emit("gather", b.transpose(input, order), turned, axis=1, batch=1)
        return b.transpose(rows, [order.index(k) for k in range(len(sizes))])


@public("reverse_sequence")
def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """For each element of a batch, the first elements of a sequence in opposite order, the others as they are.

    Args:
        input: a tensor.
        seq_lengths: how many elements to reverse, a vector with an element for each of the batch.
        seq_axis: the axis of the sequences.
        batch_axis: the axis of the batch, by default the first.
        name: a name for the operation.
        seq_dim, batch_dim: the older names of `seq_axis` and `batch_axis`.
    """
    seq_dim = renamed_argument("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch_dim = renamed_argument("batch_axis", batch_axis, "batch_dim", batch_dim)
    return ReverseSequence(input, seq_lengths, seq_dim=seq_dim, batch_dim=batch_dim or 0, name=name)


@operation("Roll")
class Roll(OpDefinition):
    """The elements moved along axes; those that leave at one end come in at the other."""

    inputs = {"input": "T", "shift": "Tshift", "axis": "Taxis"}
    attributes = {"T": Attribute("type"), "Tshift": INDEX, "Taxis": INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, shift: Tensor, axis: Tensor) -> TensorShape:
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Roll(grad, elementwise.Neg(op.inputs[1]), op.inputs[2]), None, None]

    def lower(self, b: Any, input: Any, shift: Any, axis: Any) -> Any:
        for place, many in zip(numbers_of(b, axis), numbers_of(b, shift), strict=True):
            place %= input.type.rank
            size = input.type.shape[place]
            cut = (size - many) % size if not isinstance(size, int) else (size - many) % max(size, 1)
            parts = [part(b, input, place, cut, size - cut), part(b, input, place, 0, cut)]
            input = b.concat(parts, place)
        return input


@public("roll", "manip.roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """The elements moved along axes; those that leave at one end come in at the other.

    Args:
        input: a tensor.
        shift: by how many places, a scalar or a vector with an element for each axis.
        axis: the axes.
        name: a name for the operation.
    """
    return Roll(input, shift, axis, name=name)
