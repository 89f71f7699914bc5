"""Variables: the operations that hold, set and update them."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import NUMERIC, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import scattering
from sessile.graph.shape_rules import of_rank, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("VariableV2")
class VariableV2(OpDefinition):
    """A variable; its output refers to the value that the session keeps."""

    attributes = {
        "shape": Attribute("shape"),
        "dtype": Attribute("type"),
        "container": "",
        "shared_name": "",
    }
    outputs = {"ref": "ref dtype"}
    stateful = True

    def infer(self, *, shape: TensorShape) -> TensorShape:
        return shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return []

    def lower(self, b: Any) -> Any:
        return b.variable(b.operation)


@operation("Variable")
class VariableV1(VariableV2):
    """A variable, as the earliest graphs name the operation."""


@operation("IsVariableInitialized")
class IsVariableInitialized(OpDefinition):
    """Whether a variable has a value."""

    inputs = {"ref": "ref dtype"}
    attributes = {"dtype": Attribute("type")}
    outputs = {"is_initialized": "bool"}
    differentiable = False

    def infer(self, ref: Tensor) -> TensorShape:
        return TensorShape([])

    def lower(self, b: Any, ref: Any) -> Any:
        return b.is_initialized(ref)


@operation("InitializedValue")
class InitializedValue(OpDefinition):
    """A variable's value where it has one, otherwise its initial value (a conditional in TensorFlow)."""

    inputs = {"ref": "ref T", "initial_value": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}
    differentiable = False

    def infer(self, ref: Tensor, initial_value: Tensor) -> TensorShape:
        return initial_value.shape

    def lower(self, b: Any, ref: Any, initial_value: Any) -> Any:
        return b.initialized_value(ref, initial_value)


class VariableUpdate(OpDefinition):
    """Base of operations that change a variable and give its reference on."""

    attributes = {"T": NUMERIC, "use_locking": False}
    outputs = {"output_ref": "ref T"}
    differentiable = False

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        """The new value."""
        raise NotImplementedError

    def lower(self, b: Any, ref: Any, *operands: Any) -> Any:
        old = b.read_newest(ref)
        b.write(ref, self.updated(b, old, *operands))
        return ref


@operation("Assign", public="assign")
class Assign(OpDefinition):
    """Gives a variable a new value.

    Args:
        ref: a variable.
        value: what it becomes, of its type.
        validate_shape: False allows another shape than the variable's.
        use_locking: accepted without effect: updates never mix.
        name: a name for the operation.

    Returns a reference to the variable, for reading it after the change.
    """

    inputs = {"ref": "ref T", "value": "T"}
    attributes = {"T": Attribute("type"), "validate_shape": True, "use_locking": True}
    outputs = {"output_ref": "ref T"}
    differentiable = False

    def infer(self, ref: Tensor, value: Tensor, *, validate_shape: bool) -> TensorShape:
        return same_shape(ref, value) if validate_shape else value.shape

    def lower(self, b: Any, ref: Any, value: Any, *, validate_shape: bool) -> Any:
        if validate_shape and ref.operation.outputs[0].shape.is_fully_defined():
            value = _fitting(b, value, ref.operation.outputs[0].shape.as_list())
        b.write(ref, value)
        return ref


def _fitting(b: Any, value: Any, shape: list[Any]) -> Any:
    """`value` under the shape of the variable, which must be its own."""
    given = value.type.shape
    b.require(
        len(given) == len(shape) and all(b.decide(own, "==", size) for own, size in zip(given, shape, strict=True)),
        f"Assign requires shapes of both tensors to match. lhs shape= {shape} rhs shape= "
        f"{[b.shown(size) for size in given]}",
    )
    return b.retype(value, shape)


class AssignUpdate(VariableUpdate):
    """Base of updates of a whole variable by a value of its shape."""

    inputs = {"ref": "ref T", "value": "T"}
    function = ""

    def infer(self, ref: Tensor, value: Tensor) -> TensorShape:
        return same_shape(ref, value)

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        return b.map(self.function, old, b.exactly(operands[0], old.type.shape))


@operation("AssignAdd", public="assign_add")
class AssignAdd(AssignUpdate):
    """Adds a value to a variable.

    Args:
        ref: a variable.
        value: a value of its type and shape.
        use_locking: accepted without effect: updates never mix.
        name: a name for the operation.

    Returns a reference to the variable, for reading it after the change.
    """

    function = "add"


@operation("AssignSub", public="assign_sub")
class AssignSub(AssignUpdate):
    """Subtracts a value from a variable.

    Args:
        ref: a variable.
        value: a value of its type and shape.
        use_locking: accepted without effect: updates never mix.
        name: a name for the operation.

    Returns a reference to the variable, for reading it after the change.
    """

    function = "sub"


