"""Tensors filled with one value: fill, zeros, ones; and one_hot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value, constant_value_as_shape, known_number
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dtypes import INDEX, NUMERIC, int8, int32, int64, uint8
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import reductions, shapes
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.ops.constants import constant
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, axis_in, of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_LARGEST_CONSTANT = 1000


@operation("Fill", public="fill")
class Fill(OpDefinition):
    """A tensor that holds one value everywhere.

    Args:
        dims: the sizes, a vector of int32 or int64.
        value: the value, a scalar.
        name: a name for the operation.
    """

    inputs = {"dims": "index_type", "value": "T"}
    attributes = {"T": Attribute("type"), "index_type": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"output": "T"}

    def infer(self, dims: Tensor, value: Tensor) -> TensorShape:
        of_rank(value, 0)
        known = constant_value(dims, partial=True)
        if known is not None and any(size is not None and size < 0 for size in known.tolist()):
            raise ValueError("Fill dimensions must be >= 0")
        return constant_value_as_shape(dims)

    def fold(self, known: Any, dims: Tensor, value: Tensor) -> Any:
        sizes = known(dims).tolist()
        return None if None in sizes else np.full(sizes, known(value))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None, reductions.reduce_sum(grad)]

    def lower(self, b: Any, dims: Any, value: Any) -> Any:
        b.require(dims.type.rank == 1, f"dims must be a vector, got shape {list(dims.type.shape)}")
        b.require(value.type.rank == 0, f"value must be a scalar, got shape {list(value.type.shape)}")
        return b.broadcast_to(value, sizes_not_negative(b, dims))


@operation("ZerosLike")
class ZerosLike(OpDefinition):
    """Zeros (false, the empty string) in the shape and type of the input."""

    inputs = {"x": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"y": "T"}
    value = 0
    differentiable = False

    def infer(self, x: Tensor) -> TensorShape:
        return x._shape

    def lower(self, b: Any, x: Any) -> Any:
        value = b"" if x.type.dtype == "string" else x.type.numpy_dtype.type(self.value)
        return b.broadcast_to(b.constant(value), x.type.shape)


@operation("OnesLike")
class OnesLike(ZerosLike):
    """Ones (true) in the shape and type of the input."""

    attributes = {"T": NUMERIC | {dtypes.bool}}
    value = 1


@public("zeros")
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of zeros (false for bool, empty strings).

    Args:
        shape: the sizes: a list of numbers and scalars, a `TensorShape`, or a vector of whole numbers.
        dtype: the type of the elements.
        name: a name for the operation.
    """
    dtype = as_dtype(dtype).base_dtype
    zero = "" if dtype == dtypes.string else False if dtype == dtypes.bool else 0
    return _filled(shape, zero, dtype, name, "zeros")


@public("ones")
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of ones (true for bool).

    Args:
        shape: the sizes: a list of numbers and scalars, a `TensorShape`, or a vector of whole numbers.
        dtype: the type of the elements.
        name: a name for the operation.
    """
    dtype = as_dtype(dtype).base_dtype
    return _filled(shape, True if dtype == dtypes.bool else 1, dtype, name, "ones")


def _filled(shape: Any, value: Any, dtype: DType, name: str | None, default_name: str) -> Tensor:
    """A constant where that is small, otherwise an operation, so that graphs stay small."""
    with name_scope(name, default_name, [shape]) as scope:
        if not isinstance(shape, Tensor):
            sizes = _static_sizes(shape)
            is_list = not isinstance(shape, (int, np.integer))
            if is_list and sizes is not None and math.prod(sizes) < _LARGEST_CONSTANT:
                return constant(value, shape=sizes, dtype=dtype, name=scope)
            shape = internal_convert(TensorShape(sizes) if sizes is not None else shape, None, None, int32)
        if shape.shape.ndims == 0:
            shape = shapes.reshape(shape, [-1])
        return Fill(shape, constant(value, dtype=dtype), name=scope)


def _static_sizes(shape: Any) -> list[int] | None:
    """The sizes where they are all numbers; None where some are tensors. Raises ValueError for unknown ones."""
    try:
        sizes = TensorShape(shape)
    except (TypeError, ValueError):
        return None
    return sizes.as_list() if sizes.is_fully_defined() else None  # type: ignore[return-value]


@public("zeros_like")
def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Zeros in the shape of a tensor.

    Args:
        tensor: the tensor.
        dtype: the type of the elements, by default that of the tensor.
        name: a name for the operation.
        optimize: makes a constant where the shape is known.
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    with name_scope(name, "zeros_like", [tensor]) as scope:
        tensor = internal_convert(tensor, None, "tensor")
        own = tensor.dtype.base_dtype
        if optimize and tensor.shape.is_fully_defined() and own != dtypes.variant:
            return zeros(tensor.shape, dtype=wanted or own, name=scope)
        if wanted is not None and wanted != own:
            return zeros(shapes.dynamic_shape(tensor, optimize=optimize), dtype=wanted, name=scope)
        return ZerosLike(tensor, name=scope)


@public("ones_like")
def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Ones in the shape of a tensor.

    Args:
        tensor: the tensor.
        dtype: the type of the elements, by default that of the tensor.
        name: a name for the operation.
        optimize: makes a constant where the shape is known.
    """
    with name_scope(name, "ones_like", [tensor]) as scope:
        tensor = internal_convert(tensor, None, "tensor")
        shape = shapes.dynamic_shape(tensor, optimize=optimize)
        result = ones(shape, dtype=tensor.dtype.base_dtype if dtype is None else dtype, name=scope)
        result.set_shape(tensor.shape)
        return result


