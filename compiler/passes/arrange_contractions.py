"""The pass `arrange-contractions`: operands of contractions lie so that their axes merge into rows, columns and depth.

A kernel of matrix products takes each operand as (batch, rows, columns) by three strides. Axes that are adjacent in
memory and in order count as one; where they are not, the operand is transposed first, to batch axes, free axes,
contracted axes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.rewrite import Replacement, Rewriter, rewrite
from sessile.ir.sizes import Size, product

Axes = tuple[int, ...]


@program_pass("arrange-contractions")
def arrange_contractions(program: Program) -> Program:
    """The batch, free and contracted axes of each operand of a contraction merge."""
    return rewrite(program, _arranged)


def _arranged(instruction: Instruction, rewriter: Rewriter) -> Replacement:
    if instruction.name != "contract":
        return None
    contracting, batch = instruction.attributes["contracting"], instruction.attributes["batch"]
    sides = [_side(value, contracting[k], batch[k], rewriter) for k, value in enumerate(instruction.operands)]
    if all(value is operand for (value, _, _), operand in zip(sides, instruction.operands, strict=True)):
        return None
    (a, summed_a, batch_a), (b, summed_b, batch_b) = sides
    return rewriter.emit("contract", a, b, contracting=(summed_a, summed_b), batch=(batch_a, batch_b))


def _side(value: Value, summed: Axes, batch: Axes, rewriter: Rewriter) -> tuple[Value, Axes, Axes]:
    """An operand whose axes merge, with the places of the contracted and the batch axes in it."""
    free = tuple(axis for axis in range(value.type.rank) if axis not in summed and axis not in batch)
    if all(_merge(value.type.shape, axes) for axes in (batch, free, summed)):
        return value, summed, batch
    order = (*batch, *free, *summed)
    moved = rewriter.emit("transpose", value, permutation=order)
    return moved, tuple(range(len(order) - len(summed), len(order))), tuple(range(len(batch)))


def _merge(shape: Sequence[Size], axes: Axes) -> bool:
    reach: Size | None = None
    for axis in reversed(axes):
        if shape[axis] == 1:
            continue
        step = product(shape[axis + 1 :])
        if reach is not None and step != reach:
            return False
        reach = step * shape[axis]
    return True
