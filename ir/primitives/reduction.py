"""Primitives that combine elements along axes: `reduce`, `arg_reduce`, `scan`, `sort`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.ir.primitive import Primitive, RunFailure, primitive, require
from sessile.ir.primitives.movement import check_axes
from sessile.ir.types import COMPLEX, NUMBERS, NUMPY_DTYPES, TensorType

REDUCTIONS: dict[str, np.ufunc] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}


def identity_of(function: str, dtype: str) -> Any:
    """The element that changes nothing under a reduction: what an empty reduction gives."""
    held = NUMPY_DTYPES[dtype]
    if function in ("max", "min"):
        lowest = function == "max"
        if held.kind == "f":
            return held.type(-np.inf if lowest else np.inf)
        if held.kind == "b":
            return held.type(not lowest)
        return held.type(np.iinfo(held).min if lowest else np.iinfo(held).max)
    return held.type(function in ("mul", "and"))


def _reducible(function: str) -> frozenset[str]:
    """The element types that a reduction combines."""
    if function in ("and", "or"):
        return frozenset({"bool"})
    return NUMBERS if function in ("add", "mul") else NUMBERS - COMPLEX | {"bool"}


@primitive("reduce")
class Reduce(Primitive):
    """Combines all elements along `axes`, which vanish. Half floats are added in single precision."""

    def infer(self, x: TensorType, *, function: str, axes: tuple[int, ...]) -> TensorType:
        require(function in REDUCTIONS, f"no reduction is called {function!r}")
        require(x.dtype in _reducible(function), f"{function} does not reduce {x}")
        check_axes(x, axes)
        return x.without(axes)

    def reference(self, x: np.ndarray, *, function: str, axes: tuple[int, ...]) -> np.ndarray:
        x = np.asarray(x)
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        initial = identity_of(function, "f32" if x.dtype == np.float16 else _name(x))
        with np.errstate(all="ignore"):
            result = REDUCTIONS[function].reduce(wide, axis=axes, initial=initial, dtype=wide.dtype)
            return np.asarray(result).astype(x.dtype)


@primitive("arg_reduce")
class ArgReduce(Primitive):
    """The index of the first largest ("max") or smallest ("min") element along `axis`.

    NaN and the infinity on the other side count as the worst finite number.
    """

    def infer(self, x: TensorType, *, function: str, axis: int, dtype: str) -> TensorType:
        require(function in ("max", "min"), f"no index reduction is called {function!r}")
        check_axes(x, (axis,))
        return x.without((axis,)).with_dtype(dtype)

    def reference(self, x: np.ndarray, *, function: str, axis: int, dtype: str) -> np.ndarray:
        chosen = np.asarray(x)
        if not chosen.shape[axis]:
            raise RunFailure("invalid_argument", f"Reduction axis {axis} is empty in shape {list(chosen.shape)}")
        if chosen.dtype.kind == "f":
            limits = np.finfo(chosen.dtype)
            worst, is_worse = (limits.min, np.less) if function == "max" else (limits.max, np.greater)
            chosen = np.where(np.isnan(chosen) | is_worse(chosen, worst), worst, chosen)
        index = np.argmax(chosen, axis) if function == "max" else np.argmin(chosen, axis)
        return np.asarray(index).astype(NUMPY_DTYPES[dtype])


@primitive("scan")
class Scan(Primitive):
    """The running "add" or "mul" along `axis`; `exclusive` leaves each element itself out, `reverse` runs backwards."""

    def infer(self, x: TensorType, *, function: str, axis: int, exclusive: bool, reverse: bool) -> TensorType:
        require(function in ("add", "mul"), f"no scan is called {function!r}")
        check_axes(x, (axis,))
        return x

    def reference(self, x: np.ndarray, *, function: str, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
        ordered = np.flip(x, axis) if reverse else np.asarray(x)
        if exclusive:
            first = (
                np.full_like(ordered.take([0], axis), identity_of(function, _name(ordered)))
                if ordered.shape[axis]
                else ordered
            )
            rest = ordered.take(range(max(ordered.shape[axis] - 1, 0)), axis)
            ordered = np.concatenate([first, rest], axis)
        with np.errstate(all="ignore"):
            result = REDUCTIONS[function].accumulate(ordered, axis, dtype=ordered.dtype)
        return np.flip(result, axis) if reverse else result


@primitive("sort")
class Sort(Primitive):
    """Sorts along the last axis: the values, and the i32 index each came from; equal elements keep their order."""

    def infer(self, x: TensorType, *, descending: bool) -> tuple[TensorType, ...]:
        require(x.rank > 0, f"a scalar cannot be sorted: {x}")
        return x, x.with_dtype("i32")

    def reference(self, x: np.ndarray, *, descending: bool) -> tuple[np.ndarray, np.ndarray]:
        if not descending:
            index = np.argsort(x, -1, kind="stable")
        else:
            last = np.shape(x)[-1] - 1
            index = last - np.flip(np.argsort(np.flip(x, -1), -1, kind="stable"), -1)
        return np.take_along_axis(x, index, -1), index.astype(np.int32)


def _name(x: np.ndarray) -> str:
    from_numpy = {dtype: name for name, dtype in NUMPY_DTYPES.items()}
    return from_numpy[x.dtype]
