"""Intrinsics for stores past the caches (`codegen.streamed_loop` says when and why).

`FUNCTIONS` maps the names that kernels call to Numba intrinsics. Importing this module imports Numba.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sessile.compiler.cpu.codegen.streamed_loop import CHUNK

_LINE = 64
"""Bytes that are written at once."""
_I64 = ir.IntType(64)


@intrinsic
def streams(typing_context: Any, array: types.Type, size: types.Type, least: types.Type) -> Any:
    """Whether an array is to be stored past the caches: it has `least` elements or more, and begins at a line."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        pointer, elements, enough = arguments
        address = builder.ptrtoint(pointer, _I64)
        at_a_line = builder.icmp_unsigned("==", builder.and_(address, _I64(_LINE - 1)), _I64(0))
        return builder.and_(at_a_line, builder.icmp_signed(">=", elements, enough))

    return types.boolean(array, types.int64, types.int64), emit


@intrinsic
def staging(typing_context: Any, array: types.Type) -> Any:
    """Memory for a chunk of an array's elements; LLVM keeps it in registers."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        [pointer] = arguments
        memory = cgutils.alloca_once(builder, ir.ArrayType(pointer.type.pointee, CHUNK))
        memory.align = _LINE
        return builder.bitcast(memory, pointer.type)

    return array(array), emit


@intrinsic
def stream(typing_context: Any, array: types.Type, start: types.Type, chunk: types.Type) -> Any:
    """Stores a chunk to an array from an index on, past the caches."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        pointer, index, staged = arguments
        lanes = _LINE // _bytes_of(pointer)
        line = ir.VectorType(pointer.type.pointee, lanes).as_pointer()
        target, source = builder.bitcast(builder.gep(pointer, [index]), line), builder.bitcast(staged, line)
        for number in range(CHUNK // lanes):
            value = builder.load(builder.gep(source, [_I64(number)]), align=_LINE)
            store = builder.store(value, builder.gep(target, [_I64(number)]), align=_LINE)
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(array, types.int64, chunk), emit


@intrinsic
def end_streaming(typing_context: Any) -> Any:
    """Waits until what was stored past the caches is there for all threads."""

    def emit(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), emit


def _bytes_of(pointer: ir.Value) -> int:
    """The size of what a pointer to numbers points to."""
    element = pointer.type.pointee
    return {ir.FloatType: 4, ir.DoubleType: 8}.get(type(element)) or element.width // 8


FUNCTIONS: dict[str, Any] = {
    "streams": streams,
    "staging": staging,
    "stream": stream,
    "end_streaming": end_streaming,
}
