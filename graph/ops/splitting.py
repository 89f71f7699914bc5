"""Tensors taken apart: split, unstack."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value, known_number
from sessile.graph.convert import internal_convert
from sessile.graph.dimension import Dimension
from sessile.graph.dtypes import int8, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import filling, joining
from sessile.graph.ops.bases import numbers_of, part, settled
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape


def _with_size(value: Tensor, axis: int | None, size: int | None) -> TensorShape:
    """The shape of `value` with another size along an axis."""
    sizes = value.shape.sizes
    if sizes is None or axis is None:
        return unknown_shape(value.shape.ndims)
    return TensorShape([size if k == axis % len(sizes) else s for k, s in enumerate(sizes)])


def _checked_axis(value: Tensor, axis: int | None) -> int | None:
    rank = value.shape.ndims
    if axis is not None and rank is not None and not -rank <= axis < rank:
        raise ValueError(f"Split dimension {axis} is not in [{-rank}, {rank})")
    return axis


@operation("Split")
class Split(OpDefinition):
    """A tensor cut into equal parts along an axis."""

    inputs = {"split_dim": int32, "value": "T"}
    attributes = {"num_split": Attribute("int", minimum=1), "T": Attribute("type")}
    outputs = {"output": "num_split * T"}

    def infer(self, split_dim: Tensor, value: Tensor, *, num_split: int) -> list[TensorShape]:
        axis = _checked_axis(value, known_number(split_dim))
        size = None if axis is None or value.shape.sizes is None else value.shape.sizes[axis]
        if size is not None and size % num_split:
            raise ValueError(f"Dimension size must be evenly divisible by {num_split} but is {size}")
        return [_with_size(value, axis, None if size is None else size // num_split)] * num_split

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        return [None, joining.concat(list(grads), op.inputs[0])]

    def lower(self, b: Any, split_dim: Any, value: Any, *, num_split: int) -> list[Any]:
        (axis,) = numbers_of(b, split_dim)
        rank = value.type.rank
        b.require(-rank <= axis < rank, f"-input rank(-{rank}) <= split_dim < input rank ({rank}), but got {axis}")
        axis %= rank
        size = value.type.shape[axis]
        each = size // num_split
        b.require(
            b.decide(each * num_split, "==", size),
            f"Number of ways to split should evenly divide the split dimension, but got split_dim {axis} (size = "
            f"{b.shown(size)}) and num_split {num_split}",
        )
        return [part(b, value, axis, k * each, each) for k in range(num_split)]


@operation("SplitV")
class SplitV(OpDefinition):
    """A tensor cut along an axis into parts of the stated sizes, one of which may be -1 for what is left."""

    inputs = {"value": "T", "size_splits": "Tlen", "split_dim": int32}
    attributes = {
        "num_split": Attribute("int", minimum=1),
        "T": Attribute("type"),
        "Tlen": Attribute("type", default=int64, allowed=frozenset({int8, int32, int64})),
    }
    outputs = {"output": "num_split * T"}

    def infer(self, value: Tensor, size_splits: Tensor, split_dim: Tensor, *, num_split: int) -> list[TensorShape]:
        axis = _checked_axis(value, known_number(split_dim))
        known = constant_value(size_splits, partial=True)
        sizes = [None] * num_split if known is None else known.tolist()
        if axis is None or value.shape.sizes is None:
            return [_with_size(value, None, None)] * num_split
        return [_with_size(value, axis, size) for size in _filled(sizes, value.shape.sizes[axis])]

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        return [joining.concat(list(grads), op.inputs[2]), None, None]

    def lower(self, b: Any, value: Any, size_splits: Any, split_dim: Any) -> list[Any]:
        (axis,) = numbers_of(b, split_dim)
        axis %= value.type.rank
        total = value.type.shape[axis]
        sizes = [settled(b, size) for size in b.sizes_of(size_splits)]
        rest = total
        for size in sizes:
            rest = rest if size == -1 else rest - size
        sizes = [rest if size == -1 else size for size in sizes]
        left = total
        for size in sizes:
            left = left - size
        fits = b.decide(left, "==", 0) and all(b.decide(size, ">=", 0) for size in sizes)
        b.require(fits, _misfit(b, sizes, total))
        starts, start = [], 0
        for size in sizes:
            starts.append(start)
            start = start + size
        return [part(b, value, axis, first, size) for first, size in zip(starts, sizes, strict=True)]


def _misfit(b: Any, sizes: list[Any], total: Any) -> str:
    shown = [b.shown(size) for size in sizes]
    return f"Determined shape must match the size along split_dim exactly. Got: {shown} for a size of {b.shown(total)}"


def _filled(sizes: list[int | None], total: int | None) -> list[int | None]:
    """The sizes with -1 replaced by what is left. Raises ValueError when they do not make up the total."""
    if None in sizes or total is None:
        return [None if size == -1 else size for size in sizes]
    given = sum(size for size in sizes if size != -1)  # type: ignore[misc]
    if given > total or (-1 not in sizes and given != total):
        raise ValueError(f"can't split axis of size {total} into pieces of size [{','.join(map(str, sizes))}]")
    return [total - given if size == -1 else size for size in sizes]


@public("split")
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str | None = "split"
) -> list[Tensor]:
    """A tensor cut into parts along an axis.

    Args:
        value: a tensor.
        num_or_size_splits: how many equal parts, a number; or the sizes of the parts, a vector in which one may be -1.
        axis: the axis, a scalar.
        num: how many parts, where the length of the vector of sizes is not known.
        name: a name for the operation.

    Returns a list of tensors. Raises ValueError when the parts do not fit the tensor, or their number is not known.
    """
    if isinstance(num_or_size_splits, (int, np.integer, Dimension)):
        return Split(axis, value, num_split=int(num_or_size_splits), name=name)
    sizes = internal_convert(num_or_size_splits)
    if sizes.shape.ndims == 0:
        raise ValueError(
            f"Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: "
            f"{num_or_size_splits}"
        )
    if num is None:
        num = sizes.shape.as_list()[0] if sizes.shape.ndims else None
    if num is None:
        raise ValueError(f"Cannot infer num from shape {num_or_size_splits}")
    return SplitV(value, sizes, axis, num_split=num, name=name)


@operation("Unpack")
class Unpack(OpDefinition):
    """A tensor cut into its slices along an axis, which vanishes."""

    inputs = {"value": "T"}
    attributes = {"num": Attribute("int", minimum=0), "T": Attribute("type"), "axis": 0}
    outputs = {"output": "num * T"}

    def infer(self, value: Tensor, *, num: int, axis: int) -> list[TensorShape]:
        sizes = value.shape.sizes
        if sizes is None:
            return [TensorShape(None)] * num
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Invalid axis: {axis} not in [{-len(sizes)}, {len(sizes)})")
        place = axis % len(sizes)
        if sizes[place] not in (None, num):
            raise ValueError(f"Dimension must be {num} but is {sizes[place]}")
        return [TensorShape([*sizes[:place], *sizes[place + 1 :]])] * num

    def fold(self, known: Any, value: Tensor, *, num: int, axis: int) -> Any:
        values = known(value)
        return [values.take(k, axis) for k in range(num)]

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        return (
            [joining.stack(list(grads), axis=op._attributes["axis"])] if grads else [filling.zeros_like(op.inputs[0])]
        )

    def lower(self, b: Any, value: Any, *, num: int, axis: int) -> list[Any]:
        place = axis % value.type.rank
        sizes = value.type.shape
        b.require(
            b.decide(sizes[place], "==", num),
            f"Input shape axis {place} must equal {num}, got shape {[b.shown(size) for size in sizes]}",
        )
        left = [size for k, size in enumerate(sizes) if k != place]
        return [b.reshape(part(b, value, place, k, 1), left) for k in range(num)]


@public("unstack", "unpack")
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = "unstack") -> list[Tensor]:
    """The slices of a tensor along an axis, which vanishes.

    Args:
        value: a tensor of rank 1 or more.
        num: the size of the axis, where it is not known.
        axis: the axis; negative ones count from the end.
        name: a name for the operation.

    Raises ValueError when the size is neither given nor known, or the axis does not exist.
    """
    if num is None:
        value = internal_convert(value)
        sizes = value.shape.sizes
        if sizes is not None:
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"axis = {axis} not in [{-len(sizes)}, {len(sizes)})")
            num = sizes[axis]
    if num is None:
        raise ValueError(f"Cannot infer num from shape {value.shape}")
    return Unpack(value, num=num, axis=axis, name=name)
