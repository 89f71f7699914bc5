"""Rules that keep scalars scalar: what repeats one element is computed with once, and repeated by its user."""

from __future__ import annotations

import numpy as np

from sessile.compiler.passes.simplify.rule_table import repeats_one_element, rule, spread
from sessile.ir.literals import SHOWN_ELEMENTS
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.sizes import SizeExpression


@rule("constant")
def constant_of_one_element(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A large constant that repeats one element -> a broadcast of it."""
    array = instruction.attributes["value"]
    if array.size <= SHOWN_ELEMENTS or not repeats_one_element(array):
        return None
    return spread(rewriter.constant(array.reshape(-1)[0]), instruction.result.type, rewriter)


@rule("sizes")
def known_sizes(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """Sizes that are all numbers -> a constant."""
    values, type = instruction.attributes["values"], instruction.result.type
    if any(isinstance(size, SizeExpression) for size in values):
        return None
    return rewriter.constant(np.reshape(values, type.bound({})), type.dtype)


def scalar_operands(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """f(x, broadcast(scalar)) -> f(x, scalar): scalars go with any shape. Of scalars alone, f is computed once."""
    operands = instruction.operands
    scalars = [_scalar(operand, rewriter) for operand in operands]
    if not any(scalars):
        return None
    result_type = instruction.result.type
    attributes = instruction.attributes
    if any(operand.type.rank and not scalar for operand, scalar in zip(operands, scalars, strict=True)):
        mixed = [scalar or operand for operand, scalar in zip(operands, scalars, strict=True)]
        return rewriter.emit(instruction.name, *mixed, **attributes)
    if _can_fail(instruction):
        return None
    once = rewriter.emit(instruction.name, *(s or o for o, s in zip(operands, scalars, strict=True)), **attributes)
    return spread(once, result_type, rewriter)


def _scalar(value: Value, rewriter: Rewriter) -> Value | None:
    """The scalar that a value of higher rank repeats."""
    if not value.type.rank:
        return None
    instruction = rewriter.definition(value)
    if instruction is not None and instruction.primitive.name in ("broadcast", "reshape"):
        return None if instruction.operands[0].type.rank else instruction.operands[0]
    array = rewriter.constant_of(value)
    if array is None or not repeats_one_element(array):
        return None
    return rewriter.constant(array.reshape(-1)[0])


def _can_fail(instruction: Instruction) -> bool:
    """Whether computing once could fail where a tensor without elements would not."""
    return instruction.name == "map" and SCALAR_FUNCTIONS[instruction.attributes["function"]].can_fail


for _function in SCALAR_FUNCTIONS:
    rule("map", _function)(scalar_operands)
rule("select")(scalar_operands)
rule("make_complex")(scalar_operands)
rule("convert")(scalar_operands)
rule("bitcast")(scalar_operands)
