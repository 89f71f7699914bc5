"""Rules for truth values, bits, and comparisons."""

from __future__ import annotations

from typing import Any

from sessile.compiler.passes.simplify.rule_table import filled, map_of, rule, scalar_of, spread
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.types import INTEGERS

_OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}


def _is_all_ones(number: Any) -> bool:
    return number is not None and bool(~number == 0)


@rule("map", "not")
def not_not(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """not(not(x)) -> x."""
    inner = rewriter.match(instruction.operands[0], "map", "not")
    return inner.operands[0] if inner else None


@rule("map", "not")
def not_comparison(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """not(x == y) -> x != y; not(x < y) -> x >= y for whole numbers, since NaN is neither."""
    inner = rewriter.match(instruction.operands[0], "map")
    function = _OPPOSITE.get(inner.attributes["function"]) if inner else None
    if inner is None or function is None:
        return None
    if function not in ("eq", "ne") and inner.operands[0].type.dtype not in INTEGERS:
        return None
    return map_of(function, rewriter, *inner.operands)


@rule("map", "and", "or")
def idempotent(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x and x -> x, x or x -> x."""
    x, y = instruction.operands
    return x if x is y else None


@rule("map", "xor")
def exclusive_or_itself(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x xor x -> 0."""
    x, y = instruction.operands
    return filled(0, instruction.result.type, rewriter) if x is y else None


@rule("map", "or", "xor", "shift_left", "shift_right")
def neutral_zero(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x or 0 -> x, x xor 0 -> x, a shift by 0 -> x."""
    x, y = instruction.operands
    return spread(x, instruction.result.type, rewriter) if scalar_of(y, rewriter) == 0 else None


@rule("map", "and")
def and_constant(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x and 0 -> 0, x and all ones -> x."""
    x, y = instruction.operands
    number = scalar_of(y, rewriter)
    if number == 0:
        return filled(0, instruction.result.type, rewriter)
    return spread(x, instruction.result.type, rewriter) if _is_all_ones(number) else None


@rule("map", "or")
def or_ones(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x or all ones -> all ones."""
    if not _is_all_ones(scalar_of(instruction.operands[1], rewriter)):
        return None
    return spread(instruction.operands[1], instruction.result.type, rewriter)


@rule("map", "eq", "le", "ge", "ne", "lt", "gt")
def compared_with_itself(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x == x -> true, x < x -> false, for whole numbers and truth values; NaN is not equal to itself."""
    x, y = instruction.operands
    if x is not y or not (x.type.dtype in INTEGERS or x.type.dtype == "bool"):
        return None
    return filled(instruction.attributes["function"] in ("eq", "le", "ge"), instruction.result.type, rewriter)


@rule("map", "eq", "ne")
def compared_with_truth(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x == true -> x, x == false -> not(x), and the opposite for !=."""
    x, y = instruction.operands
    truth = scalar_of(y, rewriter) if x.type.dtype == "bool" else None
    if truth is None:
        return None
    same = bool(truth) == (instruction.attributes["function"] == "eq")
    x = spread(x, instruction.result.type, rewriter)
    return x if same else map_of("not", rewriter, x)
