"""Element-by-element primitives: `map`, `select`, `convert`, `make_complex`."""

from __future__ import annotations

import numpy as np

from sessile.ir.primitive import Primitive, primitive, require
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, NUMPY_DTYPES, TensorType

REAL_PART = {"c64": "f32", "c128": "f64"}
COMPLEX_OF = {"f32": "c64", "f64": "c128"}


def common_shape(operands: tuple[TensorType, ...]) -> TensorType:
    """The operand type with the shape that all share; those of rank 0 go with any shape."""
    shaped = [operand for operand in operands if operand.rank]
    for operand in shaped[1:]:
        require(operand.shape == shaped[0].shape, f"shapes differ: {shaped[0]} and {operand}")
    return shaped[0] if shaped else operands[0]


@primitive("map")
class Map(Primitive):
    """Applies a scalar function to each element; operands have one shape, or rank 0."""

    def infer(self, *operands: TensorType, function: str) -> TensorType:
        scalar = SCALAR_FUNCTIONS.get(function)
        require(scalar is not None, f"no scalar function is called {function!r}")
        assert scalar is not None
        require(len(operands) == scalar.arity, f"{function} takes {scalar.arity} operands")
        dtype = operands[0].dtype
        require(dtype in scalar.types, f"{function} is not defined for {dtype}")
        require(all(o.dtype == dtype for o in operands), f"{function}: element types differ: {operands}")
        shape = common_shape(operands).shape
        if scalar.result == "bool":
            return TensorType("bool", shape)
        return TensorType(REAL_PART.get(dtype, dtype) if scalar.result == "real" else dtype, shape)

    def reference(self, *operands: np.ndarray, function: str) -> np.ndarray:
        with np.errstate(all="ignore"):
            return SCALAR_FUNCTIONS[function].reference(*operands)


@primitive("select")
class Select(Primitive):
    """`x` where the condition holds, `y` elsewhere; a condition of rank 0 goes with any shape."""

    def infer(self, condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
        require(condition.dtype == "bool", f"the condition has type {condition}")
        require(x.dtype == y.dtype, f"element types differ: {x} and {y}")
        return TensorType(x.dtype, common_shape((condition, x, y)).shape)

    def reference(self, condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(condition, x, y)


@primitive("convert")
class Convert(Primitive):
    """Each element in another type: towards zero from floating to whole numbers, real part from complex."""

    def infer(self, x: TensorType, *, dtype: str) -> TensorType:
        require("string" not in (x.dtype, dtype), f"cannot convert {x} to {dtype}")
        return x.with_dtype(dtype)

    def reference(self, x: np.ndarray, *, dtype: str) -> np.ndarray:
        with np.errstate(all="ignore"):
            if np.asarray(x).dtype.kind == "c" and dtype not in COMPLEX:
                x = np.real(x) if dtype != "bool" else np.not_equal(x, 0)
            return np.asarray(x).astype(NUMPY_DTYPES[dtype])


@primitive("make_complex")
class MakeComplex(Primitive):
    """Complex numbers from their real and imaginary parts."""

    def infer(self, real: TensorType, imaginary: TensorType) -> TensorType:
        require(
            real.dtype == imaginary.dtype and real.dtype in COMPLEX_OF,
            f"parts are {real} and {imaginary}",
        )
        return TensorType(COMPLEX_OF[real.dtype], common_shape((real, imaginary)).shape)

    def reference(self, real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
        dtype = np.complex64 if np.asarray(real).dtype == np.float32 else np.complex128
        result = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imaginary)), dtype)
        result.real, result.imag = real, imaginary
        return result


@primitive("bitcast")
class Bitcast(Primitive):
    """The same bits read as another element type of equal width."""

    def infer(self, x: TensorType, *, dtype: str) -> TensorType:
        require(x.numpy_dtype.itemsize == NUMPY_DTYPES[dtype].itemsize, f"widths of {x} and {dtype} differ")
        return x.with_dtype(dtype)

    def reference(self, x: np.ndarray, *, dtype: str) -> np.ndarray:
        return np.ascontiguousarray(x).view(NUMPY_DTYPES[dtype]).reshape(np.shape(x))
