"""Where an element comes from: the index into an operand, for an element of the result, as sums over loop axes.

An `Index` is `offset + sum(coefficient * axis)`; a `Map` holds one for each axis of a value. Movement (broadcast,
transpose, slice, reverse, reshape, concat, pad) only changes maps, so a kernel reads its operands at mapped places
and moves nothing. What cannot be said this way raises `NotSimple`; a loop axis that has to be cut in factors (because a
reshape splits it) raises `SplitAxis`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from sessile.ir.program import Instruction
from sessile.ir.sizes import Size, modulo
from sessile.ir.types import TensorType

Shape = tuple[Size, ...]


class NotSimple(Exception):
    """An index is no sum of multiples of loop axes; the message says why."""


class SplitAxis(Exception):
    """A loop axis must be replaced by several, of `sizes`, whose product is its own size."""

    def __init__(self, axis: int, sizes: Shape) -> None:
        super().__init__(f"axis {axis} has to be cut into {list(sizes)}")
        self.axis = axis
        self.sizes = sizes


class Index(NamedTuple):
    """`offset + sum(coefficient * axis)` over loop axes in ascending order; coefficients are not 0."""

    offset: Size
    terms: tuple[tuple[int, Size], ...]

    @property
    def axis(self) -> int | None:
        """The loop axis that this index follows one by one, from any offset on; None if there is no such axis."""
        return self.terms[0][0] if len(self.terms) == 1 and self.terms[0][1] == 1 else None


Map = tuple[Index, ...]
ZERO = Index(0, ())


@lru_cache(maxsize=256)
def axis_index(axis: int) -> Index:
    """The index that follows a loop axis."""
    return Index(0, ((axis, 1),))


def shifted(index: Index, offset: Size) -> Index:
    """`index + offset`."""
    return index if offset == 0 else Index(index.offset + offset, index.terms)


def scaled(index: Index, factor: Size) -> Index:
    """`index * factor`."""
    if factor == 1 or index is ZERO:
        return index
    terms = tuple((axis, coefficient * factor) for axis, coefficient in index.terms)
    return Index(index.offset * factor, tuple(term for term in terms if term[1] != 0))


def total(indices: Iterable[Index]) -> Index:
    """The sum of indices."""
    offset: Size = 0
    terms: dict[int, Size] = {}
    for index in indices:
        offset = offset + index.offset
        for axis, coefficient in index.terms:
            terms[axis] = terms[axis] + coefficient if axis in terms else coefficient
    return Index(offset, tuple((axis, terms[axis]) for axis in sorted(terms) if terms[axis] != 0))


@lru_cache(maxsize=4096)
def strides(shape: Shape) -> Shape:
    """How many elements apart neighbours along each axis are, in row-major order."""
    result: list[Size] = []
    step: Size = 1
    for size in reversed(shape):
        result.append(step)
        step = step * size
    return tuple(reversed(result))


def linear(index: Map, shape: Shape) -> Index:
    """The position in memory of the element of a dense array at `index`."""
    if len(index) == 1:
        return index[0]
    return total(scaled(each, stride) for each, stride in zip(index, strides(shape), strict=True))


def axes_of(index: Map) -> frozenset[int]:
    """The loop axes that an element depends on."""
    return frozenset(axis for each in index for axis, _ in each.terms)


def split_in(index: Map, axis: int, parts: tuple[tuple[int, Size], ...]) -> Map:
    """The map after a loop axis is replaced by others; `parts` are (new axis, how far a step of it goes)."""
    if axis not in axes_of(index):
        return index
    return tuple(_split_index(each, axis, parts) for each in index)


def _split_index(index: Index, axis: int, parts: tuple[tuple[int, Size], ...]) -> Index:
    kept = tuple(term for term in index.terms if term[0] != axis)
    moved = (scaled(Index(0, parts), coefficient) for own, coefficient in index.terms if own == axis)
    return total((Index(index.offset, kept), *moved))


# --- the maps of operands


def operand_maps(instruction: Instruction, index: Map, extents: Mapping[int, Size]) -> tuple[Map, ...]:
    """The map of each operand, for an element of the result at `index`; `extents` are the sizes of the loop axes.

    Not for `concat` and `pad`, whose operands have a part of the result each, and not for `reduce`.
    Raises NotSimple or SplitAxis.
    """
    attributes = instruction.attributes
    match instruction.name:
        case "broadcast":
            return (_broadcast(instruction.operands[0].type.shape, attributes["axes"], index),)
        case "transpose":
            permutation = attributes["permutation"]
            place = {axis: k for k, axis in enumerate(permutation)}
            return (tuple(index[place[axis]] for axis in range(len(index))),)
        case "slice":
            return (_slice(attributes["starts"], attributes["strides"], index),)
        case "reverse":
            return (_reverse(instruction.operands[0].type, attributes["axes"], index),)
        case "reshape":
            return (reshape_map(instruction.operands[0].type.shape, instruction.result.type.shape, index, extents),)
    return tuple(index if operand.type.shape else () for operand in instruction.operands)


def _broadcast(shape: Shape, axes: tuple[int, ...], index: Map) -> Map:
    return tuple(ZERO if size == 1 else index[axis] for size, axis in zip(shape, axes, strict=True))


def _slice(starts: Sequence[Size], steps: Sequence[int], index: Map) -> Map:
    return tuple(shifted(scaled(each, step), start) for each, start, step in zip(index, starts, steps, strict=True))


def _reverse(type: TensorType, axes: tuple[int, ...], index: Map) -> Map:
    return tuple(
        shifted(scaled(each, -1), size - 1) if axis in axes and size != 1 else each
        for axis, (each, size) in enumerate(zip(index, type.shape, strict=True))
    )


# --- reshape: the digits of a position


def reshape_map(source: Shape, target: Shape, index: Map, extents: Mapping[int, Size]) -> Map:
    """The index into `source` of the element that stands at `index` of `target`.

    The axes fall into groups with as many elements on both sides; in each, the position is cut into the digits of
    `source`. Raises NotSimple, or SplitAxis where a loop axis runs over several digits.
    """
    if source == target:
        return index
    long_source = [axis for axis, size in enumerate(source) if size != 1]
    long_target = [axis for axis, size in enumerate(target) if size != 1]
    result: list[Index] = [ZERO] * len(source)
    if [source[axis] for axis in long_source] == [target[axis] for axis in long_target]:
        for own, other in zip(long_source, long_target, strict=True):
            result[own] = index[other]
        return tuple(result)
    if 0 in source or 0 in target:
        raise NotSimple("reshape of an empty array")
    for left, right in _groups(source, target):
        left = [axis for axis in left if source[axis] != 1]
        right = [axis for axis in right if target[axis] != 1]
        if len(left) == 1 and len(right) == 1:
            result[left[0]] = index[right[0]]
            continue
        sizes = tuple(source[axis] for axis in left)
        position = linear(tuple(index[axis] for axis in right), tuple(target[axis] for axis in right))
        for axis, digit in zip(left, _digits(position, sizes, extents), strict=True):
            result[axis] = digit
    return tuple(result)


def _groups(source: Shape, target: Shape) -> list[tuple[list[int], list[int]]]:
    """Axes of both shapes in the smallest runs with equal products. Raises NotSimple if the products never meet."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(source) or j < len(target):
        left: list[int] = []
        right: list[int] = []
        left_size: Size = 1
        right_size: Size = 1
        while True:
            take_left = i < len(source) and (not left or (left_size != right_size and _less(left_size, right_size)))
            if take_left:
                left.append(i)
                left_size = left_size * source[i]
                i += 1
            elif j < len(target) and (not right or left_size != right_size):
                right.append(j)
                right_size = right_size * target[j]
                j += 1
            elif left_size != right_size and i < len(source):
                left.append(i)
                left_size = left_size * source[i]
                i += 1
            else:
                break
        if left_size != right_size:
            raise NotSimple(f"reshape of {list(source)} to {list(target)}")
        groups.append((left, right))
    return groups


