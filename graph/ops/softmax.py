"""Softmax and its logarithm, along any axis."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops import arithmetic, joining, ranges, reductions, shapes, transcendental, transposition
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import of_rank_at_least
from sessile.graph.tensor import Tensor


def shifted(b: Any, logits: Any) -> Any:
    """The logits less the largest of their row: exp cannot overflow."""
    return b.sub(logits, b.reduce("max", logits, [logits.type.rank - 1], keep=True))


def row_sum(b: Any, values: Any) -> Any:
    """The sum of each row, with an axis of size 1."""
    return b.reduce("add", values, [values.type.rank - 1], keep=True)


class RowFunction(OpDefinition):
    """Base of functions along the last axis."""

    inputs = {"logits": "T"}
    attributes = {"T": FLOATING}

    def infer(self, logits: Tensor) -> Tensor:
        of_rank_at_least(logits, 1)
        return logits


@operation("Softmax")
class Softmax(RowFunction):
    """exp(logits) divided by its sum along the last axis."""

    outputs = {"softmax": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        softmax = op.outputs[0]
        sums = reductions.reduce_sum(grad * softmax, -1, keepdims=True)
        return [(grad - sums) * softmax]

    def lower(self, b: Any, logits: Any) -> Any:
        exponentials = b.exp(shifted(b, logits))
        return b.div(exponentials, row_sum(b, exponentials))


@operation("LogSoftmax")
class LogSoftmax(RowFunction):
    """The logarithm of Softmax."""

    outputs = {"logsoftmax": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        softmax = transcendental.Exp(op.outputs[0])
        return [grad - reductions.reduce_sum(grad, -1, keepdims=True) * softmax]

    def lower(self, b: Any, logits: Any) -> Any:
        below = shifted(b, logits)
        return b.sub(below, b.log(row_sum(b, b.exp(below))))


@public("nn.softmax", "math.softmax")
def softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """exp(logits) divided by its sum along an axis.

    Args:
        logits: a floating tensor.
        axis: the axis, the last one by default.
        name: a name for the operation.
        dim: the older name of `axis`.

    Raises InvalidArgumentError for an axis that does not exist.
    """
    return _along_axis(Softmax, logits, renamed_argument("axis", axis, "dim", dim), name)


@public("nn.log_softmax", "math.log_softmax")
def log_softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """The logarithm of `softmax`; the arguments are the same."""
    return _along_axis(LogSoftmax, logits, renamed_argument("axis", axis, "dim", dim), name)


def _along_axis(function: Any, logits: Any, axis: int | None, name: str | None) -> Tensor:
    """Applies a function of rows along any axis: the axis changes places with the last one, and back."""
    tensor = convert_to_tensor(logits)
    rank = tensor.shape.ndims
    if axis is None or axis == -1 or (rank is not None and axis == rank - 1):
        return function(tensor, name=name)
    if rank is None:
        raise ValueError(f"The axis {axis} of a tensor of unknown rank cannot be found: {tensor}")
    if not -rank <= axis < rank:
        raise InvalidArgumentError(
            None,
            None,
            f"Dimension ({axis}) must be in the range [{-rank}, {rank}) where {rank} is the number of dimensions in "
            f"the input.",
        )
    own_rank, place = shapes.rank(tensor), axis
    if axis < 0:
        place = axis + own_rank
    own_rank = shapes.rank(tensor)
    place %= rank
    swapped = _exchanged(tensor, place, arithmetic.Sub(own_rank, 1))
    result = _exchanged(function(swapped), place, arithmetic.Sub(own_rank, 1), name)
    result.set_shape(tensor.shape)
    return result


def _exchanged(tensor: Tensor, axis: Any, last: Tensor, name: str | None = None) -> Tensor:
    before, between = ranges.range_(axis), ranges.range_(axis + 1, last)
    order = joining.concat([before, [last], between, [axis]], 0)
    return transposition.transpose(tensor, order, name=name)
