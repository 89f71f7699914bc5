"""Gradients of reductions: how what arrives for the combined elements goes back to each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import known_axes
from sessile.graph.errors import UnimplementedError
from sessile.graph.ops import (
    arithmetic,
    casts,
    comparison,
    complex_numbers,
    constants,
    division,
    gathering,
    reductions,
    scans,
    shapes,
    tiling,
    transposition,
)
from sessile.graph.tensor import Tensor


def _axes(op: Any) -> list[int] | None:
    """The axes of a reduction, counted from the front, where they and the rank are known."""
    rank, axes = op.inputs[0].shape.ndims, known_axes(op.inputs[1])
    return None if rank is None or axes is None else sorted({axis % rank for axis in axes})


def reduced_shape(x: Tensor, axes: Tensor) -> Tensor:
    """The shape that a reduction of `x` has when it keeps its axes, with size 1."""
    # the sum is never computed: the axes of a reduction are numbers by the time a program is made, and so is its shape
    return shapes.shape(reductions.Sum(x, axes, keep_dims=True))


def _kept_shape(op: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The shape of a reduction's input, that with reduced axes at size 1, and how often to repeat one for the other."""
    sizes, axes = op.inputs[0].shape.sizes, _axes(op)
    shape = shapes.shape(op.inputs[0])
    if axes is None:
        kept = reduced_shape(op.inputs[0], op.inputs[1])
        return shape, kept, _safe_quotient(shape, kept)
    is_reduced = np.isin(np.arange(len(sizes)), axes).astype(np.int32)
    if None not in sizes:
        ones = np.ones(len(sizes), np.int32)
        parts = np.where(is_reduced, ones, sizes), np.where(is_reduced, sizes, ones)
        return shape, *(constants.constant(part.astype(np.int32)) for part in parts)  # type: ignore[return-value]
    return shape, shape * (1 - is_reduced) + is_reduced, shape * is_reduced + (1 - is_reduced)


def of_sum(op: Any, grad: Tensor) -> Tensor:
    """The gradient, repeated along the reduced axes."""
    sizes = op.inputs[0].shape.sizes
    if sizes is not None and _axes(op) == list(range(len(sizes))):
        return tiling.Tile(shapes.reshape(grad, [1] * len(sizes)), shapes.shape(op.inputs[0]))
    _, kept, repeats = _kept_shape(op)
    return tiling.Tile(shapes.reshape(grad, kept), repeats)


def _safe_quotient(x: Tensor, y: Tensor) -> Tensor:
    """x // y for sizes, with 0 // 0 = 0."""
    return x // arithmetic.Maximum(y, 1)


def of_mean(op: Any, grad: Tensor) -> Tensor:
    """The gradient of the sum, divided by how many elements make a mean."""
    spread = of_sum(op, grad)
    total, left = op.inputs[0].shape.num_elements(), op.outputs[0].shape.num_elements()
    if total is not None and left is not None:
        factor = constants.constant(total // max(left, 1), dtype=spread.dtype.base_dtype)
    else:
        elements = reductions.reduce_prod(shapes.shape(op.inputs[0]))
        factor = _safe_quotient(elements, reductions.reduce_prod(shapes.shape(op.outputs[0])))
    return division.truediv(spread, casts.cast(factor, spread.dtype))


def of_extreme(op: Any, grad: Tensor) -> Tensor:
    """The gradient at the extreme elements, in equal parts where there are several."""
    _, kept, _ = _kept_shape(op)
    y = shapes.reshape(op.outputs[0], kept)
    grad = shapes.reshape(grad, kept)
    indicators = casts.cast(comparison.Equal(y, op.inputs[0]), grad.dtype)
    count = shapes.reshape(reductions.reduce_sum(indicators, op.inputs[1]), kept)
    return indicators / count * grad


def of_norm(op: Any, grad: Tensor) -> Tensor:
    """grad * x / norm."""
    _, kept, _ = _kept_shape(op)
    norm = shapes.reshape(op.outputs[0], kept)
    return op.inputs[0] * (shapes.reshape(grad, kept) / norm)


def of_product(op: Any, grad: Tensor) -> Tensor:
    """The gradient times the product of all other elements, which needs no division and so is right for zeros."""
    x, axes = op.inputs[0], _axes(op)
    if axes is None and op.outputs[0].shape.ndims == 0:
        return grad * shapes.reshape(_product_of_others(shapes.reshape(x, [-1, 1])), shapes.shape(x))
    if axes is None:
        raise UnimplementedError(
            op.node_def, op, f"the gradient of {op.name} (Prod) over axes that the graph leaves open"
        )
    shape, kept, repeats = _kept_shape(op)
    others = [axis for axis in range(x.shape.ndims) if axis not in axes]
    order = [*axes, *others]
    reduced_first = transposition.transpose(x, order)
    flat = shapes.reshape(reduced_first, _two_axes(shape, axes, others))
    product = shapes.reshape(_product_of_others(flat), shapes.shape(reduced_first))
    back = transposition.transpose(product, np.argsort(order).tolist())
    spread = tiling.Tile(shapes.reshape(grad, kept), repeats)
    return shapes.reshape(spread * back, shape)


def _product_of_others(x: Tensor) -> Tensor:
    """For each element of a matrix the conjugate product of all others in its column."""
    left = scans.cumprod(x, axis=0, exclusive=True)
    right = scans.cumprod(x, axis=0, exclusive=True, reverse=True)
    return complex_numbers.conj(left) * complex_numbers.conj(right)


def _two_axes(shape: Tensor, axes: list[int], others: list[int]) -> list[Any]:
    """The sizes of a matrix with all of `axes` as rows and `others` as columns."""
    return [reductions.reduce_prod(gathering.gather(shape, np.array(group, np.int32))) for group in (axes, others)]
