"""Rules for sums, products, quotients, and signs."""

from __future__ import annotations

import numpy as np

from sessile.compiler.passes.simplify.rule_table import (
    filled,
    is_negative_zero,
    is_positive_zero,
    map_of,
    rule,
    scalar_of,
    spread,
)
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS

_COMMUTATIVE = tuple(name for name, function in SCALAR_FUNCTIONS.items() if function.commutative)
_ROUNDING = ("floor", "ceil", "rint", "trunc")


@rule("map", *_COMMUTATIVE)
def constant_right(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """c + x -> x + c, and so for every commutative function: the other rules look to the right."""
    x, y = instruction.operands
    if scalar_of(x, rewriter) is None or scalar_of(y, rewriter) is not None:
        return None
    return map_of(instruction.attributes["function"], rewriter, y, x)


@rule("map", "add")
def add_zero(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x + 0 -> x for whole numbers; x + -0.0 -> x for the others, since -0.0 + 0.0 is 0.0."""
    x, y = instruction.operands
    zero = scalar_of(y, rewriter)
    if zero is None or not is_negative_zero(zero):
        return None
    return spread(x, instruction.result.type, rewriter)


@rule("map", "add")
def add_negated(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x + -y -> x - y, -x + y -> y - x."""
    x, y = instruction.operands
    if negated := rewriter.match(y, "map", "neg"):
        return map_of("sub", rewriter, x, negated.operands[0])
    if negated := rewriter.match(x, "map", "neg"):
        return map_of("sub", rewriter, y, negated.operands[0])
    return None


@rule("map", "sub")
def subtract_zero(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x - 0 -> x, also for -0.0; but x - -0.0 turns -0.0 into 0.0."""
    x, y = instruction.operands
    zero = scalar_of(y, rewriter)
    if zero is None or not is_positive_zero(zero):
        return None
    return spread(x, instruction.result.type, rewriter)


@rule("map", "sub")
def subtract_from_zero(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """0 - x -> -x for whole numbers; -0.0 - x -> -x for the others, since 0.0 - 0.0 is not -0.0."""
    x, y = instruction.operands
    zero = scalar_of(x, rewriter)
    if zero is None or not is_negative_zero(zero):
        return None
    return map_of("neg", rewriter, spread(y, instruction.result.type, rewriter))


@rule("map", "sub")
def subtract_negated(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x - -y -> x + y."""
    x, y = instruction.operands
    negated = rewriter.match(y, "map", "neg")
    return map_of("add", rewriter, x, negated.operands[0]) if negated else None


@rule("map", "sub")
def subtract_itself(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x - x -> 0 for whole numbers; infinities and NaN have no such difference."""
    x, y = instruction.operands
    if x is not y or x.type.dtype not in INTEGERS:
        return None
    return filled(0, instruction.result.type, rewriter)


@rule("map", "mul", "div", "floor_div", "truncated_div")
def times_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x * 1 -> x, x / 1 -> x. Not for complex numbers (inf * 0 is NaN), nor for quotients that are rounded to whole."""
    x, y = instruction.operands
    if x.type.dtype in COMPLEX or scalar_of(y, rewriter) != 1:
        return None
    if x.type.dtype in FLOATS and instruction.attributes["function"] not in ("mul", "div"):
        return None
    return spread(x, instruction.result.type, rewriter)


@rule("map", "mul")
def times_minus_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x * -1 -> -x, for real numbers."""
    x, y = instruction.operands
    if x.type.dtype in COMPLEX or scalar_of(y, rewriter) != -1:
        return None
    return map_of("neg", rewriter, spread(x, instruction.result.type, rewriter))


@rule("map", "mul")
def times_zero(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x * 0 -> 0 for whole numbers; others have infinities, NaN, and the sign of zero."""
    x, y = instruction.operands
    if x.type.dtype not in INTEGERS or scalar_of(y, rewriter) != 0:
        return None
    return filled(0, instruction.result.type, rewriter)


@rule("map", "mul", "div")
def product_of_negated(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """-x * -y -> x * y, -x / -y -> x / y, for real numbers."""
    x, y = instruction.operands
    if x.type.dtype in COMPLEX:
        return None
    left, right = rewriter.match(x, "map", "neg"), rewriter.match(y, "map", "neg")
    if left is None or right is None:
        return None
    return map_of(instruction.attributes["function"], rewriter, left.operands[0], right.operands[0])


@rule("map", "div")
def divide_by_power_of_two(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x / 2**k -> x * 2**-k: both round the same number, as long as neither power is subnormal."""
    x, y = instruction.operands
    divisor = scalar_of(y, rewriter)
    if divisor is None or divisor.dtype.kind != "f" or divisor == 0 or not np.isfinite(divisor):
        return None
    smallest = np.finfo(divisor.dtype).tiny
    with np.errstate(all="ignore"):
        inverse = 1 / divisor
    if abs(np.frexp(divisor)[0]) != 0.5 or abs(divisor) < smallest or abs(inverse) < smallest:
        return None
    return map_of("mul", rewriter, x, rewriter.constant(inverse)) if np.isfinite(inverse) else None


@rule("map", "div")
def inverse_of_square_root(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """1 / sqrt(x) -> rsqrt(x), which is defined so."""
    x, y = instruction.operands
    if scalar_of(x, rewriter) != 1:
        return None
    root = rewriter.match(y, "map", "sqrt")
    return spread(map_of("rsqrt", rewriter, root.operands[0]), instruction.result.type, rewriter) if root else None


@rule("map", "neg", "conj")
def involution(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """-(-x) -> x, conj(conj(x)) -> x."""
    inner = rewriter.match(instruction.operands[0], "map", instruction.attributes["function"])
    return inner.operands[0] if inner else None


@rule("map", "neg")
def negated_difference(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """-(x - y) -> y - x for whole numbers; the others would lose the sign of a zero."""
    difference = rewriter.match(instruction.operands[0], "map", "sub")
    if difference is None or instruction.result.type.dtype not in INTEGERS:
        return None
    return map_of("sub", rewriter, *reversed(difference.operands))


@rule("map", "abs")
def magnitude(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """abs(-x) -> abs(x), abs(abs(x)) -> abs(x)."""
    x = instruction.operands[0]
    if negated := rewriter.match(x, "map", "neg"):
        return map_of("abs", rewriter, negated.operands[0])
    return x if rewriter.match(x, "map", "abs") else None


@rule("map", *_ROUNDING)
def rounded_again(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """floor(ceil(x)) -> ceil(x), and so for all that round to whole numbers."""
    x = instruction.operands[0]
    return x if any(rewriter.match(x, "map", function) for function in _ROUNDING) else None


@rule("map", "max", "min")
def extreme_of_itself(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """max(x, x) -> x."""
    x, y = instruction.operands
    return x if x is y else None
