"""The pass `fuse`: instructions that one kernel can compute become one `fused` instruction with a region.

Its attribute `kind` says how the kernel's loops are laid: "loop" (elementwise work and movement over one shape),
"reduce" (reductions with what leads to them and what follows from them), "rows" (several passes over each row, as in
softmax), and "contraction" (elementwise work on the sums of a matrix product or convolution). The meaning of a fused
instruction is its region.
"""

from __future__ import annotations

from sessile.compiler.fusion.rebuild import Rebuilder, explanations
from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Program


@program_pass("fuse")
def fuse(program: Program) -> Program:
    """Instructions that share loops are in one `fused` instruction, unless that would repeat costly work."""
    return Rebuilder(program).program(program)


def explain_fusion(program: Program) -> str:
    """For each pair of neighbours of a program that the pass does not fuse, a line that says why."""
    return "".join(f"{line}\n" for line in explanations(program))
