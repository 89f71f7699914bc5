"""Python's operators on tensors: which operation each adds, and under which name.

Arithmetic and logic stand in a name scope called after the operator ("add", "truediv"), comparisons do not ("Less").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import internal_convert
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import arithmetic, comparison, division, logic, matrix
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


def _add(x: Any, y: Any, name: str) -> Any:
    is_text = isinstance(x, Tensor) and x.dtype.base_dtype == dtypes.string
    return arithmetic.Add(x, y, name=name) if is_text else arithmetic.AddV2(x, y, name=name)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": arithmetic.Sub,
    "mul": arithmetic.Mul,
    "truediv": division.truediv,
    "div": division.div,
    "floordiv": division.FloorDiv,
    "mod": division.FloorMod,
    "pow": arithmetic.pow_,
    "matmul": matrix.matmul,
    "and": logic.LogicalAnd,
    "or": logic.LogicalOr,
    "xor": logic.logical_xor,
}
_COMPARISONS: dict[str, Callable[..., Any]] = {
    "less": comparison.Less,
    "less_equal": comparison.LessEqual,
    "greater": comparison.Greater,
    "greater_equal": comparison.GreaterEqual,
}


@public("_binary_operator")
def binary_operator(operator: str, x: Any, y: Any, reflected: bool) -> Any:
    """`x operator y`, or `y operator x` when reflected; the operand that is no tensor takes the other's type.

    Returns NotImplemented for an object that is no tensor's operand but has an operator of its own.
    """
    comparison_of = _COMPARISONS.get(operator)
    if comparison_of is not None:
        return comparison_of(x, y)
    function = _FUNCTIONS[operator]
    with name_scope(None, operator, (x, y)) as scope:
        if reflected:
            return function(internal_convert(y, x.dtype.base_dtype, "x"), x, name=scope)
        if not isinstance(y, Tensor):
            try:
                y = internal_convert(y, None, "y", x.dtype.base_dtype)
            except TypeError:
                if hasattr(type(y), f"__r{operator}__"):
                    return NotImplemented
                raise
        return function(x, y, name=scope)
