"""Primitives that make values out of nothing but attributes: constants, parameters, sizes, `iota`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sessile.ir.primitive import Primitive, primitive, require
from sessile.ir.sizes import Size
from sessile.ir.types import NUMPY_DTYPES, TensorType, element_type_of


@primitive("constant")
class Constant(Primitive):
    """A value known when the program is made."""

    def infer(self, *, value: np.ndarray) -> TensorType:
        return TensorType(element_type_of(value.dtype), value.shape)

    def reference(self, *, value: np.ndarray) -> np.ndarray:
        return value


@primitive("parameter")
class Parameter(Primitive):
    """A value that the caller feeds, by the name of the fed tensor."""

    pure = False
    uses_context = True

    def infer(self, *, name: str, dtype: str, shape: tuple[Size, ...]) -> TensorType:
        return TensorType(dtype, shape)

    def reference(self, context: Any, *, name: str, dtype: str, shape: tuple[Size, ...]) -> np.ndarray:
        return context.parameter(name)


@primitive("sizes")
class Sizes(Primitive):
    """Sizes as a tensor of whole numbers: a vector of all `values`, or a scalar when `scalar` holds."""

    sized = ("values",)

    def infer(self, *, values: tuple[Size, ...], dtype: str, scalar: bool) -> TensorType:
        require(dtype in ("i32", "i64"), f"sizes have type i32 or i64, not {dtype}")
        require(not scalar or len(values) == 1, "a scalar holds one size")
        return TensorType(dtype, () if scalar else (len(values),))

    def reference(self, *, values: tuple[int, ...], dtype: str, scalar: bool) -> np.ndarray:
        return np.array(values[0] if scalar else values, NUMPY_DTYPES[dtype])


@primitive("iota")
class Iota(Primitive):
    """The index along `axis`, as numbers."""

    sized = ("shape",)

    def infer(self, *, shape: tuple[Size, ...], axis: int, dtype: str) -> TensorType:
        require(0 <= axis < len(shape), f"axis {axis} does not exist in {shape}")
        return TensorType(dtype, shape)

    def reference(self, *, shape: tuple[int, ...], axis: int, dtype: str) -> np.ndarray:
        along = np.arange(shape[axis]).astype(NUMPY_DTYPES[dtype])
        expanded = along.reshape([-1 if k == axis else 1 for k in range(len(shape))])
        return np.broadcast_to(expanded, shape)


@primitive("bind_sizes")
class BindSizes(Primitive):
    """Gives the program's symbols `names` the values in its operand, a tensor of whole numbers.

    Such symbols have the source ("value", name, index): sizes that are known only once the operand is computed.
    """

    pure = False
    uses_context = True

    def infer(self, values: TensorType, *, names: tuple[str, ...]) -> tuple[TensorType, ...]:
        require(values.dtype in ("i32", "i64"), f"sizes have type i32 or i64, not {values.dtype}")
        require(values.size == len(names), f"{len(names)} names for {values}")
        return ()

    def binds(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        return attributes["names"]

    def reference(self, context: Any, values: np.ndarray, *, names: tuple[str, ...]) -> tuple[()]:
        for name, size in zip(names, np.ravel(values).tolist(), strict=True):
            context.bind(name, size)
        return ()
