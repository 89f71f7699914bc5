"""Variables: the operations that hold, set and update them."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import NUMERIC, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.shape_rules import same_shape
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


@operation("Assign")
class Assign(OpDefinition):
    """Gives a variable a new value."""

    inputs = {"ref": "ref T", "value": "T"}
    attributes = {"T": Attribute("type"), "validate_shape": True, "use_locking": True}
    outputs = {"output_ref": "ref T"}
    differentiable = False

    def infer(self, ref: Tensor, value: Tensor, *, validate_shape: bool) -> TensorShape:
        return same_shape(ref, value) if validate_shape else value.shape

    def lower(self, b: Any, ref: Any, value: Any, *, validate_shape: bool) -> Any:
        if validate_shape and ref.operation.outputs[0].shape.is_fully_defined():
            value = b.exactly(value, tuple(ref.operation.outputs[0].shape.as_list()))
        b.write(ref, value)
        return ref


class AssignUpdate(VariableUpdate):
    """Base of updates of a whole variable by a value of its shape."""

    inputs = {"ref": "ref T", "value": "T"}
    function = ""

    def infer(self, ref: Tensor, value: Tensor) -> TensorShape:
        return same_shape(ref, value)

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        return b.map(self.function, old, b.exactly(operands[0], old.type.shape))


@operation("AssignAdd")
class AssignAdd(AssignUpdate):
    """Adds a value to a variable."""

    function = "add"


@operation("AssignSub")
class AssignSub(AssignUpdate):
    """Subtracts a value from a variable."""

    function = "sub"


@operation("CountUpTo")
class CountUpTo(OpDefinition):
    """Increments a variable, and gives the value from before; OutOfRangeError once it has reached `limit`."""

    inputs = {"ref": "ref T"}
    attributes = {"limit": Attribute("int"), "T": frozenset({int32, int64})}
    outputs = {"output": "T"}
    differentiable = False

    def infer(self, ref: Tensor) -> TensorShape:
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
        return ref.shape

    def updated(self, b: Any, old: Any, *operands: Any) -> Any:
        indices, updates = operands
        return b.emit("scatter", old, indices, updates, function=self.function)


@operation("ScatterUpdate")
class ScatterUpdate(ScatterRows):
    """Sets rows of a variable."""

    attributes = {"T": Attribute("type"), "Tindices": frozenset({int32, int64}), "use_locking": True}
    function = "set"


@operation("ScatterAdd")
class ScatterAdd(ScatterRows):
    """Adds to rows of a variable."""

    function = "add"


@operation("ScatterSub")
class ScatterSub(ScatterRows):
    """Subtracts from rows of a variable."""

    function = "sub"


@operation("ScatterMul")
class ScatterMul(ScatterRows):
    """Multiplies rows of a variable."""

    function = "mul"


@operation("ScatterDiv")
class ScatterDiv(ScatterRows):
    """Divides rows of a variable."""

    function = "div"


@operation("ScatterMin")
class ScatterMin(ScatterRows):
    """Lowers rows of a variable to the smaller of old and new."""

    function = "min"


@operation("ScatterMax")
class ScatterMax(ScatterRows):
    """Raises rows of a variable to the larger of old and new."""

    function = "max"


@operation("ScatterNdUpdate")
class ScatterNdUpdate(ScatterCoordinates):
    """Sets parts of a variable."""

    attributes = {"T": Attribute("type"), "Tindices": frozenset({int32, int64}), "use_locking": True}
    function = "set"


@operation("ScatterNdAdd")
class ScatterNdAdd(ScatterCoordinates):
    """Adds to parts of a variable."""

    function = "add"


@operation("ScatterNdSub")
class ScatterNdSub(ScatterCoordinates):
    """Subtracts from parts of a variable."""

    function = "sub"
