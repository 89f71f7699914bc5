"""From a graph to a program without variables: the values that a session keeps have become constants.

In: what is fetched, and examples of what is fed. Out: a lowered program for all sizes that satisfy its guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from sessile.compiler.lower import lower
from sessile.compiler.request import Request, needed_operations
from sessile.graph.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError
from sessile.graph.operation import Operation
from sessile.graph.source_lines import defined_at
from sessile.graph.tensor import Tensor
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Guard, Instruction, Program
from sessile.ir.size_substitution import substitute_sizes
from sessile.ir.sizes import substitute
from sessile.ir.types import TensorType, element_type_of

_PLACEHOLDER_TYPES = frozenset({"Placeholder", "PlaceholderV2"})


class VariableValues(Protocol):
    """The variables of a session."""

    def shape_of(self, name: str) -> tuple[int, ...] | None: ...
    def is_initialized(self, name: str) -> bool: ...
    def value(self, name: str) -> np.ndarray: ...


class NoVariables:
    """The variables where there is no session: none has a value."""

    def shape_of(self, name: str) -> tuple[int, ...] | None:
        return None

    def is_initialized(self, name: str) -> bool:
        return False

    def value(self, name: str) -> np.ndarray:
        raise KeyError(name)


def frozen_program(
    fetches: Sequence[Tensor], examples: Mapping[Tensor, np.ndarray], variables: VariableValues
) -> Program:
    """The program that computes `fetches` from what is fed, with the values of variables in it.

    Args:
      fetches: what it computes.
      examples: an array for each fed tensor; sizes that the graph leaves open stay open, and questions about them are
        answered as they are here (and become guards).
      variables: their values.

    Raises:
      InvalidArgumentError: a placeholder that is needed is not fed, or the sizes do not fit each other.
      FailedPreconditionError: a variable that is needed has no value.
      UnimplementedError: the program would assign a variable.
    """
    request = Request(tuple(fetches), (), examples)
    _check_placeholders(request)
    return _frozen(_lowered(request, variables), variables, fetches[0].graph.get_operation_by_name)


def _lowered(request: Request, variables: VariableValues) -> Program:
    try:
        return lower(request, variables)
    except FailedPreconditionError as error:
        message = f"{error.message}\nGive the session whose values are to be frozen in."
        raise FailedPreconditionError(None, error.op, message) from None


def _check_placeholders(request: Request) -> None:
    for op in needed_operations(request):
        if op.type in _PLACEHOLDER_TYPES:
            message = (
                f"placeholder {op.name} ({defined_at(op._frames)}) is not among the feeds, and {who_needs(op, request)}"
            )
            raise InvalidArgumentError(None, op, message)


def who_needs(op: Operation, request: Request) -> str:
    """The chain of operations from a fetched one to `op`, as part of a sentence: "y needs it, through add <- mul"."""
    came_from: dict[Operation, Operation | None] = {t.op: None for t in request.fetches if t not in request.feeds}
    waiting = list(came_from)
    for current in waiting:
        if current is op:
            break
        for other in (*(t.op for t in current._inputs if t not in request.feeds), *current._control_inputs):
            if other not in came_from:
                came_from[other] = current
                waiting.append(other)
    chain = [op]
    while (consumer := came_from.get(chain[-1])) is not None:
        chain.append(consumer)
    through = " <- ".join(each.name for each in reversed(chain))
    return f"{chain[-1].name} needs it ({through})" if len(chain) > 1 else "it is fetched"


def _frozen(program: Program, variables: VariableValues, find: Callable[[str], Operation]) -> Program:
    written = [i.attributes["name"] for i in program.instructions if i.name == "write_variable"]
    if written:
        op = find(written[0])
        message = (
            f"variable {op.name} ({defined_at(op._frames)}) is assigned: what is compiled ahead of time keeps no state"
        )
        raise UnimplementedError(None, op, message)
    sizes = {
        name: (variables.shape_of(source.name) or ())[source.index]
        for name, source in program.symbols.items()
        if source.kind == "variable"
    }
    program = substitute_sizes(program, sizes)
    return replace(
        program,
        instructions=tuple(_with_value(instruction, variables) for instruction in program.instructions),
        symbols={name: source for name, source in program.symbols.items() if name not in sizes},
        guards=tuple(
            Guard(substitute(guard.left, sizes), guard.relation, substitute(guard.right, sizes))
            for guard in program.guards
        ),
    )


def _with_value(instruction: Instruction, variables: VariableValues) -> Instruction:
    """The instruction, or the constant that takes its place."""
    name = instruction.attributes.get("name", "")
    match instruction.name:
        case "read_variable":
            value = np.array(variables.value(name))
        case "initialized_value" if variables.is_initialized(name):
            value = np.array(variables.value(name))
        case "initialized_value":
            raise FailedPreconditionError(None, None, f"variable {name} has no value that could be frozen in")
        case "variable_is_initialized":
            value = np.array(variables.is_initialized(name))
        case _:
            return instruction
    value.flags.writeable = False
    (result,) = instruction.results
    assert TensorType(element_type_of(value.dtype), value.shape) == result.type
    attributes = {"value": value}
    return Instruction(PRIMITIVES["constant"], (), attributes, instruction.results, instruction.locations)
