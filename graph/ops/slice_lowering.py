"""Strided slices as primitives: what they take, and the way back for gradients.

Begins and ends are sizes (numbers or unknowns of the program), or scalar values of the program where they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.graph.ops.bases import is_value
from sessile.graph.ops.slice_specification import OPEN, WHOLE, Entry


class Part(NamedTuple):
    """What is taken of one axis: `count` elements from `start` on, every `stride`-th; `start` may be a value."""

    start: Any
    count: Any
    stride: int = 1

    @property
    def lowest(self) -> Any:
        """The lowest place that is taken."""
        if self.stride > 0 or (isinstance(self.count, int) and self.count == 0):
            return self.start
        return self.start + (self.count - 1) * self.stride


def take(b: Any, x: Any, entries: Sequence[Entry]) -> Any:
    """The part of `x` that the entries describe."""
    sizes = x.type.shape
    parts = parts_of(b, entries, sizes)
    fixed = [Part(0, size) if is_value(part.start) else part for part, size in zip(parts, sizes, strict=True)]
    x = b.slice(x, [p.lowest for p in fixed], [p.count for p in fixed], [abs(p.stride) for p in fixed])
    x = _flipped(b, x, fixed)
    for axis in reversed(range(len(parts))):
        if is_value(parts[axis].start):
            x = b.emit("gather", x, parts[axis].start, axis=axis, batch=0)
    return b.reshape(x, _result_shape(entries, parts))


def place_back(b: Any, dy: Any, sizes: Sequence[Any], entries: Sequence[Entry]) -> Any:
    """Zeros of `sizes` with `dy` where the entries take elements from."""
    parts = parts_of(b, entries, sizes, _counts(dy.type.shape, entries))
    x = _flipped(b, b.reshape(dy, [part.count for part in parts]), parts)
    x = _padded(b, x, sizes, parts)
    if not any(is_value(part.start) for part in parts):
        return x
    starts = [part.start if is_value(part.start) else 0 for part in parts]
    return b.emit("dynamic_update", b.fill(sizes, 0, dy.type.dtype), x, b.vector(starts))


def parts_of(b: Any, entries: Sequence[Entry], sizes: Sequence[Any], counts: Sequence[Any] | None = None) -> list[Part]:
    """What is taken of each axis; `counts`, where given, are known numbers of elements of computed slices."""
    kept = [entry for entry in entries if entry.kind != "new"]
    parts = []
    for axis, (entry, size) in enumerate(zip(kept, sizes, strict=True)):
        if entry.kind == "index" and is_value(entry.begin):
            parts.append(Part(_wrapped_index(b, entry.begin, size), 1))
        elif counts is not None and is_value(entry.begin) and b.number(entry.stride) == 1:
            parts.append(Part(_wrapped_index(b, entry.begin, size), counts[axis]))
        elif is_value(entry.begin) or is_value(entry.end):
            parts.append(_computed_part(b, entry, size))
        elif entry.kind == "index":
            parts.append(_index_part(b, entry.begin, size, axis))
        else:
            parts.append(_slice_part(b, entry, size, axis))
    return parts


def _counts(shape: Sequence[Any], entries: Sequence[Entry]) -> list[Any]:
    """The number of elements along each axis of the tensor, from the sizes of the slice."""
    sizes = iter(shape)
    pairs = [(entry.kind, 1 if entry.kind == "index" else next(sizes)) for entry in entries]
    return [count for kind, count in pairs if kind != "new"]


def _result_shape(entries: Sequence[Entry], parts: Sequence[Part]) -> list[Any]:
    counts = iter(parts)
    pairs = [(entry.kind, 1 if entry.kind == "new" else next(counts).count) for entry in entries]
    return [count for kind, count in pairs if kind != "index"]


def _flipped(b: Any, x: Any, parts: Sequence[Part]) -> Any:
    axes = tuple(axis for axis, part in enumerate(parts) if part.stride < 0)
    return b.emit("reverse", x, axes=axes) if axes else x


def _padded(b: Any, x: Any, sizes: Sequence[Any], parts: Sequence[Part]) -> Any:
    """`x` with zeros around and between its elements, up to `sizes`, along axes whose place is known."""
    low, high = [], []
    for size, part in zip(sizes, parts, strict=True):
        if is_value(part.start):
            before, after = 0, 0
        else:  # an empty part has no last element, for which this is right as well
            before, after = part.lowest, size - part.lowest - (part.count - 1) * abs(part.stride) - 1
        low.append(before)
        high.append(after)
    for axis, part in enumerate(parts):
        if abs(part.stride) > 1 and not is_value(part.start):
            x = _spread(b, x, axis, abs(part.stride))
            high[axis] = high[axis] - (abs(part.stride) - 1)
    if all(isinstance(width, int) and width == 0 for width in (*low, *high)):
        return x
    return b.pad(x, low, high, 0)


def _spread(b: Any, x: Any, axis: int, stride: int) -> Any:
    """`x` with stride - 1 zeros after each element along an axis: a new axis is padded, and merged with it."""
    sizes = x.type.shape
    pairs = b.expand_dims(x, [axis + 1])
    widths = [stride - 1 if k == axis + 1 else 0 for k in range(len(sizes) + 1)]
    wide = b.pad(pairs, [0] * len(widths), widths, 0)
    return b.reshape(wide, [*sizes[:axis], sizes[axis] * stride, *sizes[axis + 1 :]])


def _wrapped_index(b: Any, index: Any, size: Any) -> Any:
    """An index that may count from the end, counted from the front."""
    return b.select(b.map("lt", index, 0), b.add(index, _scalar(b, size, index.type.dtype)), index)


def _scalar(b: Any, size: Any, dtype: str) -> Any:
    return b.convert(size, dtype) if is_value(size) else b.sizes(np.array(size, object), dtype)


def _index_part(b: Any, index: Any, size: Any, axis: int) -> Part:
    place = index if b.decide(index, ">=", 0) else size + index
    inside = b.decide(place, ">=", 0) and b.decide(size, ">=", place + 1)
    b.require(inside, f"slice index {b.shown(index)} of dimension {axis} out of bounds.")
    return Part(place, 1)


def _slice_part(b: Any, entry: Entry, size: Any, axis: int) -> Part:
    if entry == WHOLE:
        return Part(0, size)
    stride = b.number(entry.stride)
    b.require(stride != 0, f"strides[{axis}] must be non-zero")
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    first, last = (low, high) if stride > 0 else (high, low)
    start = first if entry.begin is OPEN else _clamped(b, entry.begin, size, low, high)
    stop = last if entry.end is OPEN else _clamped(b, entry.end, size, low, high)
    span = stop - start if stride > 0 else start - stop
    if not b.decide(span, ">=", 1):
        return Part(0, 0, stride)
    return Part(start, (span + abs(stride) - 1) // abs(stride), stride)


def _clamped(b: Any, place: Any, size: Any, low: Any, high: Any) -> Any:
    """A place that may count from the end, counted from the front and moved into [low, high]."""
    if not b.decide(place, ">=", 0):
        place = place + size
        return place if b.decide(place, ">=", low) else low
    return place if b.decide(high, ">=", place) else high


def _computed_part(b: Any, entry: Entry, size: Any) -> Part:
    """The same for places that only the run knows: all numbers are computed, then bound as sizes."""
    stride = b.number(entry.stride)
    total = _scalar(b, size, "i64")
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    ends = []
    for place, default in ((entry.begin, low if stride > 0 else high), (entry.end, high if stride > 0 else low)):
        value = _scalar(b, default if place is OPEN else place, "i64")
        if place is not OPEN:
            value = b.select(b.map("lt", value, 0), b.add(value, total), value)
            value = b.min(b.max(value, low), _scalar(b, high, "i64"))
        ends.append(value)
    span = b.sub(ends[1], ends[0]) if stride > 0 else b.sub(ends[0], ends[1])
    count = b.map("floor_div", b.max(b.add(span, abs(stride) - 1), 0), abs(stride))
    start, number = b.sizes_of(b.vector([ends[0], count]))
    return Part(start, number, stride)
