"""Rules for conversions between element types."""

from __future__ import annotations

import numpy as np

from sessile.compiler.passes.simplify.rule_table import rule, spread
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.types import INTEGERS, NUMPY_DTYPES


def holds(wide: str, narrow: str) -> bool:
    """Whether each value of the element type `narrow` is a value of `wide`."""
    is_rounded = narrow in ("i64", "u64") and wide not in INTEGERS
    return bool(np.can_cast(NUMPY_DTYPES[narrow], NUMPY_DTYPES[wide], "safe")) and not is_rounded


@rule("convert")
def convert_to_same(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A conversion of x to its own type -> x."""
    x = instruction.operands[0]
    return x if x.type == instruction.result.type else None


@rule("convert")
def convert_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A conversion by way of a type that holds all values of the first -> the direct one.

    Numbers that the last type cannot hold go their own ways from floating and from whole numbers, so those are left.
    """
    inner = rewriter.match(instruction.operands[0], "convert")
    if inner is None:
        return None
    x, last = inner.operands[0], instruction.result.type.dtype
    way = inner.result.type.dtype
    if not holds(way, x.type.dtype):
        return None
    if last in INTEGERS and way not in INTEGERS and not holds(last, x.type.dtype):
        return None
    return rewriter.emit("convert", x, dtype=last)


@rule("bitcast")
def bitcast_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """bitcast(bitcast(x)) -> bitcast(x), or x if the type is its own."""
    x = instruction.operands[0]
    if x.type == instruction.result.type:
        return x
    inner = rewriter.match(x, "bitcast")
    return rewriter.emit("bitcast", inner.operands[0], dtype=instruction.result.type.dtype) if inner else None


@rule("map", "real", "imag")
def part_of_made_complex(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """real(make_complex(a, b)) -> a, imag(make_complex(a, b)) -> b."""
    made = rewriter.match(instruction.operands[0], "make_complex")
    if made is None:
        return None
    part = made.operands[0 if instruction.attributes["function"] == "real" else 1]
    return spread(part, instruction.result.type, rewriter)


@rule("make_complex")
def complex_of_own_parts(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """make_complex(real(z), imag(z)) -> z."""
    real = rewriter.match(instruction.operands[0], "map", "real")
    imaginary = rewriter.match(instruction.operands[1], "map", "imag")
    if real is None or imaginary is None or real.operands[0] is not imaginary.operands[0]:
        return None
    return spread(real.operands[0], instruction.result.type, rewriter)
