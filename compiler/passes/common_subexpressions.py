"""The pass `common-subexpressions`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.rewrite import Rewriter, rewrite
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS

_COMPARED_BYTES = 1 << 16


@program_pass("common-subexpressions")
def common_subexpressions(program: Program) -> Program:
    """No two pure instructions of a block have the same primitive, attributes, and operands."""
    first: dict[Hashable, Instruction] = {}

    def merge(instruction: Instruction, rewriter: Rewriter) -> tuple[Value, ...] | None:
        if not instruction.primitive.pure or instruction.regions or not instruction.results:
            return None
        known = first.setdefault((rewriter.block_number, *_key(instruction)), instruction)
        return known.results if known is not instruction else None

    return rewrite(program, merge)


def _key(instruction: Instruction) -> tuple[Hashable, ...]:
    """Instructions with equal keys have equal results."""
    operands = instruction.operands
    if _is_commutative(instruction):
        operands = tuple(sorted(operands, key=lambda operand: operand.id))
    return instruction.primitive.name, operands, _attributes_key(instruction.attributes)


def _is_commutative(instruction: Instruction) -> bool:
    return instruction.primitive.name == "map" and SCALAR_FUNCTIONS[instruction.attributes["function"]].commutative


def _attributes_key(attributes: Mapping[str, Any]) -> Hashable:
    value = attributes.get("value")
    if isinstance(value, np.ndarray):
        return _array_key(value)
    return tuple(sorted(attributes.items()))


def _array_key(array: np.ndarray) -> Hashable:
    """Small arrays are equal by their bits, large ones if they are one object."""
    if array.dtype.hasobject or array.nbytes > _COMPARED_BYTES:
        return id(array)
    return array.dtype.str, array.shape, array.tobytes()
