"""Exact functions of kernels: divisions, remainders, powers of integers, conversions, comparisons, rounding."""

from __future__ import annotations

import re

import numpy as np
import pytest
from support.elementary_kernels import apply, compiled, loops, random_bits, special_values

SIGNED, UNSIGNED = ("i8", "i16", "i32", "i64"), ("u8", "u16", "u32", "u64")
DTYPES = {"f32": "float32", "f64": "float64"}


def numpy_name(kind: str) -> str:
    return ("int" if kind[0] == "i" else "uint") + kind[1:]


def integer_pairs(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of small and extreme integers, and random ones of all magnitudes."""
    dtype, generator = np.dtype(numpy_name(kind)), np.random.default_rng(1)
    limits = np.iinfo(dtype)
    edges = np.array([*range(12), limits.max, limits.max - 1, limits.min, limits.min + 1], dtype)
    edges = np.concatenate([edges, -edges]) if dtype.kind == "i" else edges
    x, y = (grid.ravel() for grid in np.meshgrid(edges, edges))
    bits = generator.integers(limits.min, limits.max, (2, 5000), dtype, endpoint=True)
    shifts = generator.integers(0, limits.bits, (2, 5000)).astype(dtype)
    random = bits >> shifts
    return np.concatenate([x, random[0]]), np.concatenate([y, random[1]])


@pytest.mark.parametrize("kind", [*SIGNED, *UNSIGNED])
def test_integer_division(kind: str) -> None:
    x, y = integer_pairs(kind)
    calls = [f"{name}_{kind}" for name in ("floor_div", "floor_mod", "truncated_div", "truncated_mod")]
    floor_div, floor_mod, truncated_div, truncated_mod = apply(calls, [kind, kind], kind, x, y)
    with np.errstate(all="ignore"):
        quotient, remainder = np.floor_divide(x, y), np.fmod(x, y)  # NumPy gives 0 for y = 0, and wraps around
        assert np.array_equal(floor_div, quotient)
        assert np.array_equal(floor_mod, np.mod(x, y))
        assert np.array_equal(truncated_mod, remainder)
        inexact = (remainder != 0) & ((x < 0) != (y < 0))
    assert np.array_equal(truncated_div, quotient + inexact.astype(quotient.dtype))


def test_division_of_narrow_integers_is_vectorised() -> None:
    for kind, element in (("i8", "float"), ("u16", "float"), ("i32", "double"), ("u32", "double")):
        kernel = compiled(loops([f"floor_div_{kind}"], 2), [f"*{kind}"] * 3 + ["i64"])
        assert re.search(rf"fdiv <\d+ x {element}>", kernel.llvm_ir), kind


@pytest.mark.parametrize("kind", [*SIGNED, *UNSIGNED])
def test_integer_power(kind: str) -> None:
    x, y = integer_pairs(kind)
    (power,) = apply([f"pow_{kind}"], [kind, kind], kind, x, y)
    natural = y >= 0
    with np.errstate(all="ignore"):
        assert np.array_equal(power[natural], np.power(x[natural], y[natural]))
    x, y = x[~natural], y[~natural]
    odd = np.where(y % 2 == 0, 1, x) if y.size else x
    assert np.array_equal(power[~natural], np.where(np.abs(x.astype(object)) == 1, odd, 0))


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_remainders_of_floats(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(2)
    special = special_values(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(special, special))
    bits = random_bits(dtype, 20_000, generator)
    x, y = np.concatenate([x, bits]), np.concatenate([y, generator.permutation(bits)])
    truncated, floored = apply([f"truncated_mod_{kind}", f"floor_mod_{kind}"], [kind, kind], kind, x, y)
    with np.errstate(all="ignore"):
        for result, expected in ((truncated, np.fmod(x, y)), (floored, np.mod(x, y))):
            assert np.array_equal(result, expected, equal_nan=True)
            number = ~np.isnan(expected)
            assert np.array_equal(np.signbit(result[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("target", [*SIGNED, *UNSIGNED])
def test_float_to_integer(kind: str, target: str) -> None:
    width = int(target[1:])
    edges = [
        float(2**k + d) for k in (7, 8, 15, 16, 31, 32, 63) if k < width or width == 64 for d in (-1, -0.5, 0, 0.5, 1)
    ]
    inside = np.array([0, 0.5, 0.9, 1.5, 44.7, *edges])
    limits = np.iinfo(numpy_name(target))
    inside = np.concatenate([inside, -inside]).astype(DTYPES[kind])
    inside = inside[(np.trunc(inside) >= limits.min) & (np.trunc(inside) < float(limits.max) + (width < 60))]
    (result,) = apply([f"{target}_from_{kind}"], [kind], target, inside)
    assert result.tolist() == [int(value) for value in inside.tolist()]
    outside = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], DTYPES[kind])
    (result,) = apply([f"{target}_from_{kind}"], [kind], target, outside)
    lowest, upper = 1 << (width - 1), 1 << (width - 1)
    if width < 32:
        assert result.tolist() == [0] * 5
    elif target in SIGNED:
        assert result.tolist() == [-lowest] * 5
    else:
        assert result.tolist() == [upper, 0, upper, 0, upper]


def test_bits_as_another_type() -> None:
    x = np.array([0x7F800001, 0x80000000, 0x3F800000], np.uint32)
    (floats,) = apply(["f32_from_bits_of_u32"], ["u32"], "f32", x)
    assert np.array_equal(floats.view(np.uint32), x)
    (integers,) = apply(["i64_from_bits_of_f64"], ["f64"], "i64", np.array([-0.0, 1.0]))
    assert integers.tolist() == [-(2**63), 0x3FF0000000000000]


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_extrema_and_neighbours(kind: str) -> None:
    special = special_values(DTYPES[kind])
    x, y = (grid.ravel() for grid in np.meshgrid(special, special))
    names = ("maximum", "minimum", "copysign", "nextafter")
    results = apply([f"{name}_{kind}" for name in names], [kind, kind], kind, x, y)
    with np.errstate(all="ignore"):
        for name, result in zip(names, results, strict=True):
            expected = getattr(np, name)(x, y)
            assert np.array_equal(result, expected, equal_nan=True), name
            number = ~np.isnan(expected) & (expected != 0) if name in ("maximum", "minimum") else ~np.isnan(expected)
            assert np.array_equal(np.signbit(result[number]), np.signbit(expected[number])), name


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_rounding_sign_and_classification(kind: str) -> None:
    dtype, generator = DTYPES[kind], np.random.default_rng(3)
    halves = np.arange(-9, 10) / 2
    x = np.concatenate([special_values(dtype), halves.astype(dtype), random_bits(dtype, 5000, generator)])
    names = ("floor", "ceil", "rint", "trunc", "sign")
    for name, result in zip(names, apply([f"{n}_{kind}" for n in names], [kind], kind, x), strict=True):
        with np.errstate(invalid="ignore"):
            expected = getattr(np, name)(x)
        assert np.array_equal(result, expected, equal_nan=True), name
        number = ~np.isnan(expected)
        assert np.array_equal(np.signbit(result[number]), np.signbit(expected[number])), name
    names = ("is_nan", "is_inf", "is_finite")
    for name, result in zip(names, apply([f"{n}_{kind}" for n in names], [kind], "bool", x), strict=True):
        assert np.array_equal(result, getattr(np, name.replace("_", ""))(x)), name


def test_half_precision_loops_are_vectorised_and_freestanding() -> None:
    code = """
def kernel(a0, out0, n0, part, parts):
    for i in range(n0):
        out0[i] = f16_from_f32(exp_f32(f32_from_f16(a0[i])))
"""
    kernel = compiled(code, ["*f16", "*f16", "i64"])  # compile_kernel refuses objects with undefined symbols
    assert re.search(r"fpext <\d+ x half>", kernel.llvm_ir)
