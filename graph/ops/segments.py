"""Rows combined by segment: the segment functions, whose ids are sorted, and the unsorted ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import known_number
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, NUMERIC, QUANTIZED, REAL_NUMBER, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, casts, comparison, elementwise, filling, gathering, selection, shapes
from sessile.graph.ops.bases import part, sizes_not_negative
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, concatenated, of_rank, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


def neutral(dtype: np.dtype[Any], function: str) -> Any:
    """What changes nothing under a combination of finite numbers: 0, 1, or the lowest or highest number of a type."""
    if function in ("add", "mul"):
        return dtype.type(function == "mul")
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return dtype.type(limits.min if function == "max" else limits.max)


def combined(b: Any, function: str, data: Any, ids: Any, count: Any) -> Any:
    """`count` rows, each of which combines the rows of `data` with its number in `ids`; negative ids name no row."""
    unit = neutral(data.type.numpy_dtype, function)
    ids = gathering.index_values(b, ids)
    rank = ids.type.rank
    counts = b.map("lt", ids, 0)
    wide = b.expand_dims(counts, range(rank, data.type.rank))
    updates = b.select(b.broadcast_to(wide, data.type.shape), unit, data)
    places = b.expand_dims(b.max(ids, 0), [rank])
    rows = b.fill((count, *data.type.shape[rank:]), unit, data.type.dtype)
    return b.emit("scatter", rows, places, updates, function=function)


def sorted_segments(b: Any, data: Any, segment_ids: Any) -> tuple[Any, Any]:
    """Segment ids that are checked to be sorted, and how many segments they name."""
    rows = data.type.shape[0]
    fits = b.decide(rows, "==", segment_ids.type.shape[0])
    b.require(fits, "segment_ids should be the same size as dimension 0 of input.")
    ids = b.retype(gathering.index_values(b, segment_ids), (rows,))
    if not b.decide(rows, ">=", 1):
        return ids, 0
    is_sorted = b.map("le", part(b, ids, 0, 0, rows - 1), part(b, ids, 0, 1, rows - 1))
    b.emit("check", is_sorted, message="segment ids are not increasing")
    (last,) = b.sizes_of(part(b, ids, 0, rows - 1, 1))
    return ids, last + 1


def row_counts(b: Any, data: Any, ids: Any, count: Any) -> Any:
    """How many rows each segment has, in the type of the data, in a shape that broadcasts against the result."""
    ones = b.fill(ids.type.shape, 1, data.type.dtype)
    return b.expand_dims(combined(b, "add", ones, ids, count), range(1, data.type.rank))


class SegmentReduction(OpDefinition):
    """Base of reductions of rows whose segment ids are sorted; segments without rows give 0 (1 for products)."""

    inputs = {"data": "T", "segment_ids": "Tindices"}
    attributes = {"T": NUMERIC | QUANTIZED, "Tindices": INDEX}
    outputs = {"output": "T"}
    function = ""

    def infer(self, data: Tensor, segment_ids: Tensor) -> TensorShape:
        sizes = of_rank_at_least(data, 1)
        of_rank(segment_ids, 1)
        return UNKNOWN if sizes is None else TensorShape([None, *sizes[1:]])

    def lower(self, b: Any, data: Any, segment_ids: Any) -> Any:
        ids, count = sorted_segments(b, data, segment_ids)
        return self.reduced(b, data, ids, count)

    def reduced(self, b: Any, data: Any, ids: Any, count: Any) -> Any:
        """`count` combined rows."""
        return combined(b, self.function, data, ids, count)


@operation("SegmentSum", public=("segment_sum", "math.segment_sum"))
class SegmentSum(SegmentReduction):
    """The sums of rows by segment.

    Args:
        data: a tensor of numbers.
        segment_ids: for each row of `data` the number of its segment; sorted.
        name: a name for the operation.

    Returns a tensor with a row for each segment from 0 to the last; 0 for segments without rows.
    """

    function = "add"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gathering.gather(grad, op.inputs[1]), None]


@operation("SegmentMean", public=("segment_mean", "math.segment_mean"))
class SegmentMean(SegmentReduction):
    """The means of rows by segment; arguments as those of segment_sum."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        data, ids = op.inputs
        ones = filling.ones_like(ids, dtype=grad.dtype.base_dtype)
        counts = SegmentSum(_as_columns(ones, data), ids)
        return [gathering.gather(grad / counts, ids), None]

    def reduced(self, b: Any, data: Any, ids: Any, count: Any) -> Any:
        total = combined(b, "add", data, ids, count)
        rows = b.max(row_counts(b, data, ids, count), 1)
        return b.map("div" if data.type.dtype[0] in "fc" else "truncated_div", total, rows)


