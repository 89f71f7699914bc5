"""The pass `unify-sizes`."""

from __future__ import annotations

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Program
from sessile.ir.size_substitution import solved_symbols, substitute_sizes


@program_pass("unify-sizes")
def unify_sizes(program: Program) -> Program:
    """Sizes that the guards make equal are the same text; a size that they fix is a number."""
    solved = solved_symbols(program.symbols, program.guards)
    return substitute_sizes(program, solved) if solved else program
