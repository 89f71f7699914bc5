"""The table of rules, by primitive and function, and what rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Replacement, Rewriter
from sessile.ir.types import TensorType

Rule = Callable[[Instruction, Rewriter], Replacement]
RULES: dict[str, dict[str, list[Rule]]] = {}


def rule(primitive: str, *functions: str) -> Callable[[Rule], Rule]:
    """Decorator: adds a rule for a primitive; for these of its functions, where it has functions."""

    def add(function: Rule) -> Rule:
        for each in functions or ("",):
            RULES.setdefault(primitive, {}).setdefault(each, []).append(function)
        return function

    return add


def scalar_of(value: Value, rewriter: Rewriter) -> Any:
    """The number that a value is known to hold in each of its elements, or None."""
    instruction = rewriter.definition(value)
    if instruction is not None and instruction.primitive.name == "broadcast":
        instruction = rewriter.definition(instruction.operands[0])
    if instruction is None or instruction.primitive.name != "constant":
        return None
    array = instruction.attributes["value"]
    return array.flat[0] if repeats_one_element(array) else None


def repeats_one_element(array: np.ndarray) -> bool:
    """Whether all elements of an array, of which there is at least one, have the same bits."""
    if array.size <= 1 or array.dtype.hasobject:
        return array.size == 1 and not array.dtype.hasobject
    elements = array.reshape(-1)
    if elements[0] != elements[-1] and elements[0] == elements[0]:
        return False
    raw = elements.view(np.uint8).reshape(array.size, -1)
    return bool((raw == raw[0]).all())


def is_positive_zero(number: Any) -> bool:
    """Whether a number is zero, and not -0.0 in any part."""
    return bool(number == 0) and not np.signbit(number.real) and not np.signbit(number.imag)


def is_negative_zero(number: Any) -> bool:
    """Whether a number is zero and neutral in sums: -0.0 in all its parts, or the zero of whole numbers."""
    if number.dtype.kind in "iu":
        return bool(number == 0)
    return bool(number == 0) and bool(np.signbit(number.real)) and (number.dtype.kind == "f" or np.signbit(number.imag))


def spread(x: Value, type: TensorType, rewriter: Rewriter) -> Value:
    """`x`, repeated to a shape if it is a scalar beside operands of that shape."""
    return x if x.type == type else rewriter.emit("broadcast", x, shape=type.shape, axes=())


def filled(number: Any, type: TensorType, rewriter: Rewriter) -> Value:
    """A value of a type that holds one number everywhere."""
    return spread(rewriter.constant(number, type.dtype), type, rewriter)


def map_of(function: str, rewriter: Rewriter, *operands: Value) -> Value:
    """Emits a `map`."""
    return rewriter.emit("map", *operands, function=function)
