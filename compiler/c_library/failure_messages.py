"""What a C library says of an operation that cannot compute with the values that it meets."""

from __future__ import annotations

import re

from sessile.compiler.c_library.refusals import origin
from sessile.ir.program import Instruction

_REASONS = {
    "gather": "an index lies outside the axis that it indexes",
    "gather_nd": "an index lies outside the tensor that it indexes",
    "scatter": "an index lies outside the tensor that it indexes",
    "arg_reduce": "the axis that it reduces is empty",
    "random": "the bounds of the samples are out of order",
}


def failure_message(instruction: Instruction) -> str:
    """The operation, the user's line, and what is wrong, as far as that is known when the library is made."""
    return f"{origin(instruction)}: {_reason(instruction)}"


def _reason(instruction: Instruction) -> str:
    if instruction.name == "check":
        return re.sub(r"\s*\{\}", " ...", str(instruction.attributes["message"]))
    return _REASONS.get(instruction.name, "it cannot compute with these values")
