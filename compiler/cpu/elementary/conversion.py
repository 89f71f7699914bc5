"""Floats to integers without undefined behaviour, and bit patterns read as another type.

`i32_from_f32(x)` truncates. What does not fit gives what NumPy's `astype` gives on x86: the lowest number for i32 and
i64, the low bits of the i32 for narrower types, and for u32 and u64 the result of the processor's signed conversion
after moving the upper half of the range down.
"""

from __future__ import annotations

from functools import partial

from llvmlite import ir

from sessile.compiler.cpu.elementary.emit import FORMATS, I32, I64, Value, bits, from_bits, resize, select, to_integer
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, SIGNED, UNSIGNED, register


def to_signed(x: Value, type_: ir.IntType) -> Value:
    """x truncated to an integer, the lowest number where it does not fit and for NaN."""
    limit = 2.0 ** (type_.width - 1)
    fits = (x >= -limit) & (x < limit)
    return select(fits, to_integer(select(fits, x, 0.0), type_), -(1 << (type_.width - 1)))


def to_unsigned(x: Value, type_: ir.IntType) -> Value:
    half = 2.0 ** (type_.width - 1)
    upper = to_signed(x - half, type_) ^ (1 << (type_.width - 1))
    return select(x >= half, upper, to_signed(x, type_))


def from_float(target: str, x: Value) -> Value:
    """x converted to the integer type with the given short name."""
    width = int(target[1:])
    if width < 32:
        return resize(to_signed(x, I32), ir.IntType(width))
    return (to_signed if target in SIGNED else to_unsigned)(x, I32 if width == 32 else I64)


for _float in FLOATS:
    for _integer in (*SIGNED, *UNSIGNED):
        register(f"{_integer}_from_{_float}", _integer, (_float,), partial(from_float, _integer))

for _format in FORMATS.values():
    _width = _format.integer.width
    for _integer in (f"i{_width}", f"u{_width}"):
        register(f"{_integer}_from_bits_of_f{_width}", _integer, (f"f{_width}",), bits)
        register(f"f{_width}_from_bits_of_{_integer}", f"f{_width}", (_integer,), from_bits)
