"""The pass `update-last`: what may fail runs before variables get new values.

In: a program in the order of its stages. Out: the same instructions; those that compute new values of variables stand
behind all that may fail, unless these need the new values. A run that fails so leaves variables as they were.
"""

from __future__ import annotations

from sessile.compiler.cpu import rules as _registered_rules
from sessile.compiler.fusion.classification import can_fail
from sessile.compiler.kernel_call import KERNEL_RULES
from sessile.compiler.pass_pipeline import program_pass
from sessile.compiler.stages import PLACED
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.sizes import SizeExpression

assert _registered_rules

_FALLIBLE = frozenset({"check", "gather", "gather_nd", "scatter", "random"})


@program_pass("update-last")
def update_last(program: Program) -> Program:
    """No instruction that may fail stands behind one that computes a variable's new value, unless it needs it."""
    last = max((index for index, i in enumerate(program.instructions) if may_fail(i)), default=-1)
    early, late = list(program.instructions[: last + 1]), list(program.instructions[last + 1 :])
    new_values = _new_values(program)
    needed = _needed_to_fail(early)
    kept: list[Instruction] = []
    delayed: list[Instruction] = []
    moved: set[Value] = set()
    for instruction in early:
        is_update = instruction.name not in PLACED and not new_values.isdisjoint(instruction.results)
        if (is_update or not moved.isdisjoint(instruction.operands)) and instruction not in needed:
            delayed.append(instruction)
            moved.update(instruction.results)
        else:
            kept.append(instruction)
    return program.with_instructions((*kept, *delayed, *late)) if delayed else program


def may_fail(instruction: Instruction) -> bool:
    """Whether an instruction may end the run with an error: all of the host may, and some kernels."""
    name = instruction.name
    if name not in KERNEL_RULES:
        return name not in PLACED
    inner = [each for region in instruction.regions for each in region.instructions] or [instruction]
    return name in _FALLIBLE or any(can_fail(each) or _may_leave_operand(each) for each in inner)


def _may_leave_operand(instruction: Instruction) -> bool:
    """Whether a slice or a search takes a place that only the run can check."""
    match instruction.name:
        case "slice":
            sizes = (*instruction.attributes["starts"], *instruction.attributes["shape"])
            return any(isinstance(size, SizeExpression) for size in sizes)
        case "arg_reduce":
            return isinstance(instruction.operands[0].type.shape[instruction.attributes["axis"]], SizeExpression)
    return False


def _new_values(program: Program) -> set[Value]:
    """The values that are written to variables, under all shapes."""
    written = {i.operands[0] for i in program.instructions if i.name == "write_variable"}
    for instruction in reversed(program.instructions):
        if instruction.name == "reshape" and instruction.result in written:
            written.add(instruction.operands[0])
    return written


def _needed_to_fail(instructions: list[Instruction]) -> set[Instruction]:
    """The instructions that may fail, and all that they need."""
    needed: set[Instruction] = set()
    values: set[Value] = set()
    for instruction in reversed(instructions):
        if may_fail(instruction) or not values.isdisjoint(instruction.results):
            needed.add(instruction)
            values.update(instruction.operands)
    return needed
