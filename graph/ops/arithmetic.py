"""Arithmetic of two operands, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import NUMERIC
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, broadcast_shape


class BinaryElementwise(OpDefinition):
    """Base of operations that combine two tensors of one type, element by element."""

    inputs = {"x": "T", "y": "T"}
    attributes: Any = {"T": NUMERIC}
    outputs = {"z": "T"}
    function = ""

    def infer(self, x: Tensor, y: Tensor) -> TensorShape:
        return broadcast_shape(x.shape, y.shape)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.map(self.function, x, y)


@operation("AddV2")
class AddV2(BinaryElementwise):
    """x + y, element by element."""

    function = "add"


@operation("Add", public=("add", "math.add"))
class Add(BinaryElementwise):
    """x + y, element by element."""

    function = "add"


@operation("Mul", public=("multiply", "math.multiply"))
class Mul(BinaryElementwise):
    """x * y, element by element."""

    function = "mul"


@operation("Pow", public=("pow", "math.pow"))
class Pow(BinaryElementwise):
    """x to the power y, element by element; whole numbers take no negative powers."""

    function = "pow"
