"""asin, acos, atan and atan2: an odd polynomial on a short interval, reflected to the rest of the domain.

f32 results are computed in f64 with a shorter polynomial and rounded once.
"""

from __future__ import annotations

from sessile.compiler.cpu.elementary import coefficients as c
from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    bits,
    convert,
    copy_sign,
    fast_two_sum,
    fma,
    horner,
    select,
    square_root,
)
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary
from sessile.compiler.cpu.elementary.trigonometric import HALF_PI


def from_base(quarter_turns: Value, factor: Value, angle: Value, rest: Value) -> Value:
    """quarter_turns * pi/2 + factor * (angle + rest), with a factor that is a power of two."""
    total, error = fast_two_sum(quarter_turns * HALF_PI[0], factor * angle)
    return total + fma(factor, rest, fma(quarter_turns, HALF_PI[1], error))


def reduced_arcsine(a: Value, near_one: Value, short: bool) -> tuple[Value, Value]:
    """asin(s) as s + rest, with s = a, or s = sqrt((1 - a) / 2) near one; NaN for a > 1."""
    square = select(near_one, (1.0 - a) * 0.5, a * a)
    s = select(near_one, square_root(square), a)
    return s, s * square * horner(square, c.ASIN_SHORT if short else c.ASIN_F64)


@elementary(*FLOATS, ulp=(0.52, 1.2))
def asin(x: Value) -> Value:
    """Inverse sine; pi/2 - 2 asin(sqrt((1 - |x|) / 2)) for |x| > 1/2; NaN beyond 1."""
    wide = convert(x, F64)
    a = absolute(wide)
    near_one = a > 0.5
    s, rest = reduced_arcsine(a, near_one, x.type == F32)
    one = a.constant(1.0)
    result = from_base(select(near_one, one, 0.0), select(near_one, -2.0, one), s, rest)
    return convert(copy_sign(result, wide), x.type)


@elementary(*FLOATS, ulp=(0.52, 1.2))
def acos(x: Value) -> Value:
    """Inverse cosine; 2 asin(sqrt((1 - x) / 2)) for x > 1/2, and its reflection; NaN beyond 1."""
    wide = convert(x, F64)
    a = absolute(wide)
    near_one = a > 0.5
    s, rest = reduced_arcsine(a, near_one, x.type == F32)
    sign = copy_sign(a.constant(1.0), wide)
    quarter_turns = 1.0 - select(near_one, sign, 0.0)
    result = from_base(quarter_turns, select(near_one, sign + sign, -sign), s, rest)
    return convert(result, x.type)


def arctangent_rest(t: Value, short: bool) -> Value:
    """atan(t) - t for |t| <= 1."""
    square = t * t
    return t * square * horner(square, c.ATAN_SHORT if short else c.ATAN_F64)


@elementary(*FLOATS, ulp=(0.52, 1.3))
def atan(x: Value) -> Value:
    """Inverse tangent; pi/2 - atan(1 / x) beyond 1."""
    wide = convert(x, F64)
    a = absolute(wide)
    a = select(a > 2.0**60, 2.0**60, a)  # pi/2 after rounding, and the remainder below stays finite
    inverted = a > 1.0
    inverse = 1.0 / a
    t = select(inverted, inverse, a)
    remainder = select(inverted, fma(-inverse, a, 1.0) * inverse, 0.0)
    slope = fma(t * t, -0.5, 1.0)  # 1 / (1 + t**2) closely enough for a correction
    one = a.constant(1.0)
    rest = fma(remainder, slope, arctangent_rest(t, x.type == F32))
    result = from_base(select(inverted, one, 0.0), select(inverted, -1.0, one), t, rest)
    return convert(copy_sign(result, wide), x.type)


@elementary(*FLOATS, arity=2, ulp=(0.52, 1.6))
def atan2(y: Value, x: Value) -> Value:
    """Angle of the point (x, y) in (-pi, pi], with the signs of zeros and the infinities of C's atan2."""
    wide_y, wide_x = convert(y, F64), convert(x, F64)
    a, b = absolute(wide_y), absolute(wide_x)
    steep = a > b
    top, bottom = select(steep, b, a), select(steep, a, b)
    # Equal magnitudes, infinities among them, have quotient 1; two zeros have 0.
    t = select(top.equals(bottom), select(bottom > 0.0, a.constant(1.0), 0.0), top / bottom)
    left = bits(wide_x) < 0
    zero, one = a.constant(0.0), a.constant(1.0)
    quarter_turns = select(steep, one, select(left, 2.0, zero))
    rest = arctangent_rest(t, x.type == F32)
    result = from_base(quarter_turns, select(steep ^ left, -1.0, one), t, rest)
    return convert(copy_sign(result, wide_y), x.type)
