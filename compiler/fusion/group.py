"""A group: instructions that one kernel will compute, and where it reads each value that it does not compute itself.

Groups grow from their results towards their operands: `join` takes in the instruction that defines a value which the
group reads. It is refused (`Refused`) where the place that is read is not simple, or work would be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sessile.compiler.fusion.classification import can_fail, cost, is_statement
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import (
    Index,
    Map,
    NotSimple,
    Shape,
    SplitAxis,
    axes_of,
    linear,
    operand_maps,
    shifted,
    split_in,
)
from sessile.ir.program import Instruction, Value
from sessile.ir.scalar_functions import CHEAP, TRANSCENDENTAL
from sessile.ir.sizes import Size

MOST_STATEMENTS = 64
MOST_ARRAYS = 20
MOST_REPEATED_COST = 4

Axes = frozenset[int]
Reads = dict[Map, Axes]
"""Where a value is read, and for each place the loop axes of all that is computed from it there."""


class Refused(Exception):
    """An instruction stays out of a group; the message says why."""


@dataclass(eq=False)
class Node:
    """What is executed as one: an instruction or a group. An order of the labels is an order of execution."""

    label: float


@dataclass(eq=False)
class Group(Node):
    """Instructions for one kernel.

    Attributes:
      domain: the loops.
      members: the instructions, by position in the program.
      reads: values from outside, with their places.
      arrays: values from outside that a contraction reads as a whole.
      results: computed values that others use.
      pieces: into how many loops `concat` and `pad` cut the domain.
      statements: how many lines the kernel has for an iteration.
      repeated_cost: the cost of what is computed more than once for each of its elements.
      window: labels between which the group has to stay because it may fail.
      has_contraction, has_reduction: whether such instructions are among the members.
      is_rows: whether results of reductions are used for the elements of the rows that they combine.
    """

    domain: Domain
    members: dict[int, Instruction] = field(default_factory=dict)
    reads: dict[Value, Reads] = field(default_factory=dict)
    arrays: list[Value] = field(default_factory=list)
    results: dict[Value, None] = field(default_factory=dict)
    pieces: int = 1
    statements: int = 0
    repeated_cost: int = 0
    window: tuple[float, float] = (float("-inf"), float("inf"))
    has_contraction: bool = False
    has_reduction: bool = False
    is_rows: bool = False

    @property
    def reduced(self) -> Axes:
        return self.domain.reduced

    @property
    def extents(self) -> list[Size]:
        """The sizes of the loops, outermost first."""
        return [self.domain.extents[axis] for axis in self.domain.order]

    @property
    def reduced_types(self) -> set[str]:
        """The element types that the group's reductions combine."""
        if not self.has_reduction:
            return set()
        return {member.operands[0].type.dtype for member in self.members.values() if member.name == "reduce"}

    def operands(self) -> Iterator[Value]:
        yield from self.reads
        yield from self.arrays

    # --- growing

    def join(self, position: int, instruction: Instruction, is_result: bool) -> None:
        """Takes in the instruction that defines a value which the group reads. Raises Refused, then nothing has changed
        but the cut of the loops."""
        value = instruction.result
        while True:
            places = self.reads[value]
            try:
                reads = self._operand_reads(instruction, places)
                break
            except SplitAxis as split:
                self._split(split.axis, split.sizes)
            except NotSimple as reason:
                raise Refused(str(reason)) from None
        if is_result:
            self._require_dense(value, places)
        self._require_room(instruction, reads)
        self._count_repeated(instruction, places)
        pieces = self._pieces(instruction)
        del self.reads[value]
        self.add(position, instruction, reads, is_result)
        self.pieces *= pieces

    def add(self, position: int, instruction: Instruction, reads: dict[Value, Reads], is_result: bool) -> None:
        """Adds a member that reads at these places."""
        self.members[position] = instruction
        self.statements += is_statement(instruction)
        if is_result:
            self.results.update(dict.fromkeys(instruction.results))
        self.add_reads(reads)

    def add_reads(self, reads: Mapping[Value, Reads]) -> None:
        """Adds places to those that the group reads."""
        for operand, places in reads.items():
            own = self.reads.setdefault(operand, {})
            for place, axes in places.items():
                own[place] = own.get(place, frozenset()) | axes

    def restrict(self, window: tuple[float, float]) -> None:
        """Keeps the group between two more labels."""
        self.window = max(self.window[0], window[0]), min(self.window[1], window[1])

    def _operand_reads(self, instruction: Instruction, places: Reads) -> dict[Value, Reads]:
        reads: dict[Value, Reads] = {}
        for place, axes in places.items():
            for operand, index in self._operand_places(instruction, place):
                own = reads.setdefault(operand, {})
                own[index] = own.get(index, frozenset()) | axes | axes_of(place)
        return reads

    def _operand_places(self, instruction: Instruction, place: Map) -> Iterable[tuple[Value, Map]]:
        if instruction.name in ("concat", "pad"):
            return piecewise_places(instruction, place)
        maps = operand_maps(instruction, place, self.domain.extents)
        return zip(instruction.operands, maps, strict=True)

    def _split(self, axis: int, sizes: Shape) -> None:
        self.domain, parts = self.domain.split(axis, sizes)
        new = frozenset(own for own, _ in parts)
        self.rename(
            lambda index: split_in(index, axis, parts), lambda axes: (axes - {axis}) | new if axis in axes else axes
        )

    def rename(self, map_of: Callable[[Map], Map], axes_of_new: Callable[[Axes], Axes]) -> None:
        """Says all places in terms of other loop axes."""
        self.reads = {
            value: {map_of(place): axes_of_new(axes) for place, axes in places.items()}
            for value, places in self.reads.items()
        }

    def _pieces(self, instruction: Instruction) -> int:
        if instruction.name == "concat":
            return len(instruction.operands)
        if instruction.name == "pad":
            attributes = instruction.attributes
            return 1 + sum((a != 0) + (b != 0) for a, b in zip(attributes["low"], attributes["high"], strict=True))
        return 1

    # --- what may not join

    def is_dense(self, value: Value, place: Map) -> bool:
        """Whether the place runs through all elements of the value in order, once."""
        domain = self.domain
        if place is domain.identity or (place == domain.identity and value.type.shape == domain.shape):
            return True
        return linear(place, value.type.shape) in (domain.position, domain.kept_position)

    def _require_dense(self, value: Value, places: Reads) -> None:
        if len(places) != 1 or not all(self.is_dense(value, place) for place in places):
            raise Refused("others use it too, and this kernel does not compute all of it in order")
        if self.pieces > 1:
            raise Refused("others use it too, and this kernel computes it in pieces")

    def _require_room(self, instruction: Instruction, reads: dict[Value, Reads]) -> None:
        arrays = len(self.reads) + len(self.results) + sum(operand not in self.reads for operand in reads)
        statements = self.statements * self.pieces * self._pieces(instruction) + is_statement(instruction)
        if arrays > MOST_ARRAYS or statements > MOST_STATEMENTS:
            raise Refused(f"the kernel is full: {self.statements} statements, {arrays} arrays")
        if self._pieces(instruction) > 1 and (self.has_reduction or self.has_contraction):
            raise Refused(f"{instruction.name} would cut a reduction into pieces")

    def _count_repeated(self, instruction: Instruction, places: Reads) -> None:
        """Refuses to do costly work more often than once for each element, and counts cheap work."""
        price = cost(instruction)
        if can_fail(instruction) and (self.pieces > 1 or not all(self.is_dense(instruction.result, p) for p in places)):
            raise Refused("it may fail, and has to meet all of its elements")
        if not price or (len(places) == 1 and self.domain.identity in places):
            return
        repeated = (len(places) - 1) * price + sum(price for place in places if not self._is_hoisted(place))
        if repeated and (price > CHEAP or self.repeated_cost + repeated > MOST_REPEATED_COST):
            raise Refused("it would be computed more than once for each element")
        if price >= TRANSCENDENTAL and not all(self._is_adjacent(instruction.result, place) for place in places):
            raise Refused("it would be computed in another order than that of memory")
        self.repeated_cost += repeated

    def _is_hoisted(self, place: Map) -> bool:
        """Whether only outer loops change the place, so that inner loops need not compute it again."""
        axes = axes_of(place)
        return axes == frozenset(self.domain.order[: len(axes)])

    def _is_adjacent(self, value: Value, place: Map) -> bool:
        steps = dict(linear(place, value.type.shape).terms)
        return not self.domain.order or steps.get(self.domain.order[-1], 0) in (0, 1, -1)


def piecewise_places(instruction: Instruction, place: Map) -> list[tuple[Value, Map]]:
    """Where `concat` and `pad` read their operands; each operand has a part of the result. Raises NotSimple."""
    if instruction.name == "pad":
        x, filling = instruction.operands
        low, high = instruction.attributes["low"], instruction.attributes["high"]
        for index, before, after in zip(place, low, high, strict=True):
            _require_followed(instruction, index, before == 0 and after == 0)
        inside = tuple(
            shifted(index, -before) if before != 0 else index for index, before in zip(place, low, strict=True)
        )
        return [(x, inside), (filling, ())]
    axis = instruction.attributes["axis"]
    _require_followed(instruction, place[axis], False)
    result: list[tuple[Value, Map]] = []
    start: Size = 0
    for operand in instruction.operands:
        own = shifted(place[axis], -start) if start != 0 else place[axis]
        result.append((operand, (*place[:axis], own, *place[axis + 1 :])))
        start = start + operand.type.shape[axis]
    return result


def _require_followed(instruction: Instruction, index: Index, is_whole: bool) -> None:
    if not is_whole and index.axis is None:
        raise NotSimple(f"the pieces of {instruction.name} are no stretches of a loop")
