"""RMSProp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import initializers
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import filling
from sessile.graph.ops.training_adaptive import (
    ApplyCenteredRMSProp,
    ApplyRMSProp,
    SparseApplyCenteredRMSProp,
    SparseApplyRMSProp,
)
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.RMSPropOptimizer")
class RMSPropOptimizer(Optimizer):
    """Divides gradients by the root of a running mean of their squares (Tieleman and Hinton, lecture 6.5, 2012).

    Args:
        learning_rate: a number or a scalar tensor.
        decay: how slowly the mean forgets.
        momentum: a number or a scalar tensor.
        epsilon: a small number that keeps the root from 0.
        use_locking: accepted; updates of a variable never mix.
        centered: divides by the root of the variance instead (Graves, 2013).
        name: the name of the operations added, and of the slots.
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(
            use_locking, name, learning_rate=learning_rate, decay=decay, momentum=momentum, epsilon=epsilon
        )
        self._centered = centered

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            shape, dtype = variable.shape, variable.dtype.base_dtype
            ones = initializers.Ones(dtype) if shape.is_fully_defined() else filling.ones_like(variable)
            self._get_or_make_slot_with_initializer(variable, ones, shape, dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(variable, "mg", self._name)
            self._zeros_slot(variable, "momentum", self._name)

    def _operands(self, var: Variable) -> list[Any]:
        names = ("mg", "rms", "momentum") if self._centered else ("rms", "momentum")
        slots = [self.get_slot(var, name) for name in names]
        numbers = ("learning_rate", "decay", "momentum", "epsilon")
        return [var, *slots, *(self._hyperparameter(name, var) for name in numbers)]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        rule: Any = ApplyCenteredRMSProp if self._centered else ApplyRMSProp
        return rule(*self._operands(var), grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        rule: Any = SparseApplyCenteredRMSProp if self._centered else SparseApplyRMSProp
        return rule(*self._operands(var), grad.values, grad.indices, use_locking=self._use_locking).op