@operation("SegmentProd", public=("segment_prod", "math.segment_prod"))
class SegmentProd(SegmentReduction):
    """The products of rows by segment, 1 for segments without rows; arguments as those of segment_sum."""

    function = "mul"


class SegmentExtreme(SegmentReduction):
    """Base of the largest and smallest of rows by segment."""

    attributes = {"T": REAL_NUMBER, "Tindices": INDEX}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        data, ids = op.inputs
        is_chosen = comparison.Equal(data, gathering.gather(op.outputs[0], ids))
        counts = SegmentSum(casts.cast(is_chosen, grad.dtype), ids)
        spread = gathering.gather(grad / counts, ids)
        return [selection.where(is_chosen, spread, filling.zeros_like(data)), None]

    def reduced(self, b: Any, data: Any, ids: Any, count: Any) -> Any:
        result = combined(b, self.function, data, ids, count)
        is_empty = b.map("eq", row_counts(b, data, ids, count), 0)
        return b.select(is_empty, 0, result)


@operation("SegmentMax", public=("segment_max", "math.segment_max"))
class SegmentMax(SegmentExtreme):
    """The largest of rows by segment; arguments as those of segment_sum."""

    function = "max"


@operation("SegmentMin", public=("segment_min", "math.segment_min"))
class SegmentMin(SegmentExtreme):
    """The smallest of rows by segment; arguments as those of segment_sum."""

    function = "min"


class UnsortedSegmentReduction(OpDefinition):
    """Base of reductions of elements by segment ids in any order; negative ids leave their elements out."""

    inputs = {"data": "T", "segment_ids": "Tindices", "num_segments": "Tnumsegments"}
    attributes = {
        "T": NUMERIC | QUANTIZED,
        "Tindices": INDEX,
        "Tnumsegments": Attribute("type", default=int32, allowed=INDEX),
    }
    outputs = {"output": "T"}
    function = ""

    def infer(self, data: Tensor, segment_ids: Tensor, num_segments: Tensor) -> TensorShape:
        sizes, ids = data.shape.sizes, segment_ids.shape.sizes
        if sizes is None or ids is None:
            return UNKNOWN
        data.shape[: len(ids)].assert_is_compatible_with(segment_ids.shape)
        return concatenated((known_number(num_segments),), sizes[len(ids) :])

    def lower(self, b: Any, data: Any, segment_ids: Any, num_segments: Any) -> Any:
        (count,) = sizes_not_negative(b, num_segments)
        sizes = data.type.shape[: segment_ids.type.rank]
        fits = all(b.decide(a, "==", e) for a, e in zip(segment_ids.type.shape, sizes, strict=True))
        b.require(fits, f"data.shape = {list(data.type.shape)} does not start with segment_ids.shape = {list(sizes)}")
        return combined(b, self.function, data, b.retype(segment_ids, sizes), count)


@operation("UnsortedSegmentSum", public=("unsorted_segment_sum", "math.unsorted_segment_sum"))
class UnsortedSegmentSum(UnsortedSegmentReduction):
    """The sums of elements by segment, whose ids come in any order.

    Args:
        data: a tensor of numbers.
        segment_ids: the numbers of segments, whose shape is the beginning of that of `data`; negative ones leave out.
        num_segments: how many segments there are, a scalar.
        name: a name for the operation.

    Returns a tensor of shape [num_segments] + data.shape[segment_ids.rank:]; 0 for segments without elements.
    """

    function = "add"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [_gathered(grad, op.inputs[1], op.inputs[0]), None, None]


unsorted_segment_sum = UnsortedSegmentSum


