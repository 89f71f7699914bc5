"""Operations that give their inputs on: identity, stop_gradient, no_op, and the grouping of operations."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import convert_n_to_tensor, internal_convert
from sessile.graph.dtypes import FLOATING
from sessile.graph.graph import get_default_graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class PassesOn(OpDefinition):
    """Base of operations whose output is their first input."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, input: Tensor) -> TensorShape:
        return input._shape

    def fold(self, known: Any, input: Tensor) -> Any:
        return known(input)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad]

    def lower(self, b: Any, input: Any) -> Any:
        return input


@operation("Identity")
class Identity(PassesOn):
    """The input."""


@operation("Snapshot")
class Snapshot(PassesOn):
    """The input as it is when this runs."""


@public("identity")
def identity(input: Any, name: str | None = None) -> Any:
    """A tensor with the shape and values of `input`; for a variable, the value that it has when this runs.

    Args:
        input: a tensor; `IndexedSlices` become one.
        name: a name for the operation.
    """
    return Identity(input, name=name)


@operation("StopGradient", public="stop_gradient")
class StopGradient(PassesOn):
    """The input, for which no gradient flows back: as if it were a constant.

    Args:
        input: a tensor.
        name: a name for the operation.
    """

    differentiable = False


@operation("PreventGradient")
class PreventGradient(PassesOn):
    """The input, for which asking for a gradient is an error that says `message`."""

    attributes = {"T": Attribute("type"), "message": ""}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        message = op._attributes["message"].decode()
        raise LookupError(f"Gradient explicitly disabled. Reason: {message!r}")


@operation("IdentityN")
class IdentityN(OpDefinition):
    """The inputs."""

    inputs = {"input": "[T]"}
    attributes = {"T": Attribute("list(type)", minimum=1)}
    outputs = {"output": "[T]"}

    def infer(self, input: list[Tensor]) -> list[TensorShape]:
        return [tensor._shape for tensor in input]

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        return list(grads)

    def lower(self, b: Any, input: list[Any]) -> list[Any]:
        return input


@public("identity_n")
def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Tensors with the shapes and values of those in a list.

    Args:
        input: a list of tensors.
        name: a name for the operation.
    """
    return IdentityN(convert_n_to_tensor(input), name=name)


@operation("CheckNumerics")
class CheckNumerics(OpDefinition):
    """The input, which may hold neither NaN nor infinity when it runs."""

    inputs = {"tensor": "T"}
    attributes = {"T": FLOATING, "message": Attribute("string")}
    outputs = {"output": "T"}
    stateful = True

    def infer(self, tensor: Tensor) -> TensorShape:
        return tensor._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        message = "Not a number (NaN) or infinity (Inf) values detected in gradient."
        return [CheckNumerics(grad, message)]

    def lower(self, b: Any, tensor: Any, *, message: bytes) -> Any:
        text = message.decode()
        b.emit("check", b.map("not", b.map("is_nan", tensor)), message=f"{text} : Tensor had NaN values")
        b.emit("check", b.map("not", b.map("is_inf", tensor)), message=f"{text} : Tensor had Inf values")
        return tensor


@public("check_numerics", "debugging.check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """`tensor`, which may hold neither NaN nor infinity when it runs.

    Args:
        tensor: a tensor of floating numbers.
        message: how the InvalidArgumentError begins.
        name: a name for the operation.
    """
    return CheckNumerics(tensor, message, name=name)


@operation("NoOp", public="no_op")
class NoOp(OpDefinition):
    """Does nothing; it is there to have control inputs and to be waited for.

    Args:
        name: a name for the operation.

    Returns the operation.
    """

    def lower(self, b: Any) -> list[Any]:
        return []


@public("group")
def group(*inputs: Any, **kwargs: Any) -> Operation:
    """An operation that is done when all `inputs` are.

    Args:
        inputs: operations, tensors, or nested lists of them.
        name: a name for the operation.

    Raises TypeError for other arguments.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"Unknown keyword arguments: {', '.join(kwargs)}")
    with name_scope(name, "group_deps", inputs) as scope:
        waited: dict[str, list[Operation]] = {}
        for item in _flattened(inputs):
            op = _operation_of(item)
            waited.setdefault(op.device, []).append(op)
        if len(waited) <= 1:
            return _gate(*next(iter(waited.items()), ("", [])), scope)
        gates = [_gate(device, waited[device]) for device in sorted(waited)]  # one signal from each device
        return _gate("", gates, scope)


def _gate(device: str, waited: list[Operation], name: str | None = None) -> Operation:
    """An operation on a device that waits for others."""
    graph = get_default_graph()
    with graph.device(device), graph.control_dependencies(waited):
        return NoOp(name=name)


def _flattened(items: Any) -> list[Any]:
    if isinstance(items, dict):
        items = [items[key] for key in sorted(items)]
    if not isinstance(items, (list, tuple)):
        return [items]
    return [element for item in items for element in _flattened(item)]


def _operation_of(item: Any) -> Operation:
    if not hasattr(item, "device"):
        raise TypeError(f"Expected tf.Tensor or tf.Operation, got {item!r} of type {type(item)}")
    return item if isinstance(item, Operation) else item.op


@public("tuple")
def tuple_(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The same tensors, each of which is there only when all of them and `control_inputs` have been computed.

    Args:
        tensors: a list of tensors, `IndexedSlices` or operations; None stays None.
        name: a name for the operations.
        control_inputs: further operations to wait for.

    Raises ValueError when there is no tensor in the list, TypeError for other arguments.
    """
    with name_scope(name, "tuple", tensors):
        items = [item if item is None or hasattr(item, "device") else internal_convert(item) for item in tensors]
        waited = {_operation_of(item) for item in (*items, *(control_inputs or ())) if item is not None}
        if not waited:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        gate = group(*sorted(waited, key=lambda op: op._id))
        return [None if item is None else with_dependencies([gate], item) for item in items]


def with_dependencies(dependencies: Any, output: Any, name: str | None = None) -> Any:
    """A tensor, `IndexedSlices` or operation, there only when all `dependencies` are done.

    Args:
        dependencies: operations or tensors to wait for.
        output: what is given on.
        name: a name for the operation.
    """
    with name_scope(name, "control_dependency", [*dependencies, output]) as scope:
        graph = get_default_graph()
        with graph.colocate_with(output), graph.control_dependencies(dependencies):
            if isinstance(output, Operation):
                return group(output)
            if isinstance(output, IndexedSlices):
                return output.with_values(Identity(output.values, name=scope))
            return Identity(output, name=scope)
