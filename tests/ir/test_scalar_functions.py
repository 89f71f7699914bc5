"""Each scalar function against Python's own arithmetic, element by element, on edge values too."""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.primitive_runs import f32, i32, run

from sessile.ir.primitive import RunFailure
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import FLOATS, NUMPY_DTYPES, SIGNED

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-3, 88.0, -20.0, math.inf, -math.inf, math.nan)
WHOLE = (0, 1, -1, 2, 7, -8, 100)
PRECISION = {"f16": 4e-3, "f32": 2e-6, "f64": 2e-13}


def guarded(function: Callable[..., float]) -> Callable[..., float]:
    """Python raises where IEEE arithmetic gives NaN or infinity; such elements are compared elsewhere."""

    def call(*operands: float) -> float | None:
        try:
            return function(*operands)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    return call


def divided(a: float, b: float) -> float:
    if b == 0 and not math.isnan(a) and a != 0:
        return math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b if b else math.nan


def rounded_even(x: float) -> float:
    return x if not math.isfinite(x) else math.copysign(float(round(x)), x)


def whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: x if not math.isfinite(x) else math.copysign(float(function(x)), x)


FLOAT_UNARY: dict[str, Callable[[float], Any]] = {
    "neg": lambda x: -x,
    "abs": abs,
    "sign": lambda x: x if math.isnan(x) else (x > 0) - (x < 0),
    "sqrt": math.sqrt,
    "rsqrt": lambda x: divided(1.0, math.sqrt(x)),
    "floor": whole(math.floor),
    "ceil": whole(math.ceil),
    "rint": rounded_even,
    "trunc": whole(math.trunc),
    "is_nan": math.isnan,
    "is_inf": math.isinf,
    "is_finite": math.isfinite,
    **{name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan")},
    **{name: getattr(math, name) for name in ("asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(math, name) for name in ("asinh", "acosh", "atanh", "erf", "erfc", "lgamma")},
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
}
FLOAT_BINARY: dict[str, Callable[[float, float], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": divided,
    "truncated_div": lambda a, b: whole(math.trunc)(divided(a, b)),
    "floor_div": lambda a, b: whole(math.floor)(divided(a, b)),
    "truncated_mod": math.fmod,
    "floor_mod": lambda a, b: math.fmod(a, b) + (b if math.fmod(a, b) and (math.fmod(a, b) < 0) != (b < 0) else 0.0),
    "pow": math.pow,
    "max": lambda a, b: math.nan if math.isnan(a) or math.isnan(b) else max(a, b),
    "min": lambda a, b: math.nan if math.isnan(a) or math.isnan(b) else min(a, b),
    "atan2": math.atan2,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
WHOLE_BINARY: dict[str, Callable[[int, int], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "truncated_div": lambda a, b: int(a / b),
    "floor_div": lambda a, b: a // b,
    "truncated_mod": lambda a, b: int(math.fmod(a, b)),
    "floor_mod": lambda a, b: a % b,
    "max": max,
    "min": min,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
TESTED_ALONE = {"not", "shift_left", "shift_right", "real", "imag", "conj", "angle", "digamma"}


def test_every_scalar_function_is_compared() -> None:
    assert set(SCALAR_FUNCTIONS) == {*FLOAT_UNARY, *FLOAT_BINARY, *WHOLE_BINARY, *TESTED_ALONE}


def compare(name: str, dtype: str, rows: list[tuple[float, ...]], function: Callable[..., Any]) -> None:
    held = NUMPY_DTYPES[dtype]
    operands = [np.array(column, held) for column in zip(*rows, strict=True)]
    actual = run("map", *operands, function=name)
    expected = [guarded(function)(*(float(x[k]) for x in operands)) for k in range(len(rows))]
    known = [k for k, value in enumerate(expected) if value is not None]
    with np.errstate(all="ignore"):
        wanted = np.array([expected[k] for k in known]).astype(actual.dtype)
    if actual.dtype == np.bool_:
        np.testing.assert_array_equal(actual[known], wanted)
        return
    tiny = float(np.finfo(held).smallest_normal)
    np.testing.assert_allclose(actual[known], wanted, rtol=PRECISION[dtype], atol=tiny)


@pytest.mark.parametrize("dtype", sorted(FLOATS))
@pytest.mark.parametrize("name", sorted(FLOAT_UNARY))
def test_functions_of_one_floating_number(name: str, dtype: str) -> None:
    compare(name, dtype, [(x,) for x in EDGES], FLOAT_UNARY[name])


@pytest.mark.parametrize("dtype", sorted(FLOATS))
@pytest.mark.parametrize("name", sorted(FLOAT_BINARY))
def test_functions_of_two_floating_numbers(name: str, dtype: str) -> None:
    values = (0.0, 1.0, -1.0, 2.5, -3.0, math.inf, -math.inf, math.nan)
    compare(name, dtype, list(itertools.product(values, values)), FLOAT_BINARY[name])


@pytest.mark.parametrize("dtype", ["i8", "i32", "i64"])
@pytest.mark.parametrize("name", sorted(WHOLE_BINARY))
def test_functions_of_two_whole_numbers(name: str, dtype: str) -> None:
    pairs = [pair for pair in itertools.product(WHOLE, WHOLE) if pair[1] or not name.endswith(("div", "mod"))]
    a, b = (np.array(column, NUMPY_DTYPES[dtype]) for column in zip(*pairs, strict=True))
    exact = np.array([WHOLE_BINARY[name](*pair) for pair in pairs])
    actual = run("map", a, b, function=name)
    np.testing.assert_array_equal(actual, exact.astype(actual.dtype))


def test_signs_of_zero() -> None:
    zeros = f32([0.0, -0.0])
    for name in ("neg", "sqrt", "floor", "ceil", "rint", "trunc", "sin", "tanh", "expm1", "erf"):
        flipped = name == "neg"
        assert list(np.signbit(run("map", zeros, function=name))) == [flipped, not flipped]


@pytest.mark.parametrize("name", ["truncated_div", "floor_div", "truncated_mod", "floor_mod"])
def test_whole_division_by_zero_fails(name: str) -> None:
    with pytest.raises(RunFailure, match="Integer division by zero"):
        run("map", i32([1, 2]), i32([1, 0]), function=name)
    assert run("map", i32([]), i32(0), function=name).shape == (0,)


def test_powers_of_whole_numbers() -> None:
    np.testing.assert_array_equal(run("map", i32([2, -3, 0]), i32([10, 3, 0]), function="pow"), [1024, -27, 1])
    with pytest.raises(RunFailure, match="negative integer powers"):
        run("map", i32([2]), i32([-1]), function="pow")


def test_the_smallest_whole_number_has_no_opposite() -> None:
    smallest = i32([-(2**31)])
    for name in ("neg", "abs"):
        np.testing.assert_array_equal(run("map", smallest, function=name), smallest)
    np.testing.assert_array_equal(run("map", smallest, i32([-1]), function="truncated_div"), smallest)


@pytest.mark.parametrize("dtype", sorted(SIGNED))
def test_bits(dtype: str) -> None:
    x = np.array([0, 1, -1, 5], NUMPY_DTYPES[dtype])
    np.testing.assert_array_equal(run("map", x, function="not"), -x - 1)
    width = x.dtype.itemsize * 8
    counts = np.array([0, -3, width, 2], x.dtype)
    np.testing.assert_array_equal(run("map", x, counts, function="shift_right"), [0, 1, -1, 1])
    np.testing.assert_array_equal(run("map", x, counts, function="shift_left"), [0, 1, np.iinfo(x.dtype).min, 20])


def test_truth_values() -> None:
    p, q = np.array([True, True, False, False]), np.array([True, False, True, False])
    np.testing.assert_array_equal(run("map", p, q, function="and"), [True, False, False, False])
    np.testing.assert_array_equal(run("map", p, q, function="or"), [True, True, True, False])
    np.testing.assert_array_equal(run("map", p, q, function="xor"), [False, True, True, False])
    np.testing.assert_array_equal(run("map", p, function="not"), [False, False, True, True])


COMPLEX_NUMBERS = (0j, 1 + 2j, -0.5 + 0.25j, 3 - 4j, -1 - 1j)


@pytest.mark.parametrize("dtype", ["c64", "c128"])
def test_functions_of_complex_numbers(dtype: str) -> None:
    z = np.array(COMPLEX_NUMBERS, NUMPY_DTYPES[dtype])
    functions: dict[str, Callable[[complex], complex]] = {
        "neg": lambda x: -x,
        "abs": abs,
        "real": lambda x: x.real,
        "imag": lambda x: x.imag,
        "conj": lambda x: x.conjugate(),
        "angle": cmath.phase,
        "exp": cmath.exp,
        "sqrt": cmath.sqrt,
        "tanh": cmath.tanh,
        "sigmoid": lambda x: 1 / (1 + cmath.exp(-x)),
        "sign": lambda x: x / abs(x) if x else 0,
    }
    for name, function in functions.items():
        np.testing.assert_allclose(run("map", z, function=name), [function(x) for x in COMPLEX_NUMBERS], rtol=1e-5)


def test_digamma_of_known_arguments() -> None:
    euler = 0.5772156649015329
    x = np.array([1.0, 2.0, 0.5, -0.5, 10.0, math.inf])
    exact = [-euler, 1 - euler, -euler - 2 * math.log(2), 2 - euler - 2 * math.log(2), 2.2517525890667211, math.inf]
    np.testing.assert_allclose(run("map", x, function="digamma"), exact, rtol=1e-14)
    assert np.isnan(run("map", np.array([0.0, -3.0, math.nan]), function="digamma")).all()


def test_log_gamma_at_its_poles_and_far_out() -> None:
    x = np.array([0.0, -4.0, math.inf, -math.inf, 1e306])
    np.testing.assert_array_equal(run("map", x, function="lgamma"), [math.inf] * 5)


def test_scalars_go_with_any_shape() -> None:
    result = run("map", f32([[1, 2], [3, 4]]), f32(10), function="mul")
    np.testing.assert_array_equal(result, [[10, 20], [30, 40]])
    assert run("map", f32(2), f32(3), function="add") == 5
    assert run("map", f32(np.zeros((0, 3))), f32(1), function="add").shape == (0, 3)
