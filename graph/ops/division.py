"""Quotients and remainders, element by element, with NumPy's broadcasting.

The functions choose an operation by the operands' types, as Python's operators do: `/` is true division, which takes
whole numbers to floating ones, `//` rounds down, and `tf.div` is Python 2's division.
"""

from __future__ import annotations

import operator
from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType
from sessile.graph.dtypes import (
    FLOATING,
    REAL_NUMBER,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import operation
from sessile.graph.ops import broadcasting, casts, comparison, complex_numbers, elementwise
from sessile.graph.ops.bases import ANALYTIC, BinaryElementwise
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

# Type of operands -> the type in which their true quotient is taken.
_QUOTIENT_TYPES: dict[DType, DType] = {
    **dict.fromkeys((int8, int16, uint8, uint16), float32),
    **dict.fromkeys((int32, int64, uint32, uint64), float64),
    **{dtype: dtype for dtype in ANALYTIC},
}


def _quotient_gradient(op: Any, grad: Tensor, divide: Any) -> list[Any]:
    """d(x/y) = dx / y - dy * (x / y) / y."""
    x, y = op.inputs
    to_x, to_y = broadcasting.unbroadcast(x, y)
    x, y = complex_numbers.conj(x), complex_numbers.conj(y)
    x_grad = to_x(divide(grad, y))
    return [x_grad, to_y(grad * divide(divide(elementwise.Neg(x), y), y))]


@operation("RealDiv", public="realdiv")
class RealDiv(BinaryElementwise):
    """x / y for floating and complex types, element by element."""

    function = "div"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return _quotient_gradient(op, grad, RealDiv)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.map(_division_for(x), x, y)


@operation("Div")
class Div(BinaryElementwise):
    """x / y, rounded towards zero for whole numbers, element by element."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return _quotient_gradient(op, grad, div)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.map(_division_for(x), x, y)


def _division_for(x: Any) -> str:
    return "div" if x.type.dtype[0] in "fc" else "truncated_div"


@operation("FloorDiv", public="floor_div")
class FloorDiv(BinaryElementwise):
    """x // y, rounded down, element by element."""

    function = "floor_div"
    python_function = operator.floordiv

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None, None]

    def fold(self, known: Any, x: Tensor, y: Tensor) -> Any:
        return None if _holds_zero(known(y)) else super().fold(known, x, y)


def _holds_zero(values: Any) -> bool:
    return any(value == 0 for value in values.flat)


@operation("FloorMod", public=("floormod", "mod", "math.floormod", "math.mod"))
class FloorMod(BinaryElementwise):
    """What x leaves when it is divided by y with the quotient rounded down: it has the sign of y, as Python's `%`.

    Args:
        x, y: tensors of one type of real numbers, whose shapes broadcast.
        name: a name for the operation.
    """

    attributes = {"T": REAL_NUMBER}
    function = "floor_mod"
    python_function = operator.mod

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        quotient = FloorDiv(x, y)
        return [to_x(grad), to_y(grad * elementwise.Neg(quotient))]

    def fold(self, known: Any, x: Tensor, y: Tensor) -> Any:
        return None if _holds_zero(known(y)) else super().fold(known, x, y)


@operation("TruncateDiv", public=("truncatediv", "math.truncatediv"))
class TruncateDiv(BinaryElementwise):
    """x / y for whole numbers, rounded towards zero as in C, element by element."""

    function = "truncated_div"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None, None]


@operation("TruncateMod", public=("truncatemod", "math.truncatemod"))
class TruncateMod(BinaryElementwise):
    """What x leaves when it is divided by y with the quotient rounded towards zero: it has the sign of x, as in C."""

    attributes = {"T": FLOATING | {int32, int64}}
    function = "truncated_mod"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        quotient = TruncateDiv(x, y)
        return [to_x(grad), to_y(grad * elementwise.Neg(quotient))]


@operation("Mod")
class Mod(TruncateMod):
    """The older name of TruncateMod."""


@operation("DivNoNan")
class DivNoNan(BinaryElementwise):
    """x / y, element by element, and 0 wherever y is 0."""

    attributes = {"T": ANALYTIC}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return _quotient_gradient(op, grad, DivNoNan)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        is_zero = b.map("eq", y, 0)
        return b.select(is_zero, 0, b.div(x, b.select(is_zero, 1, y)))


class LogarithmicProduct(BinaryElementwise):
    """Base of products that are 0 wherever the first factor is."""

    attributes = {"T": ANALYTIC}


