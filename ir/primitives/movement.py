"""Primitives that move elements without computing: broadcast, reshape, transpose, slice, pad, concat, reverse."""

from __future__ import annotations

import math

import numpy as np

from sessile.ir.primitive import Primitive, RunFailure, primitive, require
from sessile.ir.sizes import Size, product
from sessile.ir.types import TensorType

Shape = tuple[int, ...]
Sizes = tuple[Size, ...]


def check_axes(x: TensorType, axes: tuple[int, ...]) -> None:
    """Raises ProgramError unless `axes` are different axes of `x`."""
    require(all(0 <= axis < x.rank for axis in axes), f"axes {axes} do not exist in {x}")
    require(len(set(axes)) == len(axes), f"axes {axes} repeat")


@primitive("broadcast")
class Broadcast(Primitive):
    """Repeats: axis `k` of the operand becomes axis `axes[k]` of the result; the other axes are new."""

    sized = ("shape",)

    def infer(self, x: TensorType, *, shape: Sizes, axes: tuple[int, ...]) -> TensorType:
        require(len(axes) == x.rank and list(axes) == sorted(set(axes)), f"axes {axes} for {x}")
        for size, axis in zip(x.shape, axes, strict=True):
            require(0 <= axis < len(shape), f"axis {axis} does not exist in {shape}")
            require(size == 1 or size == shape[axis], f"{x} does not broadcast to {shape} along {axes}")
        return x.with_shape(shape)

    def reference(self, x: np.ndarray, *, shape: Shape, axes: tuple[int, ...]) -> np.ndarray:
        expanded = [1] * len(shape)
        for size, axis in zip(np.shape(x), axes, strict=True):
            expanded[axis] = size
        return np.broadcast_to(np.reshape(x, expanded), shape)


@primitive("reshape")
class Reshape(Primitive):
    """The same elements in row-major order under another shape."""

    sized = ("shape",)

    def infer(self, x: TensorType, *, shape: Sizes) -> TensorType:
        if all(isinstance(size, int) for size in (*x.shape, *shape)):
            require(x.size == product(shape), f"{x} does not have the elements of {shape}")
        return x.with_shape(shape)

    def reference(self, x: np.ndarray, *, shape: Shape) -> np.ndarray:
        if math.prod(shape) != np.size(x):
            raise RunFailure(
                "invalid_argument",
                f"Input to reshape is a tensor with {np.size(x)} values, but the requested shape has "
                f"{math.prod(shape)}",
            )
        return np.reshape(x, shape)


@primitive("transpose")
class Transpose(Primitive):
    """Axis `k` of the result is axis `permutation[k]` of the operand."""

    def infer(self, x: TensorType, *, permutation: tuple[int, ...]) -> TensorType:
        require(sorted(permutation) == list(range(x.rank)), f"{permutation} does not permute {x}")
        return x.with_shape(x.shape[axis] for axis in permutation)

    def reference(self, x: np.ndarray, *, permutation: tuple[int, ...]) -> np.ndarray:
        return np.transpose(x, permutation)


@primitive("slice")
class Slice(Primitive):
    """From `starts` on, every `strides`-th element, `shape` of them along each axis; strides are positive."""

    sized = ("starts", "shape")

    def infer(self, x: TensorType, *, starts: Sizes, shape: Sizes, strides: Shape) -> TensorType:
        require(len(starts) == len(shape) == len(strides) == x.rank, f"slice of {x} with {starts}, {shape}")
        require(all(not isinstance(start, int) or start >= 0 for start in starts), f"slice of {x} begins at {starts}")
        require(all(stride > 0 for stride in strides), f"strides {strides} are not all positive")
        for start, size, stride, limit in zip(starts, shape, strides, x.shape, strict=True):
            room = limit - start - (size - 1) * stride
            require(not isinstance(room, int) or room >= 1 or size == 0, f"slice leaves {x}")
        return x.with_shape(shape)

    def reference(self, x: np.ndarray, *, starts: Shape, shape: Shape, strides: Shape) -> np.ndarray:
        index = []
        for start, size, stride, limit in zip(starts, shape, strides, np.shape(x), strict=True):
            stop = start + (size - 1) * stride + 1 if size else start
            if start < 0 or size < 0 or (size and stop > limit):
                raise RunFailure("invalid_argument", f"slice [{start}, {stop}) leaves an axis of size {limit}")
            index.append(slice(start, stop, stride))
        return x[tuple(index)]


@primitive("pad")
class Pad(Primitive):
    """Puts `low` and `high` copies of the second operand before and after each axis, `interior` between elements.

    Negative `low` and `high` cut elements off.
    """

    sized = ("low", "high", "interior")

    def infer(self, x: TensorType, value: TensorType, *, low: Sizes, high: Sizes, interior: Sizes) -> TensorType:
        require(value.rank == 0 and value.dtype == x.dtype, f"{x} padded with {value}")
        require(len(low) == len(high) == len(interior) == x.rank, f"padding of {x}: {low}, {high}, {interior}")
        shape = [_padded(size, *padding) for size, *padding in zip(x.shape, low, high, interior, strict=True)]
        require(all(not isinstance(size, int) or size >= 0 for size in shape), f"padding cuts {x} down to {shape}")
        return x.with_shape(shape)

    def reference(self, x: np.ndarray, value: np.ndarray, *, low: Shape, high: Shape, interior: Shape) -> np.ndarray:
        wide = [
            max(a, 0) + n + max(n - 1, 0) * i + max(b, 0)
            for n, a, b, i in zip(x.shape, low, high, interior, strict=True)
        ]
        result = np.full(wide, value, x.dtype)
        inner = (slice(max(a, 0), n - max(b, 0), i + 1) for n, a, b, i in zip(wide, low, high, interior, strict=True))
        result[tuple(inner)] = x
        return result[tuple(slice(-min(a, 0), n + min(b, 0)) for n, a, b in zip(wide, low, high, strict=True))]


def _padded(size: Size, low: Size, high: Size, interior: Size) -> Size:
    between: Size = 0 if interior == 0 or size == 0 else (size - 1) * interior
    return size + low + high + between


@primitive("concat")
class Concat(Primitive):
    """The operands one after the other along `axis`."""

    def infer(self, *operands: TensorType, axis: int) -> TensorType:
        first = operands[0]
        require(0 <= axis < first.rank, f"axis {axis} does not exist in {first}")
        total: Size = 0
        for operand in operands:
            require(operand.dtype == first.dtype, f"element types differ: {first} and {operand}")
            require(
                operand.without([axis]).shape == first.without([axis]).shape,
                f"shapes differ: {first} and {operand}",
            )
            total = total + operand.shape[axis]
        return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))

    def reference(self, *operands: np.ndarray, axis: int) -> np.ndarray:
        return np.concatenate(operands, axis)


@primitive("reverse")
class Reverse(Primitive):
    """The elements in opposite order along `axes`."""

    def infer(self, x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
        check_axes(x, axes)
        return x

    def reference(self, x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
        return np.flip(x, axes)
