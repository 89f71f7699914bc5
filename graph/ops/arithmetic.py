"""Arithmetic of two operands, element by element, with NumPy's broadcasting; and sums of several tensors."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.convert import convert_n_to_tensor, internal_convert
from sessile.graph.dtypes import COMPLEX, FLOATING, NUMERIC, QUANTIZED, REAL_NUMBER, int32, int64, string
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import (
    broadcasting,
    comparison,
    complex_numbers,
    elementwise,
    filling,
    identity,
    selection,
    transcendental,
)
from sessile.graph.ops.bases import BinaryElementwise
from sessile.graph.public_names import public
from sessile.graph.shape_rules import broadcast, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape


class Addition(BinaryElementwise):
    """Base of the two types of addition."""

    function = "add"
    python_function = operator.add

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        to_x, to_y = broadcasting.unbroadcast(*op.inputs)
        return [to_x(grad), to_y(grad)]


@operation("AddV2")
class AddV2(Addition):
    """x + y, element by element."""

    commutative = True


@operation("Add", public=("add", "math.add"))
class Add(Addition):
    """x + y, element by element; strings are joined.

    Args:
        x, y: tensors of one type, numbers or strings, whose shapes broadcast.
        name: a name for the operation.
    """

    attributes = {"T": NUMERIC | {string}}

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        if x.type.dtype != "string":
            return b.map("add", x, y)
        shape = b.broadcast_shapes(x.type.shape, y.type.shape)
        return b.call_host(_joined, x, y, results=[("string", shape)])[0]


def _joined(x: Any, y: Any) -> tuple[Any]:
    return (np.asarray(np.asarray(x, object) + np.asarray(y, object), object),)


@operation("Sub", public=("subtract", "math.subtract", "sub"))
class Sub(BinaryElementwise):
    """x - y, element by element.

    Args:
        x, y: tensors of one type of numbers, whose shapes broadcast.
        name: a name for the operation.
    """

    function = "sub"
    python_function = operator.sub

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        to_x, to_y = broadcasting.unbroadcast(*op.inputs)
        return [to_x(grad), to_y(elementwise.Neg(grad))]


@operation("Mul", public=("multiply", "math.multiply", "mul"))
class Mul(BinaryElementwise):
    """x * y, element by element.

    Args:
        x, y: tensors of one type of numbers, whose shapes broadcast.
        name: a name for the operation.
    """

    commutative = True
    function = "mul"
    python_function = operator.mul

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        x, y = complex_numbers.conj(x), complex_numbers.conj(y)
        return [to_x(Mul(grad, y)), to_y(Mul(x, grad))]


@operation("MulNoNan", public="math.multiply_no_nan")
class MulNoNan(BinaryElementwise):
    """x * y, element by element, and 0 wherever y is 0, even if x is NaN or infinite there."""

    attributes = {"T": frozenset({dtypes.float32, dtypes.float64})}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        return [to_x(MulNoNan(grad, y)), to_y(MulNoNan(x, grad))]

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.select(b.map("eq", y, 0), 0, b.mul(x, y))


@operation("Maximum", public=("maximum", "math.maximum"))
class Maximum(BinaryElementwise):
    """The larger of x and y, element by element; NaN where either is.

    Args:
        x, y: tensors of one type of real numbers, whose shapes broadcast.
        name: a name for the operation.
    """

    attributes = {"T": REAL_NUMBER}
    commutative = True
    function = "max"
    python_function = max

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return _gradient_of_chosen(op, grad, comparison.GreaterEqual)


@operation("Minimum", public=("minimum", "math.minimum"))
class Minimum(BinaryElementwise):
    """The smaller of x and y, element by element; NaN where either is.

    Args:
        x, y: tensors of one type of real numbers, whose shapes broadcast.
        name: a name for the operation.
    """

    attributes = {"T": REAL_NUMBER}
    commutative = True
    function = "min"
    python_function = min

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return _gradient_of_chosen(op, grad, comparison.LessEqual)


def _gradient_of_chosen(op: Any, grad: Tensor, chooses_x: Any) -> list[Any]:
    """The gradient goes to the operand that was chosen, to x where both are equal."""
    x, y = op.inputs
    to_x, to_y = broadcasting.unbroadcast(x, y)
    zeros = filling.zeros_like(grad)
    mask = chooses_x(x, y)
    return [to_x(selection.Select(mask, grad, zeros)), to_y(selection.Select(mask, zeros, grad))]


@operation("SquaredDifference", public=("squared_difference", "math.squared_difference"))
class SquaredDifference(BinaryElementwise):
    """(x - y) * (x - y), element by element; for complex numbers the conjugate of the difference times the difference.

    Args:
        x, y: tensors of one type, whose shapes broadcast.
        name: a name for the operation.
    """

    attributes = {"T": FLOATING | COMPLEX | {int32, int64}}
    commutative = True

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        to_x, to_y = broadcasting.unbroadcast(x, y)
        two = internal_convert(2, grad.dtype.base_dtype, "scale")
        x_grad = Mul(Mul(two, grad), Sub(x, y))
        return [to_x(x_grad), elementwise.Neg(to_y(x_grad))]

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        difference = b.sub(x, y)
        other = b.map("conj", difference) if difference.type.dtype in ("c64", "c128") else difference
        return b.mul(other, difference)


@operation("Pow")
class Pow(BinaryElementwise):
    """x to the power y, element by element."""

    attributes = {"T": FLOATING | COMPLEX | {dtypes.int8, dtypes.int16, int32, int64}}
    function = "pow"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        z = op.outputs[0]
        to_x, to_y = broadcasting.unbroadcast(x, y)
        x, y, z = complex_numbers.conj(x), complex_numbers.conj(y), complex_numbers.conj(z)
        x_grad = to_x(grad * y * pow_(x, y - 1))
        # log(0) and logs of negative numbers are taken to be 0, since z does not depend smoothly on y there
        is_valid = comparison.NotEqual(x, 0) if x.dtype.is_complex else x > 0
        safe_x = selection.where(is_valid, x, filling.ones_like(x))
        log_x = selection.where(is_valid, transcendental.Log(safe_x), filling.zeros_like(x))
        return [x_grad, to_y(grad * z * log_x)]


@public("pow", "math.pow")
def pow_(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x to the power y, element by element.

    Args:
        x, y: tensors of one type of numbers, whose shapes broadcast; whole numbers take no negative powers.
        name: a name for the operation.
    """
    with name_scope(name, "Pow", [x]) as scope:
        return Pow(x, y, name=scope)


