"""Primitives over sliding windows: `window_reduce` (pooling) and `select_and_scatter` (its gradient for maxima)."""

from __future__ import annotations

import math

import numpy as np

from sessile.ir.primitive import Primitive, primitive, require
from sessile.ir.primitives.reduction import identity_of
from sessile.ir.scalar_functions import REAL
from sessile.ir.sizes import Size, floor_divide, maximum
from sessile.ir.types import TensorType, element_type_of

Axes = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


def padded(size: Size, padding: tuple[int, int], dilation: int) -> Size:
    """The size of an axis with gaps between elements and padding around."""
    spread = size if dilation == 1 or size == 0 else (size - 1) * dilation + 1
    return spread + padding[0] + padding[1]


def window_count(size: Size, window: Size, stride: int, dilation: int) -> Size:
    """How many windows fit an axis."""
    extent = (window - 1) * dilation + 1
    return maximum(floor_divide(size - extent, stride) + 1, 0)


def sliding_windows(x: np.ndarray, window: Axes, strides: Axes, dilation: Axes) -> np.ndarray:
    """A view of all windows: axes that count the windows, then axes inside a window (those of size 1 left out only
    where the window is a whole 1): shape (counts of all axes..., window sizes of the axes from 2 on)."""
    extents = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    counts = [max((n - e) // s + 1, 0) for n, e, s in zip(x.shape, extents, strides, strict=True)]
    steps = [s * b for s, b in zip(strides, x.strides, strict=True)]
    inner = [d * b for d, b in zip(dilation, x.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(x, (*counts, *window[2:]), (*steps, *inner[2:]), writeable=False)


def _all_windows(x: np.ndarray, window: Axes, strides: Axes) -> np.ndarray:
    counts = [max((n - k) // s + 1, 0) for n, k, s in zip(x.shape, window, strides, strict=True)]
    steps = [s * b for s, b in zip(strides, x.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(x, (*counts, *window), (*steps, *x.strides), writeable=False)


def _surrounded(x: np.ndarray, function: str, padding: Padding) -> np.ndarray:
    return np.pad(x, padding, constant_values=identity_of(function, element_type_of(x.dtype)))


@primitive("window_reduce")
class WindowReduce(Primitive):
    """Combines the elements of each window by "max", "min" or "add"; padding holds what changes nothing.

    Half floats are added in single precision.
    """

    def infer(self, x: TensorType, *, function: str, window: Axes, strides: Axes, padding: Padding) -> TensorType:
        require(function in ("max", "min", "add"), f"no window reduction is called {function!r}")
        require(len(window) == len(strides) == len(padding) == x.rank, f"window {window} over {x}")
        require(x.dtype in REAL, f"windows of {x} cannot be combined")
        require(all(n > 0 for n in (*window, *strides)), f"window {window}, strides {strides} are not all positive")
        return x.with_shape(
            window_count(padded(size, pad, 1), k, stride, 1)
            for size, k, stride, pad in zip(x.shape, window, strides, padding, strict=True)
        )

    def reference(self, x: np.ndarray, *, function: str, window: Axes, strides: Axes, padding: Padding) -> np.ndarray:
        windows = _all_windows(_surrounded(x, function, padding), window, strides)
        combine = {"max": np.maximum, "min": np.minimum, "add": np.add}[function]
        axes = tuple(range(x.ndim, 2 * x.ndim))
        wide = np.dtype(np.float32) if x.dtype == np.float16 else x.dtype
        with np.errstate(all="ignore"):
            initial = identity_of(function, element_type_of(wide))
            result = combine.reduce(windows, axis=axes, dtype=wide, initial=initial)
        return np.asarray(result).astype(x.dtype)


@primitive("select_and_scatter")
class SelectAndScatter(Primitive):
    """Adds each element of `source` to the place of the first largest element of its window in `x`; zero elsewhere.

    NaN is larger than all numbers; padding is never chosen.
    """

    def infer(self, x: TensorType, source: TensorType, *, window: Axes, strides: Axes, padding: Padding) -> TensorType:
        expected = WindowReduce().infer(x, function="max", window=window, strides=strides, padding=padding)
        require(source == expected, f"the windows of {x} give {expected}, not {source}")
        return x

    def reference(
        self, x: np.ndarray, source: np.ndarray, *, window: Axes, strides: Axes, padding: Padding
    ) -> np.ndarray:
        around = _surrounded(x, "max", padding)
        counts = source.shape
        flat = _all_windows(around, window, strides).reshape(*counts, math.prod(window))
        inside = _all_windows(np.pad(np.ones(x.shape, bool), padding), window, strides).reshape(flat.shape)
        largest = flat.max(-1, keepdims=True)
        is_largest = np.where(np.isnan(largest), np.isnan(flat), flat == largest) & inside
        chosen = np.unravel_index(np.argmax(is_largest, -1), window)
        firsts = np.indices(counts)
        places = tuple(f * s + c for f, s, c in zip(firsts, strides, chosen, strict=True))
        total = np.zeros(around.shape, source.dtype)
        np.add.at(total, places, source)
        return total[tuple(slice(a, n - b) for n, (a, b) in zip(total.shape, padding, strict=True))]
