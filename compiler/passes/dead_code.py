"""The pass `dead-code`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Instruction, Program, Region, SizeSource, Value
from sessile.ir.size_substitution import symbols_in
from sessile.ir.sizes import symbols_of

Item = TypeVar("Item")


@program_pass("dead-code")
def dead_code(program: Program) -> Program:
    """Every instruction has an effect, or a result that is needed; branches and loops carry no value that is not."""
    sweep = _Sweep(program)
    instructions = sweep.block(program.instructions, program.results)
    if len(instructions) == len(program.instructions) and all(map(_is, instructions, program.instructions)):
        return program
    new = program.with_instructions(instructions)
    return replace(new, symbols=_bound_symbols(new))


def _bound_symbols(program: Program) -> Mapping[str, SizeSource]:
    """The symbols without those that no instruction binds any more."""
    bound = {name for i in program.all_instructions() for name in i.primitive.binds(i.attributes)}
    return {
        name: source
        for name, source in program.symbols.items()
        if source.kind in ("parameter", "variable") or name in bound
    }


class _Sweep:
    """Keeps what is needed, from the last instruction to the first.

    Sizes that depend on data are needed like values: who binds one stays while a type or an attribute names it.
    """

    def __init__(self, program: Program) -> None:
        self._needed_sizes = {name for g in program.guards for side in (g.left, g.right) for name in symbols_of(side)}
        self._has_bound_sizes = any(source.kind in ("value", "result") for source in program.symbols.values())

    def block(self, instructions: Sequence[Instruction], results: Iterable[Value]) -> tuple[Instruction, ...]:
        """The instructions that the results and effects need."""
        live = set(results)
        kept = []
        for instruction in reversed(instructions):
            if not self._is_needed(instruction, live):
                continue
            if instruction.regions:
                instruction = self._structured(instruction, live)
            live.update(instruction.operands)
            if self._has_bound_sizes:
                self._needed_sizes |= symbols_in(instruction)
            kept.append(instruction)
        kept.reverse()
        return tuple(kept)

    def _is_needed(self, instruction: Instruction, live: set[Value]) -> bool:
        for result in instruction.results:
            if result in live:
                return True
        if self._has_bound_sizes and not self._needed_sizes.isdisjoint(
            instruction.primitive.binds(instruction.attributes)
        ):
            return True
        return not instruction.is_pure and instruction.name != "bind_sizes"

    def _structured(self, instruction: Instruction, live: set[Value]) -> Instruction:
        if instruction.name == "cond":
            return self._cond(instruction, live)
        if instruction.name == "while":
            return self._while(instruction, live)
        return _with_parts(instruction, instruction.operands, instruction.results, self._regions(instruction.regions))

    def _regions(self, regions: Iterable[Region]) -> tuple[Region, ...]:
        return tuple(self._region(region, region.parameters, region.results) for region in regions)

    def _region(self, region: Region, parameters: tuple[Value, ...], results: tuple[Value, ...]) -> Region:
        instructions = self.block(region.instructions, results)
        unchanged = len(instructions) == len(region.instructions) and all(map(_is, instructions, region.instructions))
        if unchanged and parameters == region.parameters and results == region.results:
            return region
        return Region(parameters, instructions, results)

    def _cond(self, instruction: Instruction, live: set[Value]) -> Instruction:
        used = [result in live for result in instruction.results]
        regions = [self._region(r, r.parameters, _chosen(r.results, used)) for r in instruction.regions]
        needed = set().union(*map(_uses, regions))
        taken = [any(pair) for pair in zip(*([p in needed for p in r.parameters] for r in regions), strict=True)]
        if not all(taken):
            regions = [Region(_chosen(r.parameters, taken), r.instructions, r.results) for r in regions]
        operands = (instruction.operands[0], *_chosen(instruction.operands[1:], taken))
        return _with_parts(instruction, operands, _chosen(instruction.results, used), tuple(regions))

    def _while(self, instruction: Instruction, live: set[Value]) -> Instruction:
        condition, body = instruction.regions
        used = _carried(condition, body, [result in live for result in instruction.results])
        regions = (
            self._region(condition, _chosen(condition.parameters, used), condition.results),
            self._region(body, _chosen(body.parameters, used), _chosen(body.results, used)),
        )
        operands, results = _chosen(instruction.operands, used), _chosen(instruction.results, used)
        return _with_parts(instruction, operands, results, regions)


def _carried(condition: Region, body: Region, used: list[bool]) -> list[bool]:
    """Which values a loop must carry: those used after it, by its condition, by its effects, or for such values."""
    by_condition = _live_parameters(condition, condition.results)
    used = [any(pair) for pair in zip(used, by_condition, strict=True)]
    while True:
        more = _live_parameters(body, _chosen(body.results, used))
        grown = [any(pair) for pair in zip(used, more, strict=True)]
        if grown == used:
            return used
        used = grown


def _live_parameters(region: Region, results: Iterable[Value]) -> list[bool]:
    """Which parameters these results of a region, and its effects, need."""
    live = set(results)
    for instruction in reversed(region.instructions):
        if not instruction.is_pure or not live.isdisjoint(instruction.results):
            live.update(instruction.operands)
    return [parameter in live for parameter in region.parameters]


def _uses(region: Region) -> set[Value]:
    return {operand for i in region.instructions for operand in i.operands}.union(region.results)


def _chosen(items: Sequence[Item], chosen: Sequence[bool]) -> tuple[Item, ...]:
    return tuple(item for item, is_chosen in zip(items, chosen, strict=True) if is_chosen)


def _with_parts(
    instruction: Instruction, operands: tuple[Value, ...], results: tuple[Value, ...], regions: tuple[Region, ...]
) -> Instruction:
    """The instruction with other parts; itself if they are the same."""
    if (
        operands == instruction.operands
        and results == instruction.results
        and all(map(_is, regions, instruction.regions))
    ):
        return instruction
    return Instruction(instruction.primitive, operands, instruction.attributes, results, instruction.locations, regions)


def _is(a: object, b: object) -> bool:
    return a is b
