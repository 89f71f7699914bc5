"""Python's operators on tensors: which operation each adds, in a name scope called after the operator."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import OPS
from sessile.graph.public_names import PUBLIC, public
from sessile.graph.tensor import Tensor

# Operators whose meaning depends on the types of their operands, by public function; the others by operation.
_BY_FUNCTION = {"truediv": "truediv", "floordiv": "floordiv", "pow": "pow", "matmul": "matmul", "div": "div", "mod": "mod"}


@public("_binary_operator")
def binary_operator(operator: str, op_type: str, x: Any, y: Any, reflected: bool) -> Any:
    """`x operator y`, or `y operator x` when reflected; the operand that is no tensor takes the other's type."""
    with name_scope(None, operator, [x, y]) as scope:
        if reflected:
            x, y = internal_convert(y, x.dtype.base_dtype, "x"), x
        elif not isinstance(y, Tensor):
            try:
                y = internal_convert(y, None, "y", x.dtype.base_dtype)
            except TypeError:
                if hasattr(type(y), f"__r{operator.removeprefix('logical_')}__"):
                    return NotImplemented
                raise
        if operator in _BY_FUNCTION:
            return PUBLIC[_BY_FUNCTION[operator]](x, y, name=scope)
        if operator == "mul" and not isinstance(y, Tensor):
            return NotImplemented
        return OPS[op_type].__class__(x, y, name=scope)
