"""erf, erfc and the inverse of the error function and of the normal distribution.

Near zero erf is an odd polynomial. Elsewhere erfc(x) = exp(-x**2) g(t) / (x + 3) with a polynomial g in
t = (x - 3) / (x + 3) (the substitution of Shepherd and Laframboise, Math. Comp. 36, 1981); erf in f32, where only
1 - erfc matters, takes the cheaper exp of a polynomial for log(erfc(x)).
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    convert,
    copy_sign,
    fast_two_sum,
    fma,
    horner,
    power_of_two,
    select,
    two_product,
)
from sessile.compiler.cpu.elementary.exponential import exp2_short, reduce_exp, scale
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary

# erf is 1 after rounding from the first on; erfc is 0 from the second on.
ERF_LIMIT = {F32: 3.9375, F64: 6.0}
ERFC_LIMIT = {F32: 10.25, F64: 27.5}
# erf(x) = x + x P(x**2) for |x| <= 1.
ERF_POLYNOMIAL = {F32: c.ERF_F32, F64: c.ERF_F64}


def limited(a: Value, limit: float) -> Value:
    return select(a > limit, limit, a)


def erf_from_logarithm(a: Value) -> Value:
    """1 - exp(P(a)) for 1 <= a <= ERF_LIMIT, in f32."""
    reduced = reduce_exp(horner(a, c.LOG_ERFC_F32))
    power = power_of_two(reduced.n, a.format)
    return fma(-power, reduced.r + reduced.tail, 1.0 - power)


def scaled_erfc(a: Value) -> tuple[Value, Value]:
    """exp(a**2) erfc(a) in two parts."""
    total, difference = a + 3.0, a - 3.0
    total_low = a - (total - 3.0)
    inverse = 1.0 / total
    t = difference * inverse
    slope = horner(t, c.ERFC_F64[1:])
    g = fma(t, slope, c.ERFC_F64[0])
    # What the roundings of the sum, of t and of the inverse took away.
    t_rest = fma(-t, total_low, fma(-t, total, difference))
    inverse_rest = fma(-inverse, total_low, fma(-inverse, total, 1.0))
    g_low = fma(g, inverse_rest, fma(t_rest * inverse, slope, c.ERFC_F64_LOW))
    scaled, error = two_product(g, inverse)
    return scaled, fma(g_low, inverse, error)


def erfc_of_positive(a: Value) -> Value:
    """erfc(a) for a from 0.5 to ERFC_LIMIT, in f64."""
    scaled, scaled_low = scaled_erfc(a)
    square, square_low = two_product(a, a)
    reduced = reduce_exp(-square)
    head, error = fast_two_sum(a.constant(1.0), reduced.r)
    rest = error + reduced.tail
    rest = fma(-square_low, head + rest, rest)
    return scale(fma(scaled, head, fma(scaled, rest, scaled_low * head)), reduced.n)


def erfc_of_positive_short(a: Value) -> Value:
    """The same, in f64 with the accuracy that an f32 result needs."""
    inverse = 1.0 / (a + 3.0)
    scaled = horner((a - 3.0) * inverse, c.ERFC_SHORT) * inverse
    return scaled * exp2_short(a * a * (-1 / math.log(2)))


@elementary(*FLOATS, ulp=(1.0, 1.15))
def erf(x: Value) -> Value:
    """Error function."""
    a = absolute(x)
    far = limited(a, ERF_LIMIT[x.type])
    beyond = erf_from_logarithm(far) if x.type == F32 else 1.0 - erfc_of_positive(far)
    near = fma(x, horner(x * x, ERF_POLYNOMIAL[x.type]), x)
    return select(a < 1.0, near, copy_sign(beyond, x))


@elementary(*FLOATS, ulp=(0.52, 2.0))
def erfc(x: Value) -> Value:
    """Complementary error function, accurate to the smallest results; f32 is computed in f64."""
    wide = convert(x, F64)
    a = absolute(wide)
    far = limited(a, ERFC_LIMIT[x.type])
    tail = erfc_of_positive_short(far) if x.type == F32 else erfc_of_positive(far)
    tail = select(wide < 0.0, 2.0 - tail, tail)
    near = fma(-wide, horner(wide * wide, ERF_POLYNOMIAL[x.type]), 1.0 - wide)
    return convert(select(a < 0.5, near, tail), x.type)
