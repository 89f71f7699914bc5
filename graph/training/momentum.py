"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops.training import ApplyMomentum, SparseApplyMomentum
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.MomentumOptimizer")
class MomentumOptimizer(Optimizer):
    """Keeps a velocity for each variable: velocity = momentum * velocity + gradient; variable -= rate * velocity.

    Args:
        learning_rate: a number or a scalar tensor.
        momentum: a number or a scalar tensor.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.
        use_nesterov: looks ahead along the velocity (Sutskever et al., 2013).
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name, learning_rate=learning_rate, momentum=momentum)
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            self._zeros_slot(variable, "momentum", self._name)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        slot, rate = self.get_slot(var, "momentum"), self._hyperparameter("learning_rate", var)
        momentum = self._hyperparameter("momentum", var)
        options = {"use_locking": self._use_locking, "use_nesterov": self._use_nesterov}
        return ApplyMomentum(var, slot, rate, grad, momentum, **options).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        slot, rate = self.get_slot(var, "momentum"), self._hyperparameter("learning_rate", var)
        momentum = self._hyperparameter("momentum", var)
        options = {"use_locking": self._use_locking, "use_nesterov": self._use_nesterov}
        return SparseApplyMomentum(var, slot, rate, grad.values, grad.indices, momentum, **options).op
