"""Remainders of floats, exact for every pair of operands.

A chunk of the quotient is found by a division of floats and its multiple of the divisor subtracted with one exact
multiply-add; that repeats while the quotient has more bits than a chunk. Such loops are not vectorised.
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary.emit import (
    State,
    Value,
    absolute,
    bits,
    call_intrinsic,
    copy_sign,
    fma,
    is_nan,
    power_of_two,
    repeat,
    select,
)
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary


def exponent(x: Value) -> Value:
    """The exponent of a positive number; for subnormal ones that of zero."""
    return bits(x).shift_right_unsigned(x.format.fraction_bits) - x.format.bias


def true_exponent(x: Value) -> Value:
    """The exponent of a positive number."""
    width = x.format.fraction_bits + 1
    tiny = x < x.format.smallest_normal
    return exponent(select(tiny, x * 2.0**width, x)) - select(tiny, bits(x).constant(width), 0)


def scaled_up(x: Value, n: Value) -> Value:
    """x * 2**n for 0 <= n up to twice the largest exponent, exact as the result fits."""
    half = n >> 1
    return x * power_of_two(half, x.format) * power_of_two(n - half, x.format)


def remainder_of_magnitudes(x: Value, y: Value) -> Value:
    """x - trunc(x / y) * y for finite x >= 0 and y > 0."""
    chunk = x.format.fraction_bits - 1  # bits of the quotient at a time; a subnormal rest is always the last
    y_exponent = true_exponent(y)

    def step(state: State) -> tuple[Value, State]:
        (rest,) = state
        shift = exponent(rest) - y_exponent - chunk
        shift = select(shift < 0, 0, shift)
        divisor = scaled_up(y, shift)
        rest = fma(-call_intrinsic("llvm.trunc", rest / divisor), divisor, rest)
        # The rounded quotient may have reached the next integer.
        rest = select(rest < 0.0, rest + divisor, rest)
        return shift > 0, (rest,)

    return repeat((x,), step)[0]


@elementary(*FLOATS, arity=2)
def truncated_mod(x: Value, y: Value) -> Value:
    """x - trunc(x / y) * y with the sign of x; NaN for an infinite x or y = 0, x for an infinite y."""
    a, b = absolute(x), absolute(y)
    ordinary = (a < math.inf) & (b < math.inf) & (b > 0.0)
    rest = remainder_of_magnitudes(select(ordinary, a, 0.0), select(ordinary, b, 1.0))
    kept = (a < math.inf) & b.equals(math.inf)
    result = select(ordinary, copy_sign(rest, x), select(kept, x, math.nan))
    return select(is_nan(x), x, result)


@elementary(*FLOATS, arity=2)
def floor_mod(x: Value, y: Value) -> Value:
    """x - floor(x / y) * y, computed exactly, with the sign of y."""
    remainder = truncated_mod(x, y)
    opposite = (bits(remainder) ^ bits(y)) < 0
    moved = select(opposite, remainder + y, remainder)
    return select(remainder.equals(0.0), copy_sign(remainder, y), moved)
