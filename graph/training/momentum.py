"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import casts
from sessile.graph.ops.training import ApplyMomentum, SparseApplyMomentum
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.MomentumOptimizer")
class MomentumOptimizer(Optimizer):
    """Keeps a velocity for each variable: velocity = momentum * velocity + gradient; variable -= rate * velocity.

    Args:
        learning_rate: a tensor or a number.
        momentum: a tensor or a number.
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
        super().__init__(use_locking, name)
        self._learning_rate, self._momentum = learning_rate, momentum
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            self._zeros_slot(variable, "momentum", self._name)

    def _prepare(self) -> None:
        rate = self._call_if_callable(self._learning_rate)
        self._learning_rate_tensor = convert_to_tensor(rate, name="learning_rate")
        momentum = self._call_if_callable(self._momentum)
        self._momentum_tensor = convert_to_tensor(momentum, name="momentum")

    def _parameters(self, var: Variable) -> tuple[Tensor, Tensor]:
        dtype = var.dtype.base_dtype
        return casts.cast(self._learning_rate_tensor, dtype), casts.cast(self._momentum_tensor, dtype)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        rate, momentum = self._parameters(var)
        slot = self.get_slot(var, "momentum")
        return ApplyMomentum(
            var, slot, rate, grad, momentum, use_locking=self._use_locking, use_nesterov=self._use_nesterov
        ).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        rate, momentum = self._parameters(var)
        slot = self.get_slot(var, "momentum")
        return SparseApplyMomentum(
            var,
            slot,
            rate,
            grad.values,
            grad.indices,
            momentum,
            use_locking=self._use_locking,
            use_nesterov=self._use_nesterov,
        ).op
