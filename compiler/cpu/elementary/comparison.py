"""maximum, minimum, sign, classification, and the neighbours of a float: exact functions of order and bits."""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary.emit import Value, absolute, bits, copy_sign, from_bits, is_nan, select
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary


@elementary(*FLOATS, arity=2)
def maximum(x: Value, y: Value) -> Value:
    """The larger of the two, NaN if either is; of zeros of both signs the second, as in NumPy."""
    return select(is_nan(x), x, select(x > y, x, y))


@elementary(*FLOATS, arity=2)
def minimum(x: Value, y: Value) -> Value:
    """The smaller of the two, NaN if either is; of zeros of both signs the second, as in NumPy."""
    return select(is_nan(x), x, select(x < y, x, y))


@elementary(*FLOATS)
def sign(x: Value) -> Value:
    """-1, 0 or 1; NaN for NaN."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x + 0.0))


@elementary(*FLOATS, result="bool")
def is_nan_(x: Value) -> Value:
    return is_nan(x)


@elementary(*FLOATS, result="bool")
def is_inf(x: Value) -> Value:
    return absolute(x).equals(math.inf)


@elementary(*FLOATS, result="bool")
def is_finite(x: Value) -> Value:
    return absolute(x) < math.inf


@elementary(*FLOATS, arity=2)
def copysign(x: Value, y: Value) -> Value:
    """x with the sign of y."""
    return copy_sign(x, y)


@elementary(*FLOATS, arity=2)
def nextafter(x: Value, y: Value) -> Value:
    """The neighbour of x in the direction of y; y where they are equal."""
    pattern = bits(x)
    away = (x < y).equals(x > 0.0)
    neighbour = from_bits(pattern + select(away, pattern.constant(1), -1))
    smallest = copy_sign(from_bits(pattern.constant(1)), y)
    result = select(x.equals(0.0), smallest, neighbour)
    return select(is_nan(x), x, select(is_nan(y) | x.equals(y), y, result))
