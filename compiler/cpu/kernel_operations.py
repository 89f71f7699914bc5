"""How kernels count, divide and touch memory: LLVM IR for `range`, `//`, `%` and pointer indexing.

Numba's versions serve every Python program: they raise, handle all steps, and branch. These are straight-line code of
a few instructions that LLVM vectorises and that takes a fraction of the time to compile.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import RefType, iternext_impl
from numba.core.imputils import Registry as LoweringRegistry
from numba.core.typing.templates import ConcreteTemplate, signature
from numba.core.typing.templates import Registry as TypingRegistry
from numba.extending import models, register_model

typing_registry = TypingRegistry()
lowering_registry = LoweringRegistry("kernel operations")


class UnitRangeIterator(types.SimpleIteratorType):
    """The state of a loop that counts up by one."""

    def __init__(self) -> None:
        super().__init__("unit_range_iterator", types.int64)


class UnitRange(types.SimpleIterableType):
    """`range(stop)` or `range(start, stop)`."""

    def __init__(self) -> None:
        super().__init__("unit_range", unit_range_iterator)


class ShortRangeIterator(UnitRangeIterator):
    """The state of a loop that counts up by one, a few times."""

    def __init__(self) -> None:
        types.SimpleIteratorType.__init__(self, "short_range_iterator", types.int64)


class ShortRange(UnitRange):
    """`short_range(stop)` or `short_range(start, stop)`."""

    def __init__(self) -> None:
        types.SimpleIterableType.__init__(self, "short_range", short_range_iterator)


unit_range_iterator, short_range_iterator = UnitRangeIterator(), ShortRangeIterator()
unit_range, short_range_type = UnitRange(), ShortRange()


@register_model(ShortRange)
@register_model(UnitRange)
class _UnitRangeModel(models.StructModel):
    def __init__(self, manager: Any, range_type: UnitRange) -> None:
        super().__init__(manager, range_type, [("start", types.int64), ("stop", types.int64)])


@register_model(ShortRangeIterator)
@register_model(UnitRangeIterator)
class _UnitRangeIteratorModel(models.StructModel):
    def __init__(self, manager: Any, iterator_type: UnitRangeIterator) -> None:
        members = [("position", types.CPointer(types.int64)), ("stop", types.int64)]
        super().__init__(manager, iterator_type, members)


class KernelRange(ConcreteTemplate):
    """What `range` means in kernels: counting up by one has a type of its own."""

    key = "kernel range"
    cases = [
        signature(unit_range, types.int64),
        signature(unit_range, types.int64, types.int64),
        signature(types.range_state64_type, types.int64, types.int64, types.int64),
    ]


def short_range(start: int, stop: int | None = None) -> range:
    """`range` for loops of few iterations: the rest that fills no vector runs as one vector with some lanes masked.

    That is quicker than element by element, and less code; long loops are slower by the masks.
    """
    return range(start) if stop is None else range(start, stop)


class KernelShortRange(ConcreteTemplate):
    """What `short_range` means in kernels."""

    key = "kernel short range"
    cases = [signature(short_range_type, types.int64), signature(short_range_type, types.int64, types.int64)]


typing_registry.register_global(range, types.Function(KernelRange))
typing_registry.register_global(short_range, types.Function(KernelShortRange))


@lowering_registry.lower(KernelShortRange.key, types.int64)
@lowering_registry.lower(KernelRange.key, types.int64)
def _range_to(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    return _make_range(context, builder, arguments[0].type(0), arguments[0])


@lowering_registry.lower(KernelShortRange.key, types.int64, types.int64)
@lowering_registry.lower(KernelRange.key, types.int64, types.int64)
def _range_between(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    return _make_range(context, builder, *arguments)


@lowering_registry.lower(KernelRange.key, types.int64, types.int64, types.int64)
def _range_with_step(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    return context.get_function(range, call)(builder, arguments)


def _make_range(context: Any, builder: ir.IRBuilder, start: ir.Value, stop: ir.Value) -> ir.Value:
    bounds = cgutils.create_struct_proxy(unit_range)(context, builder)
    bounds.start, bounds.stop = start, stop
    return bounds._getvalue()


@lowering_registry.lower("getiter", ShortRange)
@lowering_registry.lower("getiter", UnitRange)
def _range_iterator(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    bounds = cgutils.create_struct_proxy(unit_range)(context, builder, arguments[0])
    iterator = cgutils.create_struct_proxy(unit_range_iterator)(context, builder)
    iterator.position = cgutils.alloca_once(builder, bounds.start.type)
    builder.store(bounds.start, iterator.position)
    iterator.stop = bounds.stop
    return iterator._getvalue()


@lowering_registry.lower("iternext", ShortRangeIterator)
@iternext_impl(RefType.UNTRACKED)
def _short_range_next(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any, result: Any) -> None:
    short_loop_heads(builder.function).append(builder.block)
    _advance(context, builder, arguments, result)


@lowering_registry.lower("iternext", UnitRangeIterator)
@iternext_impl(RefType.UNTRACKED)
def _range_next(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any, result: Any) -> None:
    _advance(context, builder, arguments, result)


def short_loop_heads(function: ir.Function) -> list[ir.Block]:
    """The first blocks of a function's loops over `short_range`."""
    heads: list[ir.Block] = function.__dict__.setdefault("short_loop_heads", [])
    return heads


