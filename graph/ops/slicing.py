"""Parts of tensors: slice, strided_slice, and Python's `x[...]`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value, known_axes
from sessile.graph.dtypes import INDEX
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import filling, joining, padding, shapes
from sessile.graph.ops.bases import is_left_open, is_value
from sessile.graph.ops.slice_lowering import place_back, take
from sessile.graph.ops.slice_specification import Entry, Masks, entries_of, numpy_index, result_size
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape


@operation("Slice")
class Slice(OpDefinition):
    """The part of a tensor that begins at `begin` and has `size` elements along each axis, or all the rest for -1."""

    inputs = {"input": "T", "begin": "Index", "size": "Index"}
    attributes = {"T": Attribute("type"), "Index": INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, begin: Tensor, size: Tensor) -> TensorShape:
        of_rank(same_shape(begin, size), 1)
        sizes, wanted = input.shape.sizes, constant_value(size, partial=True)
        if wanted is None:
            return unknown_shape(input.shape.ndims if sizes is not None else begin.shape.with_rank(1).as_list()[0])
        first = constant_value(begin, partial=True)
        starts = [None] * len(wanted) if first is None else first.tolist()
        if sizes is None:
            return TensorShape([None if count in (None, -1) else count for count in wanted.tolist()])
        if len(wanted) != len(sizes) or len(starts) != len(sizes):
            raise ValueError(f"Shape must be rank {len(wanted)} but is rank {len(sizes)}")
        return TensorShape(
            [_part_size(k, *numbers) for k, numbers in enumerate(zip(starts, wanted.tolist(), sizes, strict=True))]
        )

    def fold(self, known: Any, input: Tensor, begin: Tensor, size: Tensor) -> Any:
        starts, counts = known(begin).tolist(), known(size).tolist()
        if None in starts or None in counts:
            return None
        return known(input)[tuple(slice(s, None if c == -1 else s + c) for s, c in zip(starts, counts, strict=True))]

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source, begin = op.inputs[:2]
        if constant_value(begin) is None:
            end = begin + shapes.shape(op.outputs[0], out_type=begin.dtype.base_dtype)
            shape = shapes.shape(source, out_type=begin.dtype.base_dtype)
            rank = source.shape.ndims
            steps = filling.ones_like(begin) if rank is None else filling.ones([rank], begin.dtype.base_dtype)
            return [StridedSliceGrad(shape, begin, end, steps, grad), None, None]
        column = joining.stack([shapes.rank(source), 1])
        index_type = begin.dtype.base_dtype
        after = shapes.shape(source, out_type=index_type) - shapes.shape(op.outputs[0], out_type=index_type) - begin
        paddings = joining.concat([shapes.reshape(begin, column), shapes.reshape(after, column)], 1)
        return [padding.pad(grad, paddings), None, None]

    def lower(self, b: Any, input: Any, begin: Any, size: Any) -> Any:
        starts, counts = b.elements_of(begin), b.sizes_of(size)
        rank = input.type.rank
        b.require(
            len(starts) == len(counts) == rank,
            f"Expected begin and size arguments to be 1-D tensors of size {rank}, but got shapes [{len(starts)}] and "
            f"[{len(counts)}] instead.",
        )
        return take_part(b, input, starts, counts)


def _part_size(axis: int, start: int | None, count: int | None, size: int | None) -> int | None:
    if count == -1:
        return None if start is None or size is None else size - start
    if None not in (start, count, size) and start + count > size:  # type: ignore[operator]
        raise ValueError(f"Expected size[{axis}] in [0, {size - start}], but got {count}")  # type: ignore[operator]
    return count


def take_part(b: Any, x: Any, starts: list[Any], counts: list[Any]) -> Any:
    """`counts` elements from `starts` on; -1 takes the rest. Starts may be values of the program."""
    shape, firsts = [], []
    for axis, (start, count, size) in enumerate(zip(starts, counts, x.type.shape, strict=True)):
        is_rest = is_left_open(b, count)
        if is_value(start) and is_rest:
            start = b.sizes_of(start)[0]
        count = size - start if is_rest else count
        b.require(b.decide(count, ">=", 0), f"Expected size[{axis}] >= 0, but got {b.shown(count)}")
        if not is_value(start):
            inside = b.decide(start, ">=", 0) and b.decide(size, ">=", start)
            b.require(inside, f"Expected begin[{axis}] in [0, {b.shown(size)}], but got {b.shown(start)}")
            fits = b.decide(count, ">=", 0) and b.decide(size, ">=", start + count)
            b.require(fits, f"Expected size[{axis}] in [0, {b.shown(size - start)}], but got {b.shown(count)}")
        shape.append(count)
        firsts.append(start)
    if not any(is_value(start) for start in firsts):
        return b.slice(x, firsts, shape)
    return _take_at_values(b, x, firsts, shape)


def _take_at_values(b: Any, x: Any, starts: list[Any], shape: list[Any]) -> Any:
    for axis, (start, count, size) in enumerate(zip(starts, shape, x.type.shape, strict=True)):
        if is_value(start):
            room = b.sizes(np.array(size - count, object), start.type.dtype)
            is_inside = b.map("and", b.map("ge", start, 0), b.map("le", start, room))
            b.emit("check", is_inside, start, message=f"Expected begin[{axis}] in the tensor, but got")
    return b.emit("dynamic_slice", x, b.vector(starts), shape=tuple(shape))


@public("slice")
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of a tensor that begins at `begin` and has `size` elements along each axis.

    Args:
        input_: a tensor.
        begin: the first place along each axis, a vector of int32 or int64.
        size: how many elements along each axis, a vector of the same type; -1 for all the rest.
        name: a name for the operation.

    Raises ValueError when the part is known not to lie in the tensor; running raises InvalidArgumentError.
    """
    return Slice(input_, begin, size, name=name)


