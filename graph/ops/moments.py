"""Means and variances of tensors over axes, also weighted or from statistics collected in parts."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import convert_to_tensor
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import (
    arithmetic,
    casts,
    constants,
    elementwise,
    filling,
    identity,
    reductions,
    shapes,
)
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor


@public("nn.moments")
def moments(
    x: Any,
    axes: Any,
    shift: Any = None,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean and the variance (of the population) of `x` over axes.

    Args:
        x: a floating tensor; half floats are averaged in single precision.
        axes: the axes to average over, such as [0, 1, 2] for the channels of images.
        shift: accepted without effect.
        name: a name for the operations.
        keep_dims: the older name of `keepdims`.
        keepdims: whether those axes stay, with size 1.
    """
    keep = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "moments", [x, axes]):
        x = convert_to_tensor(x)
        is_half = x.dtype.base_dtype == dtypes.float16
        y = casts.cast(x, dtypes.float32) if is_half else x
        mean = reductions.reduce_mean(y, axes, keepdims=True, name="mean")
        squares = arithmetic.SquaredDifference(y, identity.StopGradient(mean))
        variance = reductions.reduce_mean(squares, axes, keepdims=True, name="variance")
        return _finished(mean, variance, axes, keep, is_half)


def _finished(mean: Tensor, variance: Tensor, axes: Any, keep: bool, is_half: bool) -> tuple[Tensor, Tensor]:
    if not keep:
        mean, variance = shapes.squeeze(mean, axes), shapes.squeeze(variance, axes)
    if is_half:
        mean, variance = casts.cast(mean, dtypes.float16), casts.cast(variance, dtypes.float16)
    return mean, variance


@public("nn.weighted_moments")
def weighted_moments(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of `x` over axes, where elements count as often as their weights say.

    Args:
        x: a floating tensor; half floats are averaged in single precision.
        axes: the axes to average over.
        frequency_weights: weights, which broadcast with `x`.
        name: a name for the operations.
        keep_dims: the older name of `keepdims`.
        keepdims: whether those axes stay, with size 1.
    """
    keep = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, name="frequency_weights")
        is_half = x.dtype.base_dtype == dtypes.float16
        x = casts.cast(x, dtypes.float32) if is_half else x
        weights = casts.cast(weights, x.dtype) if weights.dtype != x.dtype else weights
        total = reductions.reduce_sum(weights * x, axes, name="weighted_input_sum", keepdims=True)
        full_weights = weights + filling.zeros_like(x)
        weight = reductions.reduce_sum(full_weights, axes, name="sum_of_weights", keepdims=True)
        divisor = elementwise.Reciprocal(weight, name="inv_weight_sum")
        mean = arithmetic.Mul(total, divisor)
        squares = weights * arithmetic.SquaredDifference(x, mean)
        distance = reductions.reduce_sum(squares, axes, name="weighted_distsq", keepdims=True)
        return _finished(mean, arithmetic.Mul(distance, divisor), axes, keep, is_half)


@public("nn.sufficient_statistics")
def sufficient_statistics(
    x: Any,
    axes: Any,
    shift: Any = None,
    keep_dims: bool | None = None,
    name: str | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor, Tensor, Any]:
    """What `normalize_moments` needs of `x` over axes: the count, the sum, the sum of squares, and the shift.

    Args:
        x: a floating tensor.
        axes: the axes to sum over.
        shift: a value near the mean, which is taken from the elements first; None for no shift.
        keep_dims: the older name of `keepdims`.
        name: a name for the operations.
        keepdims: whether those axes stay, with size 1.
    """
    keep = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    axes = sorted(set(axes))
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        counts = _count(x, axes)
        if shift is None:
            mean_terms, square_terms = x, elementwise.Square(x)
        else:
            shift = convert_to_tensor(shift, name="shift")
            mean_terms, square_terms = arithmetic.Sub(x, shift), arithmetic.SquaredDifference(x, shift)
        mean_sum = reductions.reduce_sum(mean_terms, axes, keepdims=keep, name="mean_ss")
        square_sum = reductions.reduce_sum(square_terms, axes, keepdims=keep, name="var_ss")
        return counts, mean_sum, square_sum, shift


def _count(x: Tensor, axes: list[int]) -> Tensor:
    sizes = x.shape.sizes
    if sizes is not None and all(sizes[axis] is not None for axis in axes):
        count = 1
        for axis in axes:
            count *= sizes[axis] or 0
        return constants.constant(count, dtype=x.dtype)
    chosen = [shapes.shape(x)[axis] for axis in axes]
    return reductions.reduce_prod(casts.cast(convert_to_tensor(chosen), x.dtype), name="count")


@public("nn.normalize_moments")
def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance from the results of `sufficient_statistics`, perhaps summed over several parts.

    Args:
        counts, mean_ss, variance_ss: the number of elements, their sum, the sum of their squares.
        shift: what was taken from the elements first, None for nothing.
        name: a name for the operations.
    """
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = elementwise.Reciprocal(counts, name="divisor")
        if shift is None:
            mean = shifted_mean = arithmetic.Mul(mean_ss, divisor, name="mean")
        else:
            shifted_mean = arithmetic.Mul(mean_ss, divisor, name="shifted_mean")
            mean = arithmetic.Add(shifted_mean, shift, name="mean")
        second = arithmetic.Mul(variance_ss, divisor)
        return mean, arithmetic.Sub(second, elementwise.Square(shifted_mean), name="variance")
