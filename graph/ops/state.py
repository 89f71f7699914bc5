"""Variables: the operations that hold, set and update them."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import NUMERIC
from sessile.graph.op_definition import Attribute, OpDefinition, operation
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

    def lower(self, b: Any) -> Any:
        return b.variable(b.operation)


@operation("Assign")
class Assign(OpDefinition):
    """Gives a variable a new value."""

    inputs = {"ref": "ref T", "value": "T"}
    attributes = {"T": Attribute("type"), "validate_shape": True, "use_locking": True}
    outputs = {"output_ref": "ref T"}

    def infer(self, ref: Tensor, value: Tensor, *, validate_shape: bool) -> TensorShape:
        return ref.shape.merge_with(value.shape) if validate_shape else value.shape

    def lower(self, b: Any, ref: Any, value: Any) -> Any:
        b.write(ref, value)
        return ref


@operation("AssignAdd")
class AssignAdd(OpDefinition):
    """Adds to a variable."""

    inputs = {"ref": "ref T", "value": "T"}
    attributes = {"T": NUMERIC, "use_locking": False}
    outputs = {"output_ref": "ref T"}

    def infer(self, ref: Tensor, value: Tensor) -> TensorShape:
        return ref.shape.merge_with(value.shape)

    def lower(self, b: Any, ref: Any, value: Any) -> Any:
        b.write(ref, b.add(b.read_newest(ref), value))
        return ref
