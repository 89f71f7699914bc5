"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, NUMERIC, QUANTIZED, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops.bases import numbers_of
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class Cumulative(OpDefinition):
    """Base of operations that combine each element with those before it along an axis."""

    inputs = {"x": "T", "axis": "Tidx"}
    attributes = {
        "exclusive": False,
        "reverse": False,
        "T": NUMERIC | QUANTIZED,
        "Tidx": Attribute("type", default=int32, allowed=INDEX),
    }
    outputs = {"out": "T"}
    function = ""

    def infer(self, x: Tensor, axis: Tensor) -> TensorShape:
        return x._shape

    def lower(self, b: Any, x: Any, axis: Any, *, exclusive: bool, reverse: bool) -> Any:
        (place,) = numbers_of(b, axis)
        rank = x.type.rank
        b.require(-rank <= place < rank, f"scan: Expected scan axis in the range [{-rank}, {rank}), but got {place}")
        return b.emit("scan", x, function=self.function, axis=place % rank, exclusive=exclusive, reverse=reverse)


@operation("Cumsum")
class Cumsum(Cumulative):
    """The sums of the elements up to each one along an axis."""

    function = "add"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        exclusive, reverse = op._attributes["exclusive"], op._attributes["reverse"]
        return [cumsum(grad, op.inputs[1], exclusive=exclusive, reverse=not reverse), None]


@operation("Cumprod")
class Cumprod(Cumulative):
    """The products of the elements up to each one along an axis."""

    function = "mul"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, axis = op.inputs
        exclusive, reverse = op._attributes["exclusive"], op._attributes["reverse"]
        total = cumsum(op.outputs[0] * grad, axis, exclusive=exclusive, reverse=not reverse)
        return [total / x, None]


@public("cumsum", "math.cumsum")
def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The sums of the elements up to each one along an axis.

    Args:
        x: a tensor of numbers.
        axis: the axis, a scalar.
        exclusive: leaves each element itself out: the first sum is 0.
        reverse: adds from the end.
        name: a name for the operation.
    """
    with name_scope(name, "Cumsum", [x]) as scope:
        x = internal_convert(x, None, "x")
        return Cumsum(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


@public("cumprod", "math.cumprod")
def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The products of the elements up to each one along an axis.

    Args:
        x: a tensor of numbers.
        axis: the axis, a scalar.
        exclusive: leaves each element itself out: the first product is 1.
        reverse: multiplies from the end.
        name: a name for the operation.
    """
    with name_scope(name, "Cumprod", [x]) as scope:
        x = internal_convert(x, None, "x")
        return Cumprod(x, axis, exclusive=exclusive, reverse=reverse, name=scope)
