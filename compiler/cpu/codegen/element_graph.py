"""What one iteration of a kernel computes: a graph of single elements, each at a place given by loop axes.

In: a region and the places of the elements that are wanted. Movement disappears here: a broadcast or slice only says at
which place its operand is read. `concat` and `pad` are read from one of their pieces, which `choices` names; where it
names none, `CutLoops` tells the caller which stretches of a loop to treat one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from sessile.compiler.fusion.classification import CONTRACTIONS, MOVEMENT, PIECEWISE
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import Index, Map, axes_of, linear, operand_maps, shifted
from sessile.compiler.kernel_call import NoKernel
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.sizes import Size, maximum, minimum

Choice = tuple[Value, Map, int]
"""A piecewise value, where it is read, and the axis that is cut."""
Stretch = tuple[Size, Size]


class CutLoops(Exception):
    """Elements come from different operands along a loop: in `stretches` (start, stop) of `axis`, one a piece."""

    def __init__(self, choice: Choice, axis: int, stretches: list[Stretch]) -> None:
        super().__init__(f"loop {axis} has to be cut at {stretches}")
        self.choice = choice
        self.axis = axis
        self.stretches = stretches


@dataclass(eq=False)
class Element:
    """An element of a value.

    Attributes:
      value: what it is an element of.
      index: its place.
      instruction: how it is computed; None where it is read from memory.
      operands: the elements that it is computed from.
      axes: the loop axes that it depends on.
      position: where it is in memory, for one that is read; the number itself, for `iota`.
    """

    value: Value
    index: Map
    instruction: Instruction | None
    operands: tuple[Element, ...] = ()
    axes: frozenset[int] = frozenset()
    position: Index | None = None
    users: int = field(default=0)


class ElementGraph:
    """The elements that are needed for some places, each once."""

    def __init__(self, region: Region, domain: Domain, choices: Mapping[Choice, int] | None = None) -> None:
        self.domain = domain
        self.elements: dict[tuple[Value, Map], Element] = {}
        self._choices = choices or {}
        self._definitions = {result: i for i in region.instructions for result in i.results}

    def element(self, value: Value, index: Map) -> Element:
        """The element of a value at a place. Raises NotSimple, SplitAxis, CutLoops."""
        known = self.elements.get((value, index))
        if known is None:
            known = self.elements[value, index] = self._make(value, index)
        return known

    def _make(self, value: Value, index: Map) -> Element:
        instruction = self._definitions.get(value)
        if instruction is None:
            return self._in_memory(value, index, linear(index, value.type.shape))
        name = instruction.name
        if name in MOVEMENT:
            return self._moved(instruction, index)
        if name in PIECEWISE:
            return self._piece(instruction, index)
        if name == "iota":
            along = index[instruction.attributes["axis"]]
            return Element(value, index, instruction, axes=axes_of((along,)), position=along)
        if name == "reduce":
            return self._reduction(instruction, index)
        if name in CONTRACTIONS:
            return Element(value, index, instruction, axes=axes_of(index))
        places = operand_maps(instruction, index, self.domain.extents)
        operands = tuple(self._used(o, place) for o, place in zip(instruction.operands, places, strict=True))
        axes = frozenset[int]().union(*(operand.axes for operand in operands))
        return Element(value, index, instruction, operands, axes)

    def _used(self, value: Value, index: Map) -> Element:
        element = self.element(value, index)
        element.users += 1
        return element

    def _in_memory(self, value: Value, index: Map, position: Index) -> Element:
        return Element(value, index, None, axes=axes_of((position,)), position=position)

    def _moved(self, instruction: Instruction, index: Map) -> Element:
        (operand,) = instruction.operands
        if instruction.name == "reshape" and operand not in self._definitions:
            # Memory knows no shape.
            return self._in_memory(operand, index, linear(index, instruction.result.type.shape))
        (place,) = operand_maps(instruction, index, self.domain.extents)
        return self.element(operand, place)

    def _reduction(self, instruction: Instruction, index: Map) -> Element:
        (operand,) = instruction.operands
        place = reduction_place(instruction, self.domain)
        removed = instruction.attributes["axes"]
        if index != tuple(own for axis, own in enumerate(place) if axis not in removed):
            raise NoKernel("a reduction is used in other loops than its own")
        return Element(instruction.result, index, instruction, (self._used(operand, place),), axes_of(index))

    def _piece(self, instruction: Instruction, index: Map) -> Element:
        if instruction.name == "concat":
            return self._concatenated(instruction, index, instruction.attributes["axis"])
        attributes = instruction.attributes
        x, filling = instruction.operands
        place = list(index)
        for axis, (before, after) in enumerate(zip(attributes["low"], attributes["high"], strict=True)):
            if before == 0 and after == 0:
                continue
            starts = _pad_starts(x.type.shape[axis], before, after)
            if self._chosen(instruction.result, index, axis, starts) != 1:
                return self.element(filling, ())
            place[axis] = shifted(index[axis], -before)
        return self.element(x, tuple(place))

    def _concatenated(self, instruction: Instruction, index: Map, axis: int) -> Element:
        starts: list[Size] = [0]
        for operand in instruction.operands:
            starts.append(starts[-1] + operand.type.shape[axis])
        piece = self._chosen(instruction.result, index, axis, starts)
        own = shifted(index[axis], -starts[piece]) if starts[piece] != 0 else index[axis]
        return self.element(instruction.operands[piece], (*index[:axis], own, *index[axis + 1 :]))

    def _chosen(self, value: Value, index: Map, axis: int, starts: list[Size]) -> int:
        """The piece that this iteration reads."""
        choice = (value, index, axis)
        if choice in self._choices:
            return self._choices[choice]
        places = [start - index[axis].offset for start in starts]
        if not index[axis].terms and all(isinstance(place, int) for place in places):
            return next(k for k, after in enumerate(places[1:]) if isinstance(after, int) and after > 0)
        loop = index[axis].axis
        if loop is None:
            raise NoKernel("the pieces of an array are not read one after another")
        raise CutLoops(choice, loop, list(itertools.pairwise(places)))


def _pad_starts(size: Size, before: Size, after: Size) -> list[Size]:
    """Where on an axis the filling, the operand, and the filling again begin, and the end; negative padding cuts."""
    total = before + size + after
    first = maximum(before, 0)
    last = before + size if isinstance(after, int) and after >= 0 else minimum(before + size, total)
    if not (isinstance(before, int) and before >= 0):
        last = maximum(last, first)
    return [0, first, last, total]


def reduction_place(instruction: Instruction, domain: Domain) -> Map:
    """Where a reduction reads its operand: everywhere, in order."""
    shape = instruction.operands[0].type.shape
    if shape == domain.shape:
        return domain.identity
    sizes = iter(index for index, size in zip(domain.identity, domain.shape, strict=True) if size != 1)
    return tuple(next(sizes) if size != 1 else Index(0, ()) for size in shape)
