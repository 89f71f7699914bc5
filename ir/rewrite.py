"""Walks a program and puts other instructions in the place of some: what most passes are made of.

A rule gets one instruction at a time, its operands already rewritten, and says what replaces its results. Instructions
in regions are visited too. Locations are carried along: what a rule emits has the locations of the instruction that it
replaces and of those that the rule matched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace as replace_fields
from typing import Any

import numpy as np

from sessile.ir import primitives as _registered
from sessile.ir.primitive import PRIMITIVES, ProgramError
from sessile.ir.program import Instruction, Location, Program, Region, SizeSource, Value
from sessile.ir.sizes import Size
from sessile.ir.types import TensorType, element_type_of

assert _registered

Replacement = Value | Sequence[Value] | None
Rule = Callable[[Instruction, "Rewriter"], Replacement]


def rewrite(program: Program, rule: Rule) -> Program:
    """The program with `rule` applied to each instruction, in order of execution.

    `rule(instruction, rewriter)` returns None to keep the instruction, otherwise what replaces its results: values of
    the same types that exist already, or that it emits through the rewriter, to which the rule is applied in turn.
    """
    rewriter = Rewriter(rule, program.next_id())
    instructions = rewriter.block(program.instructions)
    if instructions is program.instructions:
        return program
    results = rewriter.replaced(program.results)
    symbols = follow_sources(program.symbols, rewriter.replacements)
    return replace_fields(program, instructions=instructions, results=results, symbols=symbols)


class Rewriter:
    """What a rule may ask and do while a program is rewritten."""

    def __init__(self, rule: Rule, next_id: int) -> None:
        self.replacements: dict[Value, Value] = {}
        self.matched: list[Instruction] = []
        self.block_number = 0  # of the block that is being rewritten; values of other blocks may not be used in it
        self._blocks = 0
        self.locations: tuple[Location, ...] = ()  # of the instruction that is rewritten
        self._rule = rule
        self._next_id = next_id
        self._output: list[Instruction] = []
        self._definitions: dict[Value, Instruction] = {}

    # --- questions

    def definition(self, value: Value) -> Instruction | None:
        """The instruction of this block that defines a value; None for a parameter of a region."""
        return self._definitions.get(value)

    def match(self, value: Value, primitive: str, function: str | None = None) -> Instruction | None:
        """The instruction that defines a value if it is this primitive, with this function if one is named."""
        instruction = self._definitions.get(value)
        if instruction is None or instruction.primitive.name != primitive:
            return None
        if function is not None and instruction.attributes["function"] != function:
            return None
        self.matched.append(instruction)
        return instruction

    def constant_of(self, value: Value) -> np.ndarray | None:
        """The array that a value is known to hold."""
        instruction = self._definitions.get(value)
        if instruction is None or instruction.primitive.name != "constant":
            return None
        return instruction.attributes["value"]

    # --- new instructions

    def emit(self, name: str, /, *operands: Value, **attributes: Any) -> Any:
        """Emits an instruction before the one that is rewritten; returns its result, or the tuple of them."""
        primitive = PRIMITIVES[name]
        inferred = primitive.infer(*(operand.type for operand in operands), **attributes)
        types = inferred if isinstance(inferred, tuple) else (inferred,)
        results = tuple(map(self.new_value, types))
        values = self._place(Instruction(primitive, operands, attributes, results, self._merged_locations()))
        return values[0] if len(values) == 1 else values

    def constant(self, value: Any, dtype: str | None = None) -> Value:
        """Emits a constant."""
        array = np.array(value, TensorType(dtype).numpy_dtype if dtype else None, order="C")
        array.setflags(write=False)
        type = TensorType(element_type_of(array.dtype), array.shape)
        result = self.new_value(type)
        attributes = {"value": array}
        self._append(Instruction(PRIMITIVES["constant"], (), attributes, (result,), self._merged_locations()))
        return result

    def reshape(self, x: Value, shape: Iterable[Size]) -> Value:
        """`x` under another shape with as many elements; `x` itself if it has that shape."""
        shape = tuple(shape)
        return x if x.type.shape == shape else self.emit("reshape", x, shape=shape)

    def structured(
        self, instruction: Instruction, operands: Sequence[Value], regions: tuple[Region, ...]
    ) -> tuple[Value, ...]:
        """Emits an instruction like the given one, with other operands and regions, which are rewritten in turn."""
        regions = tuple(map(self._region, regions))
        types = tuple(operand.type for operand in operands)
        instruction.primitive.verify_regions(types, regions)
        inferred = instruction.primitive.infer(*types, regions=regions, **instruction.attributes)
        assert isinstance(inferred, tuple)
        results = tuple(map(self.new_value, inferred))
        return self._place(
            Instruction(
                instruction.primitive, tuple(operands), instruction.attributes, results, instruction.locations, regions
            )
        )

    def inline(self, region: Region, operands: Sequence[Value]) -> tuple[Value, ...]:
        """Emits the instructions of a region that is used no more, on these operands; returns its results."""
        self.replacements.update(zip(region.parameters, operands, strict=True))
        for instruction in region.instructions:
            self._visit(instruction)
        return self.replaced(region.results)

    def new_value(self, type: TensorType) -> Value:
        self._next_id += 1
        return Value(self._next_id - 1, type)

    # --- the walk

    def replaced(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """What stands for these values now."""
        replacements = self.replacements
        if not replacements:
            return values
        for value in values:
            if value in replacements:
                return tuple([replacements.get(value, value) for value in values])
        return values

    def block(self, instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        """The rewritten instructions of the program or of a region; the same tuple if nothing changes."""
        outer = self._output, self._definitions, self.block_number
        self._blocks += 1
        self._output, self._definitions, self.block_number = [], {}, self._blocks
        for instruction in instructions:
            self._visit(instruction)
        new = self._output
        self._output, self._definitions, self.block_number = outer
        if len(new) == len(instructions) and all(map(_is, new, instructions)):
            return instructions
        return tuple(new)

    def _visit(self, instruction: Instruction) -> None:
        operands = self.replaced(instruction.operands)
        if operands is not instruction.operands:
            instruction = instruction.with_operands(operands)
        if instruction.regions:
            regions = tuple(map(self._region, instruction.regions))
            if not all(map(_is, regions, instruction.regions)):
                instruction = instruction.with_regions(regions)
        self._place(instruction)

    def _region(self, region: Region) -> Region:
        instructions = self.block(region.instructions)
        results = self.replaced(region.results)
        if instructions is region.instructions and results is region.results:
            return region
        return Region(region.parameters, instructions, results)

    def _place(self, instruction: Instruction) -> tuple[Value, ...]:
        """Applies the rule to an instruction and appends what becomes of it; returns what stands for its results."""
        outer = self.locations, self.matched
        self.locations, self.matched = instruction.locations, []
        replacement = self._rule(instruction, self)
        self.locations, self.matched = outer
        if replacement is None:
            self._append(instruction)
            return instruction.results
        values = (replacement,) if isinstance(replacement, Value) else tuple(replacement)
        for old, new in zip(instruction.results, values, strict=True):
            if new.type != old.type:
                raise ProgramError(f"{instruction}: {new} of type {new.type} cannot replace {old} of type {old.type}")
            self.replacements[old] = new
        return values

    def _append(self, instruction: Instruction) -> None:
        self._output.append(instruction)
        for result in instruction.results:
            self._definitions[result] = instruction

    def _merged_locations(self) -> tuple[Location, ...]:
        if not self.matched:
            return self.locations
        return merge_locations(self.locations, *(instruction.locations for instruction in self.matched))


def _is(a: object, b: object) -> bool:
    return a is b


def merge_locations(*locations: tuple[Location, ...]) -> tuple[Location, ...]:
    """All locations once, in order."""
    return tuple(dict.fromkeys(location for each in locations for location in each))


def follow_sources(symbols: Mapping[str, SizeSource], replacements: Mapping[Value, Value]) -> Mapping[str, SizeSource]:
    """Sources of sizes, where those that name a replaced value name the new one."""
    renamed = {repr(old): repr(new) for old, new in replacements.items()} if _names_values(symbols) else {}
    if not renamed:
        return symbols
    return {
        name: replace_fields(source, name=renamed.get(source.name, source.name))
        if source.kind in ("value", "result")
        else source
        for name, source in symbols.items()
    }


def _names_values(symbols: Mapping[str, SizeSource]) -> bool:
    return any(source.kind in ("value", "result") for source in symbols.values())


def users(instructions: Iterable[Instruction]) -> dict[Value, list[Instruction]]:
    """The instructions of a block that use each value, in order."""
    result: dict[Value, list[Instruction]] = {}
    for instruction in instructions:
        for operand in dict.fromkeys(instruction.operands):
            result.setdefault(operand, []).append(instruction)
    return result


def substitute(program: Program, values: Mapping[Value, Value]) -> Program:
    """The program with values used in the place of others; what defines the others stays."""
    rewriter = Rewriter(lambda instruction, _: None, program.next_id())
    rewriter.replacements.update(values)
    instructions = rewriter.block(program.instructions)
    results = rewriter.replaced(program.results)
    return replace_fields(
        program, instructions=instructions, results=results, symbols=follow_sources(program.symbols, values)
    )
