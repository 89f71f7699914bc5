"""The pass `fold-constants`: computes while compiling, with the reference interpreter, what needs no input."""

from __future__ import annotations

import numpy as np

from sessile.compiler.pass_pipeline import program_pass
from sessile.ir.literals import SHOWN_ELEMENTS
from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.rewrite import Rewriter, rewrite
from sessile.ir.sizes import SizeExpression
from sessile.ir.types import TensorType

LARGEST_RESULT = 1 << 20
LARGEST_GROWTH = 16
_FREE_GROWTH = 1 << 10


@program_pass("fold-constants")
def fold_constants(program: Program) -> Program:
    """No pure instruction has only constant operands, unless it would fail, or its result is large for its operands."""
    return rewrite(program, _fold)


def _fold(instruction: Instruction, rewriter: Rewriter) -> list[Value] | None:
    if not instruction.operands or not _is_foldable(instruction):
        return None
    operands = [rewriter.constant_of(operand) for operand in instruction.operands]
    arrays = [operand for operand in operands if operand is not None]
    if len(arrays) < len(operands) or not _is_moderate(instruction, sum(array.nbytes for array in arrays)):
        return None
    try:
        results = instruction.primitive.reference(*arrays, **instruction.attributes)
    except RunFailure:
        return None  # the run reports it, and only if it gets there
    results = results if isinstance(results, tuple) else (results,)
    return [rewriter.constant(_array(x, value)) for x, value in zip(results, instruction.results, strict=True)]


def _is_foldable(instruction: Instruction) -> bool:
    primitive = instruction.primitive
    return (
        primitive.pure
        and not primitive.uses_context
        and not instruction.regions
        and not any(_has_symbols(instruction.attributes[name]) for name in primitive.sized)
    )


def _has_symbols(attribute: object) -> bool:
    if isinstance(attribute, tuple):
        return any(map(_has_symbols, attribute))
    return isinstance(attribute, SizeExpression)


def _is_moderate(instruction: Instruction, operand_bytes: int) -> bool:
    result_bytes = sum(_bytes(result.type) for result in instruction.results)
    if instruction.name == "broadcast":  # a large one says more than its elements do
        return result_bytes <= SHOWN_ELEMENTS * instruction.result.type.numpy_dtype.itemsize
    return result_bytes <= LARGEST_RESULT and result_bytes <= max(LARGEST_GROWTH * operand_bytes, _FREE_GROWTH)


def _bytes(type: TensorType) -> int:
    size = type.size
    assert isinstance(size, int)
    return size * type.numpy_dtype.itemsize


def _array(result: object, value: Value) -> np.ndarray:
    """A result as an array of its type; NumPy gives the bare element where the rank is 0."""
    array = np.empty(value.type.bound({}), value.type.numpy_dtype)
    array[...] = result
    return array
