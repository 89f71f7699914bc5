"""The pass `schedule-stages`: instructions that need the host stand together, so that few native stages come out.

In: a program in any order of execution. Out: the same instructions; alternately all native ones that can run, then all
ready ones of the host. Effects keep their order among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessile.compiler.cpu import rules as _registered_rules
from sessile.compiler.kernel_call import KERNEL_RULES
from sessile.compiler.pass_pipeline import program_pass
from sessile.compiler.stages import PLACED
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.size_substitution import symbols_in

assert _registered_rules

_BOUND_LATE = ("value", "result")


@program_pass("schedule-stages")
def schedule_stages(program: Program) -> Program:
    """No instruction of the host stands between two native ones that could be neighbours."""
    if all(_is_native(instruction) for instruction in program.instructions):
        return program
    writes = [i for i in program.instructions if i.name == "write_variable"]
    todo = [i for i in program.instructions if i.name != "write_variable"]
    ordered: list[Instruction] = []
    available: set[Value | str] = {name for name, source in program.symbols.items() if source.kind not in _BOUND_LATE}
    native = True
    while todo:
        taken, todo = _take_ready(todo, available, native)
        ordered += taken
        native = not native
    return program.with_instructions((*ordered, *writes))


def _is_native(instruction: Instruction) -> bool:
    return instruction.name in PLACED or instruction.name in KERNEL_RULES


def _take_ready(
    todo: Sequence[Instruction], available: set[Value | str], native: bool
) -> tuple[list[Instruction], list[Instruction]]:
    """Those of `todo` of the wanted kind that can run now, and the rest.

    `available`, values and names of sizes, grows by what they give.
    """
    taken: list[Instruction] = []
    left: list[Instruction] = []
    effect_waits = False
    for instruction in todo:
        is_effect = not instruction.primitive.pure and instruction.name not in PLACED
        ready = _is_native(instruction) is native and available.issuperset(_needs(instruction))
        if ready and not (is_effect and effect_waits):
            taken.append(instruction)
            available.update(instruction.results, instruction.primitive.binds(instruction.attributes))
        else:
            left.append(instruction)
            effect_waits = effect_waits or is_effect
    return taken, left


def _needs(instruction: Instruction) -> Iterator[Value | str]:
    """The values and sizes that must be there before an instruction runs."""
    yield from instruction.operands
    yield from symbols_in(instruction).difference(instruction.primitive.binds(instruction.attributes))
    for region in instruction.regions:
        for inner in region.instructions:
            yield from (need for need in _needs(inner) if isinstance(need, str))