@operation("Xlogy", public="math.xlogy")
class Xlogy(LogarithmicProduct):
    """x * log(y), element by element, and 0 wherever x is 0."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        counts = _counted(x)
        return [to_x(Xlogy(counts, y) * grad), to_y(Xdivy(x, y) * grad)]

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        is_zero = b.map("eq", x, 0)
        return b.select(is_zero, 0, b.mul(x, b.log(b.select(is_zero, 1, y))))


@operation("Xdivy", public="math.xdivy")
class Xdivy(LogarithmicProduct):
    """x / y, element by element, and 0 wherever x is 0."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        counts = _counted(x)
        return [to_x(Xdivy(counts, y) * grad), to_y(Xdivy(elementwise.Neg(x), y * y) * grad)]

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        is_zero = b.map("eq", x, 0)
        return b.select(is_zero, 0, b.div(x, b.select(is_zero, 1, y)))


def _counted(x: Tensor) -> Tensor:
    """1 where x is not 0, in the type of x."""
    return casts.cast(comparison.NotEqual(x, 0), x.dtype.base_dtype)


def _operands(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of one type. Raises TypeError when two tensors differ in type."""
    if not isinstance(x, Tensor) and isinstance(y, Tensor):
        x = internal_convert(x, None, "x", y.dtype.base_dtype)
    x = internal_convert(x, None, "x")
    y = internal_convert(y, None, "y", x.dtype.base_dtype)
    if x.dtype.base_dtype != y.dtype.base_dtype:
        raise TypeError(f"x and y must have the same dtype, got {x.dtype.base_dtype!r} != {y.dtype.base_dtype!r}")
    return x, y


@public("truediv", "math.truediv")
def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 3 divides, element by element: whole numbers become floating ones first.

    Args:
        x: a tensor of numbers.
        y: a tensor of the same type, whose shape broadcasts with that of x.
        name: a name for the operation.

    Returns a tensor of float32 for whole numbers up to 16 bits, of float64 for larger ones, otherwise of the type of x.
    Raises TypeError when the types differ.
    """
    with name_scope(name, "truediv", [x, y]) as scope:
        x, y = _operands(x, y)
        dtype = _QUOTIENT_TYPES.get(x.dtype.base_dtype)
        if dtype is None:
            raise TypeError(f"Invalid dtype {x.dtype.base_dtype!r} in __truediv__")
        return RealDiv(casts.cast(x, dtype), casts.cast(y, dtype), name=scope)


@public("divide", "math.divide")
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python divides, element by element.

    Args:
        x: a tensor of numbers.
        y: a tensor of the same type, whose shape broadcasts with that of x.
        name: a name for the operation.
    """
    return truediv(x, y, name=name)


@public("div")
def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 2 divides, element by element: whole numbers are rounded down.

    Args:
        x: a tensor of real or complex numbers.
        y: a tensor of the same type, whose shape broadcasts with that of x.
        name: a name for the operation.

    Raises TypeError when the types differ.
    """
    with name_scope(name, "div", [x, y]) as scope:
        x, y = _operands(x, y)
        is_exact = x.dtype.is_floating or x.dtype.is_complex
        return RealDiv(x, y, name=scope) if is_exact else FloorDiv(x, y, name=scope)


@public("floordiv", "math.floordiv")
def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x // y, rounded down, element by element, in the type of x.

    Args:
        x: a tensor of real numbers.
        y: a tensor of the same type, whose shape broadcasts with that of x.
        name: a name for the operation.
    """
    with name_scope(name, "floordiv", [x, y]) as scope:
        return FloorDiv(x, y, name=scope)


@public("div_no_nan", "math.divide_no_nan")
def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, element by element, and 0 wherever y is 0.

    Args:
        x: a tensor of floating or complex numbers.
        y: a tensor of the same type, whose shape broadcasts with that of x.
        name: a name for the operation.
    """
    with name_scope(name, "div_no_nan", [x, y]) as scope:
        x = internal_convert(x, None, "x")
        y = internal_convert(y, x.dtype.base_dtype, "y")
        return DivNoNan(x, y, name=scope)


@public("math.reciprocal_no_nan")
def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, element by element, and 0 wherever x is 0.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operations.
    """
    with name_scope(name, "reciprocal_no_nan", [x]) as scope:
        x = internal_convert(x, None, "x")
        return DivNoNan(internal_convert(1, x.dtype.base_dtype, "one"), x, name=scope)