@operation("Atan2", public=("atan2", "math.atan2"))
class Atan2(BinaryElementwise):
    """The angle of the points (x, y) from the x axis, in radians, in (-pi, pi].

    Args:
        y, x: tensors of one floating type, whose shapes broadcast.
        name: a name for the operation.
    """

    inputs = {"y": "T", "x": "T"}
    attributes = {"T": FLOATING}
    function = "atan2"

    def infer(self, y: Tensor, x: Tensor) -> TensorShape:  # type: ignore[override]
        return broadcast(y, x)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        y, x = op.inputs
        to_y, to_x = broadcasting.unbroadcast(y, x)
        scaled = grad / (elementwise.Square(x) + elementwise.Square(y))
        return [to_y(x * scaled), to_x(-y * scaled)]


@operation("AddN")
class AddN(OpDefinition):
    """The sum of all inputs, which have one shape and type."""

    inputs = {"inputs": "N * T"}
    attributes = {"N": Attribute("int", minimum=1), "T": NUMERIC | QUANTIZED | {dtypes.variant}}
    outputs = {"sum": "T"}
    commutative = True

    def infer(self, inputs: list[Tensor]) -> TensorShape:
        shape = inputs[0].shape
        for index, tensor in enumerate(inputs[1:], 1):
            try:
                shape = same_shape(shape, tensor)
            except ValueError as error:
                raise ValueError(f"{error} From merging shape 0 with shape {index}.") from None
        return shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad] * len(op.inputs)

    def lower(self, b: Any, inputs: list[Any]) -> Any:
        total = inputs[0]
        for value in inputs[1:]:
            total = b.add(total, b.broadcast_to(value, total.type.shape))
        return total


