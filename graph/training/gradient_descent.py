"""Gradient descent."""

from __future__ import annotations

from typing import Any

from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops.state import ScatterSub
from sessile.graph.ops.training import ApplyGradientDescent
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.GradientDescentOptimizer")
class GradientDescentOptimizer(Optimizer):
    """Moves each variable against its gradient.

    Args:
        learning_rate: how far, a number or a scalar tensor.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added.
    """

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name, learning_rate=learning_rate)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        rate = self._hyperparameter("learning_rate", var)
        return ApplyGradientDescent(var, rate, grad, use_locking=self._use_locking).op

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Operation:
        change = grad.values * self._hyperparameter("learning_rate", var)
        return ScatterSub(var, grad.indices, change, use_locking=self._use_locking).op
