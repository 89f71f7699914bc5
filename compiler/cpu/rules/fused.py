"""Kernels of fused instructions, and of elementwise work, movement and reductions that stand alone."""

from __future__ import annotations

from sessile.compiler.cpu.codegen.loop_kernel import write_loop_kernel
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.fusion.index_maps import NotSimple
from sessile.compiler.kernel_call import KernelCall, NoKernel, kernel_rule
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Region, Value

_WRITERS = {"loop": write_loop_kernel}


@kernel_rule("fused")
def fused(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernel of a fused instruction, by its kind."""
    kernel = RegionKernel(instruction)
    try:
        _WRITERS[instruction.attributes["kind"]](kernel)
    except NotSimple as reason:
        raise NoKernel(str(reason)) from None
    return (kernel.finish(),)


@kernel_rule(
    "map", "select", "convert", "make_complex", "bitcast", "broadcast", "iota", "transpose", "slice", "reverse", "pad",
    "concat",
)  # fmt: skip
def alone(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernel of a single instruction: that of a fused one which holds nothing else."""
    return fused(as_fused(instruction, "loop"))


@kernel_rule("reduce")
def reduce_alone(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernel of a reduction."""
    return fused(as_fused(instruction, "reduce"))


def as_fused(instruction: Instruction, kind: str) -> Instruction:
    """A fused instruction with one instruction in its region."""
    operands = tuple(dict.fromkeys(instruction.operands))
    parameters = {operand: Value(operand.id, operand.type) for operand in operands}
    inner = instruction.with_operands(tuple(parameters[operand] for operand in instruction.operands))
    region = Region(tuple(parameters.values()), (inner,), instruction.results)
    return Instruction(
        PRIMITIVES["fused"], operands, {"kind": kind}, instruction.results, instruction.locations, (region,)
    )
