"""The functions that describe a library: names, dtypes, ranks and shapes of inputs and outputs, the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from sessile.compiler.c_library.context_layout import MESSAGE
from sessile.compiler.c_library.element_types import ELEMENT_TYPES
from sessile.compiler.c_library.interface import Argument
from sessile.compiler.c_library.library_code import LibraryCode
from sessile.compiler.c_library.module_writer import I32, I64, TEXT, WORDS, null, return_chosen, word_at
from sessile.compiler.c_library.statuses import Status

NOT_READY = "all sizes must be set, and fit, before this call"


def write_queries(code: LibraryCode) -> None:
    """Writes the functions."""
    _write_names(code, "size", code.interface.sizes)
    for kind, arguments in (("input", code.interface.inputs), ("output", code.interface.outputs)):
        _write_names(code, kind, [argument.name for argument in arguments])
        _write_dtypes(code, kind, arguments)
        _write_ranks(code, kind, arguments)
        _write_shapes(code, kind, arguments)
        _write_bytes(code, kind, arguments)
    _write_workspace_size(code)
    _write_error_message(code)


def _write_names(code: LibraryCode, kind: str, names: Sequence[str]) -> None:
    _, builder = code.public(f"{kind}_count", I64)
    builder.ret(I64(len(names)))
    function, builder = code.public(f"{kind}_name", TEXT, I64)
    return_chosen(builder, function.args[0], [code.text(name) for name in names], null(TEXT))


def _write_dtypes(code: LibraryCode, kind: str, arguments: Sequence[Argument]) -> None:
    function, builder = code.public(f"{kind}_dtype", I32, I64)
    numbers = [I32(ELEMENT_TYPES[argument.type.dtype].number) for argument in arguments]
    return_chosen(builder, function.args[0], numbers, I32(0))


def _write_ranks(code: LibraryCode, kind: str, arguments: Sequence[Argument]) -> None:
    function, builder = code.public(f"{kind}_rank", I32, I64)
    return_chosen(builder, function.args[0], [I32(argument.type.rank) for argument in arguments], I32(-1))


def _write_shapes(code: LibraryCode, kind: str, arguments: Sequence[Argument]) -> None:
    function, builder = code.public(f"{kind}_shape", I32, WORDS, I64, WORDS)
    context, index, shape = function.args
    code.fail_unless(builder, context, code.is_ready(builder, context), Status.SIZE_MISSING, NOT_READY)
    other = function.append_basic_block("other")
    switch = builder.switch(index, other)
    for number, argument in enumerate(arguments):
        block = function.append_basic_block(f"case.{number}")
        switch.add_case(I64(number), block)
        inside = ir.IRBuilder(block)
        for axis, size in enumerate(code.shape(inside, context, argument.type)):
            inside.store(size, word_at(inside, shape, axis))
        inside.ret(I32(Status.OK))
    text = f"there are {len(arguments)} {kind}s, from number 0"
    code.fail(ir.IRBuilder(other), context, Status.BAD_INDEX, text)


def _write_bytes(code: LibraryCode, kind: str, arguments: Sequence[Argument]) -> None:
    function, builder = code.public(f"{kind}_bytes", I64, WORDS, I64)
    context, index = function.args
    _return_zero_unless_ready(code, builder, context)
    counts = [code.byte_count(builder, context, argument.type) for argument in arguments]
    return_chosen(builder, index, counts, I64(0))


def _write_workspace_size(code: LibraryCode) -> None:
    function, builder = code.public("workspace_size", I64, WORDS)
    (context,) = function.args
    _return_zero_unless_ready(code, builder, context)
    builder.ret(code.number(builder, context, code.plan.workspace_bytes))


def _return_zero_unless_ready(code: LibraryCode, builder: ir.IRBuilder, context: Any) -> None:
    with builder.if_then(builder.not_(code.is_ready(builder, context)), likely=False):
        builder.ret(I64(0))


def _write_error_message(code: LibraryCode) -> None:
    function, builder = code.public("error_message", TEXT, WORDS)
    builder.ret(code.pointer_at(builder, function.args[0], MESSAGE))
