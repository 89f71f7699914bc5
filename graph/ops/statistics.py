"""Functions built on reductions: log-sum-exp, variance, standard deviation, norms, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.convert import internal_convert
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import (
    arithmetic,
    casts,
    comparison,
    complex_numbers,
    elementwise,
    filling,
    identity,
    reductions,
    selection,
    shapes,
    transcendental,
)
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor


@public("reduce_logsumexp", "math.reduce_logsumexp")
def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """log(sum(exp(x))) over axes, with the largest element taken out first, so that nothing overflows or gets lost.

    Args:
        input_tensor: a tensor of floating numbers.
        axis: the axes to reduce over, a number or a list; by default all.
        keepdims: whether those axes stay, with size 1.
        name: a name for the operations.
        reduction_indices, keep_dims: the older names of `axis` and `keepdims`.
    """
    axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "ReduceLogSumExp", [input_tensor]):
        input_tensor = internal_convert(input_tensor, None, "input_tensor")
        raw_max = reductions.reduce_max(input_tensor, axis, keepdims=True)
        finite = selection.where(elementwise.IsFinite(raw_max), raw_max, filling.zeros_like(raw_max))
        largest = identity.StopGradient(finite)
        scaled = transcendental.Exp(arithmetic.Sub(input_tensor, largest))
        result = transcendental.Log(reductions.reduce_sum(scaled, axis, keepdims=keep))
        if not keep:
            largest = shapes.reshape(largest, shapes.shape(result))
        return arithmetic.Add(result, largest)


@public("math.reduce_variance")
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The mean squared distance from the mean, over axes.

    Args:
        input_tensor: a tensor of floating or complex numbers.
        axis: the axes to reduce over, a number or a list; by default all.
        keepdims: whether those axes stay, with size 1.
        name: a name for the operations.
    """
    with name_scope(name or "reduce_variance", None, [input_tensor]):
        x = internal_convert(input_tensor)
        means = reductions.reduce_mean(x, axis, keepdims=True)
        difference = x - means
        if x.dtype.is_complex:
            squares = complex_numbers.real_part(difference * complex_numbers.conj(difference))
        else:
            squares = elementwise.Square(difference)
        return reductions.reduce_mean(squares, axis, keepdims=keepdims)


@public("math.reduce_std")
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The standard deviation over axes: the square root of `reduce_variance`.

    Args:
        input_tensor: a tensor of floating or complex numbers.
        axis: the axes to reduce over, a number or a list; by default all.
        keepdims: whether those axes stay, with size 1.
        name: a name for the operations.
    """
    with name_scope(name or "reduce_std", None, [input_tensor]):
        variance = reduce_variance(input_tensor, axis=axis, keepdims=keepdims)
        return elementwise.Sqrt(variance)


@public("count_nonzero", "math.count_nonzero")
def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    input: Any = None,
) -> Tensor:
    """How many elements are not zero (not the empty string), over axes.

    Args:
        input_tensor: a tensor of numbers, truth values or strings.
        axis: the axes to reduce over, a number or a list; by default all.
        keepdims: whether those axes stay, with size 1.
        dtype: the type of the result.
        name: a name for the operations.
        reduction_indices, keep_dims, input: other names of `axis`, `keepdims`, `input_tensor`.
    """
    keep = renamed_argument("keepdims", keepdims, "keep_dims", keep_dims)
    x = renamed_argument("input", input, "input_tensor", input_tensor)
    axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(name, "count_nonzero", [x]):
        x = internal_convert(x, None, "input")
        zero = filling.zeros([], dtype=x.dtype.base_dtype)
        counted = casts.cast(comparison.NotEqual(x, zero), dtypes.int64)
        return casts.cast(reductions.reduce_sum(counted, axis, keepdims=keep), dtype)


@public("norm", "linalg.norm")
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        tensor: a tensor of floating or complex numbers.
        ord: for vectors "euclidean", any positive number p, or infinity; for matrices "fro", 1 or infinity.
        axis: the axis of the vectors, or the two axes of the matrices; by default all of `tensor` is one vector.
        keepdims: whether those axes stay, with size 1.
        name: a name for the operations.
        keep_dims: the older name of `keepdims`.

    Raises ValueError for an `ord` or `axis` that has no meaning.
    """
    keep = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    is_matrix = _is_matrix_norm(ord, axis)
    with name_scope(name, "norm", [tensor]):
        tensor = internal_convert(tensor)
        if ord in ("fro", "euclidean", 2, 2.0) and not (is_matrix and ord in (2, 2.0)):
            squares = tensor * complex_numbers.conj(tensor)
            result = elementwise.Sqrt(reductions.reduce_sum(squares, axis, keepdims=True))
        else:
            result = _absolute_norm(elementwise.abs(tensor), ord, axis, is_matrix)
        return result if keep else shapes.squeeze(result, axis)


def _is_matrix_norm(ord: Any, axis: Any) -> bool:
    if isinstance(axis, (list, tuple)):
        axis = tuple(axis)
        if len(axis) != 2 or axis[0] == axis[1]:
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if ord not in ("fro", "euclidean", 1, 1.0, np.inf):
            raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, inf], got {ord}")
        return True
    if ord not in ("euclidean", np.inf) and not (isinstance(ord, (int, float)) and ord > 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    return False


def _absolute_norm(magnitude: Tensor, ord: Any, axis: Any, is_matrix: bool) -> Tensor:
    """A norm made of absolute values, with its axes kept at size 1."""
    if is_matrix:
        summed, largest = (axis[0], axis[1]) if ord == 1 else (axis[1], axis[0])
        sums = reductions.reduce_sum(magnitude, summed, keepdims=True)
        return reductions.reduce_max(sums, largest, keepdims=True)
    if ord == np.inf:
        return reductions.reduce_max(magnitude, axis, keepdims=True)
    if ord == 1:
        return reductions.reduce_sum(magnitude, axis, keepdims=True)
    return arithmetic.pow_(reductions.reduce_sum(arithmetic.pow_(magnitude, ord), axis, keepdims=True), 1.0 / ord)