@operation("AccumulateNV2")
class AccumulateNV2(AddN):
    """The sum of all inputs, which have the stated shape."""

    attributes = {"N": Attribute("int", minimum=1), "T": NUMERIC | QUANTIZED, "shape": Attribute("shape")}

    def infer(self, inputs: list[Tensor], *, shape: TensorShape) -> TensorShape:  # type: ignore[override]
        return shape


@public("add_n", "math.add_n")
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and type.

    Args:
        inputs: a list of tensors or `IndexedSlices`.
        name: a name for the operation.

    Raises ValueError when the list is empty, or shapes differ.
    """
    tensors = _tensors_to_add(inputs)
    if len(tensors) == 1:
        return identity.identity(tensors[0], name=name) if name else tensors[0]
    return AddN(tensors, name=name)


@public("accumulate_n", "math.accumulate_n")
def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and type; the same as `add_n`.

    Args:
        inputs: a list of tensors.
        shape: what is known of their shape.
        tensor_dtype: their type, which is checked.
        name: a name for the operation.

    Raises ValueError when the list is empty, TypeError when the type is another one.
    """
    tensors = _tensors_to_add(inputs)
    known = as_shape(shape) if shape is not None else TensorShape(None)
    for tensor in tensors:
        known = known.merge_with(tensor.shape)
    if tensor_dtype is not None and tensor_dtype != tensors[0].dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {tensors[0].dtype}")
    if len(tensors) == 1:
        return identity.identity(tensors[0], name=name) if name else tensors[0]
    return AccumulateNV2(tensors, shape=known, name=name)


def _tensors_to_add(inputs: Any) -> list[Tensor]:
    if not inputs or not isinstance(inputs, Sequence):
        raise ValueError("inputs must be a list of at least one Tensor/IndexedSlices with the same dtype and shape")
    tensors = convert_n_to_tensor(inputs)
    if any(tensor.dtype.base_dtype != tensors[0].dtype.base_dtype for tensor in tensors):
        raise ValueError("inputs must be a list of at least one Tensor/IndexedSlices with the same dtype and shape")
    return tensors


@public("scalar_mul", "math.scalar_mul")
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A scalar times a tensor or the values of `IndexedSlices`.

    Args:
        scalar: a number or a tensor of rank 0.
        x: a tensor of the same type, or `IndexedSlices`.
        name: a name for the operation.

    Raises ValueError when the scalar is none.
    """
    scalar = internal_convert(scalar, x.dtype.base_dtype, "scalar")
    if scalar.shape.ndims != 0:
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, Tensor) or not hasattr(x, "with_values"):
        return Mul(scalar, x, name=name)
    return x.with_values(Mul(scalar, x.values, name=name))


@public("math.polyval")
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The value of a polynomial, element by element, by Horner's rule.

    Args:
        coeffs: a list of tensors, the coefficients of falling powers, which broadcast against `x`.
        x: a tensor of numbers.
        name: a name for the operations.

    Returns 0 where there are no coefficients.
    """
    with name_scope(name, "polyval", [*coeffs, x]):
        x = internal_convert(x, None, "x")
        if not coeffs:
            return filling.zeros_like(x)
        factors = [internal_convert(c, None, f"coeff_{k}", x.dtype.base_dtype) for k, c in enumerate(coeffs)]
        total = factors[0]
        for factor in factors[1:]:
            total = factor + total * x
        return total
