"""Kernel rule of `check`: looks for an element that is false and ends the run there."""

from __future__ import annotations

from sessile.compiler.kernel_call import Buffer, KernelCall, Number, Status, kernel_rule
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target
from sessile.ir.program import Instruction

_CODE = """\
def kernel(condition, status, count, part, parts):
    if part != 0:
        return
    holds = u8(1)
    for i in range(count):
        holds &= condition[i]
    if holds == 0 and status[0] == 0:
        status[0] = 1
"""


@kernel_rule("check")
def check(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """One pass over the condition; the message comes from the primitive's reference."""
    condition = instruction.operands[0]
    size = condition.type.size
    return (
        KernelCall(
            kernel_source(["check"], _CODE, ("*bool", "*i64", "i64")),
            (Buffer(condition), Status(), Number(size)),
            work=size,
            parallel=False,
            can_fail=True,
        ),
    )
