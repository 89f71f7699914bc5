"""Elementary functions stay within their stated errors, for all kinds of inputs, and their loops are vectorised."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from support.elementary_kernels import (
    apply,
    compiled,
    errors_in_ulp,
    loops,
    random_bits,
    run,
    special_values,
)

from sessile.compiler.cpu.elementary import ERROR_BOUNDS, FUNCTIONS

Reference = Callable[..., np.ndarray]
DTYPES = {"f32": "float32", "f64": "float64"}
# The reference of f64 has 64 bits of precision or more; elsewhere its own error would count.
WIDE = {"f32": np.float64, "f64": np.longdouble}


def sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, x.dtype.type(1)) / (1 + small)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x)))


NUMPY: dict[str, Reference] = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "sigmoid": sigmoid, "softplus": softplus, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip
NUMPY_BINARY: dict[str, Reference] = {"pow": np.power, "atan2": np.arctan2}


def digamma(x: np.ndarray) -> np.ndarray:
    """The asymptotic series from 30 on, the recurrence below, for x > 0."""
    total = np.zeros_like(x)
    for _ in range(30):
        low = x < 30
        total[low] -= 1 / x[low]
        x = np.where(low, x + 1, x)
    y = 1 / (x * x)
    terms = (12, -120, 252, -240, 132)
    series = sum((y ** (k + 1) / x.dtype.type(term) for k, term in enumerate(terms)), np.zeros_like(x))
    return total + np.log(x) - 1 / (2 * x) - series


def log_gamma(x: np.ndarray) -> np.ndarray:
    """Stirling's series from 30 on, the recurrence below, for x > 0; no relative precision at the zeros 1 and 2."""
    product = np.ones_like(x)
    for _ in range(30):
        low = x < 30
        product[low] *= x[low]
        x = np.where(low, x + 1, x)
    y = 1 / (x * x)
    terms = (12, -360, 1260, -1680, 1188)
    series = sum((y**k / x.dtype.type(term) for k, term in enumerate(terms)), np.zeros_like(x)) / x
    half_log_two_pi = np.log(8 * np.arctan(x.dtype.type(1))) / 2
    return (x - 0.5) * np.log(x) - x + half_log_two_pi + series - np.log(product)


def inputs(kind: str) -> np.ndarray:
    """Random bits, ranges where the functions change, neighbourhoods of zero and one, and special values."""
    dtype, generator = DTYPES[kind], np.random.default_rng(1)
    top = 90 if kind == "f32" else 712
    ranges = [generator.uniform(-limit, limit, 12_000) for limit in (1, 3, 12, top)]
    small = generator.uniform(-1, 1, 6_000) * 10.0 ** generator.uniform(-12, 0, 6_000)
    angles = np.arange(1, 6_000) * (math.pi / 2)
    values = np.concatenate([*ranges, small, 1 + small, angles]).astype(dtype)
    return np.concatenate([values, random_bits(dtype, 20_000, generator), special_values(dtype)])


