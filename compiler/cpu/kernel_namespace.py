"""The names that the source of a kernel may use: casts, `min` and `max`, elementary functions, intrinsics.

In: a global name that a kernel mentions. Out: what it stands for when Numba compiles the kernel. Libraries of
intrinsics are imported when a kernel first names one of their functions, so that a kernel pays for what it uses.
"""

from __future__ import annotations

import builtins
import importlib
import math
from collections.abc import Mapping
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sessile.compiler.cpu import half_conversions
from sessile.compiler.cpu.kernel_operations import short_range

LIBRARIES = (
    "sessile.compiler.cpu.elementary",
    "sessile.compiler.cpu.random_intrinsics",
    "sessile.compiler.cpu.contraction",
    "sessile.compiler.cpu.streaming",
)
"""Modules with a mapping `FUNCTIONS` from names to intrinsics."""


def _extremum(comparison: str) -> Any:
    """An intrinsic that takes its second argument where `second <comparison> first` holds, as Python's does."""

    def typed(typing_context: Any, first: types.Type, second: types.Type) -> Any:
        common = typing_context.unify_types(types.unliteral(first), types.unliteral(second))
        if not isinstance(common, types.Number | types.Boolean) or isinstance(common, types.Complex):
            return None

        def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
            x, y = arguments
            if isinstance(common, types.Float):
                replace = builder.fcmp_ordered(comparison, y, x)
            elif isinstance(common, types.Integer) and common.signed:
                replace = builder.icmp_signed(comparison, y, x)
            else:
                replace = builder.icmp_unsigned(comparison, y, x)
            return builder.select(replace, y, x)

        return common(common, common), emit

    return intrinsic(typed)


@intrinsic
def f32_from_f16(typing_context: Any, bits: types.Type) -> Any:
    """The value of a 16-bit float given by its bits (u16)."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        return half_conversions.widened(context.kernel_target, builder, arguments[0])

    return types.float32(types.uint16), emit


@intrinsic
def f16_from_f32(typing_context: Any, value: types.Type) -> Any:
    """The bits (u16) of the 16-bit float nearest to a value, ties to even."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        return half_conversions.narrowed(context.kernel_target, builder, arguments[0])

    return types.uint16(types.float32), emit


def _complex(part: types.Float, whole: types.Complex) -> Any:
    """An intrinsic that makes a complex number of its parts."""

    def typed(typing_context: Any, real: types.Type, imaginary: types.Type) -> Any:
        def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
            result = context.make_complex(builder, whole)
            result.real, result.imag = arguments
            return result._getvalue()

        return whole(part, part), emit

    return intrinsic(typed)


_BASIC: dict[str, Any] = {
    "f32": types.float32, "f64": types.float64, "c64": types.complex64, "c128": types.complex128,
    "i8": types.int8, "i16": types.int16, "i32": types.int32, "i64": types.int64,
    "u8": types.uint8, "u16": types.uint16, "u32": types.uint32, "u64": types.uint64,
    "max": _extremum(">"), "min": _extremum("<"), "short_range": short_range,
    "f32_from_f16": f32_from_f16, "f16_from_f32": f16_from_f32,
    "complex_f32": _complex(types.float32, types.complex64), "complex_f64": _complex(types.float64, types.complex128),
    "inf": math.inf, "nan": math.nan,
}  # fmt: skip


class KernelNamespace(dict[str, Any]):
    """The global names of one kernel, looked up when the compiler asks for them.

    A name that is neither basic nor of a library is left to Python's builtins.
    """

    def __missing__(self, name: str) -> Any:
        if name in _BASIC:
            return _BASIC[name]
        if not hasattr(builtins, name):
            for library in LIBRARIES:
                functions: Mapping[str, Any] = importlib.import_module(library).FUNCTIONS
                if name in functions:
                    return functions[name]
        raise KeyError(name)
