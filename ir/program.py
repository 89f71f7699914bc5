"""The SSA program: values, instructions, regions, programs, and locations that point back to the user's lines.

All of them are immutable once built. A pass makes a new program; values that it keeps keep their ids, so that `%5`
can be followed through a dump.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sessile.ir.sizes import Bindings, Size, evaluate
from sessile.ir.types import TensorType

if TYPE_CHECKING:
    from sessile.ir.primitive import Primitive


class Location(NamedTuple):
    """Where an instruction comes from: the operation's name and the user's line that created it."""

    operation: str
    file: str = ""
    line: int = 0
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file.rsplit('/', 1)[-1]}:{self.line}" if self.file else self.operation


class Value:
    """The result of one instruction, or a parameter of a region. Compared by identity."""

    __slots__ = ("id", "type")

    def __init__(self, id: int, type: TensorType) -> None:
        self.id = id
        self.type = type

    def __repr__(self) -> str:
        return f"%{self.id}"


class Region:
    """Instructions with parameters and results of their own: the body of a branch, a loop, or a fused kernel."""

    __slots__ = ("instructions", "parameters", "results")

    def __init__(
        self,
        parameters: tuple[Value, ...],
        instructions: tuple[Instruction, ...],
        results: tuple[Value, ...],
    ) -> None:
        self.parameters = parameters
        self.instructions = instructions
        self.results = results


class Instruction:
    """One primitive applied to operands."""

    __slots__ = ("attributes", "locations", "operands", "primitive", "regions", "results")

    def __init__(
        self,
        primitive: Primitive,
        operands: tuple[Value, ...],
        attributes: Mapping[str, Any],
        results: tuple[Value, ...],
        locations: tuple[Location, ...],
        regions: tuple[Region, ...] = (),
    ) -> None:
        self.primitive = primitive
        self.operands = operands
        self.attributes = attributes
        self.results = results
        self.locations = locations
        self.regions = regions

    @property
    def name(self) -> str:
        """The primitive's name."""
        return self.primitive.name

    @property
    def result(self) -> Value:
        """The only result."""
        (result,) = self.results
        return result

    @property
    def is_pure(self) -> bool:
        """Whether it, and all in its regions, does nothing but compute its results."""
        return self.primitive.pure and all(inner.is_pure for region in self.regions for inner in region.instructions)

    def with_operands(self, operands: tuple[Value, ...]) -> Instruction:
        return Instruction(self.primitive, operands, self.attributes, self.results, self.locations, self.regions)

    def with_regions(self, regions: tuple[Region, ...]) -> Instruction:
        return Instruction(self.primitive, self.operands, self.attributes, self.results, self.locations, regions)

    def __repr__(self) -> str:
        results = ", ".join(map(repr, self.results))
        return f"{results} = {self.name} {', '.join(map(repr, self.operands))}"


@dataclass(frozen=True)
class SizeSource:
    """Where the value of a size symbol comes from when the program is called.

    `kind` is "parameter" or "variable" (`name`'s size along `index`), or "value" (element `index` of what a
    `bind_sizes` instruction reads) or "result" (axis `index` of a result whose size depends on data).
    """

    kind: str
    name: str
    index: int


RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}


class Guard(NamedTuple):
    """A relation between sizes that a program was made for: `left relation right`, relation one of == != >= <=."""

    left: Size
    relation: str
    right: Size

    def holds(self, bindings: Bindings) -> bool:
        """Whether the relation holds for these sizes. Raises KeyError for a symbol that `bindings` lacks."""
        return RELATIONS[self.relation](evaluate(self.left, bindings), evaluate(self.right, bindings))

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"


@dataclass(frozen=True)
class Program:
    """What one call computes: instructions in order of execution, and the values it returns.

    `symbols` says where each unknown size comes from, `guards` what the sizes must satisfy for this program.
    """

    name: str
    instructions: tuple[Instruction, ...]
    results: tuple[Value, ...]
    symbols: Mapping[str, SizeSource] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()

    def with_instructions(
        self, instructions: tuple[Instruction, ...], results: tuple[Value, ...] | None = None
    ) -> Program:
        return replace(self, instructions=instructions, results=self.results if results is None else results)

    def values(self) -> Iterator[Value]:
        """All values, those inside regions too, in order of definition."""
        yield from _values(self.instructions)

    def all_instructions(self) -> Iterator[Instruction]:
        """All instructions, those inside regions too; an instruction with regions comes before what it holds."""
        yield from _all_instructions(self.instructions)

    def next_id(self) -> int:
        """An id above all ids in use."""
        return max((value.id for value in self.values()), default=-1) + 1

    def definitions(self) -> dict[Value, Instruction]:
        """The instruction that defines each top-level value."""
        return {result: instruction for instruction in self.instructions for result in instruction.results}


def _values(instructions: tuple[Instruction, ...]) -> Iterator[Value]:
    for instruction in instructions:
        for region in instruction.regions:
            yield from region.parameters
            yield from _values(region.instructions)
        yield from instruction.results


def _all_instructions(instructions: tuple[Instruction, ...]) -> Iterator[Instruction]:
    for instruction in instructions:
        yield instruction
        for region in instruction.regions:
            yield from _all_instructions(region.instructions)
