"""Kernels of kinds "reduce" and "rows": chooses how the loops are laid, by where the reduced loops are.

Reduced loops innermost: rows. A kept loop innermost: columns. Few results of much work: partial results first.
"""

from __future__ import annotations

from sessile.compiler.cpu.codegen.column_kernel import write_column_kernel
from sessile.compiler.cpu.codegen.partial_kernel import is_worth_parting, partial_calls
from sessile.compiler.cpu.codegen.reduction_plan import plan_reductions
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.cpu.codegen.row_kernel import write_row_kernel
from sessile.compiler.kernel_call import KernelCall
from sessile.ir.program import Instruction


def reduction_calls(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernels of a fused instruction with reductions."""
    plan = plan_reductions(instruction.regions[0])
    if is_worth_parting(plan):
        return partial_calls(instruction, plan)
    kernel = RegionKernel(instruction)
    if plan.passes > 1 or not plan.loops or plan.loops[-1].is_reduced or not plan.reduced:
        write_row_kernel(kernel, plan)
    else:
        write_column_kernel(kernel, plan)
    return (kernel.finish(),)
