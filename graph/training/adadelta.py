"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops.training_adaptive import ApplyAdadelta, SparseApplyAdadelta
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.AdadeltaOptimizer")
class AdadeltaOptimizer(Optimizer):
    """Adadelta (Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012).

    Args:
        learning_rate: a number or a scalar tensor; 1.0 is the paper's.
        rho: how slowly the running means forget.
        epsilon: a small number that keeps roots from 0.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name, lr=learning_rate, rho=rho, epsilon=epsilon)

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            self._zeros_slot(variable, "accum", self._name)
            self._zeros_slot(variable, "accum_update", self._name)

    def _operands(self, var: Variable) -> list[Any]:
        slots = [self.get_slot(var, name) for name in ("accum", "accum_update")]
        return [var, *slots, *(self._hyperparameter(name, var) for name in ("lr", "rho", "epsilon"))]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        return ApplyAdadelta(*self._operands(var), grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        rows = (grad.values, grad.indices)
        return SparseApplyAdadelta(*self._operands(var), *rows, use_locking=self._use_locking).op
