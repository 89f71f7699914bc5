"""Proximal gradient descent and proximal Adagrad: steps with penalties on the magnitudes of the variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import constants
from sessile.graph.ops.training_proximal import (
    ApplyProximalAdagrad,
    ApplyProximalGradientDescent,
    SparseApplyProximalAdagrad,
    SparseApplyProximalGradientDescent,
)
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable

_NUMBERS = ("learning_rate", "l1_regularization_strength", "l2_regularization_strength")


@public("train.ProximalGradientDescentOptimizer")
class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent with penalties (Duchi and Singer, "Efficient Learning using Forward-Backward Splitting", 2009).

    Args:
        learning_rate: a number or a scalar tensor.
        l1_regularization_strength, l2_regularization_strength: the penalties, not negative.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added.
    """

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        numbers = (learning_rate, l1_regularization_strength, l2_regularization_strength)
        super().__init__(use_locking, name, **dict(zip(_NUMBERS, numbers, strict=True)))

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        numbers = [self._hyperparameter(name, var) for name in _NUMBERS]
        return ApplyProximalGradientDescent(var, *numbers, grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        numbers = [self._hyperparameter(name, var) for name in _NUMBERS]
        rows = (grad.values, grad.indices)
        return SparseApplyProximalGradientDescent(var, *numbers, *rows, use_locking=self._use_locking).op


@public("train.ProximalAdagradOptimizer")
class ProximalAdagradOptimizer(Optimizer):
    """Adagrad with penalties.

    Args:
        learning_rate: a number or a scalar tensor.
        initial_accumulator_value: what the sums of squared gradients begin with, positive.
        l1_regularization_strength, l2_regularization_strength: the penalties, not negative.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.

    Raises ValueError when `initial_accumulator_value` is not positive.
    """

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        numbers = (learning_rate, l1_regularization_strength, l2_regularization_strength)
        super().__init__(use_locking, name, **dict(zip(_NUMBERS, numbers, strict=True)))
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            with variable.graph.colocate_with(variable.op):
                initial = constants.constant(
                    self._initial_accumulator_value, shape=variable.shape, dtype=variable.dtype.base_dtype
                )
            self._get_or_make_slot(variable, initial, "accumulator", self._name)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        numbers = [self._hyperparameter(name, var) for name in _NUMBERS]
        slot = self.get_slot(var, "accumulator")
        return ApplyProximalAdagrad(var, slot, *numbers, grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        numbers = [self._hyperparameter(name, var) for name in _NUMBERS]
        slot, rows = self.get_slot(var, "accumulator"), (grad.values, grad.indices)
        return SparseApplyProximalAdagrad(var, slot, *numbers, *rows, use_locking=self._use_locking).op
