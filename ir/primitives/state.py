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


def samples_type(kind: str, parameters: tuple[TensorType, ...], dtype: str, shape: tuple[Size, ...]) -> TensorType:
    """The type of the samples that a draw gives."""
    require(dtype in NUMPY_DTYPES, f"no element type is called {dtype!r}")
    if kind in ("gamma", "poisson"):
        return TensorType(dtype, (*shape, *parameters[0].shape))
    return TensorType(dtype, shape[:1] if kind == "shuffle" else shape)


@primitive("random")
class Random(Primitive):
    """The next samples of a random stream, which the session keeps under `stream`, by the operation's name.

    `kind` names the distribution; operands are its parameters: none for "uniform", "normal" and "truncated_normal";
    the bounds [low, high) for "uniform_int"; logits for "categorical". "gamma" and "poisson" draw `shape` samples for
    each element of their operand. "shuffle" gives the order in which to take the rows of a value of `shape`.
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
        return samples_type(kind, operands, dtype, shape)

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


@primitive("stateless_random")
class StatelessRandom(Primitive):
    """Samples that depend on the first operand, a seed of two numbers, alone; the other operands are parameters.

    `kind` names the distribution, as for `random`.
    """

    sized = ("shape",)

    def infer(
        self, seed: TensorType, *parameters: TensorType, kind: str, dtype: str, shape: tuple[Size, ...]
    ) -> TensorType:
        require(seed.shape == (2,) and seed.dtype in ("i32", "i64"), f"a seed is two whole numbers, not {seed}")
        return samples_type(kind, parameters, dtype, shape)

    def reference(
        self, seed: np.ndarray, *parameters: np.ndarray, kind: str, dtype: str, shape: tuple[int, ...]
    ) -> np.ndarray:
        from sessile.ir.random_streams import draw, parameters_of, stateless_state

        values = parameters_of(kind, parameters)
        return draw(kind, stateless_state(seed), shape, NUMPY_DTYPES[dtype], **values)[0]
