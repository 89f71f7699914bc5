"""The hyperbolic functions and their inverses.

sinh, cosh and tanh are combinations of exp(|x|) or expm1(|x|) kept in two parts, so that the subtraction near zero
loses nothing; the inverses are log1p of an expression that is accurate near zero.
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    copy_sign,
    double_word_quotient,
    fast_two_sum,
    fma,
    power_of_two,
    select,
    square_root,
)
from sessile.compiler.cpu.elementary.exponential import reduce_exp
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary, elementary_in_f64
from sessile.compiler.cpu.elementary.logarithm import decompose_above_one, natural

# sinh and cosh are infinite from here on; e**x / 4 is not.
OVERFLOW = {F32: 89.5, F64: 710.5}
# From here on tanh is 1 after rounding.
TANH_LIMIT = {F32: 10.0, F64: 20.0}
# Below it sinh, asinh and atanh are x after rounding.
TINY = {F32: 2.0**-13, F64: 2.0**-28}
# From here on the 1 under the root of asinh and acosh does not count, and squares might overflow.
LARGE = 2.0**80


def limited_magnitude(x: Value, limit: float) -> Value:
    magnitude = absolute(x)
    return select(magnitude > limit, limit, magnitude)


def quarter_exp(magnitude: Value) -> tuple[Value, Value]:
    """exp(magnitude) / 4, which cannot overflow where sinh does not, in two parts."""
    reduced = reduce_exp(magnitude)
    power = power_of_two(reduced.n - 2, magnitude.format)
    high, error = fast_two_sum(power, power * reduced.r)
    return high, fma(power, reduced.tail, error)


@elementary(*FLOATS, ulp=(0.9, 1.05))
def sinh(x: Value) -> Value:
    """Hyperbolic sine, 2 (q - 1 / (16 q)) with q = exp(|x|) / 4; both terms in two parts, as they nearly cancel."""
    magnitude = limited_magnitude(x, OVERFLOW[x.type])
    quarter, low = quarter_exp(magnitude)
    inverse, correction = double_word_quotient(x.constant(0.0625), x.constant(0.0), quarter, low)
    difference, error = fast_two_sum(quarter, -inverse)
    result = (difference + (error + (low - correction))) * 2.0
    return copy_sign(select(magnitude < TINY[x.type], magnitude, result), x)


@elementary(*FLOATS, ulp=(0.9, 0.95))
def cosh(x: Value) -> Value:
    """Hyperbolic cosine, 2 (q + 1 / (16 q)) with q = exp(|x|) / 4."""
    quarter, low = quarter_exp(limited_magnitude(x, OVERFLOW[x.type]))
    return (quarter + (low + 0.0625 / (quarter + low))) * 2.0


@elementary(*FLOATS, ulp=(0.9, 1.0))
def tanh(x: Value) -> Value:
    """Hyperbolic tangent, 1 - 2 / (1 + exp(2 |x|)) with the quotient in two parts."""
    magnitude = limited_magnitude(x, TANH_LIMIT[x.type])
    reduced = reduce_exp(magnitude + magnitude)
    power = power_of_two(reduced.n, x.format)
    head = power + 1.0
    denominator, error = fast_two_sum(head, power * reduced.r)
    lost = 1.0 - (head - power)
    low = fma(power, reduced.tail, error + lost)
    quotient, correction = double_word_quotient(x.constant(2.0), x.constant(0.0), denominator, low)
    difference, rounding = fast_two_sum(x.constant(1.0), -quotient)
    result = difference + (rounding - correction)
    return copy_sign(select(magnitude < TINY[x.type], magnitude, result), x)


def log1p_of(x: Value, low: Value, large: Value) -> Value:
    """log(1 + x + low), plus ln2 where `large` holds."""
    high, rest = natural(decompose_above_one(x, low))
    return high + (rest + select(large, x.constant(math.log(2)), 0.0))


@elementary_in_f64(ulp=(0.51, 1.25))
def asinh(x: Value) -> Value:
    """Inverse hyperbolic sine, log1p(a + a**2 / (1 + sqrt(1 + a**2))) with a = |x|."""
    a = absolute(x)
    large = a > LARGE
    square = a * a
    argument, low = fast_two_sum(a, square / (square_root(square + 1.0) + 1.0))
    result = log1p_of(select(large, a, argument), select(large, 0.0, low), large)
    result = select(a < math.inf, result, a)
    return copy_sign(select(a < TINY[x.type], a, result), x)


@elementary_in_f64(ulp=(0.51, 1.8))
def acosh(x: Value) -> Value:
    """Inverse hyperbolic cosine, log1p(t + sqrt(2 t + t**2)) with t = x - 1; NaN below 1."""
    large = x > LARGE
    t = x - 1.0
    argument, low = fast_two_sum(square_root(fma(t, t, t + t)), t)
    result = log1p_of(select(large, x, argument), select(large, 0.0, low), large)
    result = select(x.equals(math.inf), x, result)
    return select(x >= 1.0, result, math.nan)


@elementary_in_f64(ulp=(0.51, 1.25))
def atanh(x: Value) -> Value:
    """Inverse hyperbolic tangent, log1p(2 a / (1 - a)) / 2 with a = |x|; NaN beyond 1."""
    a = absolute(x)
    denominator, error = fast_two_sum(x.constant(1.0), -a)
    argument, low = double_word_quotient(a + a, x.constant(0.0), denominator, error)
    high, rest = natural(decompose_above_one(argument, low))
    result = (high + rest) * 0.5
    result = select(a < 1.0, result, select(a.equals(1.0), x.constant(math.inf), math.nan))
    return copy_sign(select(a < TINY[x.type], a, result), x)
