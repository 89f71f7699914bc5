"""Rules for `select` and `check`."""

from __future__ import annotations

import numpy as np

from sessile.compiler.passes.simplify.rule_table import map_of, rule, scalar_of, spread
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter


@rule("select")
def select_known(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """select(true, x, y) -> x, select(false, x, y) -> y."""
    condition, x, y = instruction.operands
    truth = scalar_of(condition, rewriter)
    if truth is None:
        return None
    return spread(x if truth else y, instruction.result.type, rewriter)


@rule("select")
def select_of_same(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """select(c, x, x) -> x."""
    _, x, y = instruction.operands
    return spread(x, instruction.result.type, rewriter) if x is y else None


@rule("select")
def select_by_negation(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """select(not(c), x, y) -> select(c, y, x)."""
    condition, x, y = instruction.operands
    negated = rewriter.match(condition, "map", "not")
    return rewriter.emit("select", negated.operands[0], y, x) if negated else None


@rule("select")
def select_truth(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """select(c, true, false) -> c, select(c, false, true) -> not(c)."""
    condition, x, y = instruction.operands
    if x.type.dtype != "bool":
        return None
    first, second = scalar_of(x, rewriter), scalar_of(y, rewriter)
    if first is None or second is None or first == second:
        return None
    condition = spread(condition, instruction.result.type, rewriter)
    return condition if first else map_of("not", rewriter, condition)


@rule("check")
def check_of_truth(instruction: Instruction, rewriter: Rewriter) -> tuple[Value, ...] | None:
    """A check of what is true -> nothing."""
    condition = instruction.operands[0]
    if scalar_of(condition, rewriter):
        return ()
    array = rewriter.constant_of(condition)
    return () if array is not None and np.all(array) else None
