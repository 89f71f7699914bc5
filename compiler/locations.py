"""Where operations come from, as programs tell it."""

from __future__ import annotations

from sessile.graph.operation import Operation
from sessile.ir.program import Location


def location_of(op: Operation) -> Location:
    """The name of an operation and the user's line that made it."""
    if not op._frames:
        return Location(op.name)
    code, line = op._frames[0]
    return Location(op.name, code.co_filename, line, code.co_name)