_MASKS = {
    "begin_mask": 0,
    "end_mask": 0,
    "ellipsis_mask": 0,
    "new_axis_mask": 0,
    "shrink_axis_mask": 0,
}


class Strided(OpDefinition):
    """Base of operations on strided slices."""

    attributes = {"T": Attribute("type"), "Index": INDEX, **_MASKS}
    outputs = {"output": "T"}


def _masks_of(attributes: Mapping[str, Any]) -> dict[str, int]:
    return {name: attributes[name] for name in _MASKS}


@operation("StridedSlice")
class StridedSlice(Strided):
    """A part of a tensor, as NumPy's indexing with slices, numbers, `...` and `newaxis` takes it."""

    inputs = {"input": "T", "begin": "Index", "end": "Index", "strides": "Index"}

    def infer(self, input: Tensor, begin: Tensor, end: Tensor, strides: Tensor, **attributes: Any) -> TensorShape:
        sizes = input.shape.sizes
        (length,) = of_rank(same_shape(same_shape(begin, end), strides), 1)
        if sizes is None or length is None:
            return UNKNOWN
        masks = Masks(**_masks_of(attributes))
        begins, ends, steps = (_partly_known(tensor, length) for tensor in (begin, end, strides))
        entries = entries_of(begins, ends, steps, masks, len(sizes))
        result: list[int | None] = []
        axes = iter(enumerate(sizes))
        for entry in entries:
            if entry.kind == "new":
                result.append(1)
                continue
            axis, size = next(axes)
            if entry.kind == "slice":
                result.append(result_size(entry, size, axis))
            elif entry.begin is not None and size is not None and not -size <= entry.begin < size:
                raise ValueError(f"slice index {entry.begin} of dimension {axis} out of bounds.")
        return TensorShape(result)

    def fold(self, known: Any, input: Tensor, begin: Tensor, end: Tensor, strides: Tensor, **attributes: Any) -> Any:
        begins, ends, steps = (known(tensor).tolist() for tensor in (begin, end, strides))
        if any(None in vector for vector in (begins, ends, steps)):
            return None
        value = known(input)
        masks = Masks(**_masks_of(attributes))
        return value[numpy_index(entries_of(begins, ends, steps, masks, value.ndim))]

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source, begin, end, strides = op.inputs
        shape = shapes.shape(source, out_type=begin.dtype.base_dtype)
        return [StridedSliceGrad(shape, begin, end, strides, grad, **_masks_of(op._attributes)), None, None, None]

    def lower(self, b: Any, input: Any, begin: Any, end: Any, strides: Any) -> Any:
        masks = Masks(**_masks_of(b.operation.attributes))
        vectors = (b.elements_of(begin), b.elements_of(end), b.sizes_of(strides))
        return take(b, input, entries_of(*vectors, masks, input.type.rank))


def _partly_known(tensor: Tensor, length: int) -> list[int | None]:
    value = constant_value(tensor, partial=True)
    return [None] * length if value is None else value.tolist()


