"""Shapes as values, and operations that change the shape alone: reshape, expand_dims, squeeze, ensure_shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value_as_shape, known_number
from sessile.graph.convert import convert_n_to_tensor, internal_convert, register_tensor_conversion_function
from sessile.graph.data_type import DType
from sessile.graph.dimension import Dimension
from sessile.graph.dtypes import INDEX, int32, int64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops.bases import is_left_open, numbers_of
from sessile.graph.ops.constants import constant
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import SCALAR, UNKNOWN, product
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape

INDEX_TYPE = Attribute("type", default=int32, allowed=INDEX)


@operation("Shape")
class Shape(OpDefinition):
    """The sizes of a tensor's axes, as a vector."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type"), "out_type": INDEX_TYPE}
    outputs = {"output": "out_type"}
    differentiable = False

    def infer(self, input: Tensor) -> TensorShape:
        return TensorShape([input.shape.ndims])

    def fold(self, known: Any, input: Tensor) -> Any:
        return None if input.shape.sizes is None else np.array(input.shape.sizes, object)

    def lower(self, b: Any, input: Any, *, out_type: DType) -> Any:
        return b.sizes(input.type.shape, b.element_type(out_type))


@operation("ShapeN")
class ShapeN(OpDefinition):
    """The sizes of several tensors, each as a vector."""

    inputs = {"input": "N * T"}
    attributes = {"N": Attribute("int", minimum=1), "T": Attribute("type"), "out_type": INDEX_TYPE}
    outputs = {"output": "N * out_type"}
    differentiable = False

    def infer(self, input: list[Tensor]) -> list[TensorShape]:
        return [TensorShape([tensor.shape.ndims]) for tensor in input]

    def fold(self, known: Any, input: list[Tensor]) -> Any:
        return [None if t.shape.sizes is None else np.array(t.shape.sizes, object) for t in input]

    def lower(self, b: Any, input: list[Any], *, out_type: DType) -> list[Any]:
        return [b.sizes(value.type.shape, b.element_type(out_type)) for value in input]


@operation("Size")
class Size(OpDefinition):
    """The number of elements."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type"), "out_type": INDEX_TYPE}
    outputs = {"output": "out_type"}
    differentiable = False

    def infer(self, input: Tensor) -> TensorShape:
        return SCALAR

    def fold(self, known: Any, input: Tensor) -> Any:
        return product(input.shape.sizes)

    def lower(self, b: Any, input: Any, *, out_type: DType) -> Any:
        return b.sizes(np.array(input.type.size, object), b.element_type(out_type))


@operation("Rank")
class Rank(OpDefinition):
    """The number of axes."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": int32}
    differentiable = False

    def infer(self, input: Tensor) -> TensorShape:
        return SCALAR

    def fold(self, known: Any, input: Tensor) -> Any:
        return input.shape.ndims

    def lower(self, b: Any, input: Any) -> Any:
        return b.constant(input.type.rank, "i32")


