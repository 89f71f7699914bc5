"""Primitives that touch what a session keeps between runs: variables and random streams."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.ir.primitive import Primitive, primitive, require
from sessile.ir.sizes import Size
from sessile.ir.types import NUMPY_DTYPES, TensorType


@primitive("read_variable")
class ReadVariable(Primitive):
    """The value that a variable has when the program begins."""

    uses_context = True

    def infer(self, *, name: str, dtype: str, shape: tuple[Size, ...]) -> TensorType:
        return TensorType(dtype, shape)

    def reference(self, context: Any, *, name: str, dtype: str, shape: tuple[Size, ...]) -> np.ndarray:
        return context.read_variable(name)


@primitive("write_variable")
class WriteVariable(Primitive):
    """Gives a variable the value that it has when the program is done."""

    pure = False
    uses_context = True

    def infer(self, value: TensorType, *, name: str) -> tuple[TensorType, ...]:
        return ()

    def reference(self, context: Any, value: np.ndarray, *, name: str) -> tuple[()]:
        context.write_variable(name, np.asarray(value))
        return ()


@primitive("variable_is_initialized")
class VariableIsInitialized(Primitive):
    """Whether a variable had a value when the program began."""

    uses_context = True

    def infer(self, *, name: str) -> TensorType:
        return TensorType("bool")

    def reference(self, context: Any, *, name: str) -> np.ndarray:
        return np.asarray(context.variable_is_initialized(name))


@primitive("initialized_value")
class InitializedValue(Primitive):
    """The value that a variable had when the program began, or the operand where it had none."""

    uses_context = True

    def infer(self, default: TensorType, *, name: str) -> TensorType:
        return default

    def reference(self, context: Any, default: np.ndarray, *, name: str) -> np.ndarray:
        return np.array(context.read_variable(name)) if context.variable_is_initialized(name) else default


@primitive("random")
class Random(Primitive):
    """The next samples of a random stream, which the session keeps under `stream`, by the operation's name.

    `kind` names the distribution; operands are its parameters: none for "uniform", "normal" and "truncated_normal";
    the bounds [low, high) for "uniform_int". "shuffle" gives the order in which to take the rows of a value of `shape`.
    """

    pure = False
    uses_context = True
    sized = ("shape",)

    def infer(
        self,
        *operands: TensorType,
        kind: str,
        stream: str,
        seed: int,
        seed2: int,
        dtype: str,
        shape: tuple[Size, ...],
    ) -> TensorType:
        require(dtype in NUMPY_DTYPES, f"no element type is called {dtype!r}")
        return TensorType(dtype, shape[:1] if kind == "shuffle" else shape)

    def reference(
        self,
        context: Any,
        *operands: np.ndarray,
        kind: str,
        stream: str,
        seed: int,
        seed2: int,
        dtype: str,
        shape: tuple[int, ...],
    ) -> np.ndarray:
        return context.draw(kind, stream, seed, seed2, shape, NUMPY_DTYPES[dtype], operands)
