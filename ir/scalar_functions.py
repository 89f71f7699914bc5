"""The scalar functions that `map` applies element by element: for each its arity, types, and NumPy meaning.

Conventions on edges: NaN propagates through `max` and `min`; integer division by zero is an error of the run;
a shift by a negative count is one by 0, a shift by the width and more is one by the width less 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sessile.ir.primitive import RunFailure
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS, NUMBERS, SIGNED

Elements = frozenset[str]
BOOL: Elements = frozenset({"bool"})
REAL: Elements = FLOATS | INTEGERS
ANALYTIC: Elements = FLOATS | COMPLEX


class ScalarFunction(NamedTuple):
    """A scalar function: `reference` takes and gives NumPy arrays; `result` is "same", "bool" or "real"."""

    name: str
    arity: int
    types: Elements
    reference: Callable[..., Any]
    result: str = "same"
    commutative: bool = False
    cost: int = 1
    can_fail: bool = False


SCALAR_FUNCTIONS: dict[str, ScalarFunction] = {}

CHEAP, DIVISION, TRANSCENDENTAL = 1, 4, 12


def _define(
    name: str,
    arity: int,
    types: Elements,
    reference: Callable[..., Any],
    result: str = "same",
    commutative: bool = False,
    cost: int = CHEAP,
    can_fail: bool = False,
) -> None:
    SCALAR_FUNCTIONS[name] = ScalarFunction(name, arity, types, reference, result, commutative, cost, can_fail)


def _checked_division(function: Callable[..., Any]) -> Callable[..., Any]:
    def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if np.asarray(b).dtype.kind in "iu" and np.size(a) and np.any(np.equal(b, 0)):
            raise RunFailure("invalid_argument", "Integer division by zero")
        return function(a, b)

    return divide


def _truncated_divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f":
        return np.trunc(a / b)
    quotient = np.floor_divide(a, b)
    inexact = np.multiply(quotient, b) != a
    return np.where(inexact & ((a < 0) != (b < 0)), quotient + quotient.dtype.type(1), quotient)


def _floor_divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.floor(a / b) if a.dtype.kind == "f" else np.floor_divide(a, b)


def _power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f":
        # NumPy takes the square root for a lone exponent of 0.5, which differs for -0 and minus infinity.
        is_root = (b == 0.5) & ((a == 0) | np.isinf(a))
        return np.where(is_root, np.abs(a), np.power(a, b))
    if a.dtype.kind != "i":
        return np.power(a, b)
    if np.size(a) and np.any(b < 0):
        raise RunFailure("invalid_argument", "Integers to negative integer powers are not allowed")
    return np.power(a, b)


def _shift(function: Callable[..., Any]) -> Callable[..., Any]:
    def shift(a: np.ndarray, count: np.ndarray) -> np.ndarray:
        width = a.dtype.itemsize * 8
        return function(a, np.clip(count, 0, width - 1).astype(a.dtype))

    return shift


def _elementwise(function: Callable[[float], float]) -> Callable[[np.ndarray], np.ndarray]:
    vectorized = np.frompyfunc(function, 1, 1)

    def apply(x: np.ndarray) -> np.ndarray:
        return np.asarray(vectorized(np.asarray(x, np.float64))).astype(np.asarray(x).dtype)

    return apply


def _log_gamma(x: float) -> float:
    if math.isnan(x):
        return math.nan
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return math.inf
    try:
        return math.lgamma(x)
    except OverflowError:
        return math.inf


_DIGAMMA_SERIES = (1 / 12, 691 / 32760, 1 / 132, 1 / 240, 1 / 252, 1 / 120, 1 / 12)


def _digamma(x: float) -> float:
    """Reflection for x < 0, recurrence up to 10, then the asymptotic series (Abramowitz and Stegun, 6.3.7, 6.3.18)."""
    if math.isnan(x) or x == -math.inf or (x <= 0 and x == math.floor(x)):
        return math.nan
    if x == math.inf:
        return math.inf
    if x < 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * x)
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    y = 1 / (x * x)
    series = 0.0
    for coefficient in _DIGAMMA_SERIES:
        series = y * (coefficient - series)
    return total + math.log(x) - 0.5 / x - series


def _in_single_precision(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The function with one rounding for half floats, whatever its steps."""

    def compute(x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        return function(x.astype(np.float32)).astype(x.dtype) if x.dtype == np.float16 else function(x)

    return compute


@_in_single_precision
def _sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + small), small / (1 + small)).astype(np.asarray(x).dtype)


def _complex_sigmoid(x: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-x))).astype(np.asarray(x).dtype)


