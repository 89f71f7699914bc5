"""Losses that are one operation, or a formula of few, element by element."""

from __future__ import annotations

import math
from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops import filling, selection, transcendental
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("L2Loss", public="nn.l2_loss")
class L2Loss(OpDefinition):
    """Half the sum of the squares of all elements.

    Args:
        t: a floating tensor.
        name: a name for the operation.
    """

    inputs = {"t": "T"}
    attributes = {"T": FLOATING}
    outputs = {"output": "T"}

    def infer(self, t: Tensor) -> TensorShape:
        return TensorShape([])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [op.inputs[0] * grad]

    def lower(self, b: Any, t: Any) -> Any:
        return b.mul(b.reduce("add", b.mul(t, t), range(t.type.rank)), 0.5)


@public("nn.log_poisson_loss")
def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """The negative log likelihood of counts under Poisson distributions with the rates exp(log_input).

    Args:
        targets: counts, of the shape and type of `log_input`.
        log_input: the logarithms of the rates, floating.
        compute_full_loss: adds Stirling's approximation of log(targets!) for targets above 1, which does not depend
            on the rates.
        name: a name for the operations.

    Raises ValueError for shapes that differ.
    """
    with name_scope(name, "log_poisson_loss", [log_input, targets]):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        try:
            targets.shape.merge_with(log_input.shape)
        except ValueError:
            raise ValueError(
                f"log_input and targets must have the same shape ({log_input.shape} vs {targets.shape})"
            ) from None
        result = transcendental.Exp(log_input) - log_input * targets
        return result + _stirling(targets) if compute_full_loss else result


def _stirling(counts: Tensor) -> Tensor:
    """log(counts!) by Stirling's formula, 0 for counts of 0 and 1 (where the formula is off)."""
    two_pi = convert_to_tensor(2 * math.pi, dtype=counts.dtype)
    half = convert_to_tensor(0.5, dtype=counts.dtype)
    approximate = counts * transcendental.Log(counts) - counts + half * transcendental.Log(two_pi * counts)
    is_small = (counts >= filling.zeros_like(counts)) & (counts <= filling.ones_like(counts))
    return selection.where(is_small, filling.zeros_like(counts), approximate)
