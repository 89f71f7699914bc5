"""From words of random bits to uniform and normal numbers, to the last bit as TensorFlow's CPU kernels make them.

Uniform numbers put random bits under the exponent of 1.0 and subtract 1. Normal numbers come in pairs from two
uniform ones by the transform of Box and Muller (1958): radius sqrt(-2 log u), angle 2 pi w.

TensorFlow takes log, sin and cos from the C library. The f32 functions below have the structure of the current GNU
library's (a table of 16 centres and a quartic for log; degree 7 and 8 for sin and cos, all in f64), with minimax
coefficients of our own. All 2**23 arguments that can occur give the same f32 as the GNU library does. The f64
functions are nearly correctly rounded: 98.5 of 100 f64 normals are TensorFlow's, the others 1 to 3 ulp away.

Every formula is written over `Arithmetic`, once for the interpreter and for kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sessile.ir.bit_arithmetic import Arithmetic

SMALLEST_UNIFORM = 1e-7
"""The logarithm's argument is raised to this, so that the radius stays finite."""


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float.fromhex, text.split()))


_ROUND = 1.5 * 2.0**52  # adding it rounds an f64 to an integer, half to even, kept in the low bits
_TWO_PI = 2.0 * math.pi
_TWO_OVER_PI = 2.0 / math.pi

# f32 logarithm: intervals of [0.699, 1.398), cut after four bits of the fraction counted from _LOG32_OFFSET.
_LOG32_OFFSET = 0x3F330000
_LOG32_CENTRES = (
    0.71484375, 0.74609375, 0.77734375, 0.80859375, 0.83984375, 0.87109375, 0.90234375, 0.93359375, 0.96484375,
    1.0, 1.0534233323964795, 1.1171875, 1.1796875, 1.2421875, 1.3046875, 1.3671875,
)  # fmt: skip
_LOG32_INVERSES = tuple(1.0 / centre for centre in _LOG32_CENTRES)
_LOG32_LOGARITHMS = tuple(math.log(centre) for centre in _LOG32_CENTRES)
_LN2 = math.log(2.0)
# log(1 + r) = r + r**2 (a + b r + c r**2), least relative error 1.93e-8 on [-0.0283165, 0.0264204]
_LOG32 = _numbers("-0x1.ffffef2067493p-2 0x1.5575b0ba2c9d0p-2 -0x1.00ea38dfa725ep-2")

# sin(x) = x + x**3 S(x**2) with least error of sin(x)/x, cos(x) = 1 + x**2 C(x**2) with least error, |x| <= pi/4
_SIN32 = _numbers("-0x1.555545995a161p-3 0x1.1107605212d67p-7 -0x1.994eb36ce92c7p-13")
_COS32 = _numbers("-0x1.ffffffd0c6222p-2 0x1.55553e1068970p-5 -0x1.6c087e8974809p-10 0x1.9934301bcf885p-16")

# f64 logarithm: z in [sqrt(1/2), sqrt(2)), s = (z - 1) / (z + 1), log(z) = 2 s + s**3 L(s**2), error 2**-66
_LOG64_OFFSET = 0x3FE6A09E667F3BCD
_LOG64 = _numbers(
    "0x1.5555555555555p-1 0x1.9999999999dfbp-2 0x1.249249242b80fp-2 0x1.c71c7258b88cfp-3 "
    "0x1.745cde49ae683p-3 0x1.3b20a85c8df9fp-3 0x1.0f5d0cb6297c0p-3 0x1.0f60cdc75352fp-3"
)
_LN2_HIGH, _LN2_LOW = _numbers("0x1.62e42fefa3800p-1 0x1.ef35793c76730p-45")

# sin(x) = x + x**3 S(x**2), error 2**-68; cos(x) = 1 - x**2/2 + x**4 C(x**2), error 2**-63; |x| <= pi/4
_SIN64 = _numbers(
    "-0x1.5555555555555p-3 0x1.111111111110bp-7 -0x1.a01a01a018ae9p-13 0x1.71de3a5339e46p-19 "
    "-0x1.ae645298de16ep-26 0x1.612093175daebp-33 -0x1.aaa577c6d56f9p-41"
)
_COS64 = _numbers(
    "0x1.555555555554cp-5 -0x1.6c16c16c15184p-10 0x1.a01a019cb2684p-16 -0x1.27e4f80a71839p-22 "
    "0x1.1ee9ec447880ep-29 -0x1.8faecd8e1cdd3p-37"
)
# pi/2 in three parts; the first two have 33 bits, so that their products with small integers are exact
_HALF_PI = _numbers("0x1.921fb54400000p+0 0x1.0b4611a600000p-34 0x1.3198a2e037073p-69")


def unit_f16(arithmetic: Arithmetic, word: Any) -> Any:
    """The low 10 bits of a 32-bit word as an f32 in [0, 1) that an f16 holds exactly."""
    return arithmetic.to_f32(word & 0x3FF) * 2.0**-10


def unit_f32(arithmetic: Arithmetic, word: Any) -> Any:
    """The low 23 bits of a 32-bit word as an f32 in [0, 1)."""
    return arithmetic.from_bits((word & 0x7FFFFF) | 0x3F800000) - 1.0


def unit_f64(arithmetic: Arithmetic, high: Any, low: Any) -> Any:
    """The low 20 bits of one 32-bit word and all of another as an f64 in [0, 1)."""
    fraction = (arithmetic.widen_unsigned(high & 0xFFFFF) << 32) | arithmetic.widen_unsigned(low)
    return arithmetic.from_bits(fraction | 0x3FF0000000000000) - 1.0


