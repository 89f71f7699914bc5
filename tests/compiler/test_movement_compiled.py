"""Compiled movement, gathers and scatters against the reference interpreter, over shapes, axes and element types."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.differential import DTYPES, SymbolicProgram, array, grid, named, one_primitive, seeds, shapes, sizes
from support.program_cases import assert_same_array

from sessile.ir.primitives.indexing import SCATTERS
from sessile.ir.sizes import symbol
from sessile.ir.types import COMPLEX, FLOATS, NUMPY_DTYPES

SETTINGS = settings(max_examples=25)
AXES = ("a", "b", "c")
threads = st.sampled_from((1, 2))


def sizes_named(shape: tuple[int, ...]) -> list[str]:
    return list(AXES[: len(shape)])


@pytest.mark.parametrize("permutation", [p for rank in (2, 3) for p in itertools.permutations(range(rank))])
@SETTINGS
@given(data=st.data(), seed=seeds, dtype=st.sampled_from(("f16", "u8", "f32", "c128")))
def test_transpose(permutation: tuple[int, ...], data: Any, seed: int, dtype: str) -> None:
    shape = data.draw(shapes(len(permutation)))
    differential = one_primitive("transpose", [(dtype, sizes_named(shape))], {"permutation": permutation})
    differential.check(named(array(dtype, shape, seed)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_movement_of_each_element_type(dtype: str) -> None:
    x, y = array(dtype, (17, 3), 1), array(dtype, (2, 3), 2)
    one_primitive("transpose", [(dtype, "ab")], {"permutation": (1, 0)}).check(named(x))
    one_primitive("concat", [(dtype, "ab"), (dtype, "cb")], {"axis": 0}).check(named(x, y))
    pad = {"low": (1, 0), "high": (2, 3), "interior": (0, 0)}
    one_primitive("pad", [(dtype, "ab"), (dtype, "")], pad).check(named(x, array(dtype, (), 3)))
    one_primitive("gather", [(dtype, "ab"), ("i32", "c")], {"axis": 0, "batch": 0}).check(
        named(x, np.array([3, 16, 0, 3], np.int32))
    )


@SETTINGS
@given(seed=seeds, m=sizes, n=sizes)
def test_broadcasts(seed: int, m: int, n: int) -> None:
    program = SymbolicProgram()
    scalar, row, column = (program.parameter(k, "f32", s) for k, s in (("s", ""), ("r", "n"), ("c", ["m", 1])))
    full = (symbol("n1"), symbol("n0"))
    results = [
        program.apply("broadcast", scalar, shape=full, axes=())[0],
        program.apply("broadcast", row, shape=full, axes=(1,))[0],
        program.apply("broadcast", column, shape=full, axes=(0, 1))[0],
        program.apply("broadcast", row, shape=(2, symbol("n0"), 3), axes=(1,))[0],
    ]
    feeds = {"s": array("f32", (), seed), "r": array("f32", (n,), seed), "c": array("f32", (m, 1), seed)}
    program.compile(results).check(feeds)


@pytest.mark.parametrize(
    ("starts", "ends", "strides"),
    [((0, 0), (0, 0), (1, 1)), ((1, 0), (0, 0), (1, 1)), ((0, 2), (1, 0), (1, 1)), ((1, 1), (1, 1), (1, 1))],
)
@SETTINGS
@given(seed=seeds, m=st.integers(2, 20), n=st.integers(2, 20))
def test_slices(
    starts: tuple[int, int], ends: tuple[int, int], strides: tuple[int, int], seed: int, m: int, n: int
) -> None:
    program = SymbolicProgram()
    x = program.parameter("x", "f32", ["m", "n"])
    shape = tuple(symbol(f"n{k}") - starts[k] - ends[k] for k in range(2))
    (result,) = program.apply("slice", x, starts=starts, shape=shape, strides=strides)
    program.compile([result]).check({"x": array("f32", (m, n), seed)})


@pytest.mark.parametrize("strides", [(2, 1), (1, 3), (3, 2)])
@SETTINGS
@given(seed=seeds)
def test_slices_with_gaps(strides: tuple[int, int], seed: int) -> None:
    attributes = {"starts": (1, 0), "shape": (3, 4), "strides": strides}
    one_primitive("slice", [("i16", [8, 12])], attributes).check(named(array("i16", (8, 12), seed)))


@pytest.mark.parametrize("axes", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)])
@SETTINGS
@given(shape=shapes(3), seed=seeds)
def test_reverse(axes: tuple[int, ...], shape: tuple[int, ...], seed: int) -> None:
    one_primitive("reverse", [("f32", sizes_named(shape))], {"axes": axes}).check(named(array("f32", shape, seed)))


@pytest.mark.parametrize(
    ("low", "high"), [((0, 0), (0, 0)), ((1, 0), (0, 2)), ((0, 3), (1, 0)), ((-1, 0), (0, -1)), ((2, -1), (-1, 1))]
)
@SETTINGS
@given(seed=seeds, m=st.sampled_from((1, 2, 3, 17)), n=st.sampled_from((1, 2, 16)), count=threads)
def test_pads(low: tuple[int, int], high: tuple[int, int], seed: int, m: int, n: int, count: int) -> None:
    attributes = {"low": low, "high": high, "interior": (0, 0)}
    differential = one_primitive("pad", [("f32", "ab"), ("f32", "")], attributes)
    differential.check(named(array("f32", (m, n), seed), array("f32", (), seed + 1)), threads=count)


def test_a_pad_between_elements_runs_on_the_host() -> None:
    attributes = {"low": (1,), "high": (0,), "interior": (2,)}
    differential = one_primitive("pad", [("f32", "a"), ("f32", "")], attributes, allow_host=True)
    differential.check(named(array("f32", (5,), 1), array("f32", (), 2)))


@pytest.mark.parametrize("axis", [0, 1, 2])
@SETTINGS
@given(shape=shapes(3), more=st.tuples(st.integers(0, 3), st.integers(0, 20)), seed=seeds)
def test_concat(axis: int, shape: tuple[int, ...], more: tuple[int, int], seed: int) -> None:
    operands, arrays = [], []
    for k, size in enumerate((shape[axis], *more)):
        own = (*shape[:axis], size, *shape[axis + 1 :])
        operands.append(("i32", [f"x{k}" if place == axis else name for place, name in enumerate(sizes_named(own))]))
        arrays.append(array("i32", own, seed + k))
    one_primitive("concat", operands, {"axis": axis}).check(named(*arrays))


def test_a_concat_of_many() -> None:
    arrays = [grid("f32", (k, 2), k) for k in range(12)]
    operands = [("f32", [f"x{k}", "m"]) for k in range(12)]
    one_primitive("concat", operands, {"axis": 0}, allow_host=True).check(named(*arrays))


@pytest.mark.parametrize("dtype", sorted({"i32", "i64", "f16", "f32", "f64", "u8"}))
@SETTINGS
@given(m=sizes, n=sizes)
def test_iota(dtype: str, m: int, n: int) -> None:
    program = SymbolicProgram()
    program.parameter("x", "bool", ["m", "n"])
    shape = (symbol("n0"), symbol("n1"))
    results = [program.apply("iota", shape=shape, axis=axis, dtype=dtype)[0] for axis in range(2)]
    program.compile(results).check({"x": np.zeros((m, n), bool)})


# --- where another value says


@pytest.mark.parametrize(("axis", "batch"), [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)])
@SETTINGS
@given(shape=shapes(3), count=st.sampled_from((0, 1, 5)), seed=seeds, index=st.sampled_from(("i32", "i64")))
def test_gather(axis: int, batch: int, shape: tuple[int, ...], count: int, seed: int, index: str) -> None:
    count = count if shape[axis] else 0
    names = sizes_named(shape)
    random = np.random.default_rng(seed)
    indices = random.integers(0, max(shape[axis], 1), (*shape[:batch], count)).astype(NUMPY_DTYPES[index])
    operands = [("f32", names), (index, [*names[:batch], "k"])]
    one_primitive("gather", operands, {"axis": axis, "batch": batch}).check(named(array("f32", shape, seed), indices))


@pytest.mark.parametrize("depth", [1, 2, 3])
@SETTINGS
@given(shape=st.tuples(*[st.integers(1, 5)] * 3), count=sizes, seed=seeds)
def test_gather_at_coordinates(depth: int, shape: tuple[int, ...], count: int, seed: int) -> None:
    indices = np.random.default_rng(seed).integers(0, shape[:depth], (count, depth))
    operands = [("f32", sizes_named(shape)), ("i64", ["k", depth])]
    one_primitive("gather_nd", operands).check(named(array("f32", shape, seed), indices))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ["set", *sorted(SCATTERS)])
@settings(max_examples=8)
@given(rows=st.integers(1, 6), count=st.integers(0, 12), seed=seeds)
def test_scatter(function: str, dtype: str, rows: int, count: int, seed: int) -> None:
    if not is_scattered(function, dtype):
        return
    random = np.random.default_rng(seed)
    x, updates = array(dtype, (rows, 3), seed), array(dtype, (count, 3), seed + 1)
    operands = [(dtype, ["r", 3]), ("i32", ["k", 1]), (dtype, ["k", 3])]
    indices = random.integers(0, rows, (count, 1)).astype(np.int32)
    differential = one_primitive("scatter", operands, {"function": function}, allow_host=True)
    differential.check(named(x, indices, updates), assert_same_array if function != "max" else assert_same_but_zeros)


def is_scattered(function: str, dtype: str) -> bool:
    """Whether a scatter has a meaning for an element type."""
    if function in ("max", "min"):
        return dtype not in COMPLEX
    return function == "set" or (dtype != "bool" and (function != "div" or dtype in FLOATS))


def assert_same_but_zeros(expected: np.ndarray, actual: np.ndarray) -> None:
    assert_same_array(expected + expected.dtype.type(0), actual + actual.dtype.type(0))


@SETTINGS
@given(shape=st.tuples(*[st.integers(2, 6)] * 2), seed=seeds)
def test_parts_at_computed_places(shape: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    x, starts = array("f32", shape, seed), random.integers(-2, 8, 2)
    part = one_primitive("dynamic_slice", [("f32", "ab"), ("i64", [2])], {"shape": (2, 1)}, allow_host=True)
    part.check(named(x, starts))
    update = one_primitive("dynamic_update", [("f32", "ab"), ("f32", [2, 2]), ("i64", [2])], allow_host=True)
    update.check(named(x, array("f32", (2, 2), seed + 1), starts))


@SETTINGS
@given(shape=shapes(2), seed=seeds, descending=st.booleans())
def test_sort(shape: tuple[int, int], seed: int, descending: bool) -> None:
    x = grid("f32", shape, seed)
    one_primitive("sort", [("f32", "ab")], {"descending": descending}, allow_host=True).check(named(x))
