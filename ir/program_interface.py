"""What decides whether a program serves a call: kept from before the passes, which may settle sizes for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sessile.ir.program import Guard, Instruction, Program, Value
from sessile.ir.sizes import Bindings, symbols_of
from sessile.ir.types import TensorType, element_type_of

_KEPT = frozenset({"parameter", "read_variable"})
_SAME_ELEMENTS = frozenset({"reshape", "convert"})


@dataclass(frozen=True)
class ProgramInterface:
    """The interface of a lowered program.

    Attributes:
      program: the program without what it computes: its parameters, the variables that it reads, symbols, guards, and
        which symbols are elements of parameters.
      written: the variables that it writes.
    """

    program: Program
    written: tuple[str, ...]

    @staticmethod
    def of(program: Program) -> ProgramInterface:
        """The interface of a lowered program."""
        bound = _bound_elements(program)
        kept = tuple(i for i in program.instructions if i.name in _KEPT or i in bound)
        written = tuple(i.attributes["name"] for i in program.instructions if i.name == "write_variable")
        return ProgramInterface(Program(program.name, kept, (), program.symbols, program.guards), written)

    @cached_property
    def parameters(self) -> dict[str, TensorType]:
        """The types of the parameters, by the names of the fed tensors."""
        return self._types("parameter")

    @cached_property
    def read(self) -> dict[str, TensorType]:
        """The types of the variables that it reads."""
        return self._types("read_variable")

    @cached_property
    def deciding_elements(self) -> dict[str, tuple[str, int]]:
        """The symbols in guards that are elements of parameters: the parameter's name, and which element it is."""
        asked = {name for guard in self.program.guards for name in symbols_of(guard.left - guard.right)}
        elements: dict[str, tuple[str, int]] = {}
        origins: dict[Value, str] = {}
        for i in self.program.instructions:
            if i.name == "parameter":
                origins[i.result] = i.attributes["name"]
            elif i.name in _SAME_ELEMENTS:
                origins[i.result] = origins[i.operands[0]]
            elif i.name == "bind_sizes":
                names = enumerate(i.attributes["names"])
                elements.update({name: (origins[i.operands[0]], k) for k, name in names if name in asked})
        return elements

    def allows_elements(self, feeds: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> bool:
        """Whether the guards hold for the elements of what is fed, in a call of these sizes."""
        if not self.deciding_elements:
            return True
        return self.violated_guard({**sizes, **self.elements_of(feeds)}) is None

    def elements_of(self, feeds: Mapping[str, np.ndarray]) -> dict[str, int]:
        """The elements of what is fed that guards ask for, as sizes."""
        return {symbol: int(feeds[name].flat[k]) for symbol, (name, k) in self.deciding_elements.items()}

    def bindings_for(self, feeds: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> dict[str, int] | None:
        """The sizes of a call, given those of variables; None when the program was not made for such a call."""
        for name, value in feeds.items():
            type = self.parameters[name]
            if type.rank != value.ndim or type.dtype != element_type_of(value.dtype):
                return None
        bindings = dict(sizes)
        for name, source in self.program.symbols.items():
            if source.kind == "parameter":
                bindings[name] = feeds[source.name].shape[source.index]
        if self.violated_guard(bindings) is not None:
            return None
        is_for_them = all(fits(self.parameters[name], value.shape, bindings) for name, value in feeds.items())
        return bindings if is_for_them and self.allows_elements(feeds, bindings) else None

    def violated_guard(self, bindings: Bindings) -> Guard | None:
        """The first guard on known sizes that does not hold."""
        for guard in self.program.guards:
            if symbols_of(guard.left - guard.right) <= bindings.keys() and not guard.holds(bindings):
                return guard
        return None

    @cached_property
    def computed_guards(self) -> dict[str, tuple[Guard, ...]]:
        """The guards on sizes that the program computes, by the symbols that they ask for."""
        guards: dict[str, tuple[Guard, ...]] = {}
        for guard in self.program.guards:
            for name in symbols_of(guard.left - guard.right):
                if self.program.symbols[name].kind in ("value", "result"):
                    guards[name] = (*guards.get(name, ()), guard)
        return guards

    def _types(self, primitive: str) -> dict[str, TensorType]:
        return {i.attributes["name"]: i.result.type for i in self.program.instructions if i.name == primitive}


def fits(type: TensorType, shape: tuple[int, ...] | None, bindings: Bindings) -> bool:
    """Whether a value of this shape can have this type, as far as its sizes are known; None fits every type."""
    if shape is None:
        return True
    if len(shape) != type.rank:
        return False
    known = type.symbols() <= bindings.keys()
    return not known or type.bound(bindings) == shape


def _bound_elements(program: Program) -> set[Instruction]:
    """The instructions that bind symbols to elements of parameters, and those that bring the elements there."""
    sources: dict[Value, tuple[Instruction, ...]] = {}
    found: set[Instruction] = set()
    for instruction in program.instructions:
        if instruction.name == "parameter":
            sources[instruction.result] = ()
        elif instruction.name in _SAME_ELEMENTS and instruction.operands[0] in sources:
            sources[instruction.result] = (*sources[instruction.operands[0]], instruction)
        elif instruction.name == "bind_sizes" and instruction.operands[0] in sources:
            found.update(sources[instruction.operands[0]], (instruction,))
    return found
