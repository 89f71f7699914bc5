"""Complex numbers: made of their parts, and taken apart."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import complex64, complex128, float32, float64, variant
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import broadcasting, elementwise, filling
from sessile.graph.public_names import public
from sessile.graph.shape_rules import broadcast
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_REAL = Attribute("type", default=float32, allowed=frozenset({float32, float64}))
_COMPLEX = Attribute("type", default=complex64, allowed=frozenset({complex64, complex128}))


@operation("Complex")
class Complex(OpDefinition):
    """real + i * imag, element by element."""

    inputs = {"real": "T", "imag": "T"}
    attributes = {"T": _REAL, "Tout": _COMPLEX}
    outputs = {"out": "Tout"}

    def infer(self, real: Tensor, imag: Tensor) -> TensorShape:
        return broadcast(real, imag)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        to_real, to_imag = broadcasting.unbroadcast(*op.inputs)
        return [to_real(real_part(grad)), to_imag(imaginary_part(grad))]

    def lower(self, b: Any, real: Any, imag: Any) -> Any:
        shape = b.broadcast_shapes(real.type.shape, imag.type.shape)
        return b.emit("make_complex", b.broadcast_to(real, shape), b.broadcast_to(imag, shape))


@public("complex", "dtypes.complex")
def make_complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """real + i * imag, element by element.

    Args:
        real: a tensor of float32 or float64.
        imag: a tensor of the same type.
        name: a name for the operation.

    Returns a tensor of complex64 or complex128. Raises TypeError for other types.
    """
    real = internal_convert(real, None, "real")
    imag = internal_convert(imag, None, "imag")
    with name_scope(name, "Complex", [real, imag]) as scope:
        types = (real.dtype.base_dtype, imag.dtype.base_dtype)
        if types not in ((float32, float32), (float64, float64)):
            raise TypeError(f"real and imag have incorrect types: {types[0].name} {types[1].name}")
        return Complex(real, imag, Tout=complex64 if types[0] == float32 else complex128, name=scope)


class PartOfComplex(OpDefinition):
    """Base of real functions of complex numbers."""

    inputs = {"input": "T"}
    attributes = {"T": _COMPLEX, "Tout": _REAL}
    outputs = {"output": "Tout"}
    function = ""

    def infer(self, input: Tensor) -> TensorShape:
        return input._shape

    def lower(self, b: Any, input: Any) -> Any:
        return b.map(self.function, input)


@operation("Real")
class Real(PartOfComplex):
    """The real part, element by element."""

    function = "real"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [make_complex(grad, internal_convert(0, grad.dtype.base_dtype))]


@operation("Imag")
class Imag(PartOfComplex):
    """The imaginary part, element by element."""

    function = "imag"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [make_complex(internal_convert(0, grad.dtype.base_dtype), grad)]


@operation("Angle")
class Angle(PartOfComplex):
    """The angle from the positive real axis, in radians, element by element."""

    function = "angle"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x = op.inputs[0]
        rotated = elementwise.Reciprocal(make_complex(imaginary_part(x), real_part(x)))
        return [-make_complex(grad, internal_convert(0, grad.dtype.base_dtype)) * rotated]


@operation("ComplexAbs")
class ComplexAbs(PartOfComplex):
    """The distance from 0, element by element."""

    inputs = {"x": "T"}
    outputs = {"y": "Tout"}

    def infer(self, x: Tensor) -> TensorShape:  # type: ignore[override]
        return x._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [make_complex(grad, filling.zeros_like(grad)) * elementwise.Sign(op.inputs[0])]

    def lower(self, b: Any, x: Any) -> Any:  # type: ignore[override]
        return b.map("abs", x)


@operation("Conj")
class Conj(OpDefinition):
    """The complex conjugate, element by element."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type", default=complex64, allowed=frozenset({complex64, complex128, variant}))}
    outputs = {"output": "T"}

    def infer(self, input: Tensor) -> TensorShape:
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [conj(grad)]

    def lower(self, b: Any, input: Any) -> Any:
        return b.map("conj", input)


@public("real", "math.real")
def real_part(input: Any, name: str | None = None) -> Tensor:
    """The real part, element by element; of real numbers the numbers themselves.

    Args:
        input: a tensor of numbers.
        name: a name for the operation.
    """
    with name_scope(name, "Real", [input]) as scope:
        input = internal_convert(input, None, "input")
        return Real(input, Tout=input.dtype.real_dtype.base_dtype, name=scope) if input.dtype.is_complex else input


@public("imag", "math.imag")
def imaginary_part(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part, element by element; of real numbers zeros.

    Args:
        input: a tensor of numbers.
        name: a name for the operation.
    """
    with name_scope(name, "Imag", [input]) as scope:
        input = internal_convert(input, None, "input")
        if input.dtype.is_complex:
            return Imag(input, Tout=input.dtype.real_dtype.base_dtype, name=scope)
        return filling.zeros_like(input)


@public("angle", "math.angle")
def angle(input: Any, name: str | None = None) -> Tensor:
    """The angle from the positive real axis, in radians, element by element.

    Args:
        input: a tensor of numbers; for real ones, negative ones too, the result is 0.
        name: a name for the operation.
    """
    with name_scope(name, "Angle", [input]) as scope:
        input = internal_convert(input, None, "input")
        if input.dtype.is_complex:
            return Angle(input, Tout=input.dtype.real_dtype.base_dtype, name=scope)
        return filling.zeros_like(input)


@public("conj", "math.conj")
def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate, element by element; real numbers are returned as they are.

    Args:
        x: a tensor of numbers.
        name: a name for the operation.

    Raises TypeError for other types.
    """
    if isinstance(x, Tensor) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with name_scope(name, "Conj", [x]) as scope:
        x = internal_convert(x, None, "x")
        if x.dtype.is_complex or x.dtype.base_dtype == variant:
            return Conj(x, name=scope)
        if x.dtype.is_floating or x.dtype.is_integer:
            return x
        raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}")
