"""Turns failures of a program into the exceptions of `tf.errors`.

In: what the interpreter or a kernel could not compute, and the instruction that it happened in. Out: the error of the
right class, which holds the user's operation and names the line that created it.
"""

from __future__ import annotations

from typing import Any

from sessile.graph import errors
from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.source_lines import defined_at
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.program import Instruction

_ERRORS: Any = errors


def error_class(kind: str) -> Any:
    """The class for a kind of failure in snake case, such as "invalid_argument"; `InternalError` for others."""
    code = getattr(_ERRORS, kind.upper(), errors.INTERNAL)
    return errors.exception_type_from_error_code(code)


def translated(failure: LocatedFailure, graph: Graph) -> errors.OpError:
    """The error for a failure: its operation is the one of `graph` that the failing instruction was made for."""
    ops = operations_of(failure.instruction, graph)
    make = error_class(failure.failure.kind)
    message = failure.failure.message
    if not ops:
        return make(None, None, message)  # type: ignore[no-any-return]
    return make(None, ops[0], located_message(message, ops))  # type: ignore[no-any-return]


def located_message(message: str, ops: list[Operation]) -> str:
    """`message`, the operation that failed, and those that were computed in one kernel with it."""
    lines = [message, f"\t [[{node_text(ops[0])}]]"]
    if len(ops) > 1:
        lines.append(f"computed together with {', '.join(node_text(op) for op in ops[1:])}")
    return "\n".join(lines)


def node_text(op: Operation) -> str:
    """An operation and the user's line that created it, as messages name them."""
    return f"node {op.name} ({defined_at(op._frames)})"


def operations_of(instruction: Instruction, graph: Graph) -> list[Operation]:
    """The operations of `graph` that an instruction was made for."""
    names = dict.fromkeys(location.operation for location in instruction.locations)
    found = (graph._operations.get(name) for name in names)
    return [op for op in found if op is not None]
