"""Compiled reductions, scans, windows, products and convolutions against the reference interpreter.

Whole numbers, extrema and truth values are exact, and so are sums of numbers that leave nothing to round; other sums
stay within an error that their rounding explains.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.differential import (
    DTYPES,
    SymbolicProgram,
    array,
    grid,
    named,
    one_primitive,
    seeds,
    shapes,
    within_error,
)
from support.program_cases import assert_same_array

from sessile.ir.primitives.reduction import REDUCTIONS
from sessile.ir.types import COMPLEX, FLOATS, NUMPY_DTYPES

SETTINGS = settings(max_examples=20)
AXES = ("a", "b", "c")
ALL_AXES = [axes for count in range(4) for axes in itertools.combinations(range(3), count)]
threads = st.sampled_from((1, 2))


def is_reduced(function: str, dtype: str) -> bool:
    """Whether a reduction has a meaning for an element type."""
    if function in ("and", "or"):
        return dtype == "bool"
    return dtype != "bool" and (function in ("add", "mul") or dtype not in COMPLEX)


def assert_same_but_zeros(expected: np.ndarray, actual: np.ndarray) -> None:
    assert_same_array(expected + expected.dtype.type(0), actual + actual.dtype.type(0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", sorted(REDUCTIONS))
@settings(max_examples=6)
@given(shape=shapes(2), seed=seeds)
def test_reductions_of_each_element_type(function: str, dtype: str, shape: tuple[int, int], seed: int) -> None:
    if not is_reduced(function, dtype):
        return
    inexact = dtype in FLOATS | COMPLEX and function in ("add", "mul")
    x = grid(dtype, shape, seed) if inexact else array(dtype, shape, seed)
    if function == "mul" and inexact:
        x = np.sign(x.real).astype(x.dtype)
    for axes in ((1,), (0,)):
        differential = one_primitive("reduce", [(dtype, "ab")], {"function": function, "axes": axes})
        differential.check(named(x), assert_same_but_zeros if x.dtype.kind == "f" else assert_same_array)


@pytest.mark.parametrize("axes", ALL_AXES)
@pytest.mark.parametrize("function", ["add", "max"])
@SETTINGS
@given(shape=shapes(3), seed=seeds, count=threads)
def test_reductions_along_any_axes(
    function: str, axes: tuple[int, ...], shape: tuple[int, ...], seed: int, count: int
) -> None:
    differential = one_primitive("reduce", [("f32", AXES)], {"function": function, "axes": axes})
    differential.check(named(grid("f32", shape, seed)), assert_same_but_zeros, count)


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64", "i32"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@settings(max_examples=6)
@given(seed=seeds, shape=st.sampled_from(((3, 9000), (9000, 3), (300, 1000), (1, 70_001), (20_000, 16))), count=threads)
def test_long_sums(dtype: str, axes: tuple[int, ...], seed: int, shape: tuple[int, int], count: int) -> None:
    x = array(dtype, shape, seed, special=False)
    if dtype == "i32":
        compare = assert_same_array
    else:
        eps = np.finfo("f4" if dtype == "f16" else NUMPY_DTYPES[dtype]).eps
        magnitude = np.abs(x).sum(axes, np.float64)
        rounding = np.finfo(np.float16).eps * magnitude if dtype == "f16" else 0.0
        compare = within_error(512 * eps * magnitude + rounding)  # a block of 4096 in partial sums, and NumPy's own
    one_primitive("reduce", [(dtype, "ab")], {"function": "add", "axes": axes}).check(named(x), compare, count)


@pytest.mark.parametrize("function", ["add", "max", "min"])
def test_reductions_keep_what_is_not_a_number(function: str) -> None:
    x = np.ones((4, 5000), np.float32)
    x[0, 4999], x[1, 0], x[2, 17] = np.nan, np.inf, -np.inf
    differential = one_primitive("reduce", [("f32", "ab")], {"function": function, "axes": (1,)})
    differential.check(named(x))


@pytest.mark.parametrize("dtype", ["f32", "f64", "i8", "u16", "i32", "i64", "f16"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@SETTINGS
@given(shape=st.tuples(*[st.sampled_from((1, 2, 3, 17))] * 3), seed=seeds, function=st.sampled_from(("max", "min")))
def test_places_of_extrema(dtype: str, axis: int, shape: tuple[int, ...], seed: int, function: str) -> None:
    attributes = {"function": function, "axis": axis, "dtype": "i64"}
    one_primitive("arg_reduce", [(dtype, AXES)], attributes, allow_host=dtype == "f16").check(
        named(array(dtype, shape, seed))
    )


@pytest.mark.parametrize("dtype", ["f32", "f64", "i16", "u32", "f16"])
@pytest.mark.parametrize(("exclusive", "reverse"), [(False, False), (True, False), (False, True), (True, True)])
@SETTINGS
@given(shape=shapes(2), seed=seeds, function=st.sampled_from(("add", "mul")), axis=st.sampled_from((0, 1)))
def test_scans(
    dtype: str, exclusive: bool, reverse: bool, shape: tuple[int, int], seed: int, function: str, axis: int
) -> None:
    attributes = {"function": function, "axis": axis, "exclusive": exclusive, "reverse": reverse}
    differential = one_primitive("scan", [(dtype, "ab")], attributes, allow_host=dtype == "f16")
    differential.check(named(array(dtype, shape, seed)))


@pytest.mark.parametrize("function", ["add", "mul"])
@SETTINGS
@given(shape=shapes(2), seed=seeds)
def test_scans_of_complex_numbers(function: str, shape: tuple[int, int], seed: int) -> None:
    x = np.array([1, -1, 1j, -1j], np.complex64)[np.random.default_rng(seed).integers(0, 4, shape)]
    attributes = {"function": function, "axis": 0, "exclusive": False, "reverse": True}
    one_primitive("scan", [("c64", "ab")], attributes).check(named(x))


# --- windows


WINDOWS = [
    ((1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (0, 1), (1, 0), (0, 0))),
    ((1, 3, 2, 1), (1, 1, 3, 1), ((0, 0), (1, 1), (0, 0), (0, 0))),
    ((1, 1, 3, 3), (1, 1, 2, 1), ((0, 0), (0, 0), (1, 1), (2, 0))),
    ((2, 1, 1, 1), (1, 1, 1, 1), ((0, 0), (0, 0), (0, 0), (0, 0))),
]


@pytest.mark.parametrize("dtype", ["f32", "u8", "f16"])
@pytest.mark.parametrize(("window", "strides", "padding"), WINDOWS)
@settings(max_examples=8)
@given(shape=st.tuples(*[st.integers(2, 6)] * 4), seed=seeds, function=st.sampled_from(("max", "min", "add")))
def test_windows(dtype: str, window: Any, strides: Any, padding: Any, shape: Any, seed: int, function: str) -> None:
    attributes = {"function": function, "window": window, "strides": strides, "padding": padding}
    x = grid(dtype, shape, seed) if function == "add" else array(dtype, shape, seed)
    differential = one_primitive("window_reduce", [(dtype, "abcd")], attributes, allow_host=dtype == "f16")
    differential.check(named(x), assert_same_but_zeros if dtype in FLOATS else assert_same_array)


@pytest.mark.parametrize(("window", "strides", "padding"), WINDOWS)
@settings(max_examples=8)
@given(shape=st.tuples(*[st.integers(2, 6)] * 4), seed=seeds, count=threads)
def test_gradients_of_maxima(window: Any, strides: Any, padding: Any, shape: Any, seed: int, count: int) -> None:
    program = SymbolicProgram()
    x = program.parameter("x", "f32", shape)
    attributes = {"window": window, "strides": strides, "padding": padding}
    (largest,) = program.apply("window_reduce", x, function="max", **attributes)
    (ones,) = program.apply("map", largest, largest, function="sub")
    (weights,) = program.apply("map", ones, program.builder.constant(np.float32(1)), function="add")
    results = program.apply("select_and_scatter", x, weights, **attributes)
    program.compile(results).check({"x": grid("f32", shape, seed)}, threads=count)


# --- products


PRODUCTS = [
    ("ab", "bc", ((1,), (0,)), ((), ())),
    ("ba", "bc", ((0,), (0,)), ((), ())),
    ("ab", "cb", ((1,), (1,)), ((), ())),
    ("dab", "dbc", ((2,), (1,)), ((0,), (0,))),
    ("a", "ac", ((0,), (0,)), ((), ())),
    ("ab", "b", ((1,), (0,)), ((), ())),
    ("a", "c", ((), ()), ((), ())),
    ("a", "a", ((0,), (0,)), ((), ())),
]


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != "bool"])
@settings(max_examples=10)
@given(
    product=st.sampled_from(PRODUCTS),
    bound=st.fixed_dictionaries({name: st.sampled_from((0, 1, 2, 5, 17, 40)) for name in "abcd"}),
    seed=seeds,
    count=threads,
)
def test_products(dtype: str, product: Any, bound: dict[str, int], seed: int, count: int) -> None:
    left, right, contracting, batch = product
    operands = [grid(dtype, tuple(bound[name] for name in names), seed + k) for k, names in enumerate((left, right))]
    differential = one_primitive(
        "contract", [(dtype, left), (dtype, right)], {"contracting": contracting, "batch": batch}
    )
    differential.check(
        named(*operands), assert_same_but_zeros if dtype in FLOATS | COMPLEX else assert_same_array, count
    )


CONVOLUTIONS = [
    {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "input_dilation": (1, 1), "filter_dilation": (1, 1)},
    {"strides": (2, 1), "padding": ((1, 1), (0, 2)), "input_dilation": (1, 1), "filter_dilation": (1, 2)},
    {"strides": (1, 1), "padding": ((2, 1), (1, -1)), "input_dilation": (2, 1), "filter_dilation": (1, 1)},
]
CHANNELS_LAST = ((0, 3, 1, 2), (2, 3, 0, 1), (0, 3, 1, 2))


@pytest.mark.parametrize("dtype", ["f16", "f32", "i32"])
@pytest.mark.parametrize("attributes", CONVOLUTIONS)
@settings(max_examples=6)
@given(shape=st.tuples(st.integers(0, 3), st.integers(4, 9), st.integers(4, 9)), seed=seeds, reverse=st.booleans())
def test_convolutions(dtype: str, attributes: Any, shape: tuple[int, int, int], seed: int, reverse: bool) -> None:
    whole = {"layout": CHANNELS_LAST, "reverse": reverse, "groups": 1, **attributes}
    differential = one_primitive("convolve", [(dtype, ["a", "b", "c", 3]), (dtype, [3, 2, 3, 4])], whole)
    x, w = grid(dtype, (*shape, 3), seed), grid(dtype, (3, 2, 3, 4), seed + 1)
    differential.check(named(x, w), assert_same_but_zeros if dtype in FLOATS else assert_same_array)
