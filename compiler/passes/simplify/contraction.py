"""Rules for contractions: operands need not be transposed, a contraction takes its axes in any order."""

from __future__ import annotations

from sessile.compiler.passes.simplify.rule_table import filled, rule
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter

Axes = tuple[int, ...]


@rule("contract")
def contract_transposed(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """contract(transpose(x), y) -> contract(x, y) with permuted axes, if the axes that are left keep their order."""
    for position in (0, 1):
        moved = rewriter.match(instruction.operands[position], "transpose")
        if moved is None:
            continue
        permutation = moved.attributes["permutation"]
        contracting, batch = instruction.attributes["contracting"], instruction.attributes["batch"]
        summed = (*contracting[position], *batch[position])
        left = [permutation[axis] for axis in range(len(permutation)) if axis not in summed]
        if left != sorted(left):
            continue
        operands = list(instruction.operands)
        operands[position] = moved.operands[0]
        return rewriter.emit(
            "contract",
            *operands,
            contracting=_permuted(contracting, position, permutation),
            batch=_permuted(batch, position, permutation),
        )
    return None


def _permuted(axes: tuple[Axes, Axes], position: int, permutation: Axes) -> tuple[Axes, Axes]:
    moved = tuple(permutation[axis] for axis in axes[position])
    return (moved, axes[1]) if position == 0 else (axes[0], moved)


@rule("contract")
def contract_nothing(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A sum of no products -> 0."""
    x = instruction.operands[0]
    if all(x.type.shape[axis] != 0 for axis in instruction.attributes["contracting"][0]):
        return None
    return filled(0, instruction.result.type, rewriter)
