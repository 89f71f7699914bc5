"""Random kernels give the interpreter's numbers to the last bit, however their work is shared out."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.random_kernels import (
    advance_kernel,
    normal_kernel,
    truncated_normal_kernel,
    uniform_int_failure,
    uniform_int_kernel,
    uniform_kernel,
)
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target
from sessile.ir.random_streams import State, advance, draw, initial_state, reserved_blocks
from sessile.ir.types import NUMPY_DTYPES

# around the group sizes 2 and 4, around a tile of 1024 groups, and long enough for many rejections
SIZES = (0, 1, 2, 3, 4, 5, 67, 4095, 4099, 20_003)
STATE = advance(initial_state(12, 34), 2**32 - 100)


class Kernel:
    """A compiled kernel that can be called with arrays and sizes."""

    def __init__(self, source: KernelSource) -> None:
        code = compile_kernel(source, Target.host()).object_code
        address = load_objects([code], [source.name])[source.name]
        self._entry = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)

    def __call__(self, *arguments: np.ndarray | int, parts: int = 1) -> None:
        block = np.array([a if isinstance(a, int) else a.ctypes.data for a in arguments], np.int64)
        for part in reversed(range(parts)):
            self._entry(block.ctypes.data, part, parts)


def check(kernel: Kernel, kind: str, dtype: str, more: Sequence[np.ndarray] = (), **parameters: Any) -> None:
    """The kernel equals the reference for all sizes, for one and several parts, and writes nothing else."""
    for size in SIZES:
        for parts in (1, 3):
            out = np.full(size + 1, 77, NUMPY_DTYPES[dtype])
            state: State = STATE.copy()
            status = np.zeros(8, np.int64)
            kernel(out, *more, state, *[status] * bool(more), size, parts=parts)
            expected, _ = draw(kind, STATE, [size], NUMPY_DTYPES[dtype], **parameters)
            assert out[:size].tobytes() == expected.tobytes(), f"{size} elements in {parts} parts"
            assert out[size] == 77
            assert np.array_equal(state, STATE)
            assert not status.any()


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64"])
def test_uniform(dtype: str) -> None:
    check(Kernel(uniform_kernel(dtype)), "uniform", dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_normal(dtype: str) -> None:
    check(Kernel(normal_kernel(dtype)), "normal", dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_truncated_normal(dtype: str) -> None:
    check(Kernel(truncated_normal_kernel(dtype)), "truncated_normal", dtype)


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_uniform_int(dtype: str) -> None:
    kernel = Kernel(uniform_int_kernel(dtype))
    limits = np.iinfo(NUMPY_DTYPES[dtype])
    for low, high in ((0, 1), (0, 10), (-5, 1000003), (-7, limits.max), (limits.min, limits.max)):
        bounds = [np.array([bound], NUMPY_DTYPES[dtype]) for bound in (low, high)]
        check(kernel, "uniform_int", dtype, bounds, minval=low, maxval=high)


def test_an_empty_interval_of_integers_is_reported_and_nothing_written() -> None:
    out, bounds = np.full(4, 77, np.int32), [np.array([bound], np.int32) for bound in (3, -1)]
    status = np.zeros(8, np.int64)
    Kernel(uniform_int_kernel("i32"))(out, *bounds, STATE.copy(), status, 4, parts=2)
    assert status.tolist() == [1, 3, -1, 0, 0, 0, 0, 0]
    assert uniform_int_failure(status.tolist()) == ("invalid_argument", "Need minval < maxval, got 3 >= -1")
    assert out.tolist() == [77] * 4


def test_an_earlier_failure_is_kept() -> None:
    out, bound = np.full(4, 77, np.int32), np.zeros(1, np.int32)
    status = np.array([9, 8, 7, 0, 0, 0, 0, 0], np.int64)
    Kernel(uniform_int_kernel("i32"))(out, bound, bound.copy(), STATE.copy(), status, 4)
    assert status[:3].tolist() == [9, 8, 7]


def test_advancing_a_state() -> None:
    state = STATE.copy()
    Kernel(advance_kernel())(state, 1000, parts=3)
    assert np.array_equal(state, advance(STATE, reserved_blocks("normal", [1000], 1000)))
