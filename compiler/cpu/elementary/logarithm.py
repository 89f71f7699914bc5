"""log, log2, log10 and log1p, and the parts of them that other functions build on.

x = 2**e * (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) is f plus a smaller rest, which is a polynomial in f
(f32) or in z = s * s with s = f / (2 + f) (f64: the series of 2 atanh(s), fitted; see Muller, Elementary Functions,
on logarithms). The rest stays apart from f until the end, so that only one rounding counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    bit_pattern,
    bits,
    fast_two_sum,
    fma,
    from_bits,
    horner,
    power_of_two,
    select,
    to_float,
    two_product,
)
from sessile.compiler.cpu.elementary.exponential import LN2_PARTS
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary

Parts = tuple[float, float]
# Factors in two parts whose sum has about twice the precision of the type; LOG10_2's first part is short, so that its
# product with an exponent is exact.
LOG2_E_PARTS = {F32: (1.4426950216293335, 1.925963033500011e-8), F64: (1.4426950408889634, 2.0355273740931033e-17)}
LOG10_E_PARTS = {F32: (0.4342944920063019, -1.0103049952192578e-8), F64: (0.4342944819032518, 1.098319650216765e-17)}
LOG10_2_PARTS = {F32: (0.301025390625, 4.605039066518657e-6), F64: (0.3010299956640665, -8.532344317057107e-14)}


@dataclass(frozen=True)
class Decomposed:
    """log(x) = e * ln2 + f + rest, with e an integer as a float and a rest that is small beside f."""

    e: Value
    f: Value
    rest: Value


def log_rest(f: Value) -> Value:
    """log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]."""
    square = f * f
    half_square = square * 0.5
    if f.type == F32:
        return fma(f * square, horner(f, c.LOG_F32), -half_square)
    s = f / (f + 2.0)
    z = s * s
    return fma(s, fma(z, horner(z, c.LOG_F64), half_square), -half_square)


def exponent_of(x: Value) -> Value:
    """The integer e with x / 2**e in [sqrt(1/2), sqrt(2)), for a positive normal x."""
    return (bits(x) - bit_pattern(math.sqrt(0.5), x.format)) >> x.format.fraction_bits


def normalised(x: Value) -> tuple[Value, Value]:
    """(e, f) with x = 2**e * (1 + f), e an integer as a float; for x > 0, subnormal numbers included."""
    width = x.format.fraction_bits + 1
    tiny = x < x.format.smallest_normal
    x = select(tiny, x * 2.0**width, x)
    e = exponent_of(x)
    f = from_bits(bits(x) - (e << x.format.fraction_bits)) - 1.0
    return to_float(e, x.type) - select(tiny, x.constant(width), 0.0), f


def decompose(x: Value) -> Decomposed:
    e, f = normalised(x)
    return Decomposed(e, f, log_rest(f))


def decompose_above_one(x: Value, low: Value | None = None) -> Decomposed:
    """log(1 + x + low) = e * ln2 + f + rest for x > -1, |low| below an ulp of x; keeps the precision of a small x."""
    e = exponent_of(x + 1.0)
    inverse = power_of_two(select(e > x.format.bias, x.format.bias, e) * -1, x.format)
    scaled = from_bits(bits(x) - (e << x.format.fraction_bits))
    f, error = fast_two_sum(inverse - 1.0, scaled)
    if low is not None:
        error = fma(low, inverse, error)
    return Decomposed(to_float(e, x.type), f, log_rest(f) + error)


def natural(d: Decomposed) -> tuple[Value, Value]:
    """The natural logarithm as an unevaluated sum."""
    high, low = LN2_PARTS[d.f.type]
    total, error = fast_two_sum(d.e * high, d.f)
    return total, fma(d.e, low, d.rest) + error


def in_base(d: Decomposed, log_e: Parts, log_2: Parts) -> Value:
    """The logarithm to another base b, given log_b(e) and log_b(2) in two parts."""
    product, product_error = two_product(d.f, log_e[0])
    total, error = fast_two_sum(d.e * log_2[0], product)
    rest = fma(d.rest, log_e[0], fma(d.f, log_e[1], product_error))
    return total + (fma(d.e, log_2[1], rest) + error)


def with_limits(x: Value, result: Value, pole: float) -> Value:
    """`result` for finite x > pole, -infinity at the pole, infinity at infinity, NaN elsewhere."""
    outside = select(x.equals(pole), x.constant(-math.inf), math.nan)
    return select(x > pole, select(x.equals(math.inf), x, result), outside)


@elementary(*FLOATS, ulp=(0.85, 0.9))
def log(x: Value) -> Value:
    """Natural logarithm."""
    high, low = natural(decompose(x))
    return with_limits(x, high + low, 0.0)


@elementary(*FLOATS, ulp=(1.1, 1.1))
def log2(x: Value) -> Value:
    """Logarithm to base 2; exact for powers of two."""
    return with_limits(x, in_base(decompose(x), LOG2_E_PARTS[x.type], (1.0, 0.0)), 0.0)


@elementary(*FLOATS, ulp=(0.95, 0.95))
def log10(x: Value) -> Value:
    """Logarithm to base 10."""
    return with_limits(x, in_base(decompose(x), LOG10_E_PARTS[x.type], LOG10_2_PARTS[x.type]), 0.0)


@elementary(*FLOATS, ulp=(0.95, 0.95))
def log1p(x: Value) -> Value:
    """log(1 + x), also accurate near zero."""
    high, low = natural(decompose_above_one(x))
    return select(x.equals(0.0), x, with_limits(x, high + low, -1.0))
