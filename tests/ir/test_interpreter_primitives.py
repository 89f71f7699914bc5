"""The meaning of each primitive against a plain NumPy formulation: empty tensors, scalars, NaN, infinities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.primitive_runs import f32, i32, run, run_all

from sessile.ir.primitive import PRIMITIVES, ProgramError, RunFailure
from sessile.ir.types import TensorType

NAN, INF = math.nan, math.inf
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
EMPTY = np.zeros((2, 0, 3), np.float32)

HERE = {
    *("constant", "sizes", "iota", "select", "convert", "make_complex", "bitcast"),
    *("broadcast", "reshape", "transpose", "slice", "pad", "concat", "reverse"),
    *("reduce", "arg_reduce", "scan", "sort"),
    *("gather", "gather_nd", "scatter", "dynamic_slice", "dynamic_update", "nonzero"),
}
# The primitives that other test files run.
ELSEWHERE = {
    "map",
    "contract",
    "convolve",
    "window_reduce",
    "select_and_scatter",
    "fused",
    "cond",
    "while",
    "call_host",
    "check",
    "parameter",
    "bind_sizes",
    "read_variable",
    "write_variable",
    "variable_is_initialized",
    "random",
    "stateless_random",
    "initialized_value",
}


def same(actual: np.ndarray, expected: Any) -> None:
    np.testing.assert_array_equal(actual, expected)


# --- sources


def test_constant_and_sizes() -> None:
    same(run("constant", value=f32([1, 2])), [1, 2])
    same(run("sizes", values=(3, 4), dtype="i64", scalar=False), [3, 4])
    same(run("sizes", values=(), dtype="i32", scalar=False), [])
    assert run("sizes", values=(5,), dtype="i32", scalar=True) == 5


def test_iota_counts_along_one_axis() -> None:
    same(run("iota", shape=(2, 3), axis=1, dtype="f32"), [[0, 1, 2], [0, 1, 2]])
    same(run("iota", shape=(2, 3), axis=0, dtype="i8"), [[0, 0, 0], [1, 1, 1]])
    assert run("iota", shape=(0, 3), axis=0, dtype="i32").shape == (0, 3)


# --- element by element


def test_select_takes_elements_and_scalars() -> None:
    same(run("select", np.array([True, False, True]), f32([1, NAN, 3]), f32([NAN, 5, 6])), [1, 5, 3])
    same(run("select", np.array(False), f32([1, 2]), f32(-0.0)), [0, 0])
    same(run("select", np.array([True, False]), f32(1), f32(2)), [1, 2])


@pytest.mark.parametrize(
    ("values", "source", "target", "expected"),
    [
        ([1.9, -1.9, -0.0], np.float32, "i32", [1, -1, 0]),
        ([300, -1, 127], np.int32, "i8", [44, -1, 127]),
        ([300, -1], np.int32, "u8", [44, 255]),
        ([0.0, -0.0, NAN, 0.5], np.float64, "bool", [False, False, True, True]),
        ([True, False], np.bool_, "f32", [1.0, 0.0]),
        ([1 + 2j, NAN + 0j], np.complex64, "f32", [1.0, NAN]),
        ([2j, 0], np.complex64, "bool", [True, False]),
        ([1e6, -INF, 65504], np.float32, "f16", [INF, -INF, 65504]),
        ([16777217], np.int32, "f32", [16777216.0]),
        ([2.5], np.float32, "c128", [2.5 + 0j]),
    ],
)
def test_convert(values: list[Any], source: type, target: str, expected: list[Any]) -> None:
    same(run("convert", np.array(values, source), dtype=target), expected)


def test_complex_numbers_are_made_of_parts() -> None:
    made = run("make_complex", f32([1, INF]), f32([-0.0, NAN]))
    same(made.real, [1, INF])
    same(made.imag, [0, NAN])
    assert np.signbit(made.imag[0])
    same(run("make_complex", np.array([1.0, 2.0]), np.array(3.0)), [1 + 3j, 2 + 3j])


def test_bitcast_keeps_bits() -> None:
    same(run("bitcast", f32([1, -0.0]), dtype="i32"), [0x3F800000, -(2**31)])
    same(run("bitcast", i32(0x7F800000), dtype="f32"), INF)
    with pytest.raises(ProgramError, match="widths"):
        run("bitcast", f32([1]), dtype="i64")


# --- movement


def test_broadcast_repeats_along_new_axes_and_axes_of_one() -> None:
    same(run("broadcast", f32([1, 2]), shape=(3, 2), axes=(1,)), [[1, 2]] * 3)
    same(run("broadcast", f32([1, 2]), shape=(2, 3), axes=(0,)), [[1, 1, 1], [2, 2, 2]])
    same(run("broadcast", f32([[5]]), shape=(2, 3), axes=(0, 1)), [[5] * 3] * 2)
    same(run("broadcast", f32(7), shape=(0, 2), axes=()), np.zeros((0, 2)))
    with pytest.raises(ProgramError, match="does not broadcast"):
        run("broadcast", f32([1, 2]), shape=(3,), axes=(0,))


def test_reshape_keeps_the_order_of_elements() -> None:
    same(run("reshape", CUBE, shape=(4, 6)), np.arange(24).reshape(4, 6))
    same(run("reshape", f32([[7]]), shape=()), 7)
    assert run("reshape", EMPTY, shape=(0, 5)).shape == (0, 5)
    with pytest.raises(ProgramError, match="does not have the elements"):
        run("reshape", CUBE, shape=(5, 5))


def test_transpose_permutes_axes() -> None:
    moved = run("transpose", CUBE, permutation=(2, 0, 1))
    for i, j, k in np.ndindex(2, 3, 4):
        assert moved[k, i, j] == CUBE[i, j, k]
    assert run("transpose", EMPTY, permutation=(2, 1, 0)).shape == (3, 0, 2)


def test_slice_takes_every_so_many_elements() -> None:
    same(run("slice", CUBE, starts=(1, 0, 1), shape=(1, 2, 2), strides=(1, 2, 2)), CUBE[1:2, 0:3:2, 1:4:2])
    assert run("slice", CUBE, starts=(2, 0, 0), shape=(0, 3, 4), strides=(1, 1, 1)).shape == (0, 3, 4)
    assert run("slice", f32(3), starts=(), shape=(), strides=()) == 3
    with pytest.raises(ProgramError, match="slice leaves"):
        run("slice", CUBE, starts=(1, 0, 0), shape=(2, 3, 4), strides=(1, 1, 1))


def test_pad_surrounds_spreads_and_cuts() -> None:
    x = f32([1, 2, 3])
    same(run("pad", x, f32(9), low=(1,), high=(2,), interior=(0,)), [9, 1, 2, 3, 9, 9])
    same(run("pad", x, f32(9), low=(0,), high=(0,), interior=(1,)), [1, 9, 2, 9, 3])
    same(run("pad", x, f32(9), low=(-1,), high=(1,), interior=(1,)), [9, 2, 9, 3, 9])
    same(run("pad", x, f32(9), low=(-2,), high=(-1,), interior=(0,)), [])
    same(run("pad", f32([]), f32(9), low=(1,), high=(1,), interior=(2,)), [9, 9])
    same(run("pad", f32(1), f32(9), low=(), high=(), interior=()), 1)
    with pytest.raises(ProgramError, match="padding cuts"):
        run("pad", x, f32(9), low=(-4,), high=(0,), interior=(0,))


def test_concat_joins_along_an_axis() -> None:
    same(run("concat", CUBE, CUBE[:, :1], axis=1), np.concatenate([CUBE, CUBE[:, :1]], 1))
    same(run("concat", f32([]), f32([1]), f32([]), axis=0), [1])
    with pytest.raises(ProgramError, match="shapes differ"):
        run("concat", CUBE, CUBE[:1], axis=1)


def test_reverse_turns_axes_over() -> None:
    same(run("reverse", CUBE, axes=(0, 2)), CUBE[::-1, :, ::-1])
    same(run("reverse", EMPTY, axes=(1,)), EMPTY)


# --- reduction


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("add", [1, NAN, 2], NAN),
        ("add", [INF, 1, -INF], NAN),
        ("add", [-0.0, -0.0], 0.0),
        ("add", [], 0.0),
        ("mul", [2, 3, -0.0], -0.0),
        ("mul", [], 1.0),
        ("max", [1, NAN, 2], NAN),
        ("max", [-INF, -3], -3.0),
        ("max", [], -INF),
        ("min", [1, NAN, 2], NAN),
        ("min", [], INF),
    ],
)
def test_reductions_of_special_values(function: str, values: list[float], expected: float) -> None:
    result = run("reduce", f32(values), function=function, axes=(0,))
    same(result, f32(expected))
    assert math.isnan(expected) or np.signbit(result) == np.signbit(expected)


def test_reduce_combines_axes() -> None:
    same(run("reduce", CUBE, function="add", axes=(0, 2)), CUBE.sum((0, 2)))
    same(run("reduce", CUBE, function="max", axes=()), CUBE)
    same(run("reduce", EMPTY, function="add", axes=(1,)), np.zeros((2, 3)))
    same(run("reduce", EMPTY, function="add", axes=(0,)), np.zeros((0, 3)))
    same(run("reduce", f32(3), function="add", axes=()), 3)
    same(run("reduce", i32([2**31 - 1, 1]), function="add", axes=(0,)), -(2**31))
    same(run("reduce", np.array([100, 100], np.int8), function="add", axes=(0,)), -56)
    same(run("reduce", i32([]), function="max", axes=(0,)), -(2**31))
    same(run("reduce", np.array([1j, 2]), function="mul", axes=(0,)), 2j)


def test_reductions_of_truth_values() -> None:
    rows = np.array([[True, False], [True, True]])
    same(run("reduce", rows, function="and", axes=(1,)), [False, True])
    same(run("reduce", rows, function="or", axes=(0, 1)), True)
    same(run("reduce", rows[:0], function="and", axes=(0,)), [True, True])
    with pytest.raises(ProgramError, match="and does not reduce f32"):
        run("reduce", CUBE, function="and", axes=(0,))


def test_half_floats_are_added_in_single_precision() -> None:
    ones = np.ones(4096, np.float16)
    assert run("reduce", ones, function="add", axes=(0,)) == 4096


def test_arg_reduce_finds_the_first_extreme() -> None:
    same(run("arg_reduce", f32([[1, 3, 3], [NAN, -INF, 2]]), function="max", axis=1, dtype="i64"), [1, 2])
    same(run("arg_reduce", f32([[1, 3, 1], [NAN, INF, 2]]), function="min", axis=1, dtype="i32"), [0, 2])
    same(run("arg_reduce", EMPTY, function="max", axis=0, dtype="i32"), np.zeros((0, 3)))
    with pytest.raises(RunFailure, match="Reduction axis 1 is empty"):
        run("arg_reduce", EMPTY, function="max", axis=1, dtype="i32")


@pytest.mark.parametrize(
    ("exclusive", "reverse", "expected"),
    [
        (False, False, [1, 3, 6]),
        (True, False, [0, 1, 3]),
        (False, True, [6, 5, 3]),
        (True, True, [5, 3, 0]),
    ],
)
def test_running_sums(exclusive: bool, reverse: bool, expected: list[int]) -> None:
    same(run("scan", i32([1, 2, 3]), function="add", axis=0, exclusive=exclusive, reverse=reverse), expected)


def test_running_products_and_empty_axes() -> None:
    same(run("scan", CUBE, function="mul", axis=1, exclusive=False, reverse=False), np.cumprod(CUBE, 1))
    same(run("scan", EMPTY, function="add", axis=1, exclusive=True, reverse=True), EMPTY)


def test_sort_is_stable_in_both_directions() -> None:
    values, places = run_all("sort", f32([[2, 1, 2, 1]]), descending=False)
    same(values, [[1, 1, 2, 2]])
    same(places, [[1, 3, 0, 2]])
    values, places = run_all("sort", f32([[2, 1, 2, 1]]), descending=True)
    same(values, [[2, 2, 1, 1]])
    same(places, [[0, 2, 1, 3]])
    same(run_all("sort", f32([INF, NAN, -INF]), descending=False)[1], [2, 0, 1])
    same(run_all("sort", EMPTY, descending=True)[0], EMPTY)


# --- indexing


def test_gather_takes_slices() -> None:
    same(run("gather", CUBE, i32([[2, 0]]), axis=1, batch=0), CUBE[:, [[2, 0]]])
    same(run("gather", CUBE, np.array(1, np.int64), axis=2, batch=0), CUBE[..., 1])
    assert run("gather", CUBE, i32(np.zeros((0,))), axis=0, batch=0).shape == (0, 3, 4)
    assert run("gather", EMPTY, i32([]), axis=1, batch=0).shape == (2, 0, 3)


def test_gather_within_batches() -> None:
    indices = i32([[0, 2, 2], [1, 0, 1]])
    expected = np.stack([CUBE[b][:, [3, 0]] for b in range(2)])
    same(run("gather", CUBE, i32([[3, 0], [3, 0]]), axis=2, batch=1), expected)
    same(run("gather", CUBE, indices, axis=1, batch=1), np.stack([CUBE[b][indices[b]] for b in range(2)]))
    assert run("gather", CUBE, i32(np.zeros((2, 0))), axis=1, batch=1).shape == (2, 0, 4)
    same(run("gather", CUBE[:, :, 0], i32([[1, 2], [0, 0]]), axis=1, batch=1), [[4, 8], [12, 12]])


@pytest.mark.parametrize("index", [-1, 3])
def test_gather_out_of_range_fails(index: int) -> None:
    with pytest.raises(RunFailure, match=rf"indices\[1\] = {index} is not in \[0, 3\)"):
        run("gather", CUBE, i32([0, index]), axis=1, batch=0)


def test_gather_nd_takes_coordinates() -> None:
    same(run("gather_nd", CUBE, i32([[1, 2], [0, 0]])), [CUBE[1, 2], CUBE[0, 0]])
    assert run("gather_nd", CUBE, i32([1, 2, 3])) == 23
    same(run("gather_nd", CUBE, i32(np.zeros((2, 0)))), [CUBE, CUBE])
    with pytest.raises(RunFailure, match=r"indices\[1\] = \[2, 0\] does not index into param shape \[2, 3, 4\]"):
        run("gather_nd", CUBE, i32([[0, 0], [2, 0]]))


@pytest.mark.parametrize(
    ("function", "start", "expected"),
    [
        ("set", [0, 1, 0], [5, 1, 4]),
        ("add", [1, 1, 4], [8, 1, 11]),
        ("sub", [4, 1, 2], [-3, 1, -5]),
        ("max", [1, 1, 9], [5, 1, 9]),
        ("min", [3, 1, 9], [2, 1, 3]),
    ],
)
def test_scatter_meets_updates_in_order(function: str, start: list[float], expected: list[float]) -> None:
    places, updates = i32([[0], [2], [0], [2]]), f32([2, 3, 5, 4])
    same(run("scatter", f32(start), places, updates, function=function), expected)


def test_scatter_of_slices_products_and_quotients() -> None:
    rows = run("scatter", CUBE[0], i32([[2], [0]]), f32([[1] * 4, [2] * 4]), function="set")
    same(rows, [[2] * 4, [4, 5, 6, 7], [1] * 4])
    same(run("scatter", f32([8, 8]), i32([[1], [1]]), f32([2, 2]), function="div"), [8, 2])
    same(run("scatter", f32([8, 8]), i32([[0], [0]]), f32([2, 3]), function="mul"), [48, 8])
    same(run("scatter", f32([1, 2]), i32(np.zeros((2, 0))), f32([[1, 1], [2, 2]]), function="add"), [4, 5])
    same(run("scatter", f32([1, 2]), i32(np.zeros((0, 1))), f32([]), function="add"), [1, 2])
    with pytest.raises(RunFailure, match="does not index into"):
        run("scatter", f32([1, 2]), i32([[2]]), f32([1]), function="add")


def test_dynamic_parts_stay_inside() -> None:
    same(run("dynamic_slice", CUBE[0], i32([1, 3]), shape=(2, 2)), CUBE[0, 1:3, 2:4])
    same(run("dynamic_slice", CUBE[0], i32([-5, 0]), shape=(1, 4)), CUBE[0, :1])
    expected = CUBE[0].copy()
    expected[1:3, 2:4] = -1
    same(run("dynamic_update", CUBE[0], f32([[-1, -1], [-1, -1]]), i32([9, 9])), expected)


def test_nonzero_lists_coordinates() -> None:
    same(run("nonzero", f32([[0, NAN], [-0.0, 2]]), count="s0"), [[0, 1], [1, 1]])
    assert run("nonzero", np.array(True), count="s0").shape == (1, 0)
    assert run("nonzero", EMPTY, count="s0").shape == (0, 3)


def test_every_primitive_has_a_test() -> None:
    assert set(PRIMITIVES) == HERE | ELSEWHERE


def test_types_without_arithmetic_are_refused() -> None:
    with pytest.raises(ProgramError, match="not defined for string"):
        PRIMITIVES["map"].infer(TensorType("string"), TensorType("string"), function="add")
