"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.graph import get_default_graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.operation import Operation
from sessile.graph.ops import casts, elementwise, identity, state
from sessile.graph.ops.training import ApplyAdam
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training.optimizer import Optimizer
from sessile.graph.variables import Variable


@public("train.AdamOptimizer")
class AdamOptimizer(Optimizer):
    """Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015).

    Args:
        learning_rate: a tensor or a number.
        beta1: how slowly the mean of the gradients forgets.
        beta2: how slowly the mean of their squares forgets.
        epsilon: a small number for stability: the paper's epsilon-hat.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._beta2, self._epsilon = learning_rate, beta1, beta2, epsilon

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        first = min(var_list, key=lambda variable: variable.name)
        self._create_non_slot_variable(self._call_if_callable(self._beta1), "beta1_power", first)
        self._create_non_slot_variable(self._call_if_callable(self._beta2), "beta2_power", first)
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)
            self._zeros_slot(variable, "v", self._name)

    def _prepare(self) -> None:
        self._lr_t = convert_to_tensor(self._call_if_callable(self._lr), name="learning_rate")
        self._beta1_t = convert_to_tensor(self._call_if_callable(self._beta1), name="beta1")
        self._beta2_t = convert_to_tensor(self._call_if_callable(self._beta2), name="beta2")
        self._epsilon_t = convert_to_tensor(self._call_if_callable(self._epsilon), name="epsilon")

    def _powers(self) -> tuple[Variable, Variable]:
        first, second = self._get_non_slot_variable("beta1_power"), self._get_non_slot_variable("beta2_power")
        assert first is not None and second is not None
        return first, second

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        dtype = var.dtype.base_dtype
        cast = casts.cast
        first, second = self._powers()
        return ApplyAdam(
            var,
            self.get_slot(var, "m"),
            self.get_slot(var, "v"),
            cast(first, dtype),
            cast(second, dtype),
            cast(self._lr_t, dtype),
            cast(self._beta1_t, dtype),
            cast(self._beta2_t, dtype),
            cast(self._epsilon_t, dtype),
            grad,
            use_locking=self._use_locking,
        ).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        """All rows forget; the given ones learn."""
        dtype = var.dtype.base_dtype
        cast, sqrt = casts.cast, elementwise.Sqrt
        first, second = (cast(power, dtype) for power in self._powers())
        rate = cast(self._lr_t, dtype) * sqrt(1 - second) / (1 - first)
        mean = self._forget_and_add(self.get_slot(var, "m"), cast(self._beta1_t, dtype), grad, grad.values)
        squares = self._forget_and_add(
            self.get_slot(var, "v"), cast(self._beta2_t, dtype), grad, grad.values * grad.values
        )
        step = rate * mean / (sqrt(squares) + cast(self._epsilon_t, dtype))
        updated = state.AssignSub(var, step, use_locking=self._use_locking)
        return identity.group(updated, mean, squares)

    def _forget_and_add(self, slot: Any, beta: Tensor, grad: IndexedSlices, values: Tensor) -> Tensor:
        faded = state.Assign(slot, slot * beta, use_locking=self._use_locking)
        with get_default_graph().control_dependencies([faded]):
            return state.ScatterAdd(slot, grad.indices, values * (1 - beta), use_locking=self._use_locking)

    def _finish(self, update_ops: list[Operation], name_scope: str) -> Operation:
        """The powers of the betas move on after all updates."""
        graph = get_default_graph()
        first, second = self._powers()
        with graph.control_dependencies(update_ops), graph.colocate_with(first.op):
            powers = [
                first.assign(first * self._beta1_t, use_locking=self._use_locking),
                second.assign(second * self._beta2_t, use_locking=self._use_locking),
            ]
        return identity.group(*update_ops, *powers, name=name_scope)