@operation("OneHot")
class OneHot(OpDefinition):
    """`on_value` at the place along a new axis that an index says, `off_value` elsewhere."""

    inputs = {"indices": "TI", "depth": int32, "on_value": "T", "off_value": "T"}
    attributes = {
        "axis": -1,
        "T": Attribute("type"),
        "TI": Attribute("type", default=int64, allowed=frozenset({uint8, int8, int32, int64})),
    }
    outputs = {"output": "T"}
    differentiable = False

    def infer(self, indices: Tensor, depth: Tensor, on_value: Tensor, off_value: Tensor, *, axis: int) -> TensorShape:
        for scalar in (depth, on_value, off_value):
            of_rank(scalar, 0)
        sizes, count = indices.shape.sizes, known_number(depth)
        if axis < -1:
            raise ValueError("axis must be >= -1")
        if count is not None and count < 0:
            raise ValueError(f"depth must be non-negative, got: {count}")
        if sizes is None:
            return UNKNOWN
        place = axis_in(axis, len(sizes) + 1)
        return TensorShape([*sizes[:place], count, *sizes[place:]])

    def lower(self, b: Any, indices: Any, depth: Any, on_value: Any, off_value: Any, *, axis: int) -> Any:
        rank = indices.type.rank
        place = axis if axis >= 0 else rank
        (count,) = b.sizes_of(depth)
        b.require(b.decide(count, ">=", 0), f"depth must be non-negative, got: {b.shown(count)}")
        kind = "i64" if indices.type.dtype == "i64" else "i32"
        index = b.expand_dims(b.convert(indices, kind), [place])
        shape = (*indices.type.shape[:place], count, *indices.type.shape[place:])
        return b.select(b.map("eq", index, b.iota(shape, place, kind)), on_value, off_value)


@public("one_hot")
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """A tensor with a new axis, along which `on_value` stands where the index says and `off_value` elsewhere.

    Args:
        indices: a tensor of whole numbers; those outside of [0, depth) give `off_value` alone.
        depth: the size of the new axis, a scalar.
        on_value: a scalar, 1 by default.
        off_value: a scalar, 0 by default.
        axis: the place of the new axis, by default the last.
        dtype: the type of the result; by default that of `on_value` or `off_value`, or float32.
        name: a name for the operation.

    Raises TypeError when the types of `on_value`, `off_value` and `dtype` differ.
    """
    with name_scope(name, "one_hot", [indices, depth, on_value, off_value]) as scope:
        given = {"on_value": on_value, "off_value": off_value}
        types = {key: _type_of(value) for key, value in given.items() if value is not None}
        wanted = None if dtype is None else as_dtype(dtype).base_dtype
        for key, own in types.items():
            if wanted is not None and own != wanted:
                raise TypeError(f"dtype {own} of {key} does not match dtype parameter {wanted}")
        wanted = wanted or next(iter(types.values()), dtypes.float32)
        on_value = internal_convert(1, wanted, "on_value") if on_value is None else on_value
        off_value = internal_convert(0, wanted, "off_value") if off_value is None else off_value
        if len(set(types.values())) > 1:
            raise TypeError(
                f"dtype {types['on_value']} of on_value does not match dtype {types['off_value']} of off_value"
            )
        return OneHot(indices, depth, on_value, off_value, axis=-1 if axis is None else axis, name=scope)


def _type_of(value: Any) -> DType:
    return internal_convert(value).dtype.base_dtype
