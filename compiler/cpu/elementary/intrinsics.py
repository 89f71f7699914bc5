"""Numba intrinsics out of functions over `Value`: the registry of the elementary functions.

`@elementary("f32", "f64")` on `exp(x: Value) -> Value` adds `exp_f32` and `exp_f64` to `FUNCTIONS`. A name is the
function's name and the type of its first operand; inside a Numba kernel the intrinsic takes and returns scalars.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sessile.compiler.cpu.elementary.emit import F32, F64, Value, convert

NUMBA_TYPES = {
    "bool": types.boolean,
    "i8": types.int8,
    "i16": types.int16,
    "i32": types.int32,
    "i64": types.int64,
    "u8": types.uint8,
    "u16": types.uint16,
    "u32": types.uint32,
    "u64": types.uint64,
    "f32": types.float32,
    "f64": types.float64,
}
FLOATS = ("f32", "f64")
SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")

FUNCTIONS: dict[str, Any] = {}
"""The intrinsics by name."""

ERROR_BOUNDS: dict[str, float] = {}
"""The largest error in units in the last place of the result, where a function is not exact; the tests hold it."""

Emit = Callable[..., Value]
Bounds = tuple[float, float]


def register(name: str, result: str, arguments: tuple[str, ...], emit: Emit, ulp: float | None = None) -> None:
    """Add an intrinsic with fixed types to `FUNCTIONS`; Numba casts what a kernel passes to the argument types.

    Args:
        name: the name that kernels call.
        result: short name of the result's type, such as "f32".
        arguments: short names of the arguments' types.
        emit: called with one `Value` per argument when a call is lowered; returns the result.
        ulp: bound of the error, None for exact functions.
    """
    signature = NUMBA_TYPES[result](*(NUMBA_TYPES[argument] for argument in arguments))

    def lower(context: Any, builder: ir.IRBuilder, call_signature: Any, values: list[Any]) -> Any:
        return emit(*(Value(builder, value) for value in values)).ir

    def typing(typing_context: Any, *given: Any) -> Any:
        return signature, lower

    typing.__name__ = typing.__qualname__ = name
    typing.__doc__ = emit.__doc__
    # Numba binds a call's arguments by this signature.
    names = [inspect.Parameter(f"x{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(1 + len(arguments))]
    setattr(typing, "__signature__", inspect.Signature(names))  # noqa: B010
    FUNCTIONS[name] = intrinsic(typing)
    if ulp is not None:
        ERROR_BOUNDS[name] = ulp


def elementary(
    *kinds: str, arity: int = 1, result: str | None = None, ulp: Bounds | None = None
) -> Callable[[Emit], Emit]:
    """Register a function over `Value` for the given types; all arguments have that type.

    Args:
        kinds: "f32", "f64".
        arity: number of arguments.
        result: type of the result if it is another one.
        ulp: bounds of the error for f32 and f64; None for exact functions.
    """

    def decorate(emit: Emit) -> Emit:
        for kind in kinds:
            bound = ulp[FLOATS.index(kind)] if ulp else None
            register(f"{emit.__name__.rstrip('_')}_{kind}", result or kind, (kind,) * arity, emit, bound)
        return emit

    return decorate


def elementary_in_f64(ulp: Bounds) -> Callable[[Emit], Emit]:
    """Register a function of one f64, and for f32 the f64 result rounded: the simplest way to half an ulp."""

    def decorate(emit: Emit) -> Emit:
        def rounded(x: Value) -> Value:
            return convert(emit(convert(x, F64)), F32)

        rounded.__doc__ = emit.__doc__
        register(f"{emit.__name__}_f32", "f32", ("f32",), rounded, ulp[0])
        register(f"{emit.__name__}_f64", "f64", ("f64",), emit, ulp[1])
        return emit

    return decorate
