"""sin, cos and tan for arguments of any size.

The argument is multiplied by 2/pi modulo 4 (Payne and Hanek 1983): x = y * 2**k, and the product of y with the part of
2**k * 2/pi that matters comes from a table with one row for each range of exponents. No branch is needed, as small
arguments use the first row. The rest, within pi/4, goes through the polynomials of both sine and cosine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    bits,
    call_intrinsic,
    convert,
    double_word_quotient,
    fast_two_sum,
    fma,
    from_bits,
    horner,
    lookup,
    round_scaled,
    select,
    two_product,
    two_sum,
)
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary

HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
ROW_BITS_F64 = 16
# sin and tan are x after rounding below it.
TINY = {F32: 2.0**-13, F64: 2.0**-27}


@cache
def two_over_pi(precision: int = 1300) -> Fraction:
    """2/pi to `precision` bits, from Machin's formula pi/4 = 4 atan(1/5) - atan(1/239)."""

    def inverse_tangent(n: int) -> int:
        term, total, k = (1 << precision + 32) // n, 0, 1
        while term:
            total += term // k if k % 4 == 1 else -(term // k)
            term //= n * n
            k += 2
        return total

    pi = 4 * (4 * inverse_tangent(5) - inverse_tangent(239))
    return Fraction(2 << precision + 32, pi)


