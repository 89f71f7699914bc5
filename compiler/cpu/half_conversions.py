"""Conversions between 16-bit floats, which kernels hold as their bits, and f32.

Where the processor converts, one instruction does. Elsewhere LLVM would call its runtime library, which a kernel may
not, so that the bits are computed: the value of a half is that of a float with the same bits further left, but for the
bias of the exponent.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.target import Target

_U16, _U32 = ir.IntType(16), ir.IntType(32)
_F16, _F32 = ir.HalfType(), ir.FloatType()
_SHIFT = 13  # bits that a float's fraction is longer
_REBIAS = 127 - 15
_SIGN, _F32_INFINITY, _F16_INFINITY, _F16_QUIET_NAN = 0x8000_0000, 0x7F80_0000, 0x7C00, 0x7E00
_SMALLEST_NORMAL = (_REBIAS + 1) << 23  # 2**-14
_TOO_LARGE = (_REBIAS + 31) << 23  # 2**16
_HALF = 126 << 23  # 0.5, whose last place is that of the smallest half


def converts(target: Target) -> bool:
    """Whether a processor has instructions for these conversions."""
    features = target.enabled_features
    return not target.triple.startswith(("x86_64", "i386", "i686")) or bool(features & {"f16c", "avx512fp16"})


def widened(target: Target, builder: ir.IRBuilder, bits: Any) -> Any:
    """The f32 value of a half given by its bits."""
    if converts(target):
        return builder.fpext(builder.bitcast(bits, _F16), _F32)
    wide = builder.zext(bits, _U32)
    magnitude = builder.shl(builder.and_(wide, _U32(0x7FFF)), _U32(_SHIFT))
    scaled = builder.fmul(builder.bitcast(magnitude, _F32), _F32(2.0**_REBIAS))
    is_finite = builder.icmp_unsigned("<", magnitude, _U32(_F16_INFINITY << _SHIFT))
    beyond = builder.or_(magnitude, _U32(_F32_INFINITY))
    result = builder.select(is_finite, builder.bitcast(scaled, _U32), beyond)
    sign = builder.shl(builder.and_(wide, _U32(0x8000)), _U32(16))
    return builder.bitcast(builder.or_(result, sign), _F32)


def narrowed(target: Target, builder: ir.IRBuilder, value: Any) -> Any:
    """The bits of the half nearest to an f32 value, ties to even."""
    if converts(target):
        return builder.bitcast(builder.fptrunc(value, _F16), _U16)
    bits = builder.bitcast(value, _U32)
    magnitude = builder.and_(bits, _U32(_SIGN - 1))
    normal = _rounded(builder, magnitude)
    # adding 0.5 rounds to the last place of the smallest half
    sum_ = builder.fadd(builder.bitcast(magnitude, _F32), builder.bitcast(_U32(_HALF), _F32))
    small = builder.sub(builder.bitcast(sum_, _U32), _U32(_HALF))
    finite = builder.select(builder.icmp_unsigned("<", magnitude, _U32(_SMALLEST_NORMAL)), small, normal)
    large = builder.select(
        builder.icmp_unsigned(">", magnitude, _U32(_F32_INFINITY)), _nan(builder, magnitude), _U32(_F16_INFINITY)
    )
    result = builder.select(builder.icmp_unsigned("<", magnitude, _U32(_TOO_LARGE)), finite, large)
    sign = builder.lshr(builder.and_(bits, _U32(_SIGN)), _U32(16))
    return builder.trunc(builder.or_(result, sign), _U16)


def _rounded(builder: ir.IRBuilder, magnitude: Any) -> Any:
    """The bits of a normal half: half a place less one is added, and one more where the last place is odd."""
    odd = builder.and_(builder.lshr(magnitude, _U32(_SHIFT)), _U32(1))
    rebiased = builder.sub(magnitude, _U32(_REBIAS << 23))
    half = builder.add(rebiased, _U32((1 << (_SHIFT - 1)) - 1))
    return builder.lshr(builder.add(half, odd), _U32(_SHIFT))


def _nan(builder: ir.IRBuilder, magnitude: Any) -> Any:
    """A quiet NaN with the upper bits of the payload, as processors convert it."""
    payload = builder.and_(builder.lshr(magnitude, _U32(_SHIFT)), _U32(0x3FF))
    return builder.or_(payload, _U32(_F16_QUIET_NAN))
