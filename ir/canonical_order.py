"""The order of instructions that depends on what a program computes, not on how it came about.

Parameters, and instructions that do more than compute, keep their order; every other instruction comes right before the
first one that needs it, as a walk from these and from the results meets it.
"""

from __future__ import annotations

from sessile.ir.program import Instruction, Program, Value


def in_canonical_order(program: Program) -> Program:
    """The program with its instructions in canonical order; those that nothing needs stay at the end."""
    definitions = program.definitions()
    order: dict[Instruction, None] = {}

    def visit(root: Instruction) -> None:
        stack = [(root, False)]
        while stack:
            instruction, is_ready = stack.pop()
            if instruction in order:
                continue
            if is_ready:
                order[instruction] = None
                continue
            stack.append((instruction, True))
            needed = [definitions[value] for value in _used(instruction) if value in definitions]
            stack.extend((other, False) for other in reversed(needed))

    for instruction in program.instructions:
        if not instruction.is_pure:
            visit(instruction)
    for result in program.results:
        visit(definitions[result])
    for instruction in program.instructions:
        visit(instruction)
    return program.with_instructions(tuple(order))


def _used(instruction: Instruction) -> list[Value]:
    """The values that an instruction needs, those in its regions too, in order."""
    used = list(instruction.operands)
    for region in instruction.regions:
        for inner in region.instructions:
            used += _used(inner)
        used += region.results
    return used