@_in_single_precision
def _softplus(x: np.ndarray) -> np.ndarray:
    zero = np.asarray(x).dtype.type(0)
    return np.maximum(x, zero) + np.log1p(np.exp(-np.abs(x)))


def _sign(x: np.ndarray) -> np.ndarray:
    if np.asarray(x).dtype.kind == "c":
        magnitude = np.abs(x)
        return np.where(magnitude == 0, 0, x / np.where(magnitude == 0, 1, magnitude)).astype(x.dtype)
    return np.sign(x)


def _magnitude(x: np.ndarray) -> np.ndarray:
    return np.abs(x)


_define("add", 2, NUMBERS, np.add, commutative=True)
_define("sub", 2, NUMBERS, np.subtract)
_define("mul", 2, NUMBERS, np.multiply, commutative=True)
_define("div", 2, ANALYTIC, np.divide, cost=DIVISION)
_define("truncated_div", 2, REAL, _checked_division(_truncated_divide), cost=DIVISION, can_fail=True)
_define("floor_div", 2, REAL, _checked_division(_floor_divide), cost=DIVISION, can_fail=True)
_define("truncated_mod", 2, REAL, _checked_division(np.fmod), cost=DIVISION, can_fail=True)
_define("floor_mod", 2, REAL, _checked_division(np.mod), cost=DIVISION, can_fail=True)
_define("pow", 2, NUMBERS, _power, cost=2 * TRANSCENDENTAL, can_fail=True)
_define("max", 2, REAL, np.maximum, commutative=True)
_define("min", 2, REAL, np.minimum, commutative=True)
_define("atan2", 2, FLOATS, np.arctan2, cost=TRANSCENDENTAL)
_define("and", 2, BOOL | INTEGERS, np.bitwise_and, commutative=True)
_define("or", 2, BOOL | INTEGERS, np.bitwise_or, commutative=True)
_define("xor", 2, BOOL | INTEGERS, np.bitwise_xor, commutative=True)
_define("not", 1, BOOL | INTEGERS, np.invert)
_define("shift_left", 2, INTEGERS, _shift(np.left_shift))
_define("shift_right", 2, INTEGERS, _shift(np.right_shift))

_define("eq", 2, NUMBERS | BOOL, np.equal, "bool", commutative=True)
_define("ne", 2, NUMBERS | BOOL, np.not_equal, "bool", commutative=True)
_define("lt", 2, REAL, np.less, "bool")
_define("le", 2, REAL, np.less_equal, "bool")
_define("gt", 2, REAL, np.greater, "bool")
_define("ge", 2, REAL, np.greater_equal, "bool")
_define("is_nan", 1, FLOATS, np.isnan, "bool")
_define("is_inf", 1, FLOATS, np.isinf, "bool")
_define("is_finite", 1, FLOATS, np.isfinite, "bool")

_define("neg", 1, NUMBERS, np.negative)
_define("abs", 1, SIGNED | FLOATS | COMPLEX, _magnitude, "real")
_define("sign", 1, NUMBERS, _sign)
_define("sqrt", 1, ANALYTIC, np.sqrt, cost=DIVISION)
_define("rsqrt", 1, ANALYTIC, lambda x: (1 / np.sqrt(x)).astype(np.asarray(x).dtype), cost=2 * DIVISION)
_define("floor", 1, FLOATS, np.floor)
_define("ceil", 1, FLOATS, np.ceil)
_define("rint", 1, FLOATS, np.rint)
_define("trunc", 1, FLOATS, np.trunc)

_define("real", 1, COMPLEX, np.real, "real")
_define("imag", 1, COMPLEX, np.imag, "real")
_define("conj", 1, COMPLEX, np.conj)
_define("angle", 1, COMPLEX, np.angle, "real", cost=TRANSCENDENTAL)

for _name, _function in {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}.items():
    _define(_name, 1, ANALYTIC, _function, cost=TRANSCENDENTAL)
_define("erf", 1, FLOATS, _elementwise(math.erf), cost=TRANSCENDENTAL)
_define("erfc", 1, FLOATS, _elementwise(math.erfc), cost=TRANSCENDENTAL)
_define("lgamma", 1, FLOATS, _elementwise(_log_gamma), cost=2 * TRANSCENDENTAL)
_define("digamma", 1, FLOATS, _elementwise(_digamma), cost=2 * TRANSCENDENTAL)
_define("softplus", 1, FLOATS, _softplus, cost=2 * TRANSCENDENTAL)
_define(
    "sigmoid",
    1,
    ANALYTIC,
    lambda x: _complex_sigmoid(x) if np.asarray(x).dtype.kind == "c" else _sigmoid(x),
    cost=TRANSCENDENTAL,
)
