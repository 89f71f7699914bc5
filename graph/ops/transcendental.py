"""Exponentials, logarithms, trigonometric and hyperbolic functions, element by element.

All take floating and complex numbers; angles are in radians. Gradients use the conjugate of the derivative, so that
they are right for complex numbers too.
"""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import operation
from sessile.graph.ops import activations, complex_numbers, elementwise, gradient_helpers
from sessile.graph.ops.bases import UnaryElementwise
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


def _one(x: Tensor) -> Tensor:
    return internal_convert(1, x.dtype.base_dtype, "one")


@operation("Exp", public=("exp", "math.exp"))
class Exp(UnaryElementwise):
    """e to the power x, element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """

    function = "exp"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * complex_numbers.conj(op.outputs[0])]


@operation("Expm1", public=("expm1", "math.expm1"))
class Expm1(UnaryElementwise):
    """exp(x) - 1, element by element, exact for small x too."""

    function = "expm1"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Exp(complex_numbers.conj(op.inputs[0]))]


@operation("Log", public=("log", "math.log"))
class Log(UnaryElementwise):
    """The natural logarithm, element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """

    function = "log"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * elementwise.Reciprocal(complex_numbers.conj(op.inputs[0]))]


@operation("Log1p", public=("log1p", "math.log1p"))
class Log1p(UnaryElementwise):
    """log(1 + x), element by element, exact for small x too."""

    function = "log1p"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * elementwise.Reciprocal(1 + complex_numbers.conj(op.inputs[0]))]


@operation("Sin", public=("sin", "math.sin"))
class Sin(UnaryElementwise):
    """The sine, element by element."""

    function = "sin"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Cos(complex_numbers.conj(op.inputs[0]))]


@operation("Cos", public=("cos", "math.cos"))
class Cos(UnaryElementwise):
    """The cosine, element by element."""

    function = "cos"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [-grad * Sin(complex_numbers.conj(op.inputs[0]))]


@operation("Tan", public=("tan", "math.tan"))
class Tan(UnaryElementwise):
    """The tangent, element by element."""

    function = "tan"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        secant = elementwise.Reciprocal(Cos(complex_numbers.conj(op.inputs[0])))
        return [elementwise.Square(secant) * grad]


@operation("Asin", public=("asin", "math.asin"))
class Asin(UnaryElementwise):
    """The angle in [-pi/2, pi/2] whose sine is x, element by element."""

    function = "asin"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = complex_numbers.conj(op.inputs[0])
        root = elementwise.Sqrt(_one(x) - elementwise.Square(x))
        return [grad * elementwise.Reciprocal(root)]


@operation("Acos", public=("acos", "math.acos"))
class Acos(UnaryElementwise):
    """The angle in [0, pi] whose cosine is x, element by element."""

    function = "acos"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = complex_numbers.conj(op.inputs[0])
        root = elementwise.Sqrt(_one(x) - elementwise.Square(x))
        return [-grad * elementwise.Reciprocal(root)]


@operation("Atan", public=("atan", "math.atan"))
class Atan(UnaryElementwise):
    """The angle in (-pi/2, pi/2) whose tangent is x, element by element."""

    function = "atan"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = complex_numbers.conj(op.inputs[0])
        return [grad * elementwise.Reciprocal(_one(x) + elementwise.Square(x))]


@operation("Sinh", public=("sinh", "math.sinh"))
class Sinh(UnaryElementwise):
    """The hyperbolic sine, element by element."""

    function = "sinh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Cosh(complex_numbers.conj(op.inputs[0]))]


@operation("Cosh", public=("cosh", "math.cosh"))
class Cosh(UnaryElementwise):
    """The hyperbolic cosine, element by element."""

    function = "cosh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Sinh(complex_numbers.conj(op.inputs[0]))]


@operation("Tanh", public=("tanh", "math.tanh", "nn.tanh"))
class Tanh(UnaryElementwise):
    """The hyperbolic tangent, element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """

    function = "tanh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gradient_helpers.TanhGrad(complex_numbers.conj(op.outputs[0]), grad)]


@operation("Asinh", public=("asinh", "math.asinh"))
class Asinh(UnaryElementwise):
    """The number whose hyperbolic sine is x, element by element."""

    function = "asinh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad / Cosh(complex_numbers.conj(op.outputs[0]))]


@operation("Acosh", public=("acosh", "math.acosh"))
class Acosh(UnaryElementwise):
    """The number above 0 whose hyperbolic cosine is x, element by element; NaN for x < 1."""

    function = "acosh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad / Sinh(complex_numbers.conj(op.outputs[0]))]


@operation("Atanh", public=("atanh", "math.atanh"))
class Atanh(UnaryElementwise):
    """The number whose hyperbolic tangent is x, element by element; NaN for |x| > 1."""

    function = "atanh"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = complex_numbers.conj(op.inputs[0])
        return [grad * elementwise.Reciprocal(_one(x) - elementwise.Square(x))]


@operation("Sigmoid")
class Sigmoid(UnaryElementwise):
    """1 / (1 + exp(-x)), element by element."""

    function = "sigmoid"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [gradient_helpers.SigmoidGrad(complex_numbers.conj(op.outputs[0]), grad)]


@public("sigmoid", "math.sigmoid", "nn.sigmoid")
def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """1 / (1 + exp(-x)), element by element.

    Args:
        x: a tensor of floating or complex numbers.
        name: a name for the operation.
    """
    with name_scope(name, "Sigmoid", [x]) as scope:
        return Sigmoid(x, name=scope)


@public("log_sigmoid", "math.log_sigmoid", "nn.log_sigmoid")
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(1 / (1 + exp(-x))), element by element, exact where the sigmoid is near 0 or 1.

    Args:
        x: a tensor of floating numbers.
        name: a name for the operation.
    """
    with name_scope(name, "LogSigmoid", [x]) as scope:
        x = internal_convert(x, None, "x")
        return elementwise.Neg(activations.Softplus(elementwise.Neg(x)), name=scope)