@operation("StridedSliceGrad")
class StridedSliceGrad(Strided):
    """Zeros of a shape, with `dy` where a strided slice would take elements from."""

    inputs = {"shape": "Index", "begin": "Index", "end": "Index", "strides": "Index", "dy": "T"}

    def infer(self, shape: Tensor, begin: Tensor, end: Tensor, strides: Tensor, dy: Tensor) -> TensorShape:
        sizes = known_axes(shape)
        if sizes is not None:
            return TensorShape(sizes)
        known = constant_value(shape, partial=True)
        return unknown_shape(shape.shape.with_rank(1).as_list()[0]) if known is None else TensorShape(known.tolist())

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        _, begin, end, strides, _ = op.inputs
        return [None, None, None, None, StridedSlice(grad, begin, end, strides, **_masks_of(op._attributes))]

    def lower(self, b: Any, shape: Any, begin: Any, end: Any, strides: Any, dy: Any) -> Any:
        sizes = b.sizes_of(shape)
        masks = Masks(**_masks_of(b.operation.attributes))
        vectors = (b.elements_of(begin), b.elements_of(end), b.sizes_of(strides))
        return place_back(b, dy, sizes, entries_of(*vectors, masks, len(sizes)))


@operation("StridedSliceAssign")
class StridedSliceAssign(Strided):
    """A new value for the part of a variable that a strided slice takes; gives the variable's reference on."""

    inputs = {"ref": "ref T", "begin": "Index", "end": "Index", "strides": "Index", "value": "T"}
    outputs = {"output_ref": "ref T"}

    def infer(self, ref: Tensor, begin: Tensor, end: Tensor, strides: Tensor, value: Tensor) -> TensorShape:
        return ref.shape

    def lower(self, b: Any, ref: Any, begin: Any, end: Any, strides: Any, value: Any) -> Any:
        old = b.read_newest(ref)
        masks = Masks(**_masks_of(b.operation.attributes))
        vectors = (b.elements_of(begin), b.elements_of(end), b.sizes_of(strides))
        b.write(ref, _with_part(b, old, entries_of(*vectors, masks, old.type.rank), value))
        return ref


def _with_part(b: Any, x: Any, entries: list[Entry], part: Any) -> Any:
    """`x` with `part` where the entries take elements from: each element's place is sliced as the elements are."""
    shape = x.type.shape
    count = math.prod(shape)
    places = take(b, b.reshape(b.iota([count], 0, "i64"), shape), entries)
    wanted, given = places.type.shape, part.type.shape
    b.require(
        len(wanted) == len(given) and all(b.decide(own, "==", size) for own, size in zip(given, wanted, strict=True)),
        f"sliced l-value shape {[b.shown(size) for size in wanted]} does not match r-value shape "
        f"{[b.shown(size) for size in given]}. Automatic broadcasting not yet implemented.",
    )
    number = math.prod(wanted)
    rows = b.reshape(places, [number, 1])
    values = b.reshape(b.retype(part, wanted), [number])
    return b.reshape(b.emit("scatter", b.reshape(x, [count]), rows, values, function="set"), shape)


def assignable(part: Tensor, variable: Any, vectors: Sequence[Any], masks: Mapping[str, int], name: str) -> Tensor:
    """Gives a part of a variable the method `assign(value, name=None)`, which changes that part of the variable."""

    def assign(value: Any, name: str | None = name) -> Tensor:
        return StridedSliceAssign(variable._ref(), *vectors, value, name=name, **masks)

    part.assign = assign  # type: ignore[attr-defined]
    return part


@public("strided_slice")
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """A part of a tensor: along axis k from begin[k] to end[k] (not included) in steps of strides[k].

    Args:
        input_: a tensor.
        begin, end, strides: vectors of whole numbers; negative places count from the end, strides are 1 by default.
        begin_mask, end_mask: a set bit k leaves begin[k] or end[k] out: the part goes to the tensor's edge.
        ellipsis_mask: a set bit k lets element k stand for as many whole axes as are missing.
        new_axis_mask: a set bit k lets element k add an axis of size 1.
        shrink_axis_mask: a set bit k takes the one place begin[k] and removes the axis.
        var: a variable that `input_` is the value of; then the result has `assign`, as that of `var[...]`.
        name: a name for the operation.
    """
    if strides is None:
        strides = filling.ones_like(begin)
    masks = {
        "begin_mask": begin_mask,
        "end_mask": end_mask,
        "ellipsis_mask": ellipsis_mask,
        "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }
    part: Tensor = StridedSlice(input_, begin, end, strides, name=name, **masks)
    if var is None:
        return part
    return assignable(part, var, (begin, end, strides), masks, f"{name or 'strided_slice'}_assign")
