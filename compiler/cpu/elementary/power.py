"""sqrt, rsqrt, and pow as 2**(y log2|x|) with the logarithm in more than the type's precision.

The logarithm and its product with y are carried in two parts (Muller et al., Handbook of Floating-Point Arithmetic, on
double-word arithmetic). Special cases are those of C's pow: x**0 == 1**y == 1, also for
NaN; a negative x needs an integer y.
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    bits,
    call_intrinsic,
    clamp,
    fast_two_sum,
    fma,
    from_bits,
    horner,
    round_scaled,
    select,
    square_root,
    two_product,
)
from sessile.compiler.cpu.elementary.exponential import scale
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary
from sessile.compiler.cpu.elementary.logarithm import normalised

K0 = {F32: (2.885390043258667, 3.851926067000022e-8), F64: (2.8853900817779268, 4.0710547481862066e-17)}  # 2 / ln2
K1 = {F32: (0.9617967009544373, -7.028511673e-9), F64: (0.9617966939259756, 5.0577616648125907e-17)}  # K0 / 3
LOG2_POLYNOMIAL = {F32: c.LOG2_F32, F64: c.LOG2_F64}
EXP2_POLYNOMIAL = {F32: c.EXP2_F32, F64: c.EXP2_F64}
# With a larger |y|, every power but that of 1 is zero or infinite; so is 2 to more than the second.
Y_LIMIT = {F32: 2.0**34, F64: 2.0**66}
EXPONENT_LIMIT = {F32: 200.0, F64: 1100.0}


def log2_double_word(a: Value) -> tuple[Value, Value]:
    """log2(a) for a > 0 in two parts, with a relative error of about 2**-36 (f32) and 2**-65 (f64)."""
    k0, k1 = K0[a.type], K1[a.type]
    e, f = normalised(a)
    # s = f / (2 + f)
    denominator, denominator_low = fast_two_sum(f.constant(2.0), f)
    reciprocal = 1.0 / denominator
    s = f * reciprocal
    s_low = fma(-s, denominator_low, fma(-s, denominator, f)) * reciprocal
    # log2((1 + s) / (1 - s)) = s (K0 + z (K1 + z P(z))), z = s * s
    z, z_low = two_product(s, s)
    z_low = fma(s + s, s_low, z_low)
    w, w_low = fast_two_sum(s.constant(k1[0]), z * horner(z, LOG2_POLYNOMIAL[a.type]))
    v, v_low = two_product(z, w)
    v_low = fma(z_low, w, fma(z, w_low + k1[1], v_low))
    u, u_low = fast_two_sum(s.constant(k0[0]), v)
    u_low = u_low + (v_low + k0[1])
    product, product_low = two_product(s, u)
    product_low = fma(s_low, u, fma(s, u_low, product_low))
    total, total_low = fast_two_sum(e, product)
    return fast_two_sum(total, total_low + product_low)


def power_of_magnitude(a: Value, y: Value) -> Value:
    """a**y for a >= 0, without the special cases of pow."""
    y = clamp(y, -Y_LIMIT[y.type], Y_LIMIT[y.type])
    high, low = log2_double_word(a)
    high = select(a.equals(0.0), -math.inf, select(a < math.inf, high, a))
    exponent, error = two_product(y, high)
    limit = EXPONENT_LIMIT[y.type]
    rest = select(absolute(exponent) < limit, fma(y, low, error), 0.0)
    exponent = clamp(exponent, -limit, limit)
    n_float, n = round_scaled(exponent, 1.0)
    r, r_low = fast_two_sum(exponent - n_float, rest)
    slope = fma(horner(r, EXP2_POLYNOMIAL[y.type]), r, math.log(2))
    return scale(fma(slope, r, r_low * math.log(2)) + 1.0, n)


def is_integer(y: Value) -> Value:
    return call_intrinsic("llvm.rint", y).equals(y)


@elementary(*FLOATS, arity=2, ulp=(1.15, 1.25))
def pow_(x: Value, y: Value) -> Value:
    """x to the power y."""
    magnitude = power_of_magnitude(absolute(x), y)
    integer = is_integer(y)
    # Odd: an integer whose half is none; the sign bit of x then passes to the result.
    odd = integer & ~is_integer(y * 0.5)
    sign = select(odd, bits(x), 0) & x.format.sign_bit
    result = from_bits(bits(magnitude) ^ sign)
    invalid = (x < 0.0) & (x > -math.inf) & ~integer
    result = select(invalid, math.nan, result)
    return select(y.equals(0.0) | x.equals(1.0), 1.0, result)


@elementary(*FLOATS, ulp=(0.5, 0.5))
def sqrt(x: Value) -> Value:
    """Square root, correctly rounded; NaN below zero."""
    return square_root(x)


@elementary(*FLOATS, ulp=(0.51, 0.51))
def rsqrt(x: Value) -> Value:
    """1 / sqrt(x); infinite at zero, NaN below."""
    width = 2 * x.format.fraction_bits + 14
    tiny = x < x.format.smallest_normal * 2.0**width
    scaled = select(tiny, x * 2.0**width, x)  # so that the remainders below do not underflow
    root = square_root(scaled)
    inverse = 1.0 / root
    root_rest = fma(-root, root, scaled) * inverse
    correction = fma(root_rest * -0.5, inverse, fma(-root, inverse, 1.0))
    refined = fma(correction, inverse, inverse) * select(tiny, x.constant(2.0 ** (width // 2)), 1.0)
    return select((x > 0.0) & (x < math.inf), refined, inverse)