@cache
def table_f32() -> tuple[list[float], list[float]]:
    """Row e holds 2**e * 2/pi modulo 4 in two parts, the first of 29 bits; the last row, for infinity, holds NaN."""
    high, low = [], []
    for e in range(105):
        value = two_over_pi() * 2**e % 4
        unit = Fraction(2) ** (math.floor(math.log2(value)) - 28)
        high.append(float(value // unit * unit))
        low.append(float(value % unit))
    return [*high, math.nan], [*low, math.nan]


@cache
def table_f64() -> tuple[list[float], ...]:
    """Row j holds 2**(16 j) * 2/pi modulo 64 in three parts; the last row, for infinity, holds NaN."""
    columns: tuple[list[float], ...] = ([], [], [])
    for j in range(61):
        rest = two_over_pi() * 2 ** (ROW_BITS_F64 * j) % 64
        for column in columns:
            column.append(float(rest))
            rest -= Fraction(column[-1])
    for column in columns:
        column.append(math.nan)
    return columns


@dataclass(frozen=True)
class Quadrant:
    """x = index * pi/2 + r + r_low with |r| about pi/4 at most; the index counts modulo 4. All in f64."""

    index: Value
    r: Value
    r_low: Value | None


def reduce_f32(x: Value) -> Quadrant:
    """Exact products: 24 bits of the argument times 29 bits of the table."""
    pattern = bits(x)
    e = (pattern.shift_right_unsigned(23) & 255) - 150
    e = select(e < 0, 0, e)
    y = convert(from_bits(pattern - (e << 23)), F64)
    high, low = table_f32()
    product = y * lookup("two_over_pi_f32_high", high, e)
    n, index = round_scaled(product, 1.0)
    turns = fma(y, lookup("two_over_pi_f32_low", low, e), product - n)
    return Quadrant(index, turns * HALF_PI[0], None)


def in_radians(index: Value, turns: Value, turns_low: Value | None) -> Quadrant:
    """The remainder, in quarter turns and two parts, times pi/2."""
    r, error = two_product(turns, HALF_PI[0])
    low = fma(turns, HALF_PI[1], error)
    return Quadrant(index, r, low if turns_low is None else fma(turns_low, HALF_PI[0], low))


def reduce_f64(x: Value) -> Quadrant:
    pattern = bits(x)
    # Row 0 reaches to 2**64; from there on y is a multiple of 1/16, so that 64 y is one of 4.
    row = ((pattern.shift_right_unsigned(52) & 2047) - 1071) >> 4
    row = select(row < 0, 0, row)
    y = from_bits(pattern - (row << (52 + 4)))
    table = [lookup(f"two_over_pi_f64_{k}", column, row) for k, column in enumerate(table_f64())]
    p1, e1 = two_product(y, table[0])
    p2, e2 = two_product(y, table[1])
    n1 = call_intrinsic("llvm.rint", p1)
    quarter_turns = fma(call_intrinsic("llvm.rint", n1 * 0.25), -4.0, n1)
    middle, middle_low = two_sum(e1, p2)
    total, total_low = two_sum(p1 - n1, middle)
    n2, _ = round_scaled(total, 1.0)
    low = (total_low + middle_low) + fma(y, table[2], e2)
    turns, turns_low = fast_two_sum(total - n2, low)
    _, index = round_scaled(quarter_turns + n2, 1.0)
    return in_radians(index, turns, turns_low)


def reduce_half_turns(x: Value) -> Quadrant:
    """The same for pi * x, in f64; the index counts modulo 2."""
    fraction = x - call_intrinsic("llvm.rint", x)
    n, index = round_scaled(fraction, 2.0)
    return in_radians(index, fma(n, -0.5, fraction) * 2.0, None)


def sine_parts(q: Quadrant) -> tuple[Value, Value]:
    """sin(r + r_low) as an unevaluated sum."""
    square = q.r * q.r
    cube = q.r * square
    if q.r_low is None:
        return q.r, cube * horner(square, c.SIN_SHORT)
    return q.r, fma(cube, horner(square, c.SIN_F64), fma(square * -0.5, q.r_low, q.r_low))


def cosine_parts(q: Quadrant) -> tuple[Value, Value]:
    """cos(r + r_low) as an unevaluated sum."""
    square = q.r * q.r
    half = square * 0.5
    if q.r_low is None:
        return 1.0 - half, square * square * horner(square, c.COS_SHORT)
    head = 1.0 - half
    rest = fma(square * square, horner(square, c.COS_F64), -q.r * q.r_low)
    return head, ((1.0 - head) - half) + rest


def reduce(x: Value) -> Quadrant:
    return reduce_f32(x) if x.type == F32 else reduce_f64(x)


def sine_of_quadrant(q: Quadrant, sine: Value, cosine: Value) -> Value:
    """The sine of the whole argument: cosine in odd quadrants, negative in the upper two."""
    value = select((q.index & 1).equals(0), sine, cosine)
    return from_bits(bits(value) ^ ((q.index & 2) << 62))


def tiny_or(x: Value, result: Value) -> Value:
    """x itself where the result would round to it and the reduction might lose bits or the sign of it."""
    return select(absolute(x) < TINY[x.type], x, convert(result, x.type))


@elementary(*FLOATS, ulp=(0.55, 0.85))
def sin(x: Value) -> Value:
    """Sine; NaN for infinities.

    Beyond |x| = 2**32 the bound of f64 holds for results above 2**-30; nearer to a zero the absolute error is below
    2**-80. The same holds for cos and tan.
    """
    q = reduce(x)
    (sine, sine_low), (cosine, cosine_low) = sine_parts(q), cosine_parts(q)
    return tiny_or(x, sine_of_quadrant(q, sine + sine_low, cosine + cosine_low))


@elementary(*FLOATS, ulp=(0.55, 0.85))
def cos(x: Value) -> Value:
    """Cosine, the sine a quadrant further; NaN for infinities."""
    q = reduce(x)
    (sine, sine_low), (cosine, cosine_low) = sine_parts(q), cosine_parts(q)
    further = Quadrant(q.index + 1, q.r, q.r_low)
    return convert(sine_of_quadrant(further, sine + sine_low, cosine + cosine_low), x.type)


@elementary(*FLOATS, ulp=(0.55, 1.2))
def tan(x: Value) -> Value:
    """Tangent, sine by cosine or -cosine by sine; NaN for infinities."""
    q = reduce(x)
    (sine, sine_low), (cosine, cosine_low) = sine_parts(q), cosine_parts(q)
    even = (q.index & 1).equals(0)
    top, top_low = select(even, sine, -cosine), select(even, sine_low, -cosine_low)
    bottom, bottom_low = select(even, cosine, sine), select(even, cosine_low, sine_low)
    quotient, correction = double_word_quotient(top, top_low, bottom, bottom_low)
    return tiny_or(x, quotient + correction)
