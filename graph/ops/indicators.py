"""Tensors made of indices: sequence masks, confusion matrices, sparse values made dense, histograms, repetition."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value_as_shape, known_number
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dtypes import INDEX, float32, float64, int32, int64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import (
    arithmetic,
    casts,
    comparison,
    constants,
    filling,
    gathering,
    joining,
    ranges,
    reductions,
    scattering,
    selection,
    shapes,
    tiling,
)
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@public("sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None) -> Tensor:
    """For each length a row whose first elements, as many as the length says, are true.

    Args:
        lengths: a tensor of whole numbers.
        maxlen: the length of the rows, a scalar; by default the largest length.
        dtype: the type of the elements.
        name: a name for the operations.

    Returns a tensor of shape lengths.shape + [maxlen]. Raises ValueError when `maxlen` is no scalar.
    """
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = internal_convert(lengths)
        if maxlen is None:
            largest = reductions.reduce_max(lengths, reductions.all_axes(lengths))
            maxlen = arithmetic.Maximum(constants.constant(0, largest.dtype.base_dtype), largest)
        else:
            maxlen = internal_convert(maxlen)
        if maxlen.shape.ndims not in (None, 0):
            raise ValueError("maxlen must be scalar for sequence_mask")
        zero, one = constants.constant(0, maxlen.dtype.base_dtype), constants.constant(1, maxlen.dtype.base_dtype)
        row = ranges.range_(zero, maxlen, one)
        column = casts.cast(shapes.expand_dims(lengths, -1), maxlen.dtype.base_dtype)
        result = row < column
        wanted = as_dtype(dtype)
        return result if wanted.base_dtype == dtypes.bool else casts.cast(result, wanted)


@public("confusion_matrix", "math.confusion_matrix")
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """How often each class was predicted for each class: element [i, j] counts predictions of j where the label is i.

    Args:
        labels: the true classes, a vector of whole numbers.
        predictions: the predicted classes, a vector.
        num_classes: how many classes there are; by default one more than the largest that appears.
        dtype: the type of the counts.
        name: a name for the operations.
        weights: what each prediction counts, a vector; by default 1.
    """
    with name_scope(name, "confusion_matrix", (predictions, labels, num_classes, weights)):
        labels = casts.cast(internal_convert(labels, None, "labels"), int64)
        predictions = casts.cast(internal_convert(predictions, None, "predictions"), int64)
        if num_classes is None:
            classes = arithmetic.Maximum(reductions.reduce_max(predictions), reductions.reduce_max(labels)) + 1
        else:
            classes = casts.cast(internal_convert(num_classes), int64)
        counted = (
            filling.ones_like(predictions, dtype) if weights is None else casts.cast(internal_convert(weights), dtype)
        )
        places = joining.stack([labels, predictions], axis=1)
        return scattering.ScatterNd(places, counted, joining.stack([classes, classes]))


@operation("SparseToDense")
class SparseToDense(OpDefinition):
    """A tensor that holds values at given places, and a default elsewhere."""

    inputs = {
        "sparse_indices": "Tindices",
        "output_shape": "Tindices",
        "sparse_values": "T",
        "default_value": "T",
    }
    attributes = {"validate_indices": True, "T": Attribute("type"), "Tindices": INDEX}
    outputs = {"dense": "T"}

    def infer(
        self, sparse_indices: Tensor, output_shape: Tensor, sparse_values: Tensor, default_value: Tensor
    ) -> TensorShape:
        return constant_value_as_shape(output_shape)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        values_grad = gathering.gather_nd(grad, op.inputs[0])
        return [None, None, values_grad, reductions.reduce_sum(grad) - reductions.reduce_sum(values_grad)]

    def lower(self, b: Any, sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any) -> Any:
        shape = b.sizes_of(output_shape)
        dense = b.broadcast_to(b.reshape(default_value, ()), shape)
        places = sparse_indices
        if places.type.rank == 0:
            places = b.reshape(places, (1, 1))
        elif places.type.rank == 1:
            places = b.expand_dims(places, [1])
        values = b.broadcast_to(sparse_values, (places.type.shape[0],))
        return scattering.scattered(b, dense, places, values, "set")


@public("sparse_to_dense")
def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A tensor that holds values at given places, and a default elsewhere.

    Args:
        sparse_indices: the places: a scalar, a vector, or a matrix whose rows are coordinates.
        output_shape: the sizes of the result, a vector of the same type.
        sparse_values: the values, a vector with one for each place, or a scalar for all.
        default_value: what stands elsewhere, a scalar.
        validate_indices: accepted; places are always checked.
        name: a name for the operation.
    """
    return SparseToDense(
        sparse_indices, output_shape, sparse_values, default_value, validate_indices=validate_indices, name=name
    )


@operation("HistogramFixedWidth")
class HistogramFixedWidth(OpDefinition):
    """How many values fall into each of equally wide bins; those outside count in the first or last one."""

    inputs = {"values": "T", "value_range": "T", "nbins": int32}
    attributes = {
        "T": frozenset({int32, int64, float32, float64}),
        "dtype": Attribute("type", default=int32, allowed=INDEX),
    }
    outputs = {"out": "dtype"}
    differentiable = False

    def infer(self, values: Tensor, value_range: Tensor, nbins: Tensor) -> TensorShape:
        return TensorShape([known_number(nbins)])

    def lower(self, b: Any, values: Any, value_range: Any, nbins: Any, *, dtype: DType) -> Any:
        (count,) = b.sizes_of(nbins)
        index = bins_of(b, values, value_range, count)
        kind = b.element_type(dtype)
        ones = b.fill(index.type.shape, 1, kind)
        return b.emit("scatter", b.fill((count,), 0, kind), b.expand_dims(index, [1]), ones, function="add")


