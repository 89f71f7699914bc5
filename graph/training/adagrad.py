"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import initializers
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import constants, filling, shapes
from sessile.graph.ops.training_adaptive import ApplyAdagrad, SparseApplyAdagrad
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.AdagradOptimizer")
class AdagradOptimizer(Optimizer):
    """Divides gradients by the root of the sum of all their squares so far (Duchi et al., 2011).

    Args:
        learning_rate: a number or a scalar tensor.
        initial_accumulator_value: what the sums begin with, positive.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.

    Raises ValueError when `initial_accumulator_value` is not positive.
    """

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name, learning_rate=learning_rate)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            shape, dtype = variable.shape, variable.dtype.base_dtype
            if shape.is_fully_defined():
                initial: Any = initializers.Constant(self._initial_accumulator_value, dtype)
            else:
                value = constants.constant(self._initial_accumulator_value, dtype=dtype)
                initial = filling.Fill(shapes.shape(variable), value)
            self._get_or_make_slot_with_initializer(variable, initial, shape, dtype, "accumulator", self._name)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        slot, rate = self.get_slot(var, "accumulator"), self._hyperparameter("learning_rate", var)
        return ApplyAdagrad(var, slot, rate, grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        slot, rate = self.get_slot(var, "accumulator"), self._hyperparameter("learning_rate", var)
        return SparseApplyAdagrad(var, slot, rate, grad.values, grad.indices, use_locking=self._use_locking).op
