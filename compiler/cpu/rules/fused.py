"""Kernels of fused instructions, and of elementwise work, movement and reductions that stand alone."""

from __future__ import annotations

from sessile.compiler.cpu.codegen.contraction_epilogue import contraction_end
from sessile.compiler.cpu.codegen.loop_kernel import loop_calls
from sessile.compiler.cpu.codegen.reduce_kernel import reduction_calls
from sessile.compiler.cpu.codegen.spread_kernel import has_gaps, spread_calls
from sessile.compiler.cpu.rules.contractions import contraction_call
from sessile.compiler.fusion.index_maps import NotSimple
from sessile.compiler.kernel_call import KernelCall, NoKernel, kernel_rule
from sessile.compiler.target import Target
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Region, Value


@kernel_rule("fused")
def fused(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    """The kernels of a fused instruction, by its kind."""
    if all(result.type.size == 0 for result in instruction.results):
        return ()
    try:
        match instruction.attributes["kind"]:
            case "contraction":
                return contraction_calls(instruction, target)
            case "loop":
                return loop_calls(instruction)
            case _:
                return reduction_calls(instruction)
    except NotSimple as reason:
        raise NoKernel(str(reason)) from None


def contraction_calls(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    """The kernel of a contraction with elementwise work on its sums."""
    end = contraction_end(instruction)
    return (contraction_call(end.contraction, target, end.target, end.epilogue, end.arguments, end.cost, end.operands),)


@kernel_rule(
    "map", "select", "convert", "make_complex", "bitcast", "broadcast", "iota", "transpose", "slice", "reverse", "pad",
    "concat",
)  # fmt: skip
def alone(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    """The kernel of a single instruction: that of a fused one which holds nothing else."""
    if instruction.name == "pad" and has_gaps(instruction):
        return spread_calls(as_fused(instruction, "loop"))
    return fused(as_fused(instruction, "loop"), target)


@kernel_rule("reduce")
def reduce_alone(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    """The kernel of a reduction."""
    return fused(as_fused(instruction, "reduce"), target)


def as_fused(instruction: Instruction, kind: str) -> Instruction:
    """A fused instruction with one instruction in its region."""
    operands = tuple(dict.fromkeys(instruction.operands))
    parameters = {operand: Value(operand.id, operand.type) for operand in operands}
    inner = instruction.with_operands(tuple(parameters[operand] for operand in instruction.operands))
    region = Region(tuple(parameters.values()), (inner,), instruction.results)
    return Instruction(
        PRIMITIVES["fused"], operands, {"kind": kind}, instruction.results, instruction.locations, (region,)
    )
