"""Division, remainder and power of integers, with a result for every pair of operands.

A zero divisor gives 0 (kernels report it themselves) and the lowest number divided by -1 wraps around, without a trap.
Processors have no vector division of integers: up to 32 bits the quotient is that of floats of more than twice the
width, which truncates to the same integer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sessile.compiler.cpu.elementary.emit import (
    BOOL,
    F32,
    F64,
    I32,
    State,
    Value,
    repeat,
    resize,
    select,
    to_float,
    to_integer,
)
from sessile.compiler.cpu.elementary.intrinsics import SIGNED, UNSIGNED, register


def truncated_quotient(x: Value, y: Value, signed: bool) -> Value:
    """x / y truncated, for y other than 0, and other than -1 if signed."""
    width = x.type.width
    if width == 64:
        return Value(x.builder, (x.builder.sdiv if signed else x.builder.udiv)(x.ir, y.ir))
    # The quotient is at least 2**-width away from the next integer in relative terms, unless it is one.
    wide = F64 if width == 32 else F32
    quotient = to_float(x, wide, signed) / to_float(y, wide, signed)
    return resize(to_integer(quotient, I32, signed), x.type)


def truncated_div(x: Value, y: Value, signed: bool) -> Value:
    by_zero = y.equals(0)
    if not signed:
        return select(by_zero, 0, truncated_quotient(x, select(by_zero, 1, y), signed))
    by_minus_one = y.equals(-1)
    quotient = truncated_quotient(x, select(by_zero | by_minus_one, 1, y), signed)
    return select(by_zero, 0, select(by_minus_one, -x, quotient))


def truncated_mod(x: Value, y: Value, signed: bool) -> Value:
    """The remainder, with the sign of x."""
    return select(y.equals(0), 0, x - truncated_div(x, y, signed) * y)


def below_zero(remainder: Value, y: Value) -> Value:
    """Whether the exact quotient lies below the truncated one."""
    return remainder.differs(0) & ((remainder ^ y) < 0)


def floor_div(x: Value, y: Value, signed: bool) -> Value:
    quotient = truncated_div(x, y, signed)
    if not signed:
        return quotient
    remainder = select(y.equals(0), 0, x - quotient * y)
    return select(below_zero(remainder, y), quotient - 1, quotient)


def floor_mod(x: Value, y: Value, signed: bool) -> Value:
    """The remainder, with the sign of y."""
    remainder = truncated_mod(x, y, signed)
    return select(below_zero(remainder, y), remainder + y, remainder) if signed else remainder


def power(x: Value, y: Value, signed: bool) -> Value:
    """x**y modulo 2**width by repeated squaring; for y < 0 the exact power truncated towards zero (0 for x = 0)."""
    negative = y < 0 if signed else x.constant(False, BOOL)
    # For y < 0 only 1 and -1 have powers other than zero, and only the lowest bit of y counts.
    base = select(negative, select((x + 1).below(3), x, 0), x)
    exponent = select(negative, (y & 1) | 2, y)

    def step(state: State) -> tuple[Value, State]:
        result, square, left = state
        result = result * select((left & 1).equals(0), 1, square)
        left = left.shift_right_unsigned(1)
        return left.differs(0), (result, square * square, left)

    return repeat((x.constant(1), base, exponent), step)[0]


def register_integer_functions() -> None:
    functions: dict[str, Callable[..., Value]] = {
        "truncated_div": truncated_div,
        "truncated_mod": truncated_mod,
        "floor_div": floor_div,
        "floor_mod": floor_mod,
        "pow": power,
    }
    for kind in (*SIGNED, *UNSIGNED):
        for name, function in functions.items():
            register(f"{name}_{kind}", kind, (kind, kind), partial(function, signed=kind in SIGNED))


register_integer_functions()
