"""Rules for powers with constant exponents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessile.compiler.passes.simplify.rule_table import filled, map_of, rule, scalar_of, spread
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.types import COMPLEX, FLOATS

_DEPTH = 8
_NEVER_NEGATIVE = ("abs", "exp", "sigmoid")
_KEEP_SIGN = ("broadcast", "reshape", "transpose", "slice")


@rule("map", "pow")
def constant_power(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """x**0 -> 1 (NaN too), x**1 -> x, x**2 -> x * x, and others of `_POWERS`; for real numbers."""
    x, y = instruction.operands
    exponent = scalar_of(y, rewriter)
    if exponent is None or x.type.dtype in COMPLEX:
        return None
    type = instruction.result.type
    if exponent == 0:
        return filled(1, type, rewriter)
    if exponent == 1:
        return spread(x, type, rewriter)
    power = _POWERS.get(float(exponent))
    result = power(x, rewriter) if power else None
    return None if result is None else spread(result, type, rewriter)


def _square(x: Value, rewriter: Rewriter) -> Value:
    """x**2 -> x * x."""
    return map_of("mul", rewriter, x, x)


def _cube(x: Value, rewriter: Rewriter) -> Value:
    """x**3 -> x * x * x: exact for whole numbers; others are rounded twice, which errs by less than 1.1 ulp."""
    return map_of("mul", rewriter, _square(x, rewriter), x)


def _inverse(x: Value, rewriter: Rewriter) -> Value | None:
    """x**-1 -> 1 / x, for floating numbers; of whole numbers it is an error."""
    if x.type.dtype not in FLOATS:
        return None
    return map_of("div", rewriter, rewriter.constant(1, x.type.dtype), x)


def _root(function: str) -> Callable[[Value, Rewriter], Value | None]:
    """x**0.5 -> sqrt(x), x**-0.5 -> rsqrt(x), unless x may be -inf or -0.0, whose powers are positive."""

    def root(x: Value, rewriter: Rewriter) -> Value | None:
        return map_of(function, rewriter, x) if is_never_negative(x, rewriter) else None

    return root


_POWERS: dict[float, Callable[[Value, Rewriter], Value | None]] = {
    2.0: _square,
    3.0: _cube,
    -1.0: _inverse,
    0.5: _root("sqrt"),
    -0.5: _root("rsqrt"),
}


def is_never_negative(value: Value, rewriter: Rewriter, depth: int = _DEPTH) -> bool:
    """Whether a floating value is known to hold nothing below 0, nor -0.0."""
    instruction = rewriter.definition(value)
    if instruction is None or not depth or value.type.dtype not in FLOATS:
        return False
    name, operands = instruction.primitive.name, instruction.operands
    if name in _KEEP_SIGN:
        return is_never_negative(operands[0], rewriter, depth - 1)
    if name == "constant":
        number: Any = scalar_of(value, rewriter)
        return number is not None and (number > 0 or str(number) == "0.0")
    function = instruction.attributes.get("function")
    if name == "map" and function in ("add", "mul", "max", "div"):
        if function == "mul" and operands[0] is operands[1]:
            return True
        return all(is_never_negative(operand, rewriter, depth - 1) for operand in operands)
    if name == "reduce" and function in ("add", "mul"):
        return is_never_negative(operands[0], rewriter, depth - 1)
    return name == "map" and function in _NEVER_NEGATIVE
