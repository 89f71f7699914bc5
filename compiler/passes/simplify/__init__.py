"""The pass `simplify`: algebra that is exact for every element type and every edge value.

Each rule is a small function in the module of its subject; its docstring states the algebra, and why it is exact where
that is not plain. "Exact" leaves open what no primitive defines: the bits of a NaN, and the sign of the zero that `max`
and `min` give for zeros of both signs. The one rule that rounds otherwise than its original says so (`cube`).
"""

from __future__ import annotations

from sessile.compiler.pass_pipeline import program_pass
from sessile.compiler.passes.simplify import (
    arithmetic,
    contraction,
    control,
    conversion,
    layout,
    logic,
    parts,
    powers,
    reduction,
    scalars,
    selection,
)
from sessile.compiler.passes.simplify.rule_table import RULES
from sessile.ir.program import Instruction, Program
from sessile.ir.rewrite import Replacement, Rewriter, rewrite

__all__ = [
    "arithmetic",
    "contraction",
    "control",
    "conversion",
    "layout",
    "logic",
    "parts",
    "powers",
    "reduction",
    "scalars",
    "selection",
    "simplify",
]


@program_pass("simplify")
def simplify(program: Program) -> Program:
    """No rule of the table applies to any instruction."""
    return rewrite(program, _apply_first)


def _apply_first(instruction: Instruction, rewriter: Rewriter) -> Replacement:
    rules = RULES.get(instruction.primitive.name)
    if rules is None:
        return None
    for rule in rules.get(instruction.attributes.get("function", ""), ()):
        replacement = rule(instruction, rewriter)
        if replacement is not None:
            return replacement
        rewriter.matched.clear()
    return None
