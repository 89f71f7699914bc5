"""Sums, means, products, extremes and truth values over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import known_axes
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, NUMERIC, QUANTIZED, REAL_NUMBER, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import ranges, reduction_gradients, shapes
from sessile.graph.ops.bases import axes_of
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import UNKNOWN, of_rank_at_most
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape

AXIS_TYPE = Attribute("type", default=int32, allowed=INDEX)


class Reduction(OpDefinition):
    """Base of operations that combine the elements along the axes that a second input names."""

    inputs = {"input": "T", "reduction_indices": "Tidx"}
    attributes = {"keep_dims": False, "T": NUMERIC | QUANTIZED, "Tidx": AXIS_TYPE}
    outputs = {"output": "T"}
    function = ""

    def infer(self, input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> TensorShape:
        of_rank_at_most(reduction_indices, 1)
        sizes, axes = input._shape.sizes, known_axes(reduction_indices)
        if sizes is None:
            return UNKNOWN
        if axes is None:
            return unknown_shape(len(sizes)) if keep_dims else UNKNOWN
        removed = set()
        for axis in axes:
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"Invalid reduction dimension {axis} for input with {len(sizes)} dimensions.")
            removed.add(axis % len(sizes))
        if keep_dims:
            return TensorShape.from_sizes(tuple(1 if k in removed else size for k, size in enumerate(sizes)))
        return TensorShape.from_sizes(tuple(size for k, size in enumerate(sizes) if k not in removed))

    def lower(self, b: Any, input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
        axes = sorted(set(axes_of(b, reduction_indices, input.type.rank)))
        return self.reduced(b, input, axes, keep_dims)

    def reduced(self, b: Any, x: Any, axes: list[int], keep: bool) -> Any:
        """The combined elements of `x`."""
        return b.reduce(self.function, x, axes, keep)


def _fold(function: Any, known: Any, input: Tensor, axes: Tensor, keep_dims: bool) -> Any:
    values = known(input)
    if None in values.reshape(-1).tolist():
        return None
    return function(values, axis=tuple(known(axes).reshape(-1).tolist()), keepdims=keep_dims)


@operation("Sum")
class Sum(Reduction):
    """The sum over axes."""

    function = "add"

    def fold(self, known: Any, input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> Any:
        return _fold(np.sum, known, input, reduction_indices, keep_dims)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_sum(op, grad), None]


@operation("Mean")
class Mean(Reduction):
    """The mean over axes."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_mean(op, grad), None]

    def reduced(self, b: Any, x: Any, axes: list[int], keep: bool) -> Any:
        wide = b.convert(x, "f32") if x.type.dtype == "f16" else x
        total = b.reduce("add", wide, axes, keep)
        count = b.count(wide, axes, wide.type.dtype)
        quotient = b.map("div" if wide.type.dtype[0] in "fc" else "truncated_div", total, count)
        return b.convert(quotient, x.type.dtype)


@operation("Prod")
class Prod(Reduction):
    """The product over axes."""

    function = "mul"

    def fold(self, known: Any, input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> Any:
        return _fold(np.prod, known, input, reduction_indices, keep_dims)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_product(op, grad), None]


@operation("Max")
class Max(Reduction):
    """The largest element over axes."""

    attributes = {"keep_dims": False, "T": REAL_NUMBER | QUANTIZED, "Tidx": AXIS_TYPE}
    function = "max"

    def fold(self, known: Any, input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> Any:
        return _fold(np.max, known, input, reduction_indices, keep_dims)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_extreme(op, grad), None]


@operation("Min")
class Min(Reduction):
    """The smallest element over axes."""

    attributes = {"keep_dims": False, "T": REAL_NUMBER | QUANTIZED, "Tidx": AXIS_TYPE}
    function = "min"

    def fold(self, known: Any, input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> Any:
        return _fold(np.min, known, input, reduction_indices, keep_dims)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_extreme(op, grad), None]


class TruthReduction(Reduction):
    """Base of reductions of truth values."""

    inputs = {"input": dtypes.bool, "reduction_indices": "Tidx"}
    attributes = {"keep_dims": False, "Tidx": AXIS_TYPE}
    outputs = {"output": dtypes.bool}
    differentiable = False


@operation("All")
class All(TruthReduction):
    """Whether all elements hold, over axes."""

    function = "and"


@operation("Any")
class AnyOf(TruthReduction):
    """Whether any element holds, over axes."""

    function = "or"


@operation("EuclideanNorm")
class EuclideanNorm(Reduction):
    """The square root of the sum of squares, over axes."""

    attributes = {"keep_dims": False, "T": NUMERIC, "Tidx": AXIS_TYPE}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [reduction_gradients.of_norm(op, grad), None]

    def reduced(self, b: Any, x: Any, axes: list[int], keep: bool) -> Any:
        square = b.mul(x, b.map("conj", x)) if x.type.dtype[0] == "c" else b.mul(x, x)
        total = b.reduce("add", square, axes, keep)
        if x.type.dtype[0] in "fc":
            return b.map("sqrt", total)
        return b.convert(b.map("sqrt", b.convert(total, "f64")), x.type.dtype)


def _reducer(public_name: str, definition: Any, summary: str) -> Callable[..., Tensor]:
    """The function by which `tf.` offers a reduction: arguments have the names of all of TensorFlow 1's versions."""

    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Tensor:
        axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
        keep = renamed_argument("keepdims", keepdims, "keep_dims", keep_dims)
        result = definition(
            input_tensor, all_axes(input_tensor) if axis is None else axis, keep_dims=bool(keep), name=name
        )
        if axis is None and not keep:  # a scalar, even where the rank of the input is not known
            result.set_shape(())
        return result

    reduce.__name__ = reduce.__qualname__ = public_name
    reduce.__doc__ = f"""{summary}

    Args:
        input_tensor: a tensor.
        axis: the axes to reduce over, a number or a list; by default all.
        keepdims: whether those axes stay, with size 1.
        name: a name for the operation.
        reduction_indices, keep_dims: the older names of `axis` and `keepdims`.

    Raises ValueError when an axis does not exist, or an argument is given under both names.
    """
    return public(public_name, f"math.{public_name}")(reduce)


def all_axes(x: Any) -> Tensor:
    """All axes of `x`, as a constant where its rank is known."""
    rank = x.shape.ndims if isinstance(x, Tensor) else None
    if rank is None:
        return ranges.range_(0, shapes.rank(x))
    return internal_convert(np.arange(rank, dtype=np.int32))


reduce_sum = _reducer("reduce_sum", Sum, "The sum of a tensor's elements over axes.")
reduce_mean = _reducer("reduce_mean", Mean, "The mean over axes; that of whole numbers is rounded towards zero.")
reduce_prod = _reducer("reduce_prod", Prod, "The product of a tensor's elements over axes.")
reduce_max = _reducer("reduce_max", Max, "The largest of a tensor's elements over axes.")
reduce_min = _reducer("reduce_min", Min, "The smallest of a tensor's elements over axes.")
reduce_all = _reducer("reduce_all", All, "Whether all of a tensor's truth values hold, over axes.")
reduce_any = _reducer("reduce_any", AnyOf, "Whether any of a tensor's truth values holds, over axes.")
reduce_euclidean_norm = _reducer("reduce_euclidean_norm", EuclideanNorm, "The root of the sum of squares over axes.")
