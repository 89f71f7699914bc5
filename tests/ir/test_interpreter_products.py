"""Contractions, convolutions and windows against direct loops."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.primitive_runs import f32, run

from sessile.ir.primitive import PRIMITIVES, ProgramError
from sessile.ir.sizes import symbol
from sessile.ir.types import TensorType


def numbers(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """Small whole numbers: their sums are exact in any order."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float32)


# --- contract


@pytest.mark.parametrize(
    ("left", "right", "contracting", "batch", "formula"),
    [
        ((3, 4), (4, 5), ((1,), (0,)), ((), ()), "ik,kj->ij"),
        ((4, 3), (5, 4), ((0,), (1,)), ((), ()), "ki,jk->ij"),
        ((4,), (4,), ((0,), (0,)), ((), ()), "k,k->"),
        ((3,), (4,), ((), ()), ((), ()), "i,j->ij"),
        ((2, 3, 4), (2, 4, 5), ((2,), (1,)), ((0,), (0,)), "bik,bkj->bij"),
        ((3, 2, 4), (4, 5, 2), ((2,), (0,)), ((1,), (2,)), "ibk,kjb->bij"),
        ((2, 3, 4), (4, 3), ((1, 2), (1, 0)), ((), ()), "ikl,lk->i"),
        ((3, 0), (0, 5), ((1,), (0,)), ((), ()), "ik,kj->ij"),
        ((0, 4), (4, 5), ((1,), (0,)), ((), ()), "ik,kj->ij"),
        ((2, 0, 3, 4), (2, 0, 4), ((3,), (2,)), ((0, 1), (0, 1)), "abik,abk->abi"),
    ],
)
def test_contractions_are_sums_of_products(
    left: tuple[int, ...],
    right: tuple[int, ...],
    contracting: tuple[tuple[int, ...], tuple[int, ...]],
    batch: tuple[tuple[int, ...], tuple[int, ...]],
    formula: str,
) -> None:
    a, b = numbers(left, 1), numbers(right, 2)
    result = run("contract", a, b, contracting=contracting, batch=batch)
    np.testing.assert_array_equal(result, np.einsum(formula, a, b))


def test_contractions_of_other_types_and_special_values() -> None:
    row, column = np.array([[2, 3]], np.int8), np.array([[50], [50]], np.int8)
    axes = {"contracting": ((1,), (0,)), "batch": ((), ())}
    np.testing.assert_array_equal(run("contract", row, column, **axes), [[-6]])
    z = np.array([[1j, 2]])
    np.testing.assert_array_equal(run("contract", z, z.T, **axes), [[3 + 0j]])
    with np.errstate(invalid="ignore"):
        special = run("contract", f32([[np.inf, 0]]), f32([[0], [1]]), **axes)
    assert np.isnan(special).all()
    half = np.full((1, 4096), 1, np.float16)
    np.testing.assert_array_equal(run("contract", half, half.T, **axes), [[4096]])


