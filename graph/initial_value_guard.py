"""Initial values that depend on other variables, in a form that does not need those to be initialised first.

`w = tf.Variable(2 * u)` reads `u`, while one operation initialises both. The computation of the initial value is
therefore repeated with `u` replaced by its own initial value where it has no value yet.
"""

from __future__ import annotations

from sessile.graph.graph import Graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.operation import Operation
from sessile.graph.ops.state import InitializedValue
from sessile.graph.tensor import Tensor

_VARIABLES = ("VariableV2", "Variable")


def guarded_initial_value(name: str, value: Tensor) -> Tensor:
    """`value`, or the same computation on initialised variables, as the initial value of the variable `name`."""
    order = _readers_of_variables(value.op)
    if not order:
        return value
    copies: dict[Tensor, Tensor] = {}
    for op in order:
        if op.type in _VARIABLES:
            reference = op.outputs[0]
            copies[reference] = _initialized(op.graph, reference)
        elif any(copies.get(tensor, tensor) is not tensor for tensor in op._inputs):
            inputs = [copies.get(tensor, tensor) for tensor in op._inputs]
            types = [tensor.dtype for tensor in op.outputs]
            copy = op.graph.create_op(op.type, inputs, types, name=f"{op.name}_{name}", attrs=op.attributes)
            copies.update(zip(op.outputs, copy.outputs, strict=True))
    return copies.get(value, value)


def _readers_of_variables(root: Operation) -> list[Operation]:
    """`root` and the operations that it depends on, as far as they read variables, each after those before it."""
    reads: dict[Operation, bool] = {}
    order: list[Operation] = []
    stack = [(root, False)]
    while stack:
        op, is_done = stack.pop()
        if is_done:
            reads[op] = op.type in _VARIABLES or any(reads[tensor.op] for tensor in op._inputs)
            if reads[op]:
                order.append(op)
        elif op not in reads:
            reads[op] = False
            if op.type not in ("IsVariableInitialized", "InitializedValue"):
                stack.append((op, True))
                stack.extend((tensor.op, False) for tensor in reversed(op._inputs))
    return order


def _initialized(graph: Graph, reference: Tensor) -> Tensor:
    """The value of a variable, or its initial value; the reference itself of one that is in no collection."""
    for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        for variable in graph.get_collection(key):
            if variable.op is reference.op:
                return InitializedValue(reference, variable.initializer.inputs[1])
    return reference
