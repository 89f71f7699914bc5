"""lgamma and digamma, computed in f64 for both types.

Positive arguments below 8.5 are moved into a unit interval by the recurrence, where a polynomial keeps the zeros of the
function exact to relative precision; larger ones take the asymptotic series (Stirling). Negative arguments are
reflected (Abramowitz and Stegun 6.1.17, 6.3.7). The polynomials are fits of our own.
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    Value,
    absolute,
    call_intrinsic,
    fast_two_sum,
    fma,
    horner,
    select,
    two_product,
)
from sessile.compiler.cpu.elementary.intrinsics import elementary_in_f64
from sessile.compiler.cpu.elementary.logarithm import decompose, natural
from sessile.compiler.cpu.elementary.trigonometric import cosine_parts, reduce_half_turns, sine_parts

DIGAMMA_ROOT = (1.4616321449683622, 9.549995429965697e-17)
LOG_PI = 1.1447298858494002
STIRLING_CONSTANT = 0.4189385332046727  # (log(2 pi) - 1) / 2


def distance_to_two(a: Value) -> tuple[Value, Value]:
    """(v, product) for 0 < a < 8.5: lgamma(a) = lgamma(2 + v) + log(product) for a > 2, minus it below, |v| <= 1/2."""
    nearest = call_intrinsic("llvm.rint", a)
    v = a - nearest
    product = a * select(nearest < 0.5, a + 1.0, 1.0)
    above = a.constant(1.0)
    for k in range(2, 8):
        above = above * select(nearest > float(k), v + float(k), 1.0)
    return v, select(nearest < 1.5, product, above)


def lgamma_of_positive(a: Value) -> Value:
    v, product = distance_to_two(a)
    large = a >= 8.5
    high, low = natural(decompose(select(large, a, product)))
    sign = select(a < 1.5, a.constant(-1.0), 1.0)
    # lgamma(2 + v) = v (c0 + v P(v)) in two parts, as it may cancel with the logarithm.
    head, head_low = two_product(v, c.LGAMMA_F64[0])
    rest = fma(v * v, horner(v, c.LGAMMA_F64[1:]), fma(v, c.LGAMMA_F64_LOW, head_low))
    total, error = fast_two_sum(sign * high, head)
    near = total + (rest + fma(sign, low, error))
    w = 1.0 / a
    series = fma(w, horner(w * w, c.LGAMMA_STIRLING), STIRLING_CONSTANT)
    shifted = a - 0.5
    return select(large, fma(shifted, high - 1.0, fma(shifted, low, series)), near)


@elementary_in_f64(ulp=(0.51, 2.5))
def lgamma(x: Value) -> Value:
    """log|gamma(x)|; infinite at the poles 0, -1, -2 ...

    Below zero the bound of f64 is 5 ulp of the larger of 1 and |lgamma|: near its zeros there it loses bits.
    """
    a = absolute(x)
    positive = lgamma_of_positive(a)
    # lgamma(x) = log(pi / (a |sin(pi a)|)) - lgamma(a); for a tiny |x| the two functions agree.
    quadrant = reduce_half_turns(a)
    (sine, sine_low), (cosine, cosine_low) = sine_parts(quadrant), cosine_parts(quadrant)
    even = (quadrant.index & 1).equals(0)
    product = a * absolute(select(even, sine + sine_low, cosine + cosine_low))
    high, low = natural(decompose(product))
    reflected = (LOG_PI - high) - (low + positive)
    reflected = select(product > 0.0, reflected, math.inf)
    result = select(x < -(2.0**-60), reflected, positive)
    result = select(a.equals(0.0) | a.equals(math.inf), math.inf, result)
    return select(a <= math.inf, result, x)


def recurrence_sum(a: Value) -> tuple[Value, Value, Value]:
    """(r, numerator, denominator) with digamma(a) = digamma(r) + numerator / denominator, 1 <= r < 2, for 0 < a < 8."""
    whole = call_intrinsic("llvm.floor", a)
    small = whole < 0.5
    r = select(small, a + 1.0, (a - whole) + 1.0)
    numerator, denominator = a.constant(0.0), a.constant(1.0)
    for k in range(6):
        active = whole > k + 1.5
        term = r + float(k)
        numerator = select(active, fma(numerator, term, denominator), numerator)
        denominator = select(active, denominator * term, denominator)
    return r, select(small, -1.0, numerator), select(small, a, denominator)


def digamma_of_positive(a: Value) -> Value:
    r, numerator, denominator = recurrence_sum(a)
    large = a >= 8.0
    quotient = select(large, 1.0, numerator) / select(large, a, denominator)
    v = r - 1.5
    from_root = (r - DIGAMMA_ROOT[0]) - DIGAMMA_ROOT[1]
    near = fma(from_root, horner(v, c.DIGAMMA_F64), from_root * c.DIGAMMA_F64_LOW) + quotient
    high, low = natural(decompose(a))
    square = quotient * quotient
    rest = fma(quotient, -0.5, fma(-square, horner(square, c.DIGAMMA_ASYMPTOTIC), low))
    return select(large, high + rest, near)


@elementary_in_f64(ulp=(0.51, 4.0))
def digamma(x: Value) -> Value:
    """Derivative of lgamma; NaN at the poles 0, -1, -2 ...

    Below zero the bound of f64 is 8 ulp of the larger of 1 and |digamma|: near its zeros there it loses bits.
    """
    negative = x <= 0.0
    positive = digamma_of_positive(select(negative, 1.0 - x, x))
    # digamma(x) = digamma(1 - x) - pi / tan(pi x)
    quadrant = reduce_half_turns(x)
    (sine, sine_low), (cosine, cosine_low) = sine_parts(quadrant), cosine_parts(quadrant)
    even = (quadrant.index & 1).equals(0)
    top = select(even, cosine + cosine_low, -(sine + sine_low))
    bottom = select(even, sine + sine_low, cosine + cosine_low)
    reflected = fma(top / bottom, -math.pi, positive)
    pole = call_intrinsic("llvm.rint", x).equals(x)
    result = select(negative, select(pole, math.nan, reflected), positive)
    return select(x < math.inf, result, x)