@pytest.mark.parametrize(
    ("contracting", "batch", "message"),
    [
        (((1,), (1,)), ((), ()), "contracted sizes differ, 4 and 5"),
        (((1,), ()), ((), ()), "contracted axes"),
        (((7,), (0,)), ((), ()), "do not exist"),
        (((1,), (0,)), ((1,), (0,)), "repeat"),
    ],
)
def test_contractions_check_their_axes(contracting: object, batch: object, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        PRIMITIVES["contract"].infer(
            TensorType("f32", (3, 4)), TensorType("f32", (4, 5)), contracting=contracting, batch=batch
        )


# --- convolve


def direct_convolution(
    x: np.ndarray,
    w: np.ndarray,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    input_dilation: Sequence[int],
    filter_dilation: Sequence[int],
    reverse: bool,
    groups: int,
) -> np.ndarray:
    """x: (batch, channel, spatial ...), w: (channel / groups, filter, spatial ...); one product at a time."""
    spatial = range(x.ndim - 2)
    spread = [(n - 1) * d + 1 if n else 0 for n, d in zip(x.shape[2:], input_dilation, strict=True)]
    sizes = [
        max((spread[k] + sum(padding[k]) - (w.shape[2 + k] - 1) * filter_dilation[k] - 1) // strides[k] + 1, 0)
        for k in spatial
    ]
    result = np.zeros((x.shape[0], w.shape[1], *sizes), x.dtype)
    per_group = w.shape[0]
    filters = w.shape[1] // groups
    for n, o, *place in np.ndindex(*result.shape):
        for c, *tap in np.ndindex(per_group, *w.shape[2:]):
            source = []
            for k in spatial:
                offset = w.shape[2 + k] - 1 - tap[k] if reverse else tap[k]
                at = place[k] * strides[k] + offset * filter_dilation[k] - padding[k][0]
                if 0 <= at < spread[k] and at % input_dilation[k] == 0:
                    source.append(at // input_dilation[k])
            if len(source) == len(spatial):
                channel = (o // filters) * per_group + c
                result[(n, o, *place)] += x[(n, channel, *source)] * w[(c, o, *tap)]
    return result


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, object]:
    spatial = draw(st.integers(1, 2))
    groups = draw(st.sampled_from([1, 1, 2]))
    window = [draw(st.integers(1, 3)) for _ in range(spatial)]
    return {
        "x": (draw(st.integers(0, 2)), groups * draw(st.integers(1, 2)), *(draw(st.integers(0, 6)) for _ in window)),
        "filters": groups * draw(st.integers(1, 2)),
        "window": window,
        "strides": tuple(draw(st.integers(1, 3)) for _ in window),
        "padding": tuple((draw(st.integers(-1, 3)), draw(st.integers(-1, 3))) for _ in window),
        "input_dilation": tuple(draw(st.integers(1, 3)) for _ in window),
        "filter_dilation": tuple(draw(st.integers(1, 2)) for _ in window),
        "reverse": draw(st.booleans()),
        "groups": groups,
    }


@settings(max_examples=150)
@given(case=convolutions())
def test_convolutions_against_a_direct_loop(case: dict[str, object]) -> None:
    shape, groups = case.pop("x"), case["groups"]
    assert isinstance(shape, tuple) and isinstance(groups, int)
    x = numbers(shape, 3)
    w = numbers((shape[1] // groups, case.pop("filters"), *case.pop("window")), 4)  # type: ignore[arg-type, misc]
    order = tuple(range(x.ndim))
    result = run("convolve", x, w, layout=(order, order, order), **case)
    np.testing.assert_array_equal(result, direct_convolution(x, w, **case))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [(0, 3, 1, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize("kernel", [(2, 3, 0, 1), (0, 1, 2, 3)])
@pytest.mark.parametrize("result", [(0, 3, 1, 2), (1, 0, 3, 2)])
def test_layouts_only_rename_axes(source: tuple[int, ...], kernel: tuple[int, ...], result: tuple[int, ...]) -> None:
    x, w = numbers((2, 3, 5, 4), 5), numbers((3, 2, 2, 3), 6)
    attributes = {
        "strides": (2, 1),
        "padding": ((1, 0), (0, 2)),
        "input_dilation": (1, 1),
        "filter_dilation": (1, 1),
        "reverse": False,
        "groups": 1,
    }
    moved_x, moved_w = np.transpose(x, np.argsort(source)), np.transpose(w, np.argsort(kernel))
    actual = run("convolve", moved_x, moved_w, layout=(source, kernel, result), **attributes)
    expected = direct_convolution(x, w, **attributes)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.transpose(actual, result), expected)


def test_convolutions_of_unknown_sizes_have_symbolic_results() -> None:
    n, h = symbol("n0"), symbol("n1")
    order = (0, 1, 2, 3)
    type = PRIMITIVES["convolve"].infer(
        TensorType("f32", (n, 3, h, 8)),
        TensorType("f32", (3, 5, 3, 3)),
        layout=(order, order, order),
        strides=(1, 2),
        padding=((1, 1), (1, 1)),
        input_dilation=(1, 1),
        filter_dilation=(1, 1),
        reverse=False,
        groups=1,
    )
    assert type == TensorType("f32", (n, 5, h, 4))


def test_convolutions_check_their_channels() -> None:
    attributes = {
        "layout": ((0, 1, 2),) * 3,
        "strides": (1,),
        "padding": ((0, 0),),
        "input_dilation": (1,),
        "filter_dilation": (1,),
        "reverse": False,
    }
    with pytest.raises(ProgramError, match="has 3 channels"):
        run("convolve", numbers((1, 3, 4)), numbers((2, 5, 2)), groups=1, **attributes)
    with pytest.raises(ProgramError, match="do not divide into 2 groups"):
        run("convolve", numbers((1, 4, 4)), numbers((2, 5, 2)), groups=2, **attributes)


# --- windows

Padding = tuple[tuple[int, int], ...]


def windows_of(x: np.ndarray, window: Sequence[int], strides: Sequence[int], padding: Padding) -> np.ndarray:
    """For each window, the list of its elements that lie inside x, with their places."""
    counts = [
        max((n + a + b - k) // s + 1, 0) for n, k, s, (a, b) in zip(x.shape, window, strides, padding, strict=True)
    ]
    result = np.empty(counts, object)
    for place in np.ndindex(*counts):
        axes = [
            range(p * s - a, p * s - a + k) for p, s, k, (a, _) in zip(place, strides, window, padding, strict=True)
        ]
        inside = (at for at in itertools.product(*axes) if all(0 <= i < n for i, n in zip(at, x.shape, strict=True)))
        result[place] = [(x[at], at) for at in inside]
    return result


@st.composite
def window_cases(draw: st.DrawFn) -> tuple[np.ndarray, dict[str, tuple[object, ...]]]:
    rank = draw(st.integers(1, 3))
    shape = [draw(st.integers(0 if rank == 1 else 1, 5)) for _ in range(rank)]
    window = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    strides = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    return numbers(shape, draw(st.integers(0, 99))), {"window": window, "strides": strides, "padding": padding}


@settings(max_examples=80)
@given(case=window_cases())
@pytest.mark.parametrize("function", ["max", "min", "add"])
def test_windows_against_a_direct_loop(function: str, case: tuple[np.ndarray, dict[str, tuple[object, ...]]]) -> None:
    x, attributes = case
    combine = {"max": lambda v: max(v, default=-np.inf), "min": lambda v: min(v, default=np.inf), "add": sum}[function]
    expected = windows_of(x, **attributes)  # type: ignore[arg-type]
    result = run("window_reduce", x, function=function, **attributes)
    assert result.shape == expected.shape
    for place in np.ndindex(*expected.shape):
        assert result[place] == combine([element for element, _ in expected[place]])


@settings(max_examples=80)
@given(case=window_cases())
def test_updates_go_to_the_first_largest_of_each_window(case: tuple[np.ndarray, dict[str, tuple[object, ...]]]) -> None:
    x, attributes = case
    windows = windows_of(x, **attributes)  # type: ignore[arg-type]
    if not all(windows.flat):
        return  # a window of padding alone has no largest element
    source = numbers(windows.shape, 8)
    expected = np.zeros_like(x)
    for place in np.ndindex(*windows.shape):
        largest = max(element for element, _ in windows[place])
        first = next(at for element, at in windows[place] if element == largest)
        expected[first] += source[place]
    np.testing.assert_array_equal(run("select_and_scatter", x, source, **attributes), expected)


def test_padding_is_never_the_largest() -> None:
    attributes = {"window": (2,), "strides": (1,), "padding": ((1, 1),)}
    result = run("select_and_scatter", f32([-np.inf, np.nan]), f32([1, 2, 4]), **attributes)
    np.testing.assert_array_equal(result, [1, 6])


def test_windows_of_special_values() -> None:
    attributes = {"window": (2,), "strides": (1,), "padding": ((0, 0),)}
    x = f32([1, np.nan, -np.inf, -np.inf])
    np.testing.assert_array_equal(run("window_reduce", x, function="max", **attributes), [np.nan, np.nan, -np.inf])
    assert run("window_reduce", f32([]), function="max", **attributes).shape == (0,)
    with pytest.raises(ProgramError, match="cannot be combined"):
        run("window_reduce", np.array([True]), function="max", **attributes)
