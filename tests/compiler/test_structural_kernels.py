"""Kernels of gather, scatter, windows, scans and checks against the reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from sessile.ir.builder import ProgramBuilder
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.program import Location, Program
from sessile.ir.types import element_type_of
from tests.support.execution import compiled, interpreted

RANDOM = np.random.default_rng(7)


def program_of(
    primitive: str, operands: list[np.ndarray], **attributes: object
) -> tuple[Program, dict[str, np.ndarray]]:
    """A program that applies one primitive to parameters."""
    builder = ProgramBuilder("test")
    builder.locations = (Location("test"),)
    feeds = {f"p{k}": operand for k, operand in enumerate(operands)}
    values = [
        builder.emit("parameter", name=name, dtype=element_type_of(value.dtype), shape=value.shape)
        for name, value in feeds.items()
    ]
    results = builder.emit(primitive, *values, **attributes)
    return builder.finish(list(results) if isinstance(results, tuple) else [results]), feeds


def assert_compiled_equals_interpreted(primitive: str, operands: list[np.ndarray], **attributes: object) -> None:
    program, feeds = program_of(primitive, operands, **attributes)
    expected, _ = interpreted(program, feeds)
    for threads in (1, 2):
        actual, _ = compiled(program, feeds, threads=threads)
        for a, e in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, e)
            assert a.dtype == e.dtype


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.integers(-9, 9, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "bool", "complex64"])
def test_gather(dtype: str) -> None:
    x = numbers(2, 5, 3, dtype=dtype)
    for axis in range(3):
        assert_compiled_equals_interpreted("gather", [x, np.array([[0, 1], [1, 1]])], axis=axis, batch=0)
    assert_compiled_equals_interpreted("gather", [x, np.array([[4, 1], [0, 2]])], axis=1, batch=1)
    assert_compiled_equals_interpreted("gather", [x, np.zeros((0,), np.int32)], axis=0, batch=0)


def test_gather_nd() -> None:
    x = numbers(3, 4, 5)
    assert_compiled_equals_interpreted("gather_nd", [x, np.array([[0, 1], [2, 3], [2, 0]], np.int32)])
    assert_compiled_equals_interpreted("gather_nd", [x, np.array([[2, 3, 4]])])


@pytest.mark.parametrize(("primitive", "index"), [("gather", 5), ("gather", -1)])
def test_an_index_out_of_range_fails_with_the_words_of_the_reference(primitive: str, index: int) -> None:
    program, feeds = program_of(primitive, [numbers(5, 2), np.array([0, index], np.int32)], axis=0, batch=0)
    with pytest.raises(LocatedFailure) as expected:
        interpreted(program, feeds)
    with pytest.raises(LocatedFailure) as actual:
        compiled(program, feeds)
    assert str(actual.value) == str(expected.value) == f"indices[1] = {index} is not in [0, 5)"


@pytest.mark.parametrize("function", ["set", "add", "sub", "mul", "min", "max", "div"])
def test_scatter(function: str) -> None:
    operands = [numbers(4, 3), np.array([[1], [3], [1]], np.int32), numbers(3, 3) + np.float32(0.5)]
    assert_compiled_equals_interpreted("scatter", operands, function=function)


def test_scatter_of_whole_numbers_at_coordinates() -> None:
    operands = [numbers(4, 3, dtype="int32"), np.array([[1, 2], [3, 0], [1, 2]]), numbers(3, dtype="int32")]
    assert_compiled_equals_interpreted("scatter", operands, function="add")


@pytest.mark.parametrize("function", ["max", "add", "min"])
@pytest.mark.parametrize(
    ("shape", "window", "strides", "padding"),
    [
        ((2, 5, 6, 3), (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (0, 1), (0, 0), (0, 0))),
        ((2, 3, 5, 6), (1, 1, 3, 2), (1, 1, 1, 3), ((0, 0), (0, 0), (1, 1), (0, 0))),
        ((7,), (3,), (2,), ((1, 1),)),
        ((3, 4), (1, 1), (1, 1), ((0, 0), (0, 0))),
        ((4, 3), (2, 1), (2, 1), ((0, 0), (0, 0))),
    ],
)
def test_window_reduce(function: str, shape: tuple[int, ...], window: tuple, strides: tuple, padding: tuple) -> None:
    assert_compiled_equals_interpreted(
        "window_reduce", [numbers(*shape)], function=function, window=window, strides=strides, padding=padding
    )


def test_window_maximum_keeps_nan() -> None:
    x = numbers(1, 4, 4, 2)
    x[0, 1, 1, 0] = np.nan
    attributes = {"window": (1, 2, 2, 1), "strides": (1, 1, 1, 1), "padding": ((0, 0),) * 4}
    assert_compiled_equals_interpreted("window_reduce", [x], function="max", **attributes)


@pytest.mark.parametrize(
    ("shape", "window", "strides", "padding"),
    [
        ((2, 5, 6, 3), (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (0, 1), (0, 0), (0, 0))),
        ((2, 5, 5, 2), (1, 3, 3, 1), (1, 1, 1, 1), ((0, 0), (1, 1), (1, 1), (0, 0))),
        ((2, 3, 5, 6), (1, 1, 3, 2), (1, 1, 1, 3), ((0, 0), (0, 0), (1, 1), (0, 0))),
    ],
)
def test_select_and_scatter(shape: tuple[int, ...], window: tuple, strides: tuple, padding: tuple) -> None:
    x = numbers(*shape)
    attributes = {"window": window, "strides": strides, "padding": padding}
    program, feeds = program_of("window_reduce", [x], function="max", **attributes)
    pooled, _ = interpreted(program, feeds)
    assert_compiled_equals_interpreted("select_and_scatter", [x, numbers(*pooled[0].shape)], **attributes)


@pytest.mark.parametrize("function", ["max", "min"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_arg_reduce(function: str, axis: int) -> None:
    x = numbers(3, 4, 5)
    x[0, 0, 0] = x[1, 2, 3] = np.nan
    assert_compiled_equals_interpreted("arg_reduce", [x], function=function, axis=axis, dtype="i64")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("function", ["add", "mul"])
def test_scan(function: str, exclusive: bool, reverse: bool) -> None:
    attributes = {"function": function, "exclusive": exclusive, "reverse": reverse}
    for axis in range(2):
        assert_compiled_equals_interpreted("scan", [numbers(3, 4, dtype="int32")], axis=axis, **attributes)


def test_check_passes_and_fails() -> None:
    program, feeds = program_of("check", [np.array([True, True]), numbers(2)], message="Not so:")
    assert compiled(program, feeds)[0] == []
    program, feeds = program_of("check", [np.array([True, False]), np.array([1.5, 2.0])], message="Not so:")
    with pytest.raises(LocatedFailure, match=r"Not so: \[1.5 2. \]"):
        compiled(program, feeds)