@operation("UnsortedSegmentProd", public=("unsorted_segment_prod", "math.unsorted_segment_prod"))
class UnsortedSegmentProd(UnsortedSegmentReduction):
    """The products of elements by segment, 1 for segments without; arguments as those of unsorted_segment_sum."""

    function = "mul"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        data, ids, count = op.inputs
        is_zero = comparison.Equal(data, 0)
        zeros = UnsortedSegmentSum(casts.cast(is_zero, int32), ids, count)
        grad = selection.where(comparison.Greater(zeros, 1), filling.zeros_like(grad), grad)
        others = UnsortedSegmentProd(selection.where(is_zero, filling.ones_like(data), data), ids, count)
        places = arithmetic.Maximum(ids, filling.zeros_like(ids))
        quotient = gathering.gather(op.outputs[0], places) / data
        derivative = selection.where(is_zero, gathering.gather(others, places), quotient)
        return [_gathered(grad, ids, data) * derivative, None, None]


class UnsortedSegmentExtreme(UnsortedSegmentReduction):
    """Base of the largest and smallest of elements by segment."""

    attributes = {**UnsortedSegmentReduction.attributes, "T": REAL_NUMBER}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        data, ids, count = op.inputs
        is_chosen = comparison.Equal(data, _gathered(op.outputs[0], ids, data))
        counts = UnsortedSegmentSum(casts.cast(is_chosen, grad.dtype), ids, count)
        spread = _gathered(grad / counts, ids, data)
        return [selection.where(is_chosen, spread, filling.zeros_like(data)), None, None]


@operation("UnsortedSegmentMax", public=("unsorted_segment_max", "math.unsorted_segment_max"))
class UnsortedSegmentMax(UnsortedSegmentExtreme):
    """The largest of elements by segment, the lowest number of the type for segments without."""

    function = "max"


@operation("UnsortedSegmentMin", public=("unsorted_segment_min", "math.unsorted_segment_min"))
class UnsortedSegmentMin(UnsortedSegmentExtreme):
    """The smallest of elements by segment, the highest number of the type for segments without."""

    function = "min"


def _as_columns(x: Tensor, like: Tensor) -> Tensor:
    """`x` with axes of size 1 added up to the rank of `like`."""
    if like.shape.ndims is None or x.shape.ndims is None:
        raise LookupError("this gradient needs known ranks")
    added = like.shape.ndims - x.shape.ndims
    for _ in range(added):
        x = shapes.expand_dims(x, -1)
    return x


def _gathered(rows: Tensor, ids: Tensor, data: Tensor) -> Tensor:
    """For each element the row of its segment, zeros where its id is negative."""
    chosen = gathering.gather(rows, arithmetic.Maximum(ids, filling.zeros_like(ids)))
    is_counted = _as_columns(comparison.GreaterEqual(ids, 0), data)
    return selection.SelectV2(is_counted, chosen, filling.zeros_like(chosen))


def _element_counts(data: Tensor, ids: Tensor, count: Any) -> Tensor:
    """How many elements each segment has, at least 1, in a shape that broadcasts against the rows."""
    ones = filling.ones_like(ids, dtype=data.dtype.base_dtype)
    counts = arithmetic.Maximum(UnsortedSegmentSum(ones, ids, count), 1)
    if data.shape.ndims is None or ids.shape.ndims is None:
        raise ValueError("the mean over segments needs data and ids of known rank")
    return shapes.reshape(counts, [-1] + [1] * (data.shape.ndims - ids.shape.ndims))


@public("unsorted_segment_mean", "math.unsorted_segment_mean")
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The means of elements by segment, 0 for segments without; arguments as those of unsorted_segment_sum."""
    with name_scope(name, "UnsortedSegmentMean"):
        data, ids = internal_convert(data), internal_convert(segment_ids)
        counts = _element_counts(data, ids, num_segments)
        return UnsortedSegmentSum(data, ids, num_segments) / counts


@public("unsorted_segment_sqrt_n", "math.unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The sums of elements by segment over the root of their number; arguments as those of unsorted_segment_sum."""
    with name_scope(name, "UnsortedSegmentSqrtN"):
        data, ids = internal_convert(data), internal_convert(segment_ids)
        counts = _element_counts(data, ids, num_segments)
        return UnsortedSegmentSum(data, ids, num_segments) / elementwise.Sqrt(counts)
