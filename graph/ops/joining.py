"""Tensors put together: concat, stack, lists that hold tensors, meshgrid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph.constant_value import known_number
from sessile.graph.convert import has_conversion, internal_convert
from sessile.graph.data_type import DType
from sessile.graph.dtypes import INDEX, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import filling, identity, shapes, slicing, splitting
from sessile.graph.ops.bases import numbers_of
from sessile.graph.ops.constants import constant
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank, of_rank_at_least, same_shape, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape


@operation("ConcatV2")
class ConcatV2(OpDefinition):
    """Tensors one after the other along an axis."""

    inputs = {"values": "N * T", "axis": "Tidx"}
    attributes = {
        "N": Attribute("int", minimum=2),
        "T": Attribute("type"),
        "Tidx": Attribute("type", default=int32, allowed=INDEX),
    }
    outputs = {"output": "T"}

    def infer(self, values: list[Tensor], axis: Tensor) -> TensorShape:
        of_rank(axis, 0)
        return concatenated_shape(values, known_number(axis))

    def fold(self, known: Any, values: list[Tensor], axis: Tensor) -> Any:
        return np.concatenate([known.elements(value) for value in values], int(known(axis)))

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [*_gradient_of_concat(grad, op.inputs[:-1], op.inputs[-1]), None]

    def lower(self, b: Any, values: list[Any], axis: Any) -> Any:
        (place,) = numbers_of(b, axis)
        rank = max(value.type.rank for value in values)
        places = f"[{-rank}, {rank})"
        b.require(
            -rank <= place < rank, f"ConcatOp : Expected concatenating dimensions in the range {places}, got {place}"
        )
        result = b.concat(values, place % rank)
        return (
            b.remember_elements(result, _elements(b, values)) if _is_worth_taking_apart(b, result, values) else result
        )


def _is_worth_taking_apart(b: Any, result: Any, values: list[Any]) -> bool:
    """Whether single elements of a vector of whole numbers are known, though not all of them."""
    is_index = result.type.rank == 1 and result.type.dtype in ("i32", "i64") and isinstance(result.type.shape[0], int)
    return is_index and b.known(result) is None and any(b.has_known_elements(value) for value in values)


def _elements(b: Any, values: list[Any]) -> list[Any]:
    return [element for value in values for element in b.elements_of(value)]


@operation("Concat")
class Concat(OpDefinition):
    """Tensors one after the other along an axis, in the order of arguments of old graphs."""

    inputs = {"concat_dim": int32, "values": "N * T"}
    attributes = {"N": Attribute("int", minimum=2), "T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, concat_dim: Tensor, values: list[Tensor]) -> TensorShape:
        return concatenated_shape(values, known_number(concat_dim))

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None, *_gradient_of_concat(grad, op.inputs[1:], op.inputs[0])]

    def lower(self, b: Any, concat_dim: Any, values: list[Any]) -> Any:
        (place,) = numbers_of(b, concat_dim)
        return b.concat(values, place)


def _gradient_of_concat(grad: Any, values: Sequence[Tensor], axis: Tensor) -> list[Any]:
    """The parts of the gradient, in the shapes of the values."""
    grad = internal_convert(grad)
    place = axis % shapes.rank(values[0])
    sizes = [shapes.shape(value) for value in values]
    offsets = ConcatOffset(place, sizes)
    return [slicing.Slice(grad, begin, size) for begin, size in zip(offsets, sizes, strict=True)]


def concatenated_shape(values: Sequence[Tensor], axis: int | None) -> TensorShape:
    """The shape of tensors one after the other along an axis. Raises ValueError when they do not fit."""
    known = [value.shape.sizes for value in values if value.shape.sizes is not None]
    if not known:
        return UNKNOWN
    rank = len(known[0])
    for sizes in known[1:]:
        if len(sizes) != rank:
            raise ValueError(f"Shapes must be equal rank, but are {rank} and {len(sizes)}")
    if axis is None:
        return unknown_shape(rank)
    if not rank:
        raise ValueError("Can't concatenate scalars (use tf.stack instead)")
    if not -rank <= axis < rank:
        raise ValueError(f"Shape must be at least rank {axis + 1 if axis >= 0 else -axis} but is rank {rank}")
    place = axis % rank
    merged = unknown_shape(rank)
    for value in values:
        without = TensorShape(None) if value.shape.sizes is None else _without(value.shape.sizes, place)
        merged = same_shape(merged, without)
    total = [None if value.shape.sizes is None else value.shape.sizes[place] for value in values]
    size = None if None in total else sum(total)  # type: ignore[arg-type]
    return TensorShape([size if k == place else s for k, s in enumerate(merged.as_list())])


def _without(sizes: tuple[int | None, ...], axis: int) -> TensorShape:
    return TensorShape.from_sizes((*sizes[:axis], None, *sizes[axis + 1 :]))


@public("concat")
def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Tensors one after the other along an axis.

    Args:
        values: a list of tensors of one type, whose shapes are the same but for `axis`; or one tensor.
        axis: the axis, a scalar; negative ones count from the end.
        name: a name for the operation.

    Raises ValueError when the shapes do not fit.
    """
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    if len(values) != 1:
        return ConcatV2(values, axis, name=name)
    with name_scope(name):
        place = internal_convert(axis, int32, "concat_dim")
        if place.shape.ndims not in (None, 0):
            raise ValueError(f"Shape {place.shape} must have rank 0")
        return identity.identity(values[0], name=name)


