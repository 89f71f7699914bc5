"""What gradients of elementwise functions are made of: operations on a function's value y and the gradient dy."""

from __future__ import annotations

from typing import Any

from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops import complex_numbers
from sessile.graph.ops.bases import ANALYTIC
from sessile.graph.shape_rules import same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class GradientOfElementwise(OpDefinition):
    """Base of functions of a value and its gradient, which have one shape."""

    inputs = {"y": "T", "dy": "T"}
    attributes = {"T": ANALYTIC}
    outputs = {"z": "T"}

    def infer(self, y: Tensor, dy: Tensor) -> TensorShape:
        return same_shape(y, dy)


def _conjugate(b: Any, x: Any) -> Any:
    return b.map("conj", x) if x.type.dtype[0] == "c" else x


@operation("TanhGrad")
class TanhGrad(GradientOfElementwise):
    """dy * (1 - y * y) for y = tanh(x)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        y, dy = complex_numbers.conj(op.inputs[0]), complex_numbers.conj(op.inputs[1])
        return [grad * -2.0 * dy * y, TanhGrad(y, grad)]

    def lower(self, b: Any, y: Any, dy: Any) -> Any:
        return b.mul(dy, b.sub(1, b.mul(y, y)))


@operation("SigmoidGrad")
class SigmoidGrad(GradientOfElementwise):
    """dy * y * (1 - y) for y = sigmoid(x)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        y, dy = complex_numbers.conj(op.inputs[0]), complex_numbers.conj(op.inputs[1])
        scaled = grad * dy
        return [scaled - 2.0 * scaled * y, SigmoidGrad(y, grad)]

    def lower(self, b: Any, y: Any, dy: Any) -> Any:
        return b.mul(dy, b.mul(y, b.sub(1, y)))


@operation("SqrtGrad")
class SqrtGrad(GradientOfElementwise):
    """dy / (2 * y) for y = sqrt(x)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        quotient = grad / op.inputs[0]
        return [-complex_numbers.conj(quotient) * op.outputs[0], 0.5 * quotient]

    def lower(self, b: Any, y: Any, dy: Any) -> Any:
        return b.div(b.mul(0.5, dy), _conjugate(b, y))


@operation("RsqrtGrad")
class RsqrtGrad(GradientOfElementwise):
    """-dy * y * y * y / 2 for y = 1 / sqrt(x)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        y, dy = complex_numbers.conj(op.inputs[0]), op.inputs[1]
        return [-1.5 * complex_numbers.conj(grad) * dy * (y * y), RsqrtGrad(y, grad)]

    def lower(self, b: Any, y: Any, dy: Any) -> Any:
        y = _conjugate(b, y)
        return b.mul(b.mul(-0.5, dy), b.mul(y, b.mul(y, y)))


@operation("ReciprocalGrad")
class ReciprocalGrad(GradientOfElementwise):
    """-dy * y * y for y = 1 / x."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        y, dy = complex_numbers.conj(op.inputs[0]), op.inputs[1]
        return [complex_numbers.conj(grad) * -2.0 * dy * y, ReciprocalGrad(y, grad)]

    def lower(self, b: Any, y: Any, dy: Any) -> Any:
        y = _conjugate(b, y)
        return b.mul(b.neg(dy), b.mul(y, y))


@operation("InvGrad")
class InvGrad(ReciprocalGrad):
    """The older name of ReciprocalGrad."""
