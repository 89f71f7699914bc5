"""Moving averages: exponentially fading means of variables and tensors, kept in variables of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import dtypes, initializers, variable_functions
from sessile.graph.convert import convert_to_tensor
from sessile.graph.graph import get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.name_scope import name_scope
from sessile.graph.operation import Operation
from sessile.graph.ops import arithmetic, casts, identity, state
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training import slots
from sessile.graph.variable_scope import get_variable, variable_scope
from sessile.graph.variables import Variable


def assign_moving_average(
    variable: Variable, value: Any, decay: Any, zero_debias: bool = False, name: str | None = None
) -> Tensor:
    """Moves a variable towards a value: variable -= (variable - value) * (1 - decay).

    Args:
        variable: holds the average.
        value: the newest value.
        decay: the share of the old average that stays.
        zero_debias: corrects for an average that began at 0 (Kingma and Ba, 2015, section 3).
        name: a name for the operations.

    Returns the variable's reference after the change.
    """
    with name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        graph = get_default_graph()
        with graph.colocate_with(variable.op):
            rate = convert_to_tensor(1.0 - decay, name="decay")
            rate = casts.cast(rate, variable.dtype.base_dtype)
            change = _unbiased_change(variable, value, rate) if zero_debias else (variable - value) * rate
            return state.AssignSub(variable, change, name=scope)


def _unbiased_change(variable: Variable, value: Any, rate: Tensor) -> Tensor:
    """How far the average is from that of a shadow which began at 0, divided by the weight that it has gathered."""
    graph, dtype = get_default_graph(), variable.dtype.base_dtype
    with variable_scope(variable.op.name, values=[variable, value, rate], auxiliary_name_scope=False):
        biased = get_variable("biased", variable.shape, dtype, initializers.Zeros(dtype), trainable=False)
        step = get_variable("local_step", [], dtype, initializers.Zeros(), trainable=False)
        moved = state.AssignSub(biased, (biased - value) * rate)
        counted = step.assign_add(1)
        with graph.control_dependencies([moved, counted]):
            weight = 1 - arithmetic.pow_(1.0 - rate, step.read_value())
            return variable - biased.read_value() / weight


@public("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """Keeps averages of variables: average = decay * average + (1 - decay) * value.

    Args:
        decay: the share of the old average that stays, a number or a scalar.
        num_updates: the number of updates so far; early ones then count more: decay is at most
            (1 + num_updates) / (10 + num_updates).
        zero_debias: corrects the averages of tensors, which begin at 0.
        name: the name of the operations and of the averages.
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self._decay, self._num_updates, self._zero_debias = decay, num_updates, zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        """The name of the operations and of the averages."""
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> Operation:
        """Makes averages of variables or tensors (all trainable variables by default), and an operation to update them.

        Raises TypeError for what is not floating.
        """
        items = variable_functions.trainable_variables() if var_list is None else list(var_list)
        for item in items:
            if item.dtype.base_dtype not in dtypes.FLOATING:
                raise TypeError(f"The variables must be half, float, or double: {item.name}")
        debiased = {item for item in items if item not in self._averages and self._begins_at_zero(item)}
        for item in items:
            if item not in self._averages:
                self._averages[item] = self._new_average(item)
        with name_scope(self._name) as scope:
            decay = self._current_decay()
            updates = [
                assign_moving_average(self._averages[item], item, decay, zero_debias=item in debiased) for item in items
            ]
            return identity.group(*updates, name=scope)

    def _begins_at_zero(self, item: Any) -> bool:
        return self._zero_debias and not isinstance(item, Variable)

    def _new_average(self, item: Any) -> Variable:
        with get_default_graph().control_dependencies(None):
            if isinstance(item, Variable):
                get_default_graph().add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, item)
                return slots.create_slot(item, item.initialized_value(), self._name)
            return slots.create_zeros_slot(item, self._name)

    def _current_decay(self) -> Tensor:
        decay = convert_to_tensor(self._decay, name="decay")
        if self._num_updates is None:
            return decay
        updates = casts.cast(self._num_updates, dtypes.float32, name="num_updates")
        return arithmetic.Minimum(decay, (1.0 + updates) / (10.0 + updates))

    def average(self, var: Any) -> Variable | None:
        """The variable that holds the average of `var`, None where there is none."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the operation that holds the average of `var`, or would hold it."""
        if var in self._averages:
            return self._averages[var].op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Sequence[Variable] | None = None) -> dict[str, Variable]:
        """For each variable the name to restore it by: those with an average take the average.

        Args:
            moving_avg_variables: the variables that have averages; by default trainable ones and those of `apply`.
        """
        averaged = moving_avg_variables
        if averaged is None:
            averaged = variable_functions.trainable_variables() + variable_functions.moving_average_variables()
        names = {self.average_name(variable): variable for variable in dict.fromkeys(averaged)}
        taken = {variable.name for variable in names.values()}
        others = variable_functions.moving_average_variables() + variable_functions.global_variables()
        names.update({v.op.name: v for v in dict.fromkeys(others) if v.name not in taken and v.op.name not in names})
        return names