@operation("ConcatOffset")
class ConcatOffset(OpDefinition):
    """Where each of several shapes begins in their concatenation along an axis."""

    inputs = {"concat_dim": int32, "shape": "N * int32"}
    attributes = {"N": Attribute("int", minimum=2)}
    outputs = {"offset": "N * int32"}
    differentiable = False

    def infer(self, concat_dim: Tensor, shape: list[Tensor]) -> list[TensorShape]:
        return [tensor._shape for tensor in shape]

    def lower(self, b: Any, concat_dim: Any, shape: list[Any]) -> list[Any]:
        (axis,) = numbers_of(b, concat_dim)
        offset: Any = 0
        result = []
        for vector in shape:
            sizes = b.sizes_of(vector)
            place = axis % len(sizes)
            result.append(b.sizes([offset if k == place else 0 for k in range(len(sizes))]))
            offset = offset + sizes[place]
        return result


@operation("Pack")
class Pack(OpDefinition):
    """Tensors of one shape, put together along a new axis."""

    inputs = {"values": "N * T"}
    attributes = {"N": Attribute("int", minimum=1), "T": Attribute("type"), "axis": 0}
    outputs = {"output": "T"}

    def infer(self, values: list[Tensor], *, axis: int) -> TensorShape:
        merged = values[0].shape
        for k, value in enumerate(values[1:], 1):
            try:
                merged = same_shape(merged, value)
            except ValueError as error:
                raise ValueError(f"{error}\n\tFrom merging shape {k - 1} with other shapes.") from None
        if merged.sizes is None:
            return UNKNOWN
        places = len(merged.sizes) + 1
        if not -places <= axis < places:
            raise ValueError(f"Invalid axis: {axis} not in [{-places}, {places})")
        sizes = merged.as_list()
        sizes.insert(axis % places, len(values))
        return TensorShape(sizes)

    def fold(self, known: Any, values: list[Tensor], *, axis: int) -> Any:
        return np.stack([known.elements(value) for value in values], axis)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return splitting.unstack(grad, num=len(op.inputs), axis=op._attributes["axis"])

    def lower(self, b: Any, values: list[Any], *, axis: int) -> Any:
        place = axis % (values[0].type.rank + 1)
        wide = [b.expand_dims(value, [place]) for value in values]
        result = b.concat(wide, place)
        is_index = values[0].type.dtype in ("i32", "i64") and values[0].type.rank == 0
        return b.remember_elements(result, values) if is_index else result


@operation("ParallelConcat")
class ParallelConcat(OpDefinition):
    """Tensors whose first axis has size 1, one after the other along it."""

    inputs = {"values": "N * T"}
    attributes = {"N": Attribute("int", minimum=1), "T": Attribute("type"), "shape": Attribute("shape")}
    outputs = {"output": "T"}

    def infer(self, values: list[Tensor], *, shape: TensorShape) -> TensorShape:
        for value in values:
            sizes = of_rank_at_least(value, 1)
            if sizes is not None:
                same_size(sizes[0], 1)
        return shape

    def lower(self, b: Any, values: list[Any]) -> Any:
        return b.concat(values, 0)


