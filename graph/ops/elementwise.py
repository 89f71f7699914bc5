"""Algebra of one operand, element by element: signs, squares, roots, roundings, tests for NaN and infinity."""

from __future__ import annotations

import operator
from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import on_known
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import FLOATING, NUMERIC, SIGNED
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import operation
from sessile.graph.ops import arithmetic, complex_numbers, gradient_helpers
from sessile.graph.ops.bases import UnaryElementwise
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


@operation("Neg", public="neg")
class Neg(UnaryElementwise):
    """-x, element by element."""

    attributes = {"T": SIGNED}
    function = "neg"

    def fold(self, known: Any, x: Tensor) -> Any:
        return on_known(operator.neg, known(x))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Neg(grad)]


@public("negative", "math.negative")
def negative(x: Any, name: str | None = None) -> Tensor:
    """-x, element by element.

    Args:
        x: a tensor of signed or complex numbers.
        name: a name for the operation.
    """
    return Neg(x, name=name)


@operation("Abs")
class Abs(UnaryElementwise):
    """|x| of real numbers, element by element."""

    attributes = {"T": FLOATING | dtypes.SIGNED_INTEGER}
    function = "abs"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Sign(op.inputs[0])]


@public("abs", "math.abs", "complex_abs")
def abs(x: Any, name: str | None = None) -> Tensor:
    """|x|, element by element.

    Args:
        x: a tensor of signed or complex numbers.
        name: a name for the operation.

    Returns a tensor of the same type; of the type of the real part for complex numbers.
    """
    with name_scope(name, "Abs", [x]) as scope:
        x = internal_convert(x, None, "x")
        if x.dtype.is_complex:
            return complex_numbers.ComplexAbs(x, x.dtype.real_dtype, name=scope)
        return Abs(x, name=scope)


@operation("Sign")
class Sign(UnaryElementwise):
    """-1, 0 or 1, element by element."""

    attributes = {"T": SIGNED}
    function = "sign"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [arithmetic.Mul(grad, 0)]


@public("sign", "math.sign")
def sign(x: Any, name: str | None = None) -> Tensor:
    """-1 where x < 0, 0 where x is 0, 1 where x > 0; for complex numbers x / |x|, or 0. NaN stays NaN.

    Args:
        x: a tensor of signed or complex numbers.
        name: a name for the operation.
    """
    return Sign(x, name=name)


@operation("Square", public=("square", "math.square"))
class Square(UnaryElementwise):
    """x * x, element by element.

    Args:
        x: a tensor of numbers.
        name: a name for the operation.
    """

    attributes = {"T": NUMERIC}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = complex_numbers.conj(op.inputs[0])
        two = internal_convert(2.0, x.dtype.base_dtype, "y")
        return [arithmetic.Mul(grad, arithmetic.Mul(x, two))]

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(x, x)


@operation("Sqrt", public=("sqrt", "math.sqrt"))
class Sqrt(UnaryElementwise):
    """The square root, element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """

    function = "sqrt"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gradient_helpers.SqrtGrad(op.outputs[0], grad)]


@operation("Rsqrt", public=("rsqrt", "math.rsqrt"))
class Rsqrt(UnaryElementwise):
    """1 / sqrt(x), element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """

    function = "rsqrt"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gradient_helpers.RsqrtGrad(op.outputs[0], grad)]


@operation("Reciprocal", public=("reciprocal", "math.reciprocal"))
class Reciprocal(UnaryElementwise):
    """1 / x, element by element; rounded towards zero for whole numbers."""

    attributes = {"T": SIGNED}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gradient_helpers.ReciprocalGrad(op.outputs[0], grad)]

    def lower(self, b: Any, x: Any) -> Any:
        return b.map("div" if x.type.dtype[0] in "fc" else "truncated_div", 1, x)


@operation("Inv", public="inv")
class Inv(Reciprocal):
    """The older name of Reciprocal."""


@operation("Floor", public=("floor", "math.floor"))
class Floor(UnaryElementwise):
    """The largest whole number that is not above x, element by element."""

    attributes = {"T": FLOATING}
    function = "floor"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None]


@operation("Ceil", public=("ceil", "math.ceil"))
class Ceil(UnaryElementwise):
    """The smallest whole number that is not below x, element by element."""

    attributes = {"T": FLOATING}
    function = "ceil"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None]


@operation("Rint", public=("rint", "math.rint"))
class Rint(UnaryElementwise):
    """The nearest whole number, the even one of two, element by element."""

    attributes = {"T": FLOATING}
    function = "rint"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None]


@operation("Round")
class Round(UnaryElementwise):
    """The nearest whole number, the even one of two, element by element; whole numbers stay as they are."""

    attributes = {"T": SIGNED}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None]

    def lower(self, b: Any, x: Any) -> Any:
        kind = x.type.dtype[0]
        if kind == "c":
            return b.emit("make_complex", b.map("rint", b.map("real", x)), b.map("rint", b.map("imag", x)))
        return b.map("rint", x) if kind == "f" else x


@public("round", "math.round")
def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number, the even one of two ("banker's rounding"), element by element.

    Args:
        x: a tensor of numbers; whole ones stay as they are.
        name: a name for the operation.
    """
    x = internal_convert(x, None, "x")
    return x if x.dtype.is_integer else Round(x, name=name)


class FloatingTest(UnaryElementwise):
    """Base of tests on floating numbers."""

    attributes = {"T": FLOATING}
    outputs = {"y": dtypes.bool}

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None]


@operation("IsNan", public=("is_nan", "math.is_nan", "debugging.is_nan"))
class IsNan(FloatingTest):
    """Whether x is NaN, element by element."""

    function = "is_nan"


@operation("IsInf", public=("is_inf", "math.is_inf", "debugging.is_inf"))
class IsInf(FloatingTest):
    """Whether x is infinite, element by element."""

    function = "is_inf"


@operation("IsFinite", public=("is_finite", "math.is_finite", "debugging.is_finite"))
class IsFinite(FloatingTest):
    """Whether x is neither infinite nor NaN, element by element."""

    function = "is_finite"