def bins_of(b: Any, values: Any, value_range: Any, count: Any) -> Any:
    """The number of the bin of each value, as a vector of i64."""
    flat = b.convert(b.reshape(values, (values.type.size,)), "f64")
    ends = b.convert(value_range, "f64")
    low, high = (b.reshape(b.slice(ends, [k], [1]), ()) for k in (0, 1))
    b.emit("check", b.map("lt", low, high), message="value_range should satisfy value_range[0] < value_range[1]")
    width = b.div(b.sub(high, low), b.convert(b.sizes(np.array(count, object), "i64"), "f64"))
    place = b.convert(b.map("floor", b.div(b.sub(flat, low), width)), "i64")
    return b.min(b.max(place, 0), b.sizes(np.array(count - 1, object), "i64"))


@public("histogram_fixed_width")
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many values fall into each of equally wide bins.

    Args:
        values: a tensor of real numbers; those outside of the range count in the first or last bin.
        value_range: the ends of the range, a vector of two numbers of the same type.
        nbins: how many bins, a scalar.
        dtype: int32 or int64.
        name: a name for the operations.
    """
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as scope:
        values = internal_convert(values)
        return HistogramFixedWidth(values, value_range, nbins, dtype=dtype, name=scope)


@public("histogram_fixed_width_bins")
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """The number of the equally wide bin that each value falls into; arguments as those of histogram_fixed_width."""
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        values = internal_convert(values, None, "values")
        flat = shapes.reshape(values, [-1])
        ends = internal_convert(value_range, flat.dtype.base_dtype)
        count = internal_convert(nbins, int32, "nbins")
        share = casts.cast(flat - ends[0], float64) / casts.cast(ends[1] - ends[0], float64)
        place = casts.cast(share * casts.cast(count, float64), int32)
        within = arithmetic.Minimum(arithmetic.Maximum(place, 0), count - 1)
        return shapes.reshape(casts.cast(within, dtype), shapes.shape(values))


@operation("UnravelIndex", public="unravel_index")
class UnravelIndex(OpDefinition):
    """The coordinates of places that are numbered through in row-major order.

    Args:
        indices: the numbers of places, a scalar or a vector.
        dims: the sizes of the tensor in which the places lie.
        name: a name for the operation.

    Returns a tensor of shape [axes] or [axes, places].
    """

    inputs = {"indices": "Tidx", "dims": "Tidx"}
    attributes = {"Tidx": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"output": "Tidx"}
    differentiable = False

    def infer(self, indices: Tensor, dims: Tensor) -> TensorShape:
        (rank,) = of_rank(dims, 1)
        return TensorShape([rank]).concatenate(indices.shape)

    def lower(self, b: Any, indices: Any, dims: Any) -> Any:
        sizes = b.sizes_of(dims)
        rows: list[Any] = []
        dtype, rest = indices.type.dtype, indices
        for size in reversed(sizes):
            width = b.sizes(np.array(size, object), dtype)
            rows.insert(0, b.expand_dims(b.map("floor_mod", rest, width), [0]))
            rest = b.map("floor_div", rest, width)
        b.emit("check", b.map("eq", rest, 0), message="index is out of bound as with dims")
        return b.concat(rows, 0)


@public("repeat")
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each element, or each slice along an axis, repeated.

    Args:
        input: a tensor.
        repeats: how often: a number, or a vector with one for each slice.
        axis: the axis; by default the tensor is taken as a vector.
        name: a name for the operations.
    """
    with name_scope(name, "Repeat", [input, repeats]):
        x = internal_convert(input, None, "input")
        if axis is None:
            x, axis = shapes.reshape(x, [-1]), 0
        if x.shape.ndims is None:
            raise ValueError("repeat needs a tensor of known rank")
        axis %= x.shape.ndims
        many = internal_convert(repeats, int32, "repeats")
        if many.shape.ndims == 0:
            return _repeated_alike(x, many, axis)
        counts = many * filling.ones([shapes.shape(x)[axis]], int32)
        mask = sequence_mask(counts, reductions.reduce_max(counts))
        wide = _repeated_alike(x, reductions.reduce_max(counts), axis)
        return selection.boolean_mask(wide, shapes.reshape(mask, [-1]), axis=axis)


def _repeated_alike(x: Tensor, many: Tensor, axis: int) -> Tensor:
    rank = len(x.shape)
    wide = shapes.expand_dims(x, axis + 1)
    multiples = joining.stack([many if k == axis + 1 else 1 for k in range(rank + 1)])
    sizes = shapes.shape(x)
    shape = joining.concat([sizes[:axis], [sizes[axis] * many], sizes[axis + 1 :]], 0)
    return shapes.reshape(tiling.Tile(wide, multiples), shape)


@public("math.zero_fraction", "nn.zero_fraction")
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of a tensor's elements that are 0.

    Args:
        value: a tensor of numbers.
        name: a name for the operations.

    Returns a scalar of float32; NaN for an empty tensor.
    """
    with name_scope(name, "zero_fraction", [value]):
        value = internal_convert(value, None, "value")
        zero = constants.constant(0, dtype=value.dtype.base_dtype, name="zero")
        return reductions.reduce_mean(casts.cast(comparison.Equal(value, zero), float32))
