"""Comparisons, element by element, with NumPy's broadcasting; they give truth values and have no gradient."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.dtypes import NUMERIC, QUANTIZED, REAL_NUMBER
from sessile.graph.op_definition import operation
from sessile.graph.ops.bases import BinaryElementwise
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, broadcast, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class Comparison(BinaryElementwise):
    """Base of comparisons."""

    attributes = {"T": REAL_NUMBER}
    outputs = {"z": dtypes.bool}

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None, None]


class Equality(Comparison):
    """Base of comparisons for equality, which strings have too."""

    attributes = {"T": NUMERIC | QUANTIZED | {dtypes.bool, dtypes.string}, "incompatible_shape_error": True}

    def infer(self, x: Tensor, y: Tensor, *, incompatible_shape_error: bool = True) -> TensorShape:
        try:
            return broadcast(x, y)
        except ValueError:
            if incompatible_shape_error:
                raise
            return UNKNOWN

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        if x.type.dtype != "string":
            return b.map(self.function, x, y)
        shape = b.broadcast_shapes(x.type.shape, y.type.shape)
        return b.call_host(_HOST[self.function], x, y, results=[("bool", shape)])[0]


def _strings_equal(x: Any, y: Any) -> tuple[Any]:
    return (np.asarray(np.equal(np.asarray(x, object), np.asarray(y, object)), np.bool_),)


def _strings_differ(x: Any, y: Any) -> tuple[Any]:
    return (np.logical_not(_strings_equal(x, y)[0]),)


_HOST = {"eq": _strings_equal, "ne": _strings_differ}


@operation("Equal")
class Equal(Equality):
    """x == y, element by element."""

    commutative = True
    function = "eq"
    python_function = operator.eq


@public("equal", "math.equal")
def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x == y, element by element.

    Args:
        x, y: tensors of one type, whose shapes broadcast.
        name: a name for the operation.

    Returns a tensor of bool.
    """
    return Equal(x, y, name=name)


@operation("NotEqual")
class NotEqual(Equality):
    """x != y, element by element."""

    commutative = True
    function = "ne"
    python_function = operator.ne


@public("not_equal", "math.not_equal")
def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x != y, element by element.

    Args:
        x, y: tensors of one type, whose shapes broadcast.
        name: a name for the operation.

    Returns a tensor of bool.
    """
    return NotEqual(x, y, name=name)


@operation("Less", public=("less", "math.less"))
class Less(Comparison):
    """x < y, element by element, for real numbers of one type whose shapes broadcast."""

    function = "lt"
    python_function = operator.lt


@operation("LessEqual", public=("less_equal", "math.less_equal"))
class LessEqual(Comparison):
    """x <= y, element by element, for real numbers of one type whose shapes broadcast."""

    function = "le"
    python_function = operator.le


@operation("Greater", public=("greater", "math.greater"))
class Greater(Comparison):
    """x > y, element by element, for real numbers of one type whose shapes broadcast."""

    function = "gt"
    python_function = operator.gt


@operation("GreaterEqual", public=("greater_equal", "math.greater_equal"))
class GreaterEqual(Comparison):
    """x >= y, element by element, for real numbers of one type whose shapes broadcast."""

    function = "ge"
    python_function = operator.ge


@operation("ApproximateEqual")
class ApproximateEqual(Comparison):
    """Whether |x - y| < tolerance, element by element; x and y have one shape."""

    attributes = {"T": NUMERIC, "tolerance": 1e-5}
    commutative = True

    def infer(self, x: Tensor, y: Tensor) -> TensorShape:
        return same_shape(x, y)

    def lower(self, b: Any, x: Any, y: Any, *, tolerance: float) -> Any:  # type: ignore[override]
        distance = b.map("abs", b.sub(x, y))
        return b.map("lt", distance, tolerance)
