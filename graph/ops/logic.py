"""Logic of truth values, and of the bits of whole numbers, element by element; none of it has a gradient."""

from __future__ import annotations

import operator
from typing import Any

from sessile.graph import dtypes
from sessile.graph.dtypes import INTEGER
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops.bases import BinaryElementwise, UnaryElementwise
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


class LogicalBinary(BinaryElementwise):
    """Base of operations on two truth values."""

    inputs = {"x": dtypes.bool, "y": dtypes.bool}
    attributes = {}
    outputs = {"z": dtypes.bool}
    commutative = True

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None, None]


@operation("LogicalAnd", public=("logical_and", "math.logical_and"))
class LogicalAnd(LogicalBinary):
    """x and y, element by element, for tensors of bool whose shapes broadcast."""

    function = "and"
    python_function = operator.and_


@operation("LogicalOr", public=("logical_or", "math.logical_or"))
class LogicalOr(LogicalBinary):
    """x or y, element by element, for tensors of bool whose shapes broadcast."""

    function = "or"
    python_function = operator.or_


@operation("LogicalNot", public=("logical_not", "math.logical_not"))
class LogicalNot(OpDefinition):
    """Not x, element by element, for a tensor of bool."""

    inputs = {"x": dtypes.bool}
    outputs = {"y": dtypes.bool}

    def infer(self, x: Tensor) -> Tensor:
        return x

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None]

    def lower(self, b: Any, x: Any) -> Any:
        return b.map("not", x)


@public("logical_xor", "math.logical_xor")
def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Tensor:
    """Whether just one of x and y holds, element by element: (x | y) & ~(x & y).

    Args:
        x, y: tensors of bool, whose shapes broadcast.
        name: a name for the operation.
    """
    return LogicalAnd(LogicalOr(x, y), LogicalNot(LogicalAnd(x, y)), name=name)


class BitwiseBinary(BinaryElementwise):
    """Base of operations on the bits of two whole numbers."""

    attributes = {"T": INTEGER}

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None, None]


@operation("BitwiseAnd", public="bitwise.bitwise_and")
class BitwiseAnd(BitwiseBinary):
    """The bits that are set in both x and y, element by element."""

    commutative = True
    function = "and"


@operation("BitwiseOr", public="bitwise.bitwise_or")
class BitwiseOr(BitwiseBinary):
    """The bits that are set in x or y, element by element."""

    commutative = True
    function = "or"


@operation("BitwiseXor", public="bitwise.bitwise_xor")
class BitwiseXor(BitwiseBinary):
    """The bits that are set in just one of x and y, element by element."""

    commutative = True
    function = "xor"


@operation("LeftShift", public="bitwise.left_shift")
class LeftShift(BitwiseBinary):
    """x with its bits moved y places to the higher ones, element by element; y below 0 or too large moves 0 or all."""

    function = "shift_left"


@operation("RightShift", public="bitwise.right_shift")
class RightShift(BitwiseBinary):
    """x with its bits moved y places to the lower ones, keeping the sign, element by element."""

    function = "shift_right"


@operation("Invert", public="bitwise.invert")
class Invert(UnaryElementwise):
    """x with all bits flipped, element by element."""

    attributes = {"T": INTEGER}
    function = "not"

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None]


@operation("PopulationCount")
class PopulationCount(UnaryElementwise):
    """How many bits of x are set, element by element, as uint8."""

    attributes = {"T": INTEGER}
    outputs = {"y": dtypes.uint8}

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None]

    def lower(self, b: Any, x: Any) -> Any:
        width = 8 * x.type.numpy_dtype.itemsize
        unsigned = b.emit("bitcast", x, dtype=f"u{width}")
        total = b.map("and", unsigned, 1)
        for bit in range(1, width):
            total = b.add(total, b.map("and", b.map("shift_right", unsigned, bit), 1))
        return b.convert(total, "u8")
