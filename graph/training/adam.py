"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
        learning_rate: a number or a scalar tensor.
        beta1: how slowly the mean of the gradients forgets.
        beta2: how slowly the mean of their squares forgets.
        epsilon: a small number for stability: the paper's epsilon-hat.
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations added, and of the slots.
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
        super().__init__(use_locking, name, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        first = min(var_list, key=lambda variable: variable.name)
        for name in ("beta1", "beta2"):
            initial = self._call_if_callable(self._hyperparameters[name])
            self._create_non_slot_variable(initial, f"{name}_power", first)
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)
            self._zeros_slot(variable, "v", self._name)

    def _powers(self) -> list[Any]:
        """The variables that hold the powers of the betas."""
        return [self._get_non_slot_variable(f"{name}_power") for name in ("beta1", "beta2")]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        powers = [casts.cast(power, var.dtype.base_dtype) for power in self._powers()]
        numbers = [self._hyperparameter(name, var) for name in ("learning_rate", "beta1", "beta2", "epsilon")]
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        return ApplyAdam(var, m, v, *powers, *numbers, grad, use_locking=self._use_locking).op

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        """All rows forget; the given ones learn."""
        power1, power2 = (casts.cast(power, var.dtype.base_dtype) for power in self._powers())
        rate, beta1, beta2, epsilon = (
            self._hyperparameter(name, var) for name in ("learning_rate", "beta1", "beta2", "epsilon")
        )
        rate = rate * elementwise.Sqrt(1 - power2) / (1 - power1)
        m = self._forget_and_learn(self.get_slot(var, "m"), beta1, grad.indices, grad.values)
        v = self._forget_and_learn(self.get_slot(var, "v"), beta2, grad.indices, grad.values * grad.values)
        root = elementwise.Sqrt(v)
        updated = state.AssignSub(var, rate * m / (root + epsilon), use_locking=self._use_locking)
        return identity.group(updated, m, v)

    def _forget_and_learn(self, slot: Any, beta: Tensor, indices: Tensor, values: Tensor) -> Tensor:
        learned = values * (1 - beta)
        faded = state.Assign(slot, slot * beta, use_locking=self._use_locking)
        with get_default_graph().control_dependencies([faded]):
            return state.ScatterAdd(slot, indices, learned, use_locking=self._use_locking)

    def _finish(self, update_ops: list[Operation], name_scope: str) -> Operation:
        """The powers of the betas move on after all updates."""
        graph = get_default_graph()
        power1, power2 = self._powers()
        beta1, beta2 = (self._hyperparameter_tensors[name] for name in ("beta1", "beta2"))
        with graph.control_dependencies(update_ops), graph.colocate_with(power1.op):
            moved = [
                power1.assign(power1 * beta1, use_locking=self._use_locking),
                power2.assign(power2 * beta2, use_locking=self._use_locking),
            ]
        return identity.group(*update_ops, *moved, name=name_scope)
