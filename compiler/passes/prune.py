"""The pass `prune`: `dead-code`, and also the parameters that are left without a use.

A call's program has a parameter for everything that is fed. A program that is taken out of a session (shipped ahead of
time, reduced to a test case) need not ask for values that nothing depends on.
"""

from __future__ import annotations

from dataclasses import replace

from sessile.compiler.pass_pipeline import program_pass
from sessile.compiler.passes.dead_code import dead_code
from sessile.ir.program import Instruction, Program
from sessile.ir.size_substitution import symbols_in
from sessile.ir.sizes import symbols_of


@program_pass("prune")
def prune(program: Program) -> Program:
    """Every instruction, parameter and size is needed by a result or an effect."""
    program = dead_code(program)
    used = {operand for instruction in program.instructions for operand in instruction.operands} | {*program.results}
    unused = {i for i in program.instructions if i.name == "parameter" and i.result not in used}
    sizes = {name for guard in program.guards for side in (guard.left, guard.right) for name in symbols_of(side)}
    sizes |= {name for i in program.all_instructions() if i not in unused for name in symbols_in(i)}
    while owners := _owners(program, sizes, unused):  # their shapes tell sizes, and may name more of them
        unused -= owners
        sizes |= {name for owner in owners for name in symbols_in(owner)}
    if not unused and sizes >= program.symbols.keys():
        return program
    symbols = {name: source for name, source in program.symbols.items() if name in sizes}
    return replace(program, instructions=tuple(i for i in program.instructions if i not in unused), symbols=symbols)


def _owners(program: Program, sizes: set[str], parameters: set[Instruction]) -> set[Instruction]:
    """Those of the parameters whose shapes tell any of the sizes."""
    sources = {s.name for name, s in program.symbols.items() if name in sizes and s.kind == "parameter"}
    return {parameter for parameter in parameters if parameter.attributes["name"] in sources}