def assert_within_bounds(kind: str, results: dict[str, np.ndarray], references: dict[str, np.ndarray]) -> None:
    largest = {name: float(np.max(errors_in_ulp(results[name], references[name]))) for name in results}
    outside = {name: error for name, error in largest.items() if not error <= ERROR_BOUNDS[f"{name}_{kind}"]}
    assert not outside


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_functions_that_numpy_has(kind: str) -> None:
    x = inputs(kind)
    results = apply([f"{name}_{kind}" for name in NUMPY], [kind], kind, x)
    with np.errstate(all="ignore"):
        wide = x.astype(WIDE[kind])
        references = {name: function(wide) for name, function in NUMPY.items()}
    assert_within_bounds(kind, dict(zip(NUMPY, results, strict=True)), references)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_functions_of_two_numbers(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(2)
    special = special_values(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(special, special))
    normal = generator.normal(size=(2, 30_000))
    near_one = 1 + normal[0] * 1e-3
    x = np.concatenate([x, normal[0], np.exp(10 * normal[0]), near_one, np.rint(20 * normal[0])]).astype(dtype)
    y = np.concatenate([y, normal[1], 5 * normal[1], 1e4 * normal[1], np.rint(9 * normal[1])]).astype(dtype)
    bits = random_bits(dtype, 30_000, generator)
    x, y = np.concatenate([x, bits]), np.concatenate([y, generator.permutation(bits)])
    results = apply([f"{name}_{kind}" for name in NUMPY_BINARY], [kind, kind], kind, x, y)
    with np.errstate(all="ignore"):
        operands = x.astype(WIDE[kind]), y.astype(WIDE[kind])
        references = {name: function(*operands) for name, function in NUMPY_BINARY.items()}
    assert_within_bounds(kind, dict(zip(NUMPY_BINARY, results, strict=True)), references)


def elementwise(function: Callable[[float], float], x: np.ndarray) -> np.ndarray:
    return np.array([function(value) for value in x.tolist()])


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_error_function(kind: str) -> None:
    x = inputs(kind)[::3]
    erf, erfc = apply([f"erf_{kind}", f"erfc_{kind}"], [kind], kind, x)
    slack = 0.0 if kind == "f32" else 1.0  # the errors of Python's functions
    assert errors_in_ulp(erf, elementwise(math.erf, x)).max() <= ERROR_BOUNDS[f"erf_{kind}"] + slack
    assert errors_in_ulp(erfc, elementwise(math.erfc, x)).max() <= ERROR_BOUNDS[f"erfc_{kind}"] + slack


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_lgamma(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(5)
    positive = [generator.uniform(0, 20, 8000), np.exp(generator.uniform(-80, 80, 4000))]
    x = np.concatenate(positive).astype(dtype)
    x = x[(np.abs(x - 1) > 0.25) & (np.abs(x - 2) > 0.25)]
    (result,) = apply([f"lgamma_{kind}"], [kind], kind, x)
    slack = 0.5  # of the reference between its zeros
    assert errors_in_ulp(result, log_gamma(x.astype(np.longdouble))).max() <= ERROR_BOUNDS[f"lgamma_{kind}"] + slack
    x = np.concatenate([generator.uniform(-60, 0, 4000), -np.exp(generator.uniform(-80, 3, 2000))]).astype(dtype)
    (result,) = apply([f"lgamma_{kind}"], [kind], kind, x)
    wide = x.astype(np.longdouble)
    pi = 4 * np.arctan(wide.dtype.type(1))
    expected = np.log(np.abs(pi / (wide * np.sin(pi * (wide - np.rint(wide)))))) - log_gamma(-wide)
    assert np.all(np.abs(result - expected) <= 5 * np.finfo(dtype).eps * np.maximum(1, np.abs(expected)))
    edges = np.array([0.0, -0.0, -1, -2, -1e30, np.inf, -np.inf, np.finfo(dtype).max, 1, 2, np.nan], dtype)
    (result,) = apply([f"lgamma_{kind}"], [kind], kind, edges)
    assert np.array_equal(result, np.array([np.inf] * 8 + [0, 0, np.nan], dtype), equal_nan=True)


def test_lgamma_keeps_precision_at_its_zeros() -> None:
    step = np.array([-1e-3, -1e-9, 1e-9, 1e-3, 2**-20])
    (near_one, near_two) = (apply(["lgamma_f64"], ["f64"], "f64", zero + step)[0] for zero in (1.0, 2.0))
    zeta = [math.pi**2 / 6, 1.2020569031595942854, math.pi**4 / 90, 1.0369277551433699263]

    def series(z: np.ndarray) -> np.ndarray:  # lgamma(1 + z), Abramowitz and Stegun 6.1.33
        terms = [value * (-z) ** n / n for n, value in enumerate(zeta, 2)]
        return sum(terms, -0.57721566490153286061 * z)

    z = (1 + step) - 1
    assert np.allclose(near_one, series(z), rtol=1e-15, atol=0)
    z = (2 + step) - 2
    assert np.allclose(near_two, series(z) + np.log1p(z), rtol=3e-15, atol=0)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_digamma(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(3)
    positive = [generator.uniform(0, 3, 4000), generator.uniform(0, 40, 4000), np.exp(generator.uniform(-80, 80, 2000))]
    x = np.concatenate(positive).astype(dtype)
    away = np.abs(x - 1.4616321) > 1e-3  # the reference has no relative precision at the zero
    (result,) = apply([f"digamma_{kind}"], [kind], kind, x)
    reference = digamma(x.astype(np.longdouble))
    assert errors_in_ulp(result, reference)[away].max() <= ERROR_BOUNDS[f"digamma_{kind}"]
    assert np.abs(result - reference)[~away].max() <= np.finfo(dtype).eps
    edges = np.array([0.0, -0.0, -1, -2, -1e30, -np.inf, np.nan, np.inf, -0.5, -3.5], dtype)
    (result,) = apply([f"digamma_{kind}"], [kind], kind, edges)
    assert np.isnan(result[:7]).all() and result[7] == np.inf
    assert np.allclose(result[8:], [0.03648997397857652, 1.3888709263595289], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_inverse_error_function_and_quantile(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(4)
    y = np.concatenate([generator.uniform(-5.5, 5.5, 2000), 10.0 ** generator.uniform(-20, 0, 500)])
    tail = elementwise(lambda value: math.erfc(abs(value)), y)
    x = np.where(np.abs(y) < 0.5, elementwise(math.erf, y), np.copysign(1 - tail, y)).astype(dtype)
    (result,) = apply([f"erfinv_{kind}"], [kind], kind, x)
    # One Newton step from the result tells its error; math.erf and math.erfc have errors of their own.
    exact, found = x.astype(np.float64), result.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = 2 / math.sqrt(math.pi) * np.exp(-found * found)
        near = (elementwise(math.erf, found) - exact) / slope
        far = np.copysign((1 - np.abs(exact)) - elementwise(lambda v: math.erfc(abs(v)), found), found) / slope
        errors = np.abs(np.where(np.abs(found) < 0.5, near, far)) / np.spacing(np.abs(result)).astype(np.float64)
    assert errors[np.isfinite(result)].max() <= ERROR_BOUNDS[f"erfinv_{kind}"] + (0.0 if kind == "f32" else 2.0)
    assert np.array_equal(np.isinf(result), np.abs(x) == 1)
    p = (0.5 * elementwise(lambda value: math.erfc(-value / math.sqrt(2)), y[:2000])).astype(dtype)
    (quantile,) = apply([f"ndtri_{kind}"], [kind], kind, p)
    back = 0.5 * elementwise(lambda value: math.erfc(-value / math.sqrt(2)), quantile)
    assert np.allclose(back, p, rtol=60 * np.finfo(dtype).eps, atol=0)
    edges = np.array([0, 1, 0.5, -0.1, 1.1, np.nan], dtype)
    results = apply([f"ndtri_{kind}", f"erfinv_{kind}"], [kind], kind, edges)
    assert np.array_equal(results[0], np.array([-np.inf, np.inf, 0, np.nan, np.nan, np.nan], dtype), equal_nan=True)
    assert results[1][0] == 0 and results[1][1] == np.inf and np.isnan(results[1][4:]).all()


def test_large_angles() -> None:
    # From 200-digit arithmetic; the last is the double nearest to a multiple of pi/2.
    x = np.array([1e22, 1e300, 2.0**1023, 6381956970095103 * 2.0**797])
    sine, cosine = apply(["sin_f64", "cos_f64"], ["f64"], "f64", x)
    expected_sine = [-0.8522008497671888, -0.8178819121159085, 0.563127779850884, 1.0]
    expected_cosine = [0.523214785395139, -0.5753861119575491, -0.826369834614148, -4.687165924254628e-19]
    assert np.allclose(sine, expected_sine, rtol=2**-52, atol=0)
    assert np.allclose(cosine, expected_cosine, rtol=2**-52, atol=0)


def test_exact_powers_have_exact_logarithms() -> None:
    tens, twos = 10.0 ** np.arange(23), 2.0 ** np.arange(-1074, 1024)
    assert np.array_equal(apply(["log10_f64"], ["f64"], "f64", tens)[0], np.arange(23))
    assert np.array_equal(apply(["log10_f32"], ["f32"], "f32", tens[:11].astype("f4"))[0], np.arange(11))
    assert np.array_equal(apply(["log2_f64"], ["f64"], "f64", twos)[0], np.arange(-1074, 1024))
    assert np.array_equal(apply(["exp2_f64"], ["f64"], "f64", np.arange(-1074.0, 1024))[0], twos)


def test_every_bounded_function_is_tested() -> None:
    others = {"erf", "erfc", "lgamma", "digamma", "erfinv", "ndtri"}
    tested = {*NUMPY, *NUMPY_BINARY, *others}
    assert {name.rsplit("_", 1)[0] for name in ERROR_BOUNDS} == tested
    assert set(ERROR_BOUNDS) <= set(FUNCTIONS)


@pytest.mark.parametrize(("kind", "element"), [("f32", "float"), ("f64", "double")])
def test_loops_are_vectorised(kind: str, element: str) -> None:
    for name, arity in [*((name, 1) for name in ("exp", "log", "tanh", "sigmoid", "erf", "sin", "lgamma")), ("pow", 2)]:
        kernel = compiled(loops([f"{name}_{kind}"], arity), [f"*{kind}"] * (arity + 1) + ["i64"])
        assert re.search(rf"fmul <\d+ x ({element}|double)>", kernel.llvm_ir), name


def test_sums_and_extrema_are_reduced_in_vectors() -> None:
    code = """
def kernel(a0, out0, n0, part, parts):
    total, product, low, high = f32(0), f32(1), f32(inf), f32(-inf)
    for i in range(n0):
        total = add_reassoc_f32(total, a0[i])
    for i in range(n0):
        product = mul_reassoc_f32(product, a0[i])
    for i in range(n0):
        low = minimum_reduce_f32(low, a0[i])
    for i in range(n0):
        high = maximum_reduce_f32(high, a0[i])
    out0[0], out0[1], out0[2], out0[3] = total, product, low, high
"""
    kernel = compiled(code, ["*f32", "*f32", "i64"])
    assert re.search(r"fadd reassoc <\d+ x float>", kernel.llvm_ir)
    assert re.search(r"fmul reassoc <\d+ x float>", kernel.llvm_ir)
    assert re.search(r"vector\.reduce\.fminimum", kernel.llvm_ir)
    assert re.search(r"vector\.reduce\.fmaximum", kernel.llvm_ir)
    x = np.where(np.arange(101) % 7 == 0, 2, np.float32(-1.0)).astype("f4")
    out = np.empty(4, "f4")
    run(kernel, x, out, x.size)
    assert out.tolist() == [x.sum(), x.prod(), -1, 2]
    x[77] = np.nan
    run(kernel, x, out, x.size)
    assert np.isnan(out).all()
