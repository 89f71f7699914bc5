"""Elements without repetition: unique, differences of sets, counts of numbers.

How many there are only the run knows, so these run as calls of Python.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType
from sessile.graph.dtypes import INDEX, float32, float64, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, casts, constants, reductions, shapes
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_INDEX_OUT = Attribute("type", default=int32, allowed=INDEX)


def first_occurrences(x: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """The distinct elements in order of appearance, for each element the place of its like, and their numbers."""
    _, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return x[first[order]], rank[inverse.reshape(-1)], counts[order]


@operation("Unique", public="unique")
class Unique(OpDefinition):
    """The distinct elements of a vector, in order of their first appearance.

    Args:
        x: a vector.
        out_idx: the type of the places, int32 or int64.
        name: a name for the operation.

    Returns the distinct elements `y`, and for each element of `x` its place `idx` in `y`.
    """

    inputs = {"x": "T"}
    attributes = {"T": Attribute("type"), "out_idx": _INDEX_OUT}
    outputs = {"y": "T", "idx": "out_idx"}

    def infer(self, x: Tensor) -> list[TensorShape]:
        return [TensorShape([None]), TensorShape(of_rank(x, 1))]

    def lower(self, b: Any, x: Any, *, out_idx: DType) -> Any:
        dtype = b.element_type(out_idx)
        unique = partial(_unique, index=out_idx.name)
        return b.call_host(unique, x, results=[(x.type.dtype, [None]), (dtype, x.type.shape)])


def _unique(values: Any, *, index: str) -> tuple[Any, Any]:
    distinct, places, _ = first_occurrences(values)
    return distinct, places.astype(index)


@operation("UniqueWithCounts", public="unique_with_counts")
class UniqueWithCounts(OpDefinition):
    """The distinct elements of a vector, in order of their first appearance, and how often each appears.

    Args:
        x: a vector.
        out_idx: the type of the places and counts, int32 or int64.
        name: a name for the operation.

    Returns the distinct elements `y`, for each element of `x` its place `idx` in `y`, and for each of `y` its `count`.
    """

    inputs = {"x": "T"}
    attributes = {"T": Attribute("type"), "out_idx": _INDEX_OUT}
    outputs = {"y": "T", "idx": "out_idx", "count": "out_idx"}

    def infer(self, x: Tensor) -> list[TensorShape]:
        return [TensorShape([None]), TensorShape(of_rank(x, 1)), TensorShape([None])]

    def lower(self, b: Any, x: Any, *, out_idx: DType) -> Any:
        dtype = b.element_type(out_idx)
        unique = partial(_unique_with_counts, index=out_idx.name)
        return b.call_host(unique, x, results=[(x.type.dtype, [None]), (dtype, x.type.shape), (dtype, [None])])


def _unique_with_counts(values: Any, *, index: str) -> tuple[Any, Any, Any]:
    distinct, places, counts = first_occurrences(values)
    return distinct, places.astype(index), counts.astype(index)


@operation("ListDiff")
class ListDiff(OpDefinition):
    """The elements of one vector that another lacks, and their places."""

    inputs = {"x": "T", "y": "T"}
    attributes = {"T": Attribute("type"), "out_idx": _INDEX_OUT}
    outputs = {"out": "T", "idx": "out_idx"}

    def infer(self, x: Tensor, y: Tensor) -> list[TensorShape]:
        return [TensorShape([None]), TensorShape([None])]

    def lower(self, b: Any, x: Any, y: Any, *, out_idx: DType) -> Any:
        difference = partial(_difference, index=out_idx.name)
        return b.call_host(difference, x, y, results=[(x.type.dtype, [None]), (b.element_type(out_idx), [None])])


def _difference(values: Any, others: Any, *, index: str) -> tuple[Any, Any]:
    places = np.flatnonzero(~np.isin(values, others))
    return values[places], places.astype(index)


@public("setdiff1d", "listdiff")
def setdiff1d(x: Any, y: Any, index_dtype: Any = int32, name: str | None = None) -> Any:
    """The elements of one vector that another lacks, in their order.

    Args:
        x: a vector.
        y: a vector of the same type.
        index_dtype: the type of the places, int32 or int64.
        name: a name for the operation.

    Returns the elements `out`, and their places `idx` in `x`.
    """
    return ListDiff(x, y, out_idx=index_dtype, name=name)


@operation("Bincount")
class Bincount(OpDefinition):
    """How often each number from 0 to size - 1 appears, each time counted with its weight; others are left out."""

    inputs = {"arr": int32, "size": int32, "weights": "T"}
    attributes = {"T": frozenset({int32, int64, float32, float64})}
    outputs = {"bins": "T"}
    differentiable = False

    def infer(self, arr: Tensor, size: Tensor, weights: Tensor) -> TensorShape:
        return TensorShape([None])

    def lower(self, b: Any, arr: Any, size: Any, weights: Any) -> Any:
        (count,) = b.sizes_of(size)
        dtype = weights.type.dtype
        sizes = weights.type.shape
        is_unweighted = any(isinstance(n, int) and n == 0 for n in sizes)
        values = b.fill(arr.type.shape, 1, dtype) if is_unweighted else b.broadcast_to(weights, arr.type.shape)
        limit = b.sizes(np.array(count, object), "i32")
        is_counted = b.map("and", b.map("ge", arr, 0), b.map("lt", arr, limit))
        places = b.expand_dims(b.select(is_counted, arr, 0), [arr.type.rank])
        return b.emit("scatter", b.fill((count,), 0, dtype), places, b.select(is_counted, values, 0), function="add")


@public("bincount", "math.bincount")
def bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32) -> Tensor:
    """How often each number appears.

    Args:
        arr: a tensor of int32, whose elements are not negative.
        weights: what each element counts, a tensor of the same shape; by default 1.
        minlength: the least length of the result.
        maxlength: the greatest length of the result; larger numbers are left out.
        dtype: the type of the result where there are no weights.

    Returns a vector with an element for each number from 0 to the largest.
    """
    arr = internal_convert(arr, int32, "arr")
    has_elements = casts.cast(reductions.reduce_prod(shapes.shape(arr)) > 0, int32)
    size = has_elements * (reductions.reduce_max(arr) + 1)
    if minlength is not None:
        size = arithmetic.Maximum(internal_convert(minlength, int32, "minlength"), size)
    if maxlength is not None:
        size = arithmetic.Minimum(internal_convert(maxlength, int32, "maxlength"), size)
    weights = constants.constant([], dtype) if weights is None else weights
    return Bincount(arr, size, weights)