@operation("CountUpTo", public="count_up_to")
class CountUpTo(OpDefinition):
    """Increments a variable, and gives the value from before.

    Args:
        ref: a scalar variable of int32 or int64.
        limit: what the variable may not pass; running fails with OutOfRangeError once it is reached.
        name: a name for the operation.
    """

    inputs = {"ref": "ref T"}
    attributes = {"limit": Attribute("int"), "T": frozenset({int32, int64})}
    outputs = {"output": "T"}
    differentiable = False

    def infer(self, ref: Tensor) -> TensorShape:
        of_rank(ref, 0)
        return TensorShape([])

    def lower(self, b: Any, ref: Any, *, limit: int) -> Any:
        old = b.read_newest(ref)
        message = f"Reached limit of {limit}"
        b.emit("check", b.map("lt", old, limit), message=message, kind="out_of_range")
        b.write(ref, b.add(old, 1))
        return old


class ScatterRows(VariableUpdate):
    """Base of updates of a variable's rows."""

    inputs = {"ref": "ref T", "indices": "Tindices", "updates": "T"}
    attributes = {"T": NUMERIC, "Tindices": frozenset({int32, int64}), "use_locking": False}
    function = ""

    def infer(self, ref: Tensor, indices: Tensor, updates: Tensor) -> TensorShape:
        if updates.shape.ndims != 0 and ref.shape.ndims is not None and indices.shape.ndims is not None:
            same_shape(updates, indices.shape.concatenate(ref.shape[1:]))
        return ref.shape

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        indices, updates = operands
        rows = (*indices.type.shape, *old.type.shape[1:])
        coordinates = b.expand_dims(indices, [indices.type.rank])
        return b.emit("scatter", old, coordinates, b.broadcast_to(updates, rows), function=self.function)


class ScatterCoordinates(VariableUpdate):
    """Base of updates of a variable at coordinates."""

    inputs = {"ref": "ref T", "indices": "Tindices", "updates": "T"}
    attributes = {"T": NUMERIC, "Tindices": frozenset({int32, int64}), "use_locking": False}
    function = ""

    def infer(self, ref: Tensor, indices: Tensor, updates: Tensor) -> TensorShape:
        scattering.check_updates(ref.shape, indices, updates)
        return ref.shape

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        indices, updates = operands
        return scattering.scattered(b, old, indices, updates, self.function)


@operation("ScatterUpdate", public="scatter_update")
class ScatterUpdate(ScatterRows):
    """Sets rows of a variable.

    Args:
        ref: a variable.
        indices: the rows, int32 or int64, of any shape.
        updates: what they become: of shape `indices.shape` + the shape of a row, or a scalar.
        use_locking: accepted without effect: updates never mix.
        name: a name for the operation.

    Returns a reference to the variable, for reading it after the change.
    """

    attributes = {"T": Attribute("type"), "Tindices": frozenset({int32, int64}), "use_locking": True}
    function = "set"


@operation("ScatterAdd", public="scatter_add")
class ScatterAdd(ScatterRows):
    """Adds to rows of a variable, to some repeatedly; arguments and result are those of `scatter_update`."""

    function = "add"


@operation("ScatterSub", public="scatter_sub")
class ScatterSub(ScatterRows):
    """Subtracts from rows of a variable, from some repeatedly; arguments and result are those of `scatter_update`."""

    function = "sub"


@operation("ScatterMul", public="scatter_mul")
class ScatterMul(ScatterRows):
    """Multiplies rows of a variable; arguments and result are those of `scatter_update`."""

    function = "mul"


@operation("ScatterDiv", public="scatter_div")
class ScatterDiv(ScatterRows):
    """Divides rows of a variable; arguments and result are those of `scatter_update`."""

    function = "div"


@operation("ScatterMin", public="scatter_min")
class ScatterMin(ScatterRows):
    """Lowers rows of a variable to the smaller of old and new; arguments and result are those of `scatter_update`."""

    function = "min"


@operation("ScatterMax", public="scatter_max")
class ScatterMax(ScatterRows):
    """Raises rows of a variable to the larger of old and new; arguments and result are those of `scatter_update`."""

    function = "max"


@operation("ScatterNdUpdate", public="scatter_nd_update")
class ScatterNdUpdate(ScatterCoordinates):
    """Sets parts of a variable.

    Args:
        ref: a variable.
        indices: coordinates in the last axis, int32 or int64; those of fewer numbers than axes name whole slices.
        updates: what these parts become: of shape `indices.shape[:-1]` + the shape of a part.
        use_locking: accepted without effect: updates never mix.
        name: a name for the operation.

    Returns a reference to the variable, for reading it after the change.
    """

    attributes = {"T": Attribute("type"), "Tindices": frozenset({int32, int64}), "use_locking": True}
    function = "set"


@operation("ScatterNdAdd", public="scatter_nd_add")
class ScatterNdAdd(ScatterCoordinates):
    """Adds to parts of a variable; arguments and result are those of `scatter_nd_update`."""

    function = "add"


@operation("ScatterNdSub", public="scatter_nd_sub")
class ScatterNdSub(ScatterCoordinates):
    """Subtracts from parts of a variable; arguments and result are those of `scatter_nd_update`."""

    function = "sub"
