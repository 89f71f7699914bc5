"""The pass `update-in-place`: a kernel that computes a variable's new value writes it over the old one.

In: a program after fusion. Out: the same, with the attribute `in_place` on instructions whose result may share an
operand's buffer: the operand is a variable's value (or a value of the program) that nobody needs afterwards, has the
result's type, and is read at no other place than the one that is written.
"""

from __future__ import annotations

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Instruction, Program, Region, Value
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS

# Instructions that read each place of an operand before they write it, whatever the other operands say.
_UPDATES = {"scatter": 0, "dynamic_update": 0}


@program_pass("update-in-place")
def update_in_place(program: Program) -> Program:
    """Every fused loop, scatter or dynamic update that may overwrite an operand does so."""
    last_use = _last_uses(program)
    owned = {result for i in program.instructions if i.name in ("read_variable", "fused") for result in i.results}
    written = {i.operands[0] for i in program.instructions if i.name == "write_variable"}
    instructions = []
    for index, instruction in enumerate(program.instructions):
        dying = {v for v in instruction.operands if v in owned and last_use[v] == index}
        pairs = _pairs(instruction, dying, written)
        if pairs:
            attributes = {**instruction.attributes, "in_place": pairs}
            instruction = Instruction(
                instruction.primitive,
                instruction.operands,
                attributes,
                instruction.results,
                instruction.locations,
                instruction.regions,
            )
        instructions.append(instruction)
    return program.with_instructions(tuple(instructions))


def _last_uses(program: Program) -> dict[Value, int]:
    """The position of each value's last use; a result of the program is used at the end.

    A reshape shares its operand's buffer, so a use of the one is a use of the other.
    """
    last: dict[Value, int] = {}
    origin: dict[Value, Value] = {}
    for index, instruction in enumerate(program.instructions):
        for operand in instruction.operands:
            last[operand] = index
            if operand in origin:
                last[origin[operand]] = index
        if instruction.name == "reshape":
            origin[instruction.result] = origin.get(instruction.operands[0], instruction.operands[0])
    for result in program.results:
        last[result] = len(program.instructions)
        if result in origin:
            last[origin[result]] = len(program.instructions)
    return last


def _pairs(instruction: Instruction, dying: set[Value], written: set[Value]) -> tuple[tuple[int, int], ...]:
    if instruction.name in _UPDATES:
        position = _UPDATES[instruction.name]
        safe = (
            instruction.operands[position] in dying and instruction.operands.count(instruction.operands[position]) == 1
        )
        return ((0, position),) if safe else ()
    if instruction.name != "fused" or instruction.attributes.get("kind") != "loop":
        return ()
    region = instruction.regions[0]
    if any(_can_fail(inner) for inner in region.instructions):
        return ()
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for result_index, result in enumerate(instruction.results):
        if result not in written:
            continue
        for position, operand in enumerate(instruction.operands):
            if (
                operand in dying
                and position not in taken
                and operand.type == result.type
                and instruction.operands.count(operand) == 1
                and _reads_own_place(region, region.parameters[position])
                and _feeds(region, region.parameters[position], region.results[result_index])
            ):
                pairs.append((result_index, position))
                taken.add(position)
                break
    return tuple(pairs)


def _can_fail(instruction: Instruction) -> bool:
    return instruction.name == "map" and SCALAR_FUNCTIONS[instruction.attributes["function"]].can_fail


def _reads_own_place(region: Region, parameter: Value) -> bool:
    """Whether the parameter, and everything of its shape made from it, goes through element-by-element work alone."""
    users = [i for i in region.instructions if parameter in i.operands]
    return parameter not in region.results and all(i.name in ("map", "select", "convert") for i in users)


def _feeds(region: Region, parameter: Value, result: Value) -> bool:
    """Whether the result is computed from the parameter."""
    derived = {parameter}
    for instruction in region.instructions:
        if derived & set(instruction.operands):
            derived.update(instruction.results)
    return result in derived