class _LoopMetadata(ir.MDValue):
    """A node that refers to itself, as LLVM wants for what it is told of a loop."""

    def __init__(self, module: ir.Module, hint: ir.MDValue) -> None:
        super().__init__(module, (hint,), name=str(len(module.metadata)))
        self.operands = (self, hint)

    def descr(self, buffer: list[str]) -> None:
        references = ", ".join(operand.get_reference() for operand in self.operands)
        buffer += [f"distinct !{{ {references} }}", "\n"]

    def __hash__(self) -> int:
        return id(self)


def mark_as_short(latch: ir.Instruction) -> None:
    """Tells LLVM, at the jump back to a loop's head, to mask the last vector of the loop."""
    module = latch.module
    hint = module.add_metadata([ir.MetaDataString(module, "llvm.loop.vectorize.predicate.enable"), ir.IntType(1)(1)])
    latch.set_metadata("llvm.loop", _LoopMetadata(module, hint))


def _advance(context: Any, builder: ir.IRBuilder, arguments: Any, result: Any) -> None:
    iterator = cgutils.create_struct_proxy(unit_range_iterator)(context, builder, arguments[0])
    position = builder.load(iterator.position)
    result.set_valid(builder.icmp_signed("<", position, iterator.stop))
    result.yield_(position)
    # Stored at the end of the loop too, where the sum may overflow, but nobody reads it then.
    builder.store(builder.add(position, position.type(1), flags=["nsw"]), iterator.position)


@lowering_registry.lower(operator.getitem, types.CPointer, types.Integer)
def _load_element(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    pointer, index = arguments
    model = context.data_model_manager[call.args[0].dtype]
    address = builder.gep(pointer, [index])
    if call.args[0].dtype == types.boolean:
        return builder.icmp_unsigned("!=", builder.load(address), ir.IntType(8)(0))
    return model.load_from_data_pointer(builder, address)


@lowering_registry.lower(operator.setitem, types.CPointer, types.Integer, types.Any)
def _store_element(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> None:
    pointer, index, value = arguments
    model = context.data_model_manager[call.args[0].dtype]
    builder.store(model.as_data(builder, value), builder.gep(pointer, [index]))


def _floor_divide(builder: ir.IRBuilder, signed: bool, x: ir.Value, y: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Quotient towards minus infinity and its remainder, without branches; both are 0 where `y` is 0."""
    zero, one = y.type(0), y.type(1)
    by_zero = builder.icmp_unsigned("==", y, zero)
    if not signed:
        divisor = builder.select(by_zero, one, y)
        quotient, remainder = builder.udiv(x, divisor), builder.urem(x, divisor)
        return builder.select(by_zero, zero, quotient), builder.select(by_zero, zero, remainder)
    # The processor traps on y = 0, and on y = -1 with the lowest x; -x is the quotient for every x there.
    by_minus_one = builder.icmp_signed("==", y, y.type(-1))
    divisor = builder.select(builder.or_(by_zero, by_minus_one), one, y)
    quotient, remainder = builder.sdiv(x, divisor), builder.srem(x, divisor)
    inexact = builder.icmp_signed("!=", remainder, zero)
    opposite = builder.icmp_signed("<", builder.xor(remainder, divisor), zero)
    below = builder.and_(inexact, opposite)
    quotient = builder.sub(quotient, builder.zext(below, y.type))
    remainder = builder.add(remainder, builder.select(below, divisor, zero))
    quotient = builder.select(by_minus_one, builder.neg(x), quotient)
    return builder.select(by_zero, zero, quotient), remainder


def _cast_operands(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> list[ir.Value]:
    return [
        context.cast(builder, value, from_type, call.return_type)
        for value, from_type in zip(arguments, call.args, strict=True)
    ]


@lowering_registry.lower(operator.floordiv, types.Integer, types.Integer)
@lowering_registry.lower(operator.ifloordiv, types.Integer, types.Integer)
def _integer_floor_divide(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    x, y = _cast_operands(context, builder, call, arguments)
    return _floor_divide(builder, call.return_type.signed, x, y)[0]


@lowering_registry.lower(operator.mod, types.Integer, types.Integer)
@lowering_registry.lower(operator.imod, types.Integer, types.Integer)
def _integer_floor_modulo(context: Any, builder: ir.IRBuilder, call: Any, arguments: Any) -> ir.Value:
    x, y = _cast_operands(context, builder, call, arguments)
    return _floor_divide(builder, call.return_type.signed, x, y)[1]
