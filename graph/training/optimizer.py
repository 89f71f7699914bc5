"""`tf.train.Optimizer`: what all optimizers share. Subclasses keep slots and say how one variable is updated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sessile.graph import dtypes, variable_functions
from sessile.graph.apply import graph_of
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import DType
from sessile.graph.gradients import gradients
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.operation import Operation
from sessile.graph.ops import casts, identity, segments, shapes, state, uniqueness
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.training import slots
from sessile.graph.variables import Variable

Gradient = Any
GradientsAndVariables = Sequence[tuple[Gradient, Variable]]


@public("train.Optimizer")
class Optimizer:
    """The base of optimizers. Subclasses implement `_prepare`, `_create_slots`, `_apply_dense`, `_apply_sparse`.

    Args:
        use_locking: accepted; updates of a variable never mix.
        name: the name of the operations that it adds, and of its slots.
        hyperparameters: what `_prepare` makes tensors of, under these names: numbers, tensors, or functions that return
            such; `_hyperparameter` gives them in the type of a variable.

    Raises ValueError for an empty name.
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str, **hyperparameters: Any) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._hyperparameters = hyperparameters
        self._hyperparameter_tensors: dict[str, Tensor] = {}
        self._name = name
        self._slots: dict[str, dict[Variable, Variable]] = {}
        self._other_variables: dict[tuple[str, Graph], Variable] = {}

    def get_name(self) -> str:
        """The optimizer's name."""
        return self._name

    def minimize(
        self,
        loss: Tensor,
        global_step: Variable | None = None,
        var_list: Sequence[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Tensor | None = None,
    ) -> Operation:
        """An operation that takes one step towards a smaller `loss`.

        Args:
            loss: a tensor to make small.
            global_step: a variable to count up with each step.
            var_list: the variables to train; all trainable ones by default.
            name: a name for the operation; the optimizer's by default.
            grad_loss: a gradient of the loss to start from; ones by default.

        Raises ValueError when no variable has a gradient.
        """
        pairs = self.compute_gradients(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss
        )
        if not any(grad is not None for grad, _ in pairs):
            names = [str(variable) for _, variable in pairs]
            raise ValueError(
                f"No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {names} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Tensor,
        var_list: Sequence[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Tensor | None = None,
    ) -> list[tuple[Gradient, Variable]]:
        """Pairs of gradient (a tensor, an IndexedSlices, or None) and variable: the first half of `minimize`."""
        if gate_gradients not in (Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH):
            raise ValueError(
                f"gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH. Not "
                f"{gate_gradients}"
            )
        if callable(loss):
            loss = loss()
        self._assert_valid_dtypes([loss] if grad_loss is None else [loss, grad_loss])
        variables = variable_functions.trainable_variables() if var_list is None else _flat(var_list)
        if not variables:
            raise ValueError("No variables to optimize.")
        grads = gradients(
            loss,
            [_target(variable) for variable in variables],
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == Optimizer.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == Optimizer.GATE_GRAPH:
            grads = identity.tuple_(grads)
        self._assert_valid_dtypes([v for grad, v in zip(grads, variables, strict=True) if grad is not None])
        return list(zip(grads, variables, strict=True))

    def apply_gradients(
        self, grads_and_vars: GradientsAndVariables, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """An operation that updates the variables by their gradients: the second half of `minimize`.

        Raises TypeError for gradients that are none, ValueError when all of them are None.
        """
        pairs = [(self._checked(grad, variable), variable) for grad, variable in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        used = [(grad, variable) for grad, variable in pairs if grad is not None]
        if not used:
            raise ValueError(f"No gradients provided for any variable: {[str(variable) for _, variable in pairs]}.")
        variables = [variable for _, variable in used]
        graph = graph_of(variables)
        with graph.control_dependencies(None):
            self._create_slots(variables)
        with graph.as_default(), name_scope(name, self._name) as scope:
            self._prepare()
            updates = [self._update(grad, variable) for grad, variable in used]
            train_op = self._finished(updates, global_step, scope)
            if train_op not in graph.get_collection_ref(GraphKeys.TRAIN_OP):
                graph.get_collection_ref(GraphKeys.TRAIN_OP).append(train_op)
            return train_op

    def _checked(self, grad: Gradient, variable: Variable) -> Gradient:
        if grad is None or isinstance(grad, (Tensor, IndexedSlices)):
            return grad
        try:
            return convert_to_tensor(grad)
        except TypeError:
            raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {grad}") from None

    def _update(self, grad: Gradient, variable: Variable) -> Operation:
        if isinstance(variable, Tensor):
            raise NotImplementedError("Trying to update a Tensor ", variable)
        with name_scope(f"update_{variable.op.name}"), get_default_graph().colocate_with(variable.op):
            if isinstance(grad, IndexedSlices):
                if variable.constraint is not None:
                    raise RuntimeError("Cannot use a constraint function on a sparse variable.")
                return self._apply_sparse_duplicate_indices(grad, variable)
            update = self._apply_dense(grad, variable)
            if variable.constraint is None:
                return update
            with get_default_graph().control_dependencies([update]):
                return variable.assign(variable.constraint(variable.read_value())).op

    def _finished(self, updates: list[Operation], global_step: Any, scope: str) -> Operation:
        if global_step is None:
            return self._finish(updates, scope)
        with (
            get_default_graph().control_dependencies([self._finish(updates, "update")]),
            get_default_graph().colocate_with(global_step.op),
        ):
            return state.AssignAdd(global_step, 1, name=scope).op

    # --- slots

    def get_slot_names(self) -> list[str]:
        """The names of the slots that this optimizer keeps."""
        return sorted(self._slots)

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot called `name` of a variable, or None."""
        return self._slots.get(name, {}).get(var)

    def variables(self) -> list[Variable]:
        """All variables that the optimizer keeps, of the default graph."""
        graph = get_default_graph()
        own = [v for (_, owner), v in self._other_variables.items() if owner is graph]
        own += [slot for named in self._slots.values() for slot in named.values() if slot.graph is graph]
        return sorted(own, key=lambda variable: variable.name)

    def _zeros_slot(self, var: Variable, slot_name: str, op_name: str) -> Variable:
        named = self._slots.setdefault(slot_name, {})
        if var not in named:
            named[var] = slots.create_zeros_slot(var, op_name)
        return named[var]

    def _get_or_make_slot(self, var: Variable, val: Tensor, slot_name: str, op_name: str) -> Variable:
        named = self._slots.setdefault(slot_name, {})
        if var not in named:
            named[var] = slots.create_slot(var, val, op_name)
        return named[var]

    def _get_or_make_slot_with_initializer(
        self, var: Variable, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Variable:
        named = self._slots.setdefault(slot_name, {})
        if var not in named:
            named[var] = slots.create_slot_with_initializer(var, initializer, shape, dtype, op_name)
        return named[var]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Variable) -> Variable:
        graph = colocate_with.graph
        key = (name, graph)
        if key not in self._other_variables:
            with graph.colocate_with(colocate_with.op):
                self._other_variables[key] = Variable(initial_value, name=name, trainable=False)
        return self._other_variables[key]

    def _get_non_slot_variable(self, name: str, graph: Graph | None = None) -> Variable | None:
        return self._other_variables.get((name, graph or get_default_graph()))

    # --- what subclasses say

    def _valid_dtypes(self) -> frozenset[DType]:
        return frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64})

    def _assert_valid_dtypes(self, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            dtype = tensor.dtype.base_dtype
            if dtype not in self._valid_dtypes():
                valid = sorted(kind.name for kind in self._valid_dtypes())
                raise ValueError(f"Invalid type {dtype!r} for {tensor.name}, expected: {valid}.")

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        """Makes the slots of the variables; none by default."""

    def _prepare(self) -> None:
        """Makes tensors of the hyperparameters."""
        self._hyperparameter_tensors = {
            name: convert_to_tensor(self._call_if_callable(value), name=name)
            for name, value in self._hyperparameters.items()
        }

    def _hyperparameter(self, name: str, var: Variable) -> Tensor:
        """A hyperparameter in the type of a variable."""
        return casts.cast(self._hyperparameter_tensors[name], var.dtype.base_dtype)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        """An operation that updates a variable by a dense gradient."""
        raise NotImplementedError()

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Operation:
        """An operation that updates a variable by a gradient for some of its rows, none of them twice."""
        raise NotImplementedError()

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Operation:
        """The same for rows that may repeat: by default they are summed first."""
        rows, places = uniqueness.Unique(grad.indices)
        summed = segments.UnsortedSegmentSum(grad.values, places, shapes.shape(rows)[0])
        return self._apply_sparse(IndexedSlices(summed, rows, grad.dense_shape), var)

    def _apply_sparse_shared(
        self, grad: Tensor, var: Variable, indices: Tensor, scatter_add: Callable[..., Any]
    ) -> Operation:
        raise NotImplementedError()

    def _finish(self, update_ops: list[Operation], name_scope: str) -> Operation:
        """One operation that does all updates."""
        return identity.group(*update_ops, name=name_scope)

    def _call_if_callable(self, parameter: Any) -> Any:
        return parameter() if callable(parameter) and not isinstance(parameter, (Tensor, Variable)) else parameter


def _target(variable: Any) -> Tensor:
    """With respect to what to differentiate. Raises NotImplementedError for what is neither variable nor tensor."""
    if isinstance(variable, Variable):
        return variable._ref()
    if isinstance(variable, Tensor):
        return variable
    raise NotImplementedError("Trying to optimize unsupported type ", variable)


def _flat(variables: Any) -> list[Any]:
    if not isinstance(variables, (list, tuple)):
        return [variables]
    return [item for variable in variables for item in _flat(variable)]