def normal_pair_f32(arithmetic: Arithmetic, first: Any, second: Any) -> tuple[Any, Any]:
    """Two independent standard normal f32 out of two 32-bit words."""
    u = unit_f32(arithmetic, first)
    u = arithmetic.select(u < SMALLEST_UNIFORM, SMALLEST_UNIFORM, u)
    radius = arithmetic.square_root(_log_f32(arithmetic, u) * -2.0)
    # The angle is rounded to f32 before its sine is taken.
    angle = arithmetic.to_f32(arithmetic.to_f64(unit_f32(arithmetic, second)) * _TWO_PI)
    sine, cosine = _sine_cosine_f32(arithmetic, angle)
    return sine * radius, cosine * radius


def normal_pair_f64(arithmetic: Arithmetic, w0: Any, w1: Any, w2: Any, w3: Any) -> tuple[Any, Any]:
    """Two independent standard normal f64 out of four 32-bit words."""
    u = unit_f64(arithmetic, w0, w1)
    u = arithmetic.select(u < SMALLEST_UNIFORM, SMALLEST_UNIFORM, u)
    radius = arithmetic.square_root(_log_f64(arithmetic, u) * -2.0)
    sine, cosine = _sine_cosine_f64(arithmetic, unit_f64(arithmetic, w2, w3) * _TWO_PI)
    return sine * radius, cosine * radius


def _horner(x: Any, coefficients: Sequence[float]) -> Any:
    result = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        result = x * result + coefficient
    return result


def _log_f32(arithmetic: Arithmetic, u: Any) -> Any:
    """log(u) of a positive normal f32: u = 2**k z, z = c (1 + r) with c the centre of z's interval."""
    pattern = arithmetic.bits(u)
    offset = pattern - _LOG32_OFFSET
    index, exponent = (offset >> 19) & 15, offset >> 23
    z = arithmetic.to_f64(arithmetic.from_bits(pattern - (exponent << 23)))
    r = z * arithmetic.lookup(_LOG32_INVERSES, index) - 1.0
    base = arithmetic.lookup(_LOG32_LOGARITHMS, index) + arithmetic.to_f64(exponent) * _LN2
    return arithmetic.to_f32(_horner(r, _LOG32) * (r * r) + (base + r))


def _sine_cosine_f32(arithmetic: Arithmetic, angle: Any) -> tuple[Any, Any]:
    x = arithmetic.to_f64(angle)
    shifted = x * _TWO_OVER_PI + _ROUND
    r = x - (shifted - _ROUND) * (math.pi / 2)
    square = r * r
    sine = r + r * square * _horner(square, _SIN32)
    cosine = square * _horner(square, _COS32) + 1.0
    sine, cosine = _turn(arithmetic, arithmetic.bits(shifted), sine, cosine)
    return arithmetic.to_f32(sine), arithmetic.to_f32(cosine)


def _turn(arithmetic: Arithmetic, quarters: Any, sine: Any, cosine: Any) -> tuple[Any, Any]:
    """Sine and cosine of an angle increased by a number of quarter turns."""
    odd = (quarters & 1) > 0
    turned_sine = arithmetic.select(odd, cosine, sine)
    turned_cosine = arithmetic.select(odd, sine, cosine)
    return (
        arithmetic.select((quarters & 2) > 0, -turned_sine, turned_sine),
        arithmetic.select(((quarters + 1) & 2) > 0, -turned_cosine, turned_cosine),
    )


def _upper_half(arithmetic: Arithmetic, x: Any) -> Any:
    """x without its low 27 bits: products of two such numbers are exact."""
    return arithmetic.from_bits(arithmetic.bits(x) & -(1 << 27))


def _log_f64(arithmetic: Arithmetic, u: Any) -> Any:
    """log(u) of a positive normal f64; s is carried in two parts, so that little but the last rounding is lost."""
    pattern = arithmetic.bits(u)
    exponent = (pattern - _LOG64_OFFSET) >> 52
    z = arithmetic.from_bits(pattern - (exponent << 52))
    numerator, denominator = z - 1.0, z + 1.0
    inverse = 1.0 / denominator
    s = numerator * inverse
    s_high, denominator_high = _upper_half(arithmetic, s), _upper_half(arithmetic, denominator)
    denominator_low = (denominator - denominator_high) + (z - (denominator - 1.0))
    s_low = ((numerator - s_high * denominator_high) - s_high * denominator_low) * inverse
    scale = arithmetic.to_f64(exponent)
    high = scale * _LN2_HIGH
    total = high + 2.0 * s_high
    lost = 2.0 * s_high - (total - high)
    square = s * s
    return total + (lost + (2.0 * s_low + (s * (square * _horner(square, _LOG64)) + scale * _LN2_LOW)))


def _sine_cosine_f64(arithmetic: Arithmetic, x: Any) -> tuple[Any, Any]:
    """Sine and cosine of x in [0, 2 pi); the reduced angle r + r_low and its square keep what rounding would lose."""
    shifted = x * _TWO_OVER_PI + _ROUND
    quarters = shifted - _ROUND
    exact = x - quarters * _HALF_PI[0]
    r = exact - quarters * _HALF_PI[1]
    r_low = ((exact - r) - quarters * _HALF_PI[1]) - quarters * _HALF_PI[2]
    square = r * r
    r_high = _upper_half(arithmetic, r)
    rest = r - r_high
    square_low = ((r_high * r_high - square) + 2.0 * r_high * rest) + rest * rest
    half = 0.5 * square
    leading = 1.0 - half
    sine = r + (r * square * _horner(square, _SIN64) + r_low * leading)
    correction = square * square * _horner(square, _COS64) - (r * r_low + 0.5 * square_low)
    cosine = leading + (((1.0 - leading) - half) + correction)
    return _turn(arithmetic, arithmetic.bits(shifted), sine, cosine)
