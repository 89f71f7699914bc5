"""Intrinsics of random kernels: a block of the generator's words, and words as uniform and normal numbers.

`FUNCTIONS` maps the names that kernels call to Numba intrinsics. Their formulas are the interpreter's own
(`sessile.ir.philox`, `sessile.ir.random_transforms`), evaluated over LLVM values: each operation becomes one
instruction, nothing is contracted, and a kernel returns the interpreter's numbers to the last bit.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sessile.compiler.cpu.elementary import emit
from sessile.compiler.cpu.elementary.emit import F32, F64, I32, I64, Value
from sessile.compiler.cpu.elementary.intrinsics import NUMBA_TYPES
from sessile.ir import philox, random_transforms


class _ValueArithmetic:
    """`sessile.ir.bit_arithmetic.Arithmetic` on scalar LLVM values."""

    def bits(self, x: Value) -> Value:
        return emit.bits(x)

    def from_bits(self, x: Value) -> Value:
        return emit.from_bits(x)

    def shift_right_unsigned(self, x: Value, count: int) -> Value:
        return x.shift_right_unsigned(count)

    def widen_unsigned(self, x: Value) -> Value:
        return emit.resize(x, I64, signed=False)

    def select(self, condition: Value, then: Any, otherwise: Any) -> Value:
        return emit.select(condition, then, otherwise)

    def square_root(self, x: Value) -> Value:
        return emit.square_root(x)

    def to_f32(self, x: Value) -> Value:
        return emit.convert(x, F32) if x.is_float else emit.to_float(x, F32)

    def to_f64(self, x: Value) -> Value:
        return emit.convert(x, F64) if x.is_float else emit.to_float(x, F64)

    def lookup(self, table: Sequence[float], index: Value) -> Value:
        builder = index.builder
        address = builder.gep(_constant_table(builder.module, table), [I64(0), index.ir], inbounds=True)
        return Value(builder, builder.load(address))


ARITHMETIC = _ValueArithmetic()


def _constant_table(module: ir.Module, table: Sequence[float]) -> ir.GlobalVariable:
    """A constant of the module that holds the table, made once for each table."""
    name = "table_" + hashlib.sha256(repr(tuple(table)).encode()).hexdigest()[:16]
    if name not in module.globals:
        array = ir.ArrayType(F64, len(table))
        variable = ir.GlobalVariable(module, array, name)
        variable.initializer = ir.Constant(array, list(table))
        variable.global_constant = True
        variable.linkage = "internal"
        variable.unnamed_addr = True
    return module.globals[name]


FUNCTIONS: dict[str, Any] = {}


def _register(
    name: str, result: str, count: int, arguments: Sequence[str], make: Callable[..., Value | Sequence[Value]]
) -> None:
    """Add an intrinsic that returns one number of type `result`, or a tuple of `count` of them."""
    element = NUMBA_TYPES[result]
    returned = element if count == 1 else types.UniTuple(element, count)
    signature = returned(*(NUMBA_TYPES[argument] for argument in arguments))

    def lower(context: Any, builder: ir.IRBuilder, call: Any, values: Sequence[Any]) -> Any:
        results = make(*(Value(builder, value) for value in values))
        if isinstance(results, Value):
            return results.ir
        return context.make_tuple(builder, returned, [value.ir for value in results])

    def typing(typing_context: Any, *given: Any) -> Any:
        return signature, lower

    typing.__name__ = typing.__qualname__ = name
    # Numba binds a call's arguments by this signature.
    names = [inspect.Parameter(f"x{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(1 + len(arguments))]
    setattr(typing, "__signature__", inspect.Signature(names))  # noqa: B010
    FUNCTIONS[name] = intrinsic(typing)


def _philox_block(low: Value, high: Value, key: Value, offset: Value) -> list[Value]:
    """The four words of the block `offset` after the state (low, high, key).

    There is no carry into `high`: it would double the time, and low, which starts at 0, wraps after 2**56 outputs.
    """
    position = low + offset
    counter = (position, position.shift_right_unsigned(32), high, high.shift_right_unsigned(32))
    words = philox.philox_rounds(ARITHMETIC, counter, key, key.shift_right_unsigned(32))
    return [emit.resize(word, I32) for word in words]


_register("philox_block", "u32", 4, ("u64", "u64", "u64", "i64"), _philox_block)
_register("unit_f16", "f32", 1, ("u32",), partial(random_transforms.unit_f16, ARITHMETIC))
_register("unit_f32", "f32", 1, ("u32",), partial(random_transforms.unit_f32, ARITHMETIC))
_register("unit_f64", "f64", 1, ("u32", "u32"), partial(random_transforms.unit_f64, ARITHMETIC))
_register("normal_pair_f32", "f32", 2, ("u32", "u32"), partial(random_transforms.normal_pair_f32, ARITHMETIC))
_register("normal_pair_f64", "f64", 2, ("u32",) * 4, partial(random_transforms.normal_pair_f64, ARITHMETIC))