def _less(a: Size, b: Size) -> bool:
    """Whether `a` is surely the smaller of two products, for choosing the side to extend."""
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    return (isinstance(a, int) and a == 1) or modulo(b, a) == 0


def _digits(position: Index, sizes: Shape, extents: Mapping[int, Size]) -> list[Index]:
    """`position` in the mixed radix of `sizes`, most significant digit first."""
    if not sizes:
        return []
    if len(sizes) == 1:
        return [position]
    if position.offset != 0:
        raise NotSimple(f"a part of an axis is cut into {list(sizes)}")
    steps = strides(sizes)
    terms: list[list[tuple[int, Size]]] = [[] for _ in sizes]
    for axis, coefficient in position.terms:
        place = _digit(axis, coefficient, extents[axis], sizes, steps)
        terms[place].append((axis, coefficient // steps[place]))
    for size, own in zip(sizes, terms, strict=True):
        reach: Size = 0
        for axis, coefficient in own:
            reach = reach + coefficient * (extents[axis] - 1)
        room = size - 1 - reach
        if not isinstance(room, int) or room < 0 or any(isinstance(c, int) and c < 0 for _, c in own):
            raise NotSimple(f"positions do not fall into {list(sizes)}")
    return [Index(0, tuple(own)) for own in terms]


def _digit(axis: int, coefficient: Size, extent: Size, sizes: Shape, steps: Shape) -> int:
    """The digit that a loop axis moves."""
    span = coefficient * extent
    for place, (size, step) in enumerate(zip(sizes, steps, strict=True)):
        if modulo(coefficient, step) == 0 and modulo(step * size, span) == 0:
            return place
    for first in range(len(sizes)):
        for last in range(first + 1, len(sizes)):
            if coefficient == steps[last] and span == steps[first] * sizes[first]:
                raise SplitAxis(axis, sizes[first : last + 1])
    raise NotSimple(f"an axis of size {extent} is cut into {list(sizes)}")
