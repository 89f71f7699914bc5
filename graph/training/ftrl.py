"""FTRL: follow the regularised leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import constants
from sessile.graph.ops.training_proximal import ApplyFtrl, ApplyFtrlV2, SparseApplyFtrl, SparseApplyFtrlV2
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.FtrlOptimizer")
class FtrlOptimizer(Optimizer):
    """FTRL-Proximal (McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013).

    Args:
        learning_rate: a number or a scalar tensor.
        learning_rate_power: how the rate falls with the sum of squared gradients: not positive; 0 for a fixed rate.
        initial_accumulator_value: what the sums of squared gradients begin with, not negative.
        l1_regularization_strength, l2_regularization_strength: the penalties, not negative.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.
        accum_name, linear_name: names of the slots, by default that of the optimizer.
        l2_shrinkage_regularization_strength: a penalty on the magnitude of the variables themselves, not negative.

    Raises ValueError for numbers that have the wrong sign.
    """

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: Any = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:
        strengths = {
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        checked = {"initial_accumulator_value": initial_accumulator_value, **strengths}
        for argument, value in checked.items():
            if value < 0.0:
                raise ValueError(f"{argument} {value:f} needs to be positive or zero")
        if not callable(learning_rate_power) and learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power:f} needs to be negative or zero")
        super().__init__(
            use_locking, name, learning_rate=learning_rate, **strengths, learning_rate_power=learning_rate_power
        )
        self._initial_accumulator_value = initial_accumulator_value
        self._accum_name, self._linear_name = accum_name or name, linear_name or name
        self._shrinks = l2_shrinkage_regularization_strength > 0.0

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for variable in var_list:
            with variable.graph.colocate_with(variable.op):
                initial = constants.constant(
                    self._initial_accumulator_value, dtype=variable.dtype.base_dtype, shape=variable.shape
                )
                self._get_or_make_slot(variable, initial, "accum", self._accum_name)
                self._zeros_slot(variable, "linear", self._linear_name)

    def _applied(self, rules: tuple[Any, Any], var: Variable, *gradient: Tensor) -> Operation:
        """The update by the first rule, or by the second one, which also shrinks."""
        references = [var, self.get_slot(var, "accum"), self.get_slot(var, "linear")]
        names = ["learning_rate", "l1_regularization_strength", "l2_regularization_strength"]
        names += ["l2_shrinkage_regularization_strength"] * self._shrinks + ["learning_rate_power"]
        numbers = [self._hyperparameter(name, var) for name in names]
        return rules[self._shrinks](*references, *gradient, *numbers, use_locking=self._use_locking).op

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        return self._applied((ApplyFtrl, ApplyFtrlV2), var, grad)

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        return self._applied((SparseApplyFtrl, SparseApplyFtrlV2), var, grad.values, grad.indices)