@public("shape")
def shape(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The sizes of a tensor's axes, as a vector; a constant where they are all known.

    Args:
        input: a tensor.
        name: a name for the operation.
        out_type: int32 or int64.
    """
    return dynamic_shape(input, name, out_type, optimize=True)


def dynamic_shape(input: Any, name: str | None = None, out_type: Any = int32, optimize: bool = True) -> Tensor:
    """The sizes of a tensor's axes; `optimize` gives a constant where they are known."""
    with name_scope(name, "Shape", [input]) as scope:
        if hasattr(input, "dense_shape"):
            from sessile.graph.ops.casts import cast

            return cast(input.dense_shape, out_type)
        tensor = internal_convert(input)
        if optimize and tensor.shape.is_fully_defined():
            return constant(tensor.shape.as_list(), out_type, name=scope)
        return Shape(tensor, out_type=out_type, name=scope)


@public("shape_n")
def shape_n(input: Any, out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """The sizes of several tensors, each as a vector.

    Args:
        input: a list of tensors of one type.
        out_type: int32 or int64.
        name: a name for the operation.
    """
    return ShapeN(convert_n_to_tensor(input), out_type=out_type, name=name)


@public("size")
def size(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The number of elements of a tensor; a constant where it is known.

    Args:
        input: a tensor.
        name: a name for the operation.
        out_type: int32 or int64.
    """
    with name_scope(name, "Size", [input]) as scope:
        tensor = internal_convert(input)
        if tensor.shape.is_fully_defined():
            return constant(tensor.shape.num_elements(), out_type, name=scope)
        return Size(tensor, out_type=out_type, name=scope)


@public("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes of a tensor; a constant where it is known.

    Args:
        input: a tensor.
        name: a name for the operation.
    """
    with name_scope(name, "Rank", [input]) as scope:
        tensor = internal_convert(input)
        if tensor.shape.ndims is not None:
            return constant(tensor.shape.ndims, int32, name=scope)
        return Rank(tensor, name=scope)


class ChangeOfShape(OpDefinition):
    """Base of operations that keep all elements in their order."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        back = reshape(grad, shape(op.inputs[0]))
        return [back] + [None] * (len(op.inputs) - 1)


@operation("Reshape")
class Reshape(ChangeOfShape):
    """The same elements in row-major order under another shape."""

    inputs = {"tensor": "T", "shape": "Tshape"}
    attributes = {"T": Attribute("type"), "Tshape": INDEX_TYPE}
    outputs = {"output": "T"}

    def infer(self, tensor: Tensor, shape: Tensor) -> TensorShape:
        wanted = constant_value_as_shape(shape)
        total = tensor.shape.num_elements()
        if wanted.sizes is None or total is None:
            return wanted
        if None not in wanted.sizes:
            count = wanted.num_elements()
            if count != total:
                text = ",".join(map(str, wanted.sizes))
                raise ValueError(f"Cannot reshape a tensor with {total} elements to shape [{text}] ({count} elements)")
            return wanted
        if wanted.sizes.count(None) > 1:
            return wanted
        return _completed(wanted, total)

    def fold(self, known: Any, tensor: Tensor, shape: Tensor) -> Any:
        value = known(tensor)
        target = known(shape)
        return None if None in target.tolist() else value.reshape(target.astype(np.int64))

    def lower(self, b: Any, tensor: Any, shape: Any) -> Any:
        b.require(shape.type.rank == 1, f"sizes input must be 1-D, not {shape.type.shape}")
        wanted = [-1 if is_left_open(b, size) else size for size in b.sizes_of(shape)]
        for place, size in enumerate(wanted):
            is_size = size == -1 or b.decide(size, ">=", 0)
            b.require(is_size, f"Size {place} must be non-negative, not {b.shown(size)}")
        total = tensor.type.size
        if -1 not in wanted:
            count = _product(wanted)
            fits = b.decide(count, "==", total)
            b.require(fits, f"{_values(b, total)}, but the requested shape has {b.shown(count)}")
            return b.reshape(tensor, wanted)
        place = wanted.index(-1)
        others = wanted[:place] + wanted[place + 1 :]
        b.require(
            -1 not in others,
            "Only one input size may be -1, not both "
            f"{place} and {wanted.index(-1, place + 1) if -1 in others else place}",
        )
        count = _product(others)
        is_exact = count != 0 and total // count * count == total
        b.require(
            is_exact or b.decide(count, "!=", 0),
            "reshape cannot infer the missing input size for an empty tensor unless all others are above 0",
        )
        missing = total // count
        fits = b.decide(missing * count, "==", total)
        b.require(fits, f"{_values(b, total)}, but the requested shape requires a multiple of {b.shown(count)}")
        return b.reshape(tensor, [*wanted[:place], missing, *wanted[place + 1 :]])


def _values(b: Any, total: Any) -> str:
    return f"Input to reshape is a tensor with {b.shown(total)} values"


def _product(sizes: list[Any]) -> Any:
    total: Any = 1
    for size in sizes:
        total = total * size
    return total


def _completed(wanted: TensorShape, total: int) -> TensorShape:
    assert wanted.sizes is not None
    count = product(tuple(size for size in wanted.sizes if size is not None))
    if not count:
        return wanted
    if total % count:
        raise ValueError(f"Dimension size must be evenly divisible by {count} but is {total}")
    return TensorShape([total // count if size is None else size for size in wanted.sizes])


@public("reshape", "manip.reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in row-major order under another shape.

    Args:
        tensor: a tensor.
        shape: the sizes, a vector of int32 or int64; one of them may be -1, for what is left.
        name: a name for the operation.

    Raises ValueError when the number of elements is known to differ.
    """
    return Reshape(tensor, shape, name=name)


@operation("ExpandDims")
class ExpandDims(ChangeOfShape):
    """The same elements with a new axis of size 1."""

    inputs = {"input": "T", "dim": "Tdim"}
    attributes = {"T": Attribute("type"), "Tdim": INDEX_TYPE}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, dim: Tensor) -> TensorShape:
        sizes, axis = input.shape.sizes, known_number(dim)
        if sizes is None:
            return UNKNOWN
        if axis is None:
            return TensorShape([None] * (len(sizes) + 1))
        if not -len(sizes) - 1 <= axis <= len(sizes):
            raise ValueError(f"dim {axis} not in the interval [{-len(sizes) - 1}, {len(sizes)}].")
        axis = axis + len(sizes) + 1 if axis < 0 else axis
        return TensorShape([*sizes[:axis], 1, *sizes[axis:]])

    def fold(self, known: Any, input: Tensor, dim: Tensor) -> Any:
        return np.expand_dims(known(input), int(known(dim)))

    def lower(self, b: Any, input: Any, dim: Any) -> Any:
        (axis,) = numbers_of(b, dim)
        places = input.type.rank + 1
        b.require(
            -places <= axis < places, f"Tried to expand dim index {axis} for tensor with {input.type.rank} dimensions."
        )
        return b.expand_dims(input, [axis % places])


@public("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """The same elements with a new axis of size 1.

    Args:
        input: a tensor.
        axis: the place of the new axis, from -rank - 1 to rank.
        name: a name for the operation.
        dim: the older name of `axis`.

    Raises ValueError when both or neither of `axis` and `dim` are given.
    """
    axis = renamed_argument("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return ExpandDims(input, axis, name=name)


@operation("Squeeze")
class Squeeze(ChangeOfShape):
    """The same elements without axes of size 1: those in `squeeze_dims`, or all of them."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type"), "squeeze_dims": Attribute("list(int)", default=[])}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, *, squeeze_dims: list[int]) -> TensorShape:
        sizes = input.shape.sizes
        if sizes is None or (not squeeze_dims and None in sizes):
            return UNKNOWN
        if not squeeze_dims:
            return TensorShape([size for size in sizes if size != 1])
        axes = set()
        for axis in squeeze_dims:
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"squeeze_dims[{axis}] not in [{-len(sizes)},{len(sizes)}).")
            if sizes[axis] not in (1, None):
                raise ValueError(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {sizes[axis]}")
            axes.add(axis % len(sizes))
        return TensorShape([size for axis, size in enumerate(sizes) if axis not in axes])

    def fold(self, known: Any, input: Tensor, *, squeeze_dims: list[int]) -> Any:
        return np.squeeze(known(input), tuple(squeeze_dims) or None)

    def lower(self, b: Any, input: Any, *, squeeze_dims: list[int]) -> Any:
        sizes = input.type.shape
        if not squeeze_dims:
            return b.reshape(input, [size for size in sizes if size != 1 and not _is_one(b, size)])
        axes = [axis % len(sizes) for axis in squeeze_dims]
        for axis in axes:
            b.require(
                b.decide(sizes[axis], "==", 1),
                f"Can not squeeze dim[{axis}], expected a dimension of 1, got {b.shown(sizes[axis])}",
            )
        return b.reshape(input, [size for axis, size in enumerate(sizes) if axis not in axes])


def _is_one(b: Any, size: Any) -> bool:
    return not isinstance(size, int) and b.hint(size) is not None and b.decide(size, "==", 1)


@public("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """The same elements without axes of size 1.

    Args:
        input: a tensor.
        axis: the axes to remove, a number or a list; by default all that have size 1.
        name: a name for the operation.
        squeeze_dims: the older name of `axis`.

    Raises ValueError when an axis is known to have another size.
    """
    axis = renamed_argument("axis", axis, "squeeze_dims", squeeze_dims)
    axes = [] if axis is None else [axis] if np.isscalar(axis) else list(axis)
    return Squeeze(input, axes, name=name)


@operation("EnsureShape")
class EnsureShape(OpDefinition):
    """The input, which must have the stated shape when it runs."""

    inputs = {"input": "T"}
    attributes = {"shape": Attribute("shape"), "T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, *, shape: TensorShape) -> TensorShape:
        return input.shape.merge_with(shape)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad]

    def lower(self, b: Any, input: Any, *, shape: TensorShape) -> Any:
        if shape.sizes is None:
            return input
        own = input.type.shape
        fits = len(own) == len(shape.sizes) and all(
            wanted is None or b.decide(size, "==", wanted) for size, wanted in zip(own, shape.sizes, strict=True)
        )
        shown = ",".join(str(b.shown(size)) for size in own)
        b.require(
            fits,
            f"Shape of tensor {b.operation.inputs[0].op.name} [{shown}] is not compatible with expected shape {shape}.",
        )
        return b.retype(
            input, [size if wanted is None else wanted for size, wanted in zip(own, shape.sizes, strict=True)]
        )


@public("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, whose static shape gains what `shape` knows, and which must have that shape when it runs.

    Args:
        x: a tensor.
        shape: a shape, of which parts may be unknown.
        name: a name for the operation.

    Raises ValueError when the shapes are known to differ; running raises InvalidArgumentError.
    """
    return EnsureShape(x, as_shape(shape), name=name)


def _shape_to_tensor(value: TensorShape, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    if not value.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
    sizes = value.as_list()
    if dtype is None:
        dtype = int64 if any(size is not None and size >= 2**31 for size in sizes) else int32
    elif dtype not in INDEX:
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype}")
    return constant(sizes, dtype, name=name or "shape_as_tensor")


def _dimension_to_tensor(value: Dimension, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    if value.value is None:
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
    if dtype is not None and dtype not in INDEX:
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype}")
    return constant(value.value, dtype or int32, name=name or "shape_as_tensor")


register_tensor_conversion_function(TensorShape, _shape_to_tensor)
register_tensor_conversion_function(Dimension, _dimension_to_tensor)
