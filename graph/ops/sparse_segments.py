"""Rows chosen by indices and combined by sorted segment ids: what lookups of several embeddings per example need."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import FLOATING, INDEX, REAL_NUMBER, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, elementwise, filling, gathering, ranges, segments, shapes
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_INDEX = Attribute("type", default=int32, allowed=INDEX)


class SparseSegmentReduction(OpDefinition):
    """Base of sums of chosen rows by segment, which may be divided by how many they are; 0 for segments without."""

    inputs = {"data": "T", "indices": "Tidx", "segment_ids": int32}
    attributes = {"T": FLOATING, "Tidx": _INDEX}
    outputs = {"output": "T"}

    def infer(self, data: Tensor, indices: Tensor, segment_ids: Tensor) -> TensorShape:
        sizes = of_rank_at_least(data, 1)
        of_rank(indices, 1)
        of_rank(segment_ids, 1)
        return UNKNOWN if sizes is None else TensorShape([None, *sizes[1:]])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        data, indices, ids = op.inputs
        rows = gathering.gather(self.divided_gradient(grad, ids), ids)
        return [segments.UnsortedSegmentSum(rows, indices, shapes.shape(data)[0]), None, None]

    def divided_gradient(self, grad: Tensor, ids: Tensor) -> Tensor:
        """The gradient of each segment's sum."""
        return grad

    def lower(self, b: Any, data: Any, indices: Any, segment_ids: Any) -> Any:
        rows = b.emit("gather", data, gathering.index_values(b, indices), axis=0, batch=0)
        ids, count = segments.sorted_segments(b, rows, segment_ids)
        return self.divided(b, segments.combined(b, "add", rows, ids, count), rows, ids, count)

    def divided(self, b: Any, total: Any, rows: Any, ids: Any, count: Any) -> Any:
        """The result, from the sums of rows."""
        return total


def _counts(grad: Tensor, ids: Tensor) -> Tensor:
    """How many rows each segment has, at least 1, in a shape that broadcasts against the gradient."""
    if grad.shape.ndims is None:
        raise LookupError("the gradient of sparse segments needs data of known rank")
    ones = filling.ones_like(ids, dtype=grad.dtype.base_dtype)
    counts = arithmetic.Maximum(segments.SegmentSum(ones, ids), 1)
    return shapes.reshape(counts, [-1] + [1] * (grad.shape.ndims - 1))


@operation("SparseSegmentSum")
class SparseSegmentSum(SparseSegmentReduction):
    """The sums of chosen rows by segment."""

    attributes = {"T": REAL_NUMBER, "Tidx": _INDEX}


@operation("SparseSegmentMean")
class SparseSegmentMean(SparseSegmentReduction):
    """The means of chosen rows by segment."""

    def divided_gradient(self, grad: Tensor, ids: Tensor) -> Tensor:
        return grad / _counts(grad, ids)

    def divided(self, b: Any, total: Any, rows: Any, ids: Any, count: Any) -> Any:
        return b.div(total, b.max(segments.row_counts(b, rows, ids, count), 1))


@operation("SparseSegmentSqrtN")
class SparseSegmentSqrtN(SparseSegmentReduction):
    """The sums of chosen rows by segment, over the root of how many they are."""

    def divided_gradient(self, grad: Tensor, ids: Tensor) -> Tensor:
        return grad / elementwise.Sqrt(_counts(grad, ids))

    def divided(self, b: Any, total: Any, rows: Any, ids: Any, count: Any) -> Any:
        return b.div(total, b.map("sqrt", b.max(segments.row_counts(b, rows, ids, count), 1)))


def _function(public_name: str, definition: Any, what: str) -> None:
    def reduce(data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None) -> Tensor:
        result = definition(data, indices, segment_ids, name=name)
        return result if num_segments is None else _with_rows(result, num_segments)

    reduce.__name__ = reduce.__qualname__ = public_name
    reduce.__doc__ = f"""{what}

    Args:
        data: a tensor of floating numbers.
        indices: the rows to take, a vector of whole numbers.
        segment_ids: for each of those rows the number of its segment, a sorted vector of int32.
        name: a name for the operation.
        num_segments: how many segments there are; by default those up to the last that appears.

    Returns a tensor with a row for each segment; 0 for segments without rows.
    """
    public(public_name, f"sparse.{public_name.removeprefix('sparse_')}")(reduce)


def _with_rows(rows: Tensor, count: Any) -> Tensor:
    """The rows, with rows of zeros up to a number."""
    return segments.UnsortedSegmentSum(rows, ranges.range_(shapes.shape(rows)[0]), count)


_function("sparse_segment_sum", SparseSegmentSum, "The sums of chosen rows by segment.")
_function("sparse_segment_mean", SparseSegmentMean, "The means of chosen rows by segment.")
_function(
    "sparse_segment_sqrt_n", SparseSegmentSqrtN, "The sums of chosen rows by segment, over the root of their number."
)
