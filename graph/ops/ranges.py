"""Sequences of numbers: range and linspace."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value, known_number
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import as_dtype
from sessile.graph.dtypes import FLOATING, INDEX, SIGNED_INTEGER, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import casts
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_ORDER = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]
_SHORT = 64


@operation("Range")
class Range(OpDefinition):
    """start, start + delta, start + 2 delta ... as long as that is below limit (above it where delta is negative)."""

    inputs = {"start": "Tidx", "limit": "Tidx", "delta": "Tidx"}
    attributes = {"Tidx": Attribute("type", default=int32, allowed=FLOATING | SIGNED_INTEGER)}
    outputs = {"output": "Tidx"}
    differentiable = False

    def infer(self, start: Tensor, limit: Tensor, delta: Tensor) -> TensorShape:
        values = [constant_value(tensor) for tensor in (start, limit, delta)]
        for name, tensor in (("start", start), ("limit", limit), ("delta", delta)):
            if tensor.shape.ndims not in (None, 0):
                raise ValueError(f"Shape must be rank 0 but is rank {tensor.shape.ndims} ({name})")
        if any(value is None for value in values):
            return TensorShape([None])
        first, last, step = (value.item() for value in values if value is not None)
        return TensorShape([_length(first, last, step)])

    def fold(self, known: Any, start: Tensor, limit: Tensor, delta: Tensor) -> Any:
        values = [known(tensor).item() for tensor in (start, limit, delta)]
        return None if None in values else np.arange(*values)

    def lower(self, b: Any, start: Any, limit: Any, delta: Any) -> Any:
        count = _count(b, start, limit, delta)
        dtype = start.type.dtype
        is_short = isinstance(count, int) and count <= _SHORT  # a constant is known, and may be an axis or a size
        index = b.constant(np.arange(count), dtype) if is_short else b.iota((count,), 0, dtype)
        return b.add(start, b.mul(index, delta))


def _length(start: float, limit: float, delta: float) -> int:
    """How many numbers a range holds. Raises ValueError where it would never end."""
    if delta == 0:
        raise ValueError("Requires delta != 0")
    if (limit - start) * delta < 0:
        relation = "start <= limit when delta > 0" if delta > 0 else "start >= limit when delta < 0"
        raise ValueError(f"Requires {relation}: {start}/{limit}")
    return math.ceil((limit - start) / delta)


def _count(b: Any, start: Any, limit: Any, delta: Any) -> Any:
    """The number of elements: by arithmetic on sizes for whole numbers, otherwise computed when it runs."""
    if start.type.dtype not in ("i32", "i64"):
        steps = b.map("ceil", b.div(b.sub(limit, start), delta))
        return b.sizes_of(b.convert(steps, "i64"))[0]
    (first,), (last,), (step,) = b.sizes_of(start), b.sizes_of(limit), b.sizes_of(delta)
    step = b.number(step)
    b.require(step != 0, "Requires delta != 0")
    span = last - first if step > 0 else first - last
    relation = "start <= limit when delta > 0" if step > 0 else "start >= limit when delta < 0"
    b.require(b.decide(span, ">=", 0), f"Requires {relation}: {b.shown(first)}/{b.shown(last)}")
    return (span + abs(step) - 1) // abs(step)


@public("range")
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    """A vector of numbers: start, start + delta ... up to but without limit.

    Args:
        start: the first number, a scalar; with one argument alone it is the limit, and the first number is 0.
        limit: where the numbers end, a scalar.
        delta: the step, a scalar.
        dtype: the type; by default the widest of int32, int64, float32, float64 among the arguments.
        name: a name for the operation.

    Raises ValueError when the step is 0, or leads away from the limit.
    """
    if limit is None:
        start, limit = 0, start
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    with name_scope(name, "Range", [start, limit, delta]) as scope:
        numbers = {"start": start, "limit": limit, "delta": delta}
        tensors = [internal_convert(value, wanted, key) for key, value in numbers.items()]
        if wanted is None:
            types = [tensor.dtype.base_dtype for tensor in tensors]
            for found in types:
                if found not in _ORDER:
                    raise TypeError(f"range takes int32, int64, float32 and float64, not {found.name}")
            wanted = max(types, key=_ORDER.index)
            tensors = [casts.cast(tensor, wanted) for tensor in tensors]
        return Range(*tensors, name=scope)


@operation("LinSpace", public=("linspace", "lin_space"))
class LinSpace(OpDefinition):
    """Numbers in equal steps from start to stop, both included.

    Args:
        start: the first number, a floating scalar.
        stop: the last number, a scalar of the same type.
        num: how many numbers, a scalar of int32 or int64.
        name: a name for the operation.
    """

    inputs = {"start": "T", "stop": "T", "num": "Tidx"}
    attributes = {"T": FLOATING, "Tidx": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"output": "T"}
    differentiable = False

    def infer(self, start: Tensor, stop: Tensor, num: Tensor) -> TensorShape:
        for scalar in (start, stop, num):
            of_rank(scalar, 0)
        count = known_number(num)
        if count is not None and count <= 0:
            raise ValueError(f"Requires num > 0: {count}")
        return TensorShape([count])

    def lower(self, b: Any, start: Any, stop: Any, num: Any) -> Any:
        (count,) = b.sizes_of(num)
        b.require(b.decide(count, ">=", 1), f"Requires num > 0: {b.shown(count)}")
        dtype = start.type.dtype
        if not b.decide(count, ">=", 2):
            return b.broadcast_to(start, (count,))
        last = b.convert(b.sizes([count - 1], "i64"), dtype)
        index = b.iota((count,), 0, dtype)
        steps = b.add(start, b.mul(index, b.div(b.sub(stop, start), last)))
        return b.select(b.map("eq", index, last), stop, steps)