@public("stack", "pack")
def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Tensor:
    """Tensors of one shape, put together along a new axis.

    Args:
        values: a list of tensors of one shape and type.
        axis: the place of the new axis; negative ones count from the end.
        name: a name for the operation.

    Raises ValueError when the axis does not exist, or shapes differ.
    """
    if axis == 0 and not _types_differ(values):
        try:
            return internal_convert(values, name=name)
        except TypeError:
            if not isinstance(values, (list, tuple)) or not any(map(has_conversion, values)):
                raise
    first = internal_convert(values[0], name=name)
    rank = first.shape.ndims
    if rank is not None and not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis = {axis} not in [{-rank - 1}, {rank + 1})")
    return Pack(values, axis=axis, name=name)


def _types_differ(values: Any) -> bool:
    """Whether tensors of several types are among the values, which is for Pack to report."""
    found = {v.dtype.base_dtype for v in values if isinstance(v, Tensor)} if isinstance(values, (list, tuple)) else ()
    return len(found) > 1


@public("parallel_stack")
def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """Tensors of one known shape, put together along a new first axis.

    Args:
        values: a list of tensors of one shape and type.
        name: a name for the operations.
    """
    with name_scope(name):
        first = internal_convert(values[0])
        shape = TensorShape([len(values)]).concatenate(first.shape)
        return ParallelConcat([shapes.expand_dims(value, 0) for value in values], shape=shape)


@public("_pack_nested")
def pack_nested(values: Any, dtype: DType | None, name: str | None) -> Tensor:
    """A tensor of nested lists that hold tensors: `tf.stack` at each level, other elements becoming constants."""
    wanted = dtype.base_dtype if dtype is not None else _type_in(values)
    return _packed(values, wanted, name or "packed")


def _type_in(values: Any) -> DType | None:
    """The type of the first tensor in nested lists."""
    for value in values:
        if isinstance(value, (list, tuple)):
            found = _type_in(value)
            if found is not None:
                return found
        elif isinstance(getattr(value, "dtype", None), DType):
            return value.dtype.base_dtype  # type: ignore[no-any-return]
    return None


def _packed(values: Any, dtype: DType | None, name: str) -> Any:
    """The values packed in a scope called `name`; lists without tensors stay lists, for the level above."""
    with name_scope(name) as scope:
        parts = [_packed_element(k, value, dtype) for k, value in enumerate(values)]
        if not any(isinstance(part, Tensor) for part in parts):
            return parts
        tensors = [p if isinstance(p, Tensor) else constant(p, dtype, name=str(k)) for k, p in enumerate(parts)]
        return Pack(tensors, name=scope)


def _packed_element(index: int, value: Any, dtype: DType | None) -> Any:
    if isinstance(value, (list, tuple)):
        return _packed(value, dtype, str(index))
    if not isinstance(value, Tensor) and not hasattr(value, "_as_graph_element"):
        return value
    tensor = internal_convert(value)
    if dtype is not None and tensor.dtype.base_dtype != dtype:
        raise TypeError(
            f"Cannot convert a list containing a tensor of dtype {tensor.dtype} to {dtype} (Tensor is: {value!r})"
        )
    return tensor


@public("meshgrid")
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of the points of a grid: for each of n vectors a tensor of rank n that holds it along one axis.

    Args:
        args: n tensors, taken as vectors.
        indexing: "xy" (the first two axes are swapped, as in plots) or "ij".
        name: a name for the operations.

    Returns a list of n tensors. Raises ValueError for another `indexing`, TypeError for other keywords.
    """
    indexing = kwargs.pop("indexing", "xy")
    name = kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", args):
        vectors = [internal_convert(arg) for arg in args]
        rank = len(vectors)
        places = list(range(rank))
        if indexing == "xy" and rank > 1:
            places[:2] = [1, 0]
        columns = [
            shapes.reshape(x, [-1 if axis == place else 1 for axis in range(rank)])
            for x, place in zip(vectors, places, strict=True)
        ]
        if not columns:
            return []
        sizes = [shapes.size(vectors[places.index(axis)]) for axis in range(rank)]
        ones = filling.ones(sizes, dtype=columns[0].dtype.base_dtype)
        return [column * ones for column in columns]
