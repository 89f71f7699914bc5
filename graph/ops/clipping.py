"""Values and gradients kept within bounds: clip_by_value, clip_by_norm, clip_by_global_norm, clip_by_average_norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import NUMERIC, QUANTIZED
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops import (
    arithmetic,
    broadcasting,
    casts,
    comparison,
    constants,
    elementwise,
    filling,
    identity,
    joining,
    losses,
    reductions,
    selection,
    shapes,
)
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


@operation("ClipByValue")
class ClipByValue(OpDefinition):
    """The input with its elements brought into [clip_value_min, clip_value_max]."""

    inputs = {"t": "T", "clip_value_min": "T", "clip_value_max": "T"}
    attributes = {"T": NUMERIC | QUANTIZED}
    outputs = {"output": "T"}

    def infer(self, t: Tensor, clip_value_min: Tensor, clip_value_max: Tensor) -> Tensor:
        return t

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, low, high = op.inputs
        zeros = filling.zeros_like(grad)
        below, above = comparison.Less(x, low), comparison.Greater(x, high)
        to_x, to_low = broadcasting.unbroadcast(x, low)
        _, to_high = broadcasting.unbroadcast(x, high)
        x_grad = selection.where(below | above, zeros, grad)
        return [to_x(x_grad), to_low(selection.where(below, grad, zeros)), to_high(selection.where(above, grad, zeros))]

    def lower(self, b: Any, t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
        return b.max(b.min(t, clip_value_max), clip_value_min)


@public("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """A tensor with its elements brought into a range.

    Args:
        t: a tensor of real numbers, or `IndexedSlices`.
        clip_value_min: the least value, a scalar or a tensor that broadcasts to the shape of `t`.
        clip_value_max: the greatest value.
        name: a name for the operations.

    Raises ValueError when the bounds would make the tensor larger.
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        values = internal_convert(t.values if isinstance(t, IndexedSlices) else t, None, "t")
        lowered = arithmetic.Minimum(values, clip_value_max)
        values.shape.merge_with(lowered.shape)
        result = arithmetic.Maximum(lowered, clip_value_min, name=scope)
        values.shape.merge_with(result.shape)
        return t.with_values(result) if isinstance(t, IndexedSlices) else result


@public("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """A tensor scaled down so that its Euclidean norm is at most `clip_norm`.

    Args:
        t: a tensor of floating numbers, or `IndexedSlices`.
        clip_norm: the greatest norm, a scalar above 0.
        axes: the axes over which the norm is taken, by default all.
        name: a name for the operations.
    """
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as scope:
        values = internal_convert(t.values if isinstance(t, IndexedSlices) else t, None, "t")
        squares = reductions.reduce_sum(values * values, axes, keepdims=True)
        is_positive = squares > 0
        # the root of 0 has no gradient, so that it must not be taken even where its value is dropped
        safe = selection.where(is_positive, squares, filling.ones_like(squares))
        norm = selection.where(is_positive, elementwise.Sqrt(safe), squares)
        intermediate = values * clip_norm
        values.shape.merge_with(intermediate.shape)
        clipped = identity.identity(intermediate / arithmetic.Maximum(norm, clip_norm), name=scope)
        return t.with_values(clipped) if isinstance(t, IndexedSlices) else clipped


@public("global_norm", "linalg.global_norm")
def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The Euclidean norm of all elements of several tensors together: sqrt(sum of the squares of all norms).

    Args:
        t_list: a list of tensors, `IndexedSlices`, or None, which is left out.
        name: a name for the operations.

    Raises TypeError when `t_list` is no sequence.
    """
    t_list = _checked_list(t_list)
    with name_scope(name, "global_norm", t_list):
        values = [_values(t, k) for k, t in enumerate(t_list)]
        halves = [losses.L2Loss(v) for v in values if v is not None]
        total = reductions.reduce_sum(joining.stack(halves))
        two = constants.constant(2.0, dtype=total.dtype.base_dtype)
        return elementwise.Sqrt(total * two, name="global_norm")


@public("clip_by_global_norm")
def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Several tensors scaled down by one factor, so that their global norm is at most `clip_norm`.

    Args:
        t_list: a list of tensors, `IndexedSlices`, or None, which stays None.
        clip_norm: the greatest norm, a scalar above 0.
        use_norm: the global norm, where it is known already.
        name: a name for the operations.

    Returns the list of scaled tensors, and the global norm. They are NaN where it is infinite or NaN. Raises TypeError
    when `t_list` is no sequence. Source: Pascanu et al., On the difficulty of training recurrent networks, 2012.
    """
    t_list = _checked_list(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    with name_scope(name, "clip_by_global_norm", [*t_list, clip_norm]) as scope:
        dtype = use_norm.dtype.base_dtype
        largest = arithmetic.Minimum(1.0 / use_norm, constants.constant(1.0, dtype=dtype) / clip_norm)
        scale = clip_norm * largest
        # infinity - infinity is NaN, so that a norm that is not finite shows in all results
        scale = selection.where(elementwise.IsFinite(use_norm), scale, constants.constant(float("nan"), dtype=dtype))
        return [_scaled(t, scale, f"{scope}_{k}") for k, t in enumerate(t_list)], use_norm


def _scaled(t: Any, scale: Tensor, name: str) -> Any:
    if t is None:
        return None
    if isinstance(t, IndexedSlices):
        return t.with_values(_scaled(t.values, scale, name))
    t = internal_convert(t)
    return identity.identity(t * scale, name=name)


def _checked_list(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError("t_list should be a sequence")
    return list(t_list)


def _values(t: Any, index: int) -> Tensor | None:
    if t is None:
        return None
    return internal_convert(t.values if isinstance(t, IndexedSlices) else t, None, f"t_{index}")


@public("clip_by_average_norm")
def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """A tensor scaled down so that its Euclidean norm, divided by its number of elements, is at most `clip_norm`.

    Args:
        t: a tensor of floating numbers.
        clip_norm: the greatest average norm, a scalar above 0.
        name: a name for the operations.
    """
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        t = internal_convert(t, None, "t")
        count = casts.cast(shapes.size(t), t.dtype.base_dtype)
        axes = reductions.all_axes(t)
        inverse = elementwise.Rsqrt(reductions.reduce_sum(t * t, axes))
        least = arithmetic.Minimum(inverse * count, constants.constant(1.0, dtype=t.dtype.base_dtype) / clip_norm)
        return identity.identity(t * clip_norm * least, name=scope)
