"""The reference interpreter: runs any program with the primitives' own NumPy references, one instruction at a time.

It is the meaning of a program, the first tier of execution, and what compiled code is tested against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction, Program, Region, Value
from sessile.ir.sizes import Size, SizeExpression, evaluate
from sessile.ir.types import TensorType


class RunContext(Protocol):
    """What a run offers to primitives that reach outside the program."""

    bindings: dict[str, int]

    def parameter(self, name: str) -> np.ndarray: ...
    def read_variable(self, name: str) -> np.ndarray: ...
    def write_variable(self, name: str, value: np.ndarray) -> None: ...
    def variable_is_initialized(self, name: str) -> bool: ...
    def bind(self, name: str, size: int) -> None: ...
    def draw(
        self,
        kind: str,
        stream: str,
        seed: int,
        seed2: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        operands: Sequence[np.ndarray],
    ) -> np.ndarray: ...


Environment = dict[Value, Any]
Observer = Callable[[Instruction, Sequence[Any]], None]


class LocatedFailure(Exception):
    """A RunFailure and the instruction that it happened in."""

    def __init__(self, failure: RunFailure, instruction: Instruction) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.instruction = instruction


def interpret(program: Program, context: RunContext) -> list[np.ndarray]:
    """Runs a program; returns its results, which may share memory with what the context gave.

    Raises LocatedFailure when a primitive cannot compute with the values that it meets.
    """
    environment: Environment = {}
    for instruction in program.instructions:
        run_instruction(instruction, environment, context)
    return [environment[result] for result in program.results]


def run_instruction(instruction: Instruction, environment: Environment, context: RunContext) -> None:
    """Computes one instruction's results into `environment`."""
    operands = [environment[operand] for operand in instruction.operands]
    try:
        results = evaluate_instruction(instruction, operands, context)
    except RunFailure as failure:
        raise LocatedFailure(failure, instruction) from None
    for value, result in zip(instruction.results, results, strict=True):
        environment[value] = result if isinstance(result, np.ndarray) else scalar_array(result, value.type)


def scalar_array(element: Any, type: TensorType) -> np.ndarray:
    """NumPy gives the bare element where a result has rank 0; as an array, an element that is a string stays whole."""
    array = np.empty((), type.numpy_dtype)
    array[()] = element
    return array


def evaluate_instruction(instruction: Instruction, operands: Sequence[Any], context: RunContext) -> Sequence[Any]:
    """The results of one instruction for given operands."""
    if instruction.regions:
        return _STRUCTURED[instruction.name](instruction, operands, context)
    primitive = instruction.primitive
    attributes = instruction.attributes
    if primitive.sized:
        attributes = bound_attributes(instruction, context.bindings)
    if primitive.uses_context:
        results = primitive.reference(context, *operands, **attributes)
    else:
        results = primitive.reference(*operands, **attributes)
    return results if isinstance(results, tuple) else (results,)


def bound_attributes(instruction: Instruction, bindings: Mapping[str, int]) -> dict[str, Any]:
    """The attributes with numbers for sizes."""
    attributes = dict(instruction.attributes)
    for name in instruction.primitive.sized:
        attributes[name] = _bound(attributes[name], bindings)
    return attributes


def _bound(value: Size | tuple[Any, ...], bindings: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_bound(item, bindings) for item in value)
    return evaluate(value, bindings) if isinstance(value, SizeExpression) else value


def run_region(region: Region, operands: Sequence[Any], context: RunContext) -> list[Any]:
    """The results of a region for given parameters."""
    environment: Environment = dict(zip(region.parameters, operands, strict=True))
    for instruction in region.instructions:
        run_instruction(instruction, environment, context)
    return [environment[result] for result in region.results]


def _run_fused(instruction: Instruction, operands: Sequence[Any], context: RunContext) -> list[Any]:
    return run_region(instruction.regions[0], operands, context)


def _run_cond(instruction: Instruction, operands: Sequence[Any], context: RunContext) -> list[Any]:
    return run_region(instruction.regions[0 if operands[0] else 1], operands[1:], context)


def _run_while(instruction: Instruction, operands: Sequence[Any], context: RunContext) -> list[Any]:
    condition, body = instruction.regions
    values = list(operands)
    while run_region(condition, values, context)[0]:
        values = run_region(body, values, context)
    return values


_STRUCTURED: dict[str, Callable[[Instruction, Sequence[Any], RunContext], list[Any]]] = {
    "fused": _run_fused,
    "cond": _run_cond,
    "while": _run_while,
}
