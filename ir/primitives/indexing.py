"""Primitives whose reads or writes go where another value says: gather, scatter, dynamic slices, nonzero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sessile.ir.primitive import Primitive, RunFailure, primitive, require
from sessile.ir.sizes import Size, symbol
from sessile.ir.types import TensorType

INDICES = ("i32", "i64")
Pairs = tuple[tuple[int, int], ...]

SCATTERS: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "min": np.minimum,
    "max": np.maximum,
}


def check_indices(indices: np.ndarray, limit: int) -> None:
    """Raises RunFailure when an index is not in [0, limit)."""
    wrong = (indices < 0) | (indices >= limit)
    if np.any(wrong):
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if np.ndim(indices) else ()
        where = f"[{','.join(map(str, place))}]" if place else ""
        raise RunFailure("invalid_argument", f"indices{where} = {int(indices[place])} is not in [0, {limit})")


@primitive("gather")
class Gather(Primitive):
    """Whole slices of `x` along `axis`, chosen by `indices`; the first `batch` axes of both go together.

    The result has x.shape[:axis] + indices.shape[batch:] + x.shape[axis + 1:].
    """

    def infer(self, x: TensorType, indices: TensorType, *, axis: int, batch: int) -> TensorType:
        require(indices.dtype in INDICES, f"indices have type {indices.dtype}")
        require(0 <= batch <= axis < x.rank, f"axis {axis} does not exist in {x}")
        require(x.shape[:batch] == indices.shape[:batch], f"batches differ: {x} and {indices}")
        return x.with_shape((*x.shape[:axis], *indices.shape[batch:], *x.shape[axis + 1 :]))

    def reference(self, x: np.ndarray, indices: np.ndarray, *, axis: int, batch: int) -> np.ndarray:
        check_indices(indices, np.shape(x)[axis])
        if not batch:
            return np.take(x, indices, axis)
        rows = [np.take(a, i, axis - batch) for a, i in _batches(x, indices, batch)]
        shape = (*x.shape[:axis], *indices.shape[batch:], *x.shape[axis + 1 :])
        return np.reshape(np.stack(rows), shape) if rows else np.empty(shape, x.dtype)


def _batches(x: np.ndarray, indices: np.ndarray, batch: int) -> list[tuple[np.ndarray, np.ndarray]]:
    places = np.ndindex(*x.shape[:batch])
    return [(x[place], indices[place]) for place in places]


@primitive("gather_nd")
class GatherNd(Primitive):
    """Slices of `x` at the coordinates in the last axis of `indices`."""

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        depth = _depth(x, indices)
        return x.with_shape((*indices.shape[:-1], *x.shape[depth:]))

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        check_coordinates(indices, x.shape)
        return x[tuple(np.moveaxis(indices, -1, 0))] if indices.shape[-1] else _repeat(x, indices)


def _repeat(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, (*indices.shape[:-1], *x.shape))


def check_coordinates(indices: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raises RunFailure when a row of `indices` is not a place in `shape`."""
    depth = indices.shape[-1]
    limits = np.array(shape[:depth], np.int64)
    wrong = np.any((indices < 0) | (indices >= limits), -1)
    if np.any(wrong):
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if np.ndim(wrong) else ()
        row = indices[place].tolist()
        where = f"[{','.join(map(str, place))}]" if place else ""
        raise RunFailure("invalid_argument", f"indices{where} = {row} does not index into param shape {list(shape)}")


def _depth(x: TensorType, indices: TensorType) -> int:
    require(indices.dtype in INDICES, f"indices have type {indices.dtype}")
    require(
        indices.rank > 0 and isinstance(indices.shape[-1], int),
        f"coordinates in {indices} have unknown depth",
    )
    depth = indices.shape[-1]
    assert isinstance(depth, int)
    require(depth <= x.rank, f"coordinates of {depth} numbers do not fit {x}")
    return depth


@primitive("scatter")
class Scatter(Primitive):
    """`x` with `updates` set or combined at the coordinates in the last axis of `indices`, in order.

    A kernel may write the result over the operands that `in_place` pairs it with: nobody needs them afterwards.
    """

    def infer(
        self, x: TensorType, indices: TensorType, updates: TensorType, *, function: str, in_place: Pairs = ()
    ) -> TensorType:
        depth = _depth(x, indices)
        require(function == "set" or function in SCATTERS, f"no scatter is called {function!r}")
        expected = (*indices.shape[:-1], *x.shape[depth:])
        require(
            updates.shape == expected and updates.dtype == x.dtype,
            f"updates are {updates}, not {x.with_shape(expected)}",
        )
        return x

    def reference(
        self, x: np.ndarray, indices: np.ndarray, updates: np.ndarray, *, function: str, in_place: Pairs = ()
    ) -> np.ndarray:
        check_coordinates(indices, x.shape)
        if not indices.shape[-1]:
            x, indices = x[np.newaxis], np.zeros((*indices.shape[:-1], 1), np.int64)
            return self.reference(x, indices, updates, function=function)[0]
        result = np.array(x)
        place = tuple(np.moveaxis(indices, -1, 0))
        if function == "set":
            result[place] = updates
        else:
            with np.errstate(all="ignore"):
                SCATTERS[function].at(result, place, updates)
        return result


@primitive("dynamic_slice")
class DynamicSlice(Primitive):
    """The part of `x` that begins at the coordinates `starts`, moved inside `x` where it would leave it."""

    sized = ("shape",)

    def infer(self, x: TensorType, starts: TensorType, *, shape: tuple[Size, ...]) -> TensorType:
        require(starts.dtype in INDICES and starts.shape == (x.rank,), f"starts of a slice of {x}: {starts}")
        require(len(shape) == x.rank, f"slice of {x} has shape {shape}")
        return x.with_shape(shape)

    def reference(self, x: np.ndarray, starts: np.ndarray, *, shape: tuple[int, ...]) -> np.ndarray:
        return x[clamped_place(starts, shape, x.shape)]


@primitive("dynamic_update")
class DynamicUpdate(Primitive):
    """`x` with `update` over the part that begins at the coordinates `starts`, moved inside as in dynamic_slice."""

    def infer(self, x: TensorType, update: TensorType, starts: TensorType, *, in_place: Pairs = ()) -> TensorType:
        require(starts.dtype in INDICES and starts.shape == (x.rank,), f"starts of an update of {x}: {starts}")
        require(update.rank == x.rank and update.dtype == x.dtype, f"update of {x} is {update}")
        return x

    def reference(self, x: np.ndarray, update: np.ndarray, starts: np.ndarray, *, in_place: Pairs = ()) -> np.ndarray:
        result = np.array(x)
        result[clamped_place(starts, update.shape, x.shape)] = update
        return result


def clamped_place(starts: np.ndarray, shape: tuple[int, ...], limits: tuple[int, ...]) -> tuple[slice, ...]:
    """The slices of a part of `shape` at `starts`, inside `limits`."""
    first = [max(0, min(s, n - k)) for s, k, n in zip(starts.tolist(), shape, limits, strict=True)]
    return tuple(slice(s, s + k) for s, k in zip(first, shape, strict=True))


@primitive("nonzero")
class Nonzero(Primitive):
    """The coordinates of the elements that are not zero, one row each, as i64; `count` names the number of rows."""

    uses_context = True

    def infer(self, x: TensorType, *, count: str) -> TensorType:
        return TensorType("i64", (symbol(count), x.rank))

    def binds(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        return (attributes["count"],)

    def reference(self, context: Any, x: np.ndarray, *, count: str) -> np.ndarray:
        rows = np.argwhere(x).astype(np.int64)
        context.bind(count, len(rows))
        return rows
