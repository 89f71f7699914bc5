"""exp, exp2 and expm1, and the parts of them that other functions build on.

The argument is reduced to x = n ln2 + r with |r| <= ln2 / 2 by a two-part constant (Cody and Waite 1980), exp(r) is a
polynomial, and 2**n is multiplied in as two powers of two, so that results below the normal range are rounded once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    clamp,
    fast_two_sum,
    fma,
    horner,
    power_of_two,
    round_scaled,
    select,
)
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary

# ln2 in two parts; the first has few enough bits that n times it is exact for every n that occurs.
LN2_PARTS = {F32: (0.693145751953125, 1.4286068203094172e-6), F64: (0.6931471803691238, 1.9082149292705877e-10)}
# Beyond these, exp is 0 and infinity also after rounding.
EXP_RANGE = {F32: (-104.0, 89.0), F64: (-746.0, 710.0)}
EXP2_RANGE = {F32: (-151.0, 128.0), F64: (-1076.0, 1024.0)}
# Below the first, expm1 is -1; below the second in magnitude it is x.
EXPM1_LOW = {F32: -20.0, F64: -40.0}
EXPM1_TINY = {F32: 2.0**-26, F64: 2.0**-55}


@dataclass(frozen=True)
class Reduced:
    """exp(x) = 2**n * (1 + r + tail), with |r| <= ln2 / 2 and a tail that is small beside r."""

    n: Value
    r: Value
    tail: Value


def reduce_exp(x: Value) -> Reduced:
    """Reduce an argument in the range of exp; r + tail is good to about 2**-7 of an ulp of 1."""
    high, low = LN2_PARTS[x.type]
    n_float, n = round_scaled(x, 1 / math.log(2))
    rest = fma(n_float, -high, x)  # exact
    r = fma(n_float, -low, rest)
    r_low = fma(n_float, -low, rest - r)
    polynomial = horner(r, c.EXPM1_F32 if x.type == F32 else c.EXP_F64)
    return Reduced(n, r, fma(r * r, polynomial, r_low))


def scale(x: Value, n: Value) -> Value:
    """x * 2**n for x near 1 and |n| up to twice the largest exponent, rounded once."""
    half = n >> 1
    return x * power_of_two(half, x.format) * power_of_two(n - half, x.format)


def exp2_short(x: Value) -> Value:
    """2**x in f64 with the accuracy that an f32 result needs, for |x| < 1000."""
    n_float, n = round_scaled(x, 1.0)
    r = x - n_float
    result = fma(fma(horner(r, c.EXP2_SHORT), r, math.log(2)), r, 1.0)
    return result * power_of_two(n, x.format)


def expm1_scaled(reduced: Reduced, power: Value, one: Value) -> tuple[Value, Value]:
    """power * exp(r + ...) - one as an unevaluated sum, for power = 2**n * one."""
    head = power - one
    total, error = fast_two_sum(head, power * reduced.r)
    error = error + ((power - head) - one)  # what the subtraction lost
    return fast_two_sum(total, fma(power, reduced.tail, error))


@elementary(*FLOATS, ulp=(0.95, 0.95))
def exp(x: Value) -> Value:
    """e**x."""
    high, low = LN2_PARTS[x.type]
    x = clamp(x, *EXP_RANGE[x.type])
    n_float, n = round_scaled(x, 1 / math.log(2))
    r = fma(n_float, -low, fma(n_float, -high, x))
    polynomial = horner(r, c.EXP_F32 if x.type == F32 else c.EXP_F64)
    return scale(fma(fma(polynomial, r, 1.0), r, 1.0), n)


@elementary(*FLOATS, ulp=(0.9, 0.95))
def exp2(x: Value) -> Value:
    """2**x; exact for integers."""
    x = clamp(x, *EXP2_RANGE[x.type])
    n_float, n = round_scaled(x, 1.0)
    r = x - n_float
    polynomial = horner(r, c.EXP2_F32 if x.type == F32 else c.EXP2_F64)
    return scale(fma(fma(polynomial, r, math.log(2)), r, 1.0), n)


@elementary(*FLOATS, ulp=(0.95, 1.15))
def expm1(x: Value) -> Value:
    """e**x - 1, also accurate near zero."""
    limited = clamp(x, EXPM1_LOW[x.type], EXP_RANGE[x.type][1])
    reduced = reduce_exp(limited)
    # Half of the result is computed, as 2**n itself overflows where the result does not.
    high, _ = expm1_scaled(reduced, power_of_two(reduced.n - 1, x.format), x.constant(0.5))
    return select(absolute(x) < EXPM1_TINY[x.type], x, high + high)
