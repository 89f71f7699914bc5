"""Places of the largest and smallest elements along an axis."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import known_number
from sessile.graph.data_type import DType
from sessile.graph.dtypes import INDEX, QUANTIZED, REAL_NUMBER, int16, int32, int64
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops.bases import numbers_of
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import UNKNOWN, of_rank, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape


class ArgReduction(OpDefinition):
    """Base of places of extreme elements: the first one where several are equal."""

    inputs = {"input": "T", "dimension": "Tidx"}
    attributes = {
        "T": REAL_NUMBER | QUANTIZED | {dtypes.bool},
        "Tidx": Attribute("type", default=int32, allowed=INDEX | {int16}),
        "output_type": Attribute("type", default=int64, allowed=INDEX),
    }
    outputs = {"output": "output_type"}
    differentiable = False
    function = ""

    def infer(self, input: Tensor, dimension: Tensor) -> TensorShape:
        of_rank(dimension, 0)
        sizes, axis = of_rank_at_least(input, 1), known_number(dimension)
        if sizes is None:
            return UNKNOWN
        if axis is None:
            return unknown_shape(len(sizes) - 1)
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Dimension ({axis}) must be in the range [{-len(sizes)}, {len(sizes)})")
        place = axis % len(sizes)
        return TensorShape.from_sizes((*sizes[:place], *sizes[place + 1 :]))

    def lower(self, b: Any, input: Any, dimension: Any, *, output_type: DType) -> Any:
        (axis,) = numbers_of(b, dimension)
        rank = input.type.rank
        b.require(-rank <= axis < rank, f"Expected dimension in the range [{-rank}, {rank}), but got {axis}")
        size = input.type.shape[axis]
        b.require(b.decide(size, ">=", 1), f"Reduction axis {axis} is empty in shape {list(input.type.shape)}")
        dtype = b.element_type(output_type)
        return b.emit("arg_reduce", input, function=self.function, axis=axis % rank, dtype=dtype)


@operation("ArgMax", public="arg_max")
class ArgMax(ArgReduction):
    """The place of the largest element along an axis.

    Args:
        input: a tensor of real numbers.
        dimension: the axis, a scalar.
        output_type: int32 or int64.
        name: a name for the operation.
    """

    function = "max"


@operation("ArgMin", public="arg_min")
class ArgMin(ArgReduction):
    """The place of the smallest element along an axis; arguments as those of arg_max."""

    function = "min"


@public("argmax", "math.argmax")
def argmax(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = int64
) -> Tensor:
    """The place of the largest element along an axis, of the first one where several are equal.

    Args:
        input: a tensor of real numbers.
        axis: the axis, a scalar; by default the first.
        name: a name for the operation.
        dimension: the older name of `axis`.
        output_type: int32 or int64.
    """
    axis = renamed_argument("axis", axis, "dimension", dimension)
    return ArgMax(input, 0 if axis is None else axis, output_type=output_type, name=name)


@public("argmin", "math.argmin")
def argmin(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = int64
) -> Tensor:
    """The place of the smallest element along an axis, of the first one where several are equal.

    Args:
        input: a tensor of real numbers.
        axis: the axis, a scalar; by default the first.
        name: a name for the operation.
        dimension: the older name of `axis`.
        output_type: int32 or int64.
    """
    axis = renamed_argument("axis", axis, "dimension", dimension)
    return ArgMin(input, 0 if axis is None else axis, output_type=output_type, name=name)
